//! Who is served when, one case at a time.

use super::*;

/// Nobody looks again by himself within a test.
pub(super) const NEVER: Duration = Duration::from_hours(24);

pub(super) struct Clock {
    pub(super) now: Instant,
    pub(super) line: Line,
}

pub(super) fn key(namespace: &str, name: &str) -> InstanceKey {
    InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() }
}

fn agent(name: &str) -> InstanceKey {
    key("agents", name)
}

impl Clock {
    pub(super) fn with_workers(workers: usize) -> Self {
        Self { now: Instant::now(), line: Line::new(workers) }
    }

    pub(super) fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    /// It is there, and nothing is to be done with it.
    fn settled(&mut self, key: &InstanceKey) {
        self.see(key, false);
        self.pass(1000);
        assert_eq!(self.take().as_ref(), Some(key));
        self.put_back(key, NEVER);
        self.pass(600_000);
    }

    pub(super) fn see(&mut self, key: &InstanceKey, changed: bool) {
        self.line.see(key, Front::Instance, changed, self.now);
    }

    pub(super) fn forget(&mut self, key: &InstanceKey) {
        self.line.forget(key, Front::Instance, self.now);
    }

    pub(super) fn wake(&mut self, key: &InstanceKey) {
        self.line.wake(key, self.now);
    }

    pub(super) fn take(&mut self) -> Option<InstanceKey> {
        self.line.take(self.now).map(|(key, _)| key)
    }

    pub(super) fn put_back(&mut self, key: &InstanceKey, again_in: Duration) -> bool {
        self.line.put_back(key, Memory::default(), again_in, self.now)
    }

    fn take_all(&mut self) -> Vec<InstanceKey> {
        std::iter::from_fn(|| self.take()).collect()
    }
}

#[test]
fn what_waits_longest_is_served_first() {
    let mut clock = Clock::with_workers(9);
    let names = ["zoe", "ada", "max"];
    for name in names {
        clock.see(&agent(name), false);
        clock.pass(50);
    }
    // Once more changes nothing: it waits already.
    clock.pass(500);
    clock.wake(&agent("zoe"));
    assert_eq!(clock.take_all(), names.map(agent));
}

#[test]
fn a_changed_spec_goes_before_routine_looks() {
    let mut clock = Clock::with_workers(1);
    clock.see(&agent("old"), false);
    clock.pass(1000);
    clock.see(&agent("edited"), true);
    clock.pass(1000);
    assert_eq!(clock.take(), Some(agent("edited")));
}

#[test]
fn changes_without_end_do_not_put_off_a_routine_look_for_ever() {
    let mut clock = Clock::with_workers(1);
    clock.see(&agent("quiet"), false);
    let mut turns = 0;
    loop {
        let edited = agent(&format!("edited-{turns}"));
        clock.see(&edited, true);
        clock.pass(1000);
        let taken = clock.take().expect("somebody waits");
        clock.put_back(&taken, NEVER);
        if taken == agent("quiet") {
            break;
        }
        turns += 1;
    }
    assert!((5..20).contains(&turns), "{turns}");
}

#[test]
fn one_instance_holds_one_worker_and_is_looked_at_once_more_when_woken_meanwhile() {
    let mut clock = Clock::with_workers(4);
    let ada = agent("ada");
    clock.see(&ada, true);
    clock.pass(1000);
    assert_eq!((clock.take(), clock.take()), (Some(ada.clone()), None));
    for _ in 0..10 {
        clock.wake(&ada);
        clock.pass(1000);
        assert_eq!(clock.take(), None, "a worker has it");
    }
    assert_eq!(clock.line.depth(clock.now), 1);
    assert_eq!(clock.line.oldest(clock.now), None, "it could not run");
    clock.put_back(&ada, NEVER);
    assert_eq!((clock.take(), clock.take()), (Some(ada.clone()), None));
    clock.put_back(&ada, NEVER);
    clock.pass(100_000);
    assert_eq!(clock.take(), None, "once more was enough");
}

