//! Which instances wait for a pass, and when the next one may begin.
//!
//! It is one set for the whole process: an instance is in it once, however often it was woken, and
//! an instance that is gone is not in it. [`mod@line`] says who is next; here is the lock around
//! that, and the wait.

mod line;
mod pace;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

pub(crate) use self::line::Front;
use self::line::Line;
use crate::live::InstanceKey;
use crate::memory::{self, Memory};

/// Whoever hands out passes looks at the queue so often, also when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Without a heartbeat for so long, it does not live any more.
const DEAD_AFTER: Duration = Duration::from_mins(1);
/// While somebody waits, a pass must begin or end within this.
const STUCK_AFTER: Duration = memory::DEADLINE.saturating_add(Duration::from_mins(1));

/// See the module.
pub(crate) struct Queue {
    line: Mutex<Line>,
    /// The last heartbeat; none before there was one.
    beat: Mutex<Option<Instant>>,
    news: Notify,
}

impl Queue {
    /// With so many workers for all instances of the process.
    pub(crate) fn new(workers: u16) -> Self {
        Self {
            line: Mutex::new(Line::new(workers.into())),
            beat: Mutex::default(),
            news: Notify::new(),
        }
    }

    /// There is such an instance, and it should be looked at; `changed` if it is new or its spec
    /// has changed.
    pub(crate) fn see(&self, key: &InstanceKey, front: Front, changed: bool) {
        self.line().see(key, front, changed, Instant::now());
        self.news.notify_one();
    }

    /// Something around the instance changed.
    pub(crate) fn wake(&self, key: &InstanceKey) {
        self.line().wake(key, Instant::now());
        self.news.notify_one();
    }

    /// That of an instance is gone.
    pub(crate) fn forget(&self, key: &InstanceKey, front: Front) {
        self.line().forget(key, front, Instant::now());
        self.news.notify_one();
    }

    /// Hands an instance to a worker, if one waits and one is free.
    pub(crate) fn take(&self) -> Option<(InstanceKey, Memory)> {
        self.line().take(Instant::now())
    }

    /// A worker is done. Whether the instance is still there.
    pub(crate) fn put_back(&self, key: &InstanceKey, memory: Memory, again_in: Duration) -> bool {
        self.line().put_back(key, memory, again_in, Instant::now())
    }

    /// Returns when there may be somebody to take, and now and then.
    pub(crate) async fn wait(&self) {
        let now = Instant::now();
        *self.beat() = Some(now);
        let next = self.line().next_at().map(|at| at.saturating_duration_since(now));
        let pause = next.map_or(HEARTBEAT, |next| next.min(HEARTBEAT));
        tokio::select! {
            () = self.news.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Instances that wait for a pass; one that is only due later does not.
    pub(crate) fn depth(&self) -> usize {
        self.line().depth(Instant::now())
    }

    /// How long the one has waited for a worker that waits longest.
    pub(crate) fn oldest(&self) -> Duration {
        self.line().oldest(Instant::now()).unwrap_or_default()
    }

    /// Why the process should be started anew, if it should.
    pub(crate) fn ails(&self) -> Option<String> {
        let now = Instant::now();
        let beat = *self.beat();
        // A replica that waits for the Lease hands out nothing.
        let silent = now.saturating_duration_since(beat?);
        let stuck = self.line().stands_still(now).unwrap_or_default();
        ailment(silent, stuck)
    }

    /// The passes under way end, and no other begins.
    pub(crate) fn close(&self) {
        self.line().close();
        self.news.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.line().is_closed()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) -> MutexGuard<'_, Option<Instant>> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ailment(silent: Duration, stuck: Duration) -> Option<String> {
    if silent >= DEAD_AFTER {
        Some(format!("nobody has handed out passes for {} s", silent.as_secs()))
    } else if stuck >= STUCK_AFTER {
        Some(format!("instances wait, and no pass began or ended for {} s", stuck.as_secs()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loop_that_stands_still_ails() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        assert_eq!(ailment(HEARTBEAT, Duration::ZERO), None);
        assert_eq!(ailment(HEARTBEAT, memory::DEADLINE), None, "a pass may take so long");
        assert!(ailment(hour, Duration::ZERO).is_some_and(|why| why.contains("3600 s")));
        assert!(ailment(second, hour).is_some_and(|why| why.contains("3600 s")));
        // A replica that waits for the Lease has instances that wait, and hands out none.
        let standby = Queue::new(1);
        let ada = InstanceKey { namespace: "agents".to_owned(), name: "ada".to_owned() };
        standby.see(&ada, Front::Instance, true);
        assert_eq!(standby.ails(), None);
    }
}
