//! Turns: whose pod is replaced next, where many agents are to be replaced for one cause.
//!
//! Who is next is decided by [`openclaw_render::pacing`]; here is what all passes said, and the clock.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use openclaw_render::pacing::{self, CauseKind, Pacing, Standing, Turn};
use tokio::sync::Notify;

use crate::instances::Instances;
use crate::live::InstanceKey;
use crate::queue::Queue;

/// After so long, an instance that no pass could look at keeps the others waiting no more.
const COMPLETE_AFTER: Duration = Duration::from_mins(2);
/// Now and then, in case the clock was changed.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// See the module.
pub(crate) struct Turns {
    state: Mutex<State>,
    news: Notify,
}

struct State {
    turns: pacing::Turns<InstanceKey>,
    /// Instances that a pass has looked at. Before all have been, nobody knows who was replaced
    /// already, and nobody's turn comes.
    noted: BTreeSet<InstanceKey>,
    began: Option<Instant>,
    is_complete: bool,
    next: Option<Timestamp>,
}

impl Turns {
    pub(crate) fn new(pacing: Pacing) -> Self {
        let state = State {
            turns: pacing::Turns::new(pacing),
            noted: BTreeSet::new(),
            began: None,
            is_complete: false,
            next: None,
        };
        Self { state: Mutex::new(state), news: Notify::new() }
    }

    /// Takes in where an agent stands. Whether it is told something else from now on; others that are
    /// get woken.
    pub(crate) fn note(
        &self,
        key: &InstanceKey,
        standings: &[Standing],
        instances: &Instances,
        queue: &Queue,
    ) -> bool {
        let now = Timestamp::now();
        let mut state = self.state();
        let was_complete = state.is_complete;
        state.saw(key, instances, Instant::now());
        let is_news = state.turns.note(key, standings, now);
        if !state.is_complete || (was_complete && !is_news) {
            return false;
        }
        let told = state.grant(now);
        drop(state);
        self.news.notify_one();
        for other in told.iter().filter(|other| *other != key) {
            queue.wake(other);
        }
        told.contains(key)
    }

    /// What an agent is told.
    pub(crate) fn told(&self, key: &InstanceKey) -> Vec<Turn> {
        self.state().turns.told(key)
    }

    /// How many agents wait for a cause of that kind, and whether such a cause has stopped.
    pub(crate) fn waiting(&self, kind: CauseKind) -> (usize, bool) {
        self.state().turns.waiting(kind)
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        let mut state = self.state();
        state.noted.remove(key);
        if state.turns.note(key, &[], Timestamp::now()) && state.is_complete {
            // It may have kept others waiting.
            state.next = Some(Timestamp::now());
            drop(state);
            self.news.notify_one();
        }
    }

    /// Gives turns when it is time to. Never returns.
    pub(crate) async fn give_all(&self, queue: &Queue) {
        loop {
            let told = {
                let now = Timestamp::now();
                let mut state = self.state();
                let is_due = state.is_complete && state.next.is_some_and(|next| next <= now);
                if is_due { state.grant(now) } else { BTreeSet::new() }
            };
            for key in &told {
                queue.wake(key);
            }
            let next = self.state().next;
            let pause = next.map(|next| next.duration_since(Timestamp::now()));
            let pause = pause.map(|pause| Duration::try_from(pause).unwrap_or_default());
            tokio::select! {
                () = self.news.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)) => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn saw(&mut self, key: &InstanceKey, instances: &Instances, now: Instant) {
        if self.is_complete {
            return;
        }
        self.noted.insert(key.clone());
        let began = *self.began.get_or_insert(now);
        let waited = now.saturating_duration_since(began);
        let is_noted = |key: &InstanceKey| self.noted.contains(key);
        if waited >= COMPLETE_AFTER || instances.all(is_noted) {
            self.is_complete = true;
            self.noted = BTreeSet::new();
        }
    }

    fn grant(&mut self, now: Timestamp) -> BTreeSet<InstanceKey> {
        let pacing::Granted { told, look_again_at } = self.turns.grant(now);
        self.next = look_again_at;
        told
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use openclaw_render::pacing::{Cause, News, Stage};
    use serde_json::json;

    use super::*;
    use crate::instance_text::InstanceText;

    fn key(name: &str) -> InstanceKey {
        InstanceKey { namespace: "agents".to_owned(), name: name.to_owned() }
    }

    fn standing(stage: Stage) -> Vec<Standing> {
        let cause = Cause { kind: CauseKind::ClusterDefaults, id: "1".to_owned() };
        vec![Standing { cause, stage }]
    }

    /// After a restart, one that was replaced before keeps the others waiting, whoever is looked at
    /// first.
    #[test]
    fn nobody_begins_before_all_have_been_looked_at() {
        let instances = Arc::new(Instances::default());
        for name in ["ada", "bob", "eve"] {
            let live = json!({"metadata": {
                "name": name, "namespace": "agents", "resourceVersion": "1",
            }});
            instances.watched(InstanceText::new(&live.to_string()).expect("an instance"));
        }
        let turns = Turns::new(Pacing::default());
        let queue = Queue::new(1);
        let note = |name: &str, stage: Option<Stage>| {
            let standings = stage.map(standing).unwrap_or_default();
            turns.note(&key(name), &standings, &instances, &queue)
        };
        assert!(!note("ada", Some(Stage::Waits)));
        assert!(!note("bob", Some(Stage::Starting)));
        assert_eq!(turns.told(&key("ada")), []);
        assert!(!note("eve", None));
        assert_eq!(turns.told(&key("ada")), [], "bob is not ready yet");
        assert_eq!(turns.waiting(CauseKind::ClusterDefaults), (1, false));
        // It is deleted, and ada may begin.
        turns.forget(&key("bob"));
        assert!(note("ada", None) || note("ada", Some(Stage::Waits)));
        let told = turns.told(&key("ada"));
        assert_eq!(told.first().map(|turn| turn.news), Some(News::Begin));
    }
}