#[test]
fn workers_are_counted_for_all_namespaces_together() {
    let mut clock = Clock::with_workers(8);
    for number in 0..50 {
        clock.see(&key(&format!("team-{number}"), "ada"), false);
    }
    clock.pass(1000);
    let taken = clock.take_all();
    assert_eq!(taken.len(), 8);
    assert_eq!(clock.line.next_at(), None, "a worker comes first");
    clock.put_back(&taken[0], NEVER);
    assert_eq!(clock.take_all().len(), 1);
}

#[test]
fn a_namespace_with_many_instances_does_not_keep_the_workers_for_itself() {
    let mut clock = Clock::with_workers(4);
    for number in 0..1000 {
        clock.see(&key("many", &format!("agent-{number}")), true);
    }
    clock.pass(1000);
    let mut taken = clock.take_all();
    clock.see(&key("few", "ada"), false);
    clock.see(&key("few", "zoe"), false);
    clock.pass(1000);
    for few in ["ada", "zoe"] {
        clock.put_back(&taken.remove(0), NEVER);
        assert_eq!(clock.take(), Some(key("few", few)));
    }
    // From here on they share.
    clock.put_back(&taken.remove(0), NEVER);
    assert_eq!(clock.take().expect("somebody waits").namespace, "many");
}

#[test]
fn events_in_a_row_are_one_piece_of_news_that_is_not_put_off_for_ever() {
    let mut clock = Clock::with_workers(1);
    let ada = agent("ada");
    clock.settled(&ada);
    let mut woken = 0;
    while clock.take().is_none() {
        clock.wake(&ada);
        clock.pass(20);
        woken += 1;
    }
    assert!((5..30).contains(&woken), "{woken}");
}

/// 50 times a second, as who annotates a ConfigMap in a loop does.
#[test]
fn a_tenant_that_wakes_all_the_time_slows_down_only_itself() {
    let mut clock = Clock::with_workers(1);
    let (loud, quiet) = (key("loud", "ada"), key("quiet", "zoe"));
    clock.settled(&loud);
    clock.settled(&quiet);
    let (mut loud_passes, mut quiet_waited) = (0, Vec::new());
    let mut woken_at = None;
    for step in 0..15_000 {
        clock.wake(&loud);
        if step % 1000 == 0 {
            clock.see(&quiet, true);
            woken_at = Some(clock.now);
        }
        clock.pass(20);
        if let Some(taken) = clock.take() {
            if taken == loud {
                loud_passes += 1;
            } else {
                quiet_waited.extend(woken_at.take().map(|at| clock.now - at));
            }
            clock.put_back(&taken, NEVER);
        }
    }
    // Of five minutes; and they are looked at all the same.
    assert!((40..80).contains(&loud_passes), "{loud_passes}");
    assert_eq!(quiet_waited.len(), 15);
    assert!(quiet_waited.iter().all(|it| *it <= 2 * QUIET), "{quiet_waited:?}");
}

#[test]
fn a_changed_spec_does_not_wait_out_the_pause_of_a_loud_instance() {
    let mut clock = Clock::with_workers(1);
    let ada = agent("ada");
    clock.see(&ada, true);
    for _ in 0..40 {
        while clock.take().is_none() {
            clock.pass(100);
        }
        clock.put_back(&ada, NEVER);
        clock.wake(&ada);
    }
    assert!(clock.line.next_at().expect("it waits") - clock.now > Duration::from_secs(5));
    clock.see(&ada, true);
    assert!(clock.line.next_at().expect("it waits") - clock.now <= Duration::from_secs(1));
}

#[test]
fn an_instance_that_is_being_made_is_not_held_back() {
    let mut clock = Clock::with_workers(1);
    let ada = agent("ada");
    clock.see(&ada, true);
    for _ in 0..10 {
        clock.pass(150);
        assert_eq!(clock.take(), Some(ada.clone()));
        clock.wake(&ada);
        clock.put_back(&ada, NEVER);
    }
}

#[test]
fn a_look_that_is_due_later_waits_until_then_unless_something_happens() {
    let mut clock = Clock::with_workers(1);
    let ada = agent("ada");
    clock.settled(&ada);
    clock.wake(&ada);
    clock.pass(1000);
    clock.take();
    clock.put_back(&ada, Duration::from_mins(10));
    clock.pass(599_000);
    assert_eq!((clock.take(), clock.line.depth(clock.now)), (None, 0));
    clock.pass(1001);
    assert_eq!(clock.line.oldest(clock.now), Some(Duration::from_millis(1)));
    assert_eq!(clock.take(), Some(ada.clone()));
    clock.put_back(&ada, Duration::from_mins(10));
    clock.wake(&ada);
    clock.pass(100);
    assert_eq!(clock.take(), Some(ada));
}

#[test]
fn who_is_gone_leaves_nothing_and_who_was_never_there_is_not_waited_for() {
    let mut clock = Clock::with_workers(1);
    let (ada, zoe) = (agent("ada"), agent("zoe"));
    clock.wake(&ada);
    clock.see(&zoe, true);
    clock.forget(&zoe);
    clock.pass(1000);
    assert_eq!(clock.take(), None);
    // Its last pass ends after it has gone.
    clock.see(&ada, true);
    clock.pass(1000);
    assert_eq!(clock.take(), Some(ada.clone()));
    clock.forget(&ada);
    clock.wake(&ada);
    assert!(!clock.put_back(&ada, Duration::ZERO));
    assert!(clock.line.instances.is_empty() && clock.line.waiting.is_empty());
    assert!(clock.line.under_way.is_empty());
    // Made again while the pass over the one before it goes on.
    clock.see(&ada, true);
    clock.pass(1000);
    clock.take();
    clock.forget(&ada);
    clock.see(&ada, true);
    assert!(clock.put_back(&ada, NEVER));
    clock.pass(1000);
    assert_eq!(clock.take(), Some(ada));
}

#[test]
fn a_place_lasts_as_long_as_anything_of_the_instance() {
    let mut clock = Clock::with_workers(1);
    let ada = agent("ada");
    clock.line.see(&ada, Front::Agent, true, clock.now);
    clock.settled(&ada);
    clock.forget(&ada);
    clock.pass(1000);
    assert_eq!(clock.take(), Some(ada.clone()), "what is left has something to do");
    clock.line.forget(&ada, Front::Agent, clock.now);
    assert!(!clock.put_back(&ada, NEVER));
    assert!(clock.line.instances.is_empty() && clock.line.waiting.is_empty());
}

#[test]
fn a_replica_that_only_watches_does_not_grow() {
    let mut clock = Clock::with_workers(1);
    clock.see(&agent("ada"), false);
    for _ in 0..100_000 {
        clock.wake(&agent("ada"));
        clock.wake(&agent("nobody"));
    }
    assert_eq!((clock.line.instances.len(), clock.line.waiting.len()), (1, 1));
}

#[test]
fn nobody_begins_once_the_line_is_closed() {
    let mut clock = Clock::with_workers(2);
    clock.see(&agent("ada"), true);
    clock.see(&agent("zoe"), true);
    clock.pass(1000);
    let taken = clock.take().expect("somebody waits");
    clock.line.close();
    assert_eq!(clock.take(), None);
    clock.put_back(&taken, NEVER);
    assert_eq!((clock.take(), clock.line.next_at()), (None, None));
}

#[test]
fn a_loop_that_stands_still_is_told_from_one_that_has_nothing_to_do() {
    let mut clock = Clock::with_workers(1);
    assert_eq!(clock.line.stands_still(clock.now), None);
    clock.see(&agent("ada"), true);
    clock.see(&agent("zoe"), true);
    clock.pass(60_100);
    let since = |clock: &Clock| clock.line.stands_still(clock.now).map(|it| it.as_secs());
    assert_eq!(since(&clock), Some(60));
    let taken = clock.take().expect("somebody waits");
    assert_eq!(since(&clock), Some(0), "a pass began");
    clock.pass(30_000);
    assert_eq!(since(&clock), Some(30));
    clock.put_back(&taken, NEVER);
    assert_eq!(since(&clock), Some(0), "a pass ended");
    clock.take();
    clock.pass(1_000_000);
    assert_eq!(since(&clock), None, "nobody waits");
}
