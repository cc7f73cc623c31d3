//! [`Line`]: which instance gets a pass next, as plain data. What time it is, is told.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::cache::InstanceKey;
use crate::instance::Memory;

/// What happens within it is one piece of news: an apply is followed by several events. So long
/// after the last one a pass begins …
const QUIET: Duration = Duration::from_millis(100);
/// … and so long after the first one at the latest.
const LONGEST_QUIET: Duration = Duration::from_millis(500);
/// A routine look that has waited so long is as urgent as a changed spec, or a stream of changes
/// would put it off for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// The instances that are known, and what each of them waits for.
pub(super) struct Line {
    workers: usize,
    instances: BTreeMap<InstanceKey, Place>,
    /// Who waits and is not under way, by the time from which a pass may begin.
    waiting: BTreeSet<(Instant, InstanceKey)>,
    /// Passes under way, by namespace.
    under_way: BTreeMap<String, usize>,
    /// When a pass began or ended last.
    moved: Option<Instant>,
    closed: bool,
}

#[derive(Default)]
struct Place {
    request: Option<Request>,
    under_way: bool,
    /// It is gone, and a pass over it has not ended yet.
    gone: bool,
    pace: Pace,
    memory: Memory,
}

#[derive(Clone, Copy)]
struct Request {
    /// When it was asked for first; in the future for a look that is due then.
    asked: Instant,
    /// When a pass may begin.
    at: Instant,
    /// The instance is new, or its spec has changed.
    changed: bool,
}

impl Request {
    /// Woken, or woken once more.
    fn woken(before: Option<Self>, changed: bool, now: Instant) -> Self {
        let changed = changed || before.is_some_and(|before| before.changed);
        match before.filter(|before| before.asked <= now) {
            // It only waits for a worker.
            Some(before) if before.at <= now => Self { changed, ..before },
            Some(before) => {
                let at = (now + QUIET).min(before.asked + LONGEST_QUIET);
                Self { at, changed, ..before }
            }
            None => Self { asked: now, at: now + QUIET, changed },
        }
    }

    fn paced(self, pace: Pace) -> Self {
        let earliest = pace.not_before(self.changed);
        Self { at: earliest.map_or(self.at, |earliest| earliest.max(self.at)), ..self }
    }
}

impl Line {
    /// With so many workers for all instances together.
    pub(super) fn new(workers: usize) -> Self {
        Self {
            workers,
            instances: BTreeMap::new(),
            waiting: BTreeSet::new(),
            under_way: BTreeMap::new(),
            moved: None,
            closed: false,
        }
    }

    /// There is such an instance, and it should be looked at; `changed` if it is new or its spec
    /// has changed.
    pub(super) fn see(&mut self, key: &InstanceKey, changed: bool, now: Instant) {
        self.instances.entry(key.clone()).or_default().gone = false;
        self.ask(key, changed, now);
    }

    /// Something around the instance changed. Whoever is not known as an instance is not waited for.
    pub(super) fn wake(&mut self, key: &InstanceKey, now: Instant) {
        self.ask(key, false, now);
    }

    fn ask(&mut self, key: &InstanceKey, changed: bool, now: Instant) {
        let Some(place) = self.instances.get(key).filter(|place| !place.gone) else { return };
        let request = Request::woken(place.request, changed, now);
        self.set(key, Some(request.paced(place.pace)));
    }

    /// The instance is gone, and with it everything that was kept for it.
    pub(super) fn forget(&mut self, key: &InstanceKey) {
        self.set(key, None);
        match self.instances.get_mut(key) {
            Some(place) if place.under_way => place.gone = true,
            Some(_) | None => drop(self.instances.remove(key)),
        }
    }

    /// Hands an instance to a worker, if one is free. Namespaces share the workers evenly; within
    /// that a changed spec goes before a routine look, and otherwise whoever waits longest.
    pub(super) fn take(&mut self, now: Instant) -> Option<(InstanceKey, Memory)> {
        if !self.has_room() {
            return None;
        }
        let share = |key: &InstanceKey| self.under_way.get(&key.namespace).copied();
        let is_urgent = |at: Instant, key: &InstanceKey| {
            let changed = self.instances.get(key).and_then(|place| place.request);
            changed.is_some_and(|request| request.changed) || now - at >= PATIENCE
        };
        let (_, key) = self
            .due(now)
            .min_by_key(|(at, key)| (share(key), Reverse(is_urgent(*at, key)), *at))?
            .clone();
        self.set(&key, None);
        let place = self.instances.get_mut(&key)?;
        place.under_way = true;
        place.pace.begin(now);
        let memory = std::mem::take(&mut place.memory);
        *self.under_way.entry(key.namespace.clone()).or_default() += 1;
        self.moved = Some(now);
        Some((key, memory))
    }

    /// A worker is done with an instance, which is to be looked at again after a while. Whether it
    /// is still there.
    pub(super) fn put_back(
        &mut self,
        key: &InstanceKey,
        memory: Memory,
        again_in: Duration,
        now: Instant,
    ) -> bool {
        self.moved = Some(now);
        if let Some(share) = self.under_way.get_mut(&key.namespace) {
            *share = share.saturating_sub(1);
            if *share == 0 {
                self.under_way.remove(&key.namespace);
            }
        }
        let Some(place) = self.instances.get_mut(key) else { return false };
        place.under_way = false;
        if place.gone {
            self.instances.remove(key);
            return false;
        }
        place.memory = memory;
        place.pace.end(now);
        let again = Request { asked: now + again_in, at: now + again_in, changed: false };
        // Woken meanwhile, it is looked at sooner; it is looked at once.
        let request =
            place.request.map_or(again, |woken| Request { at: woken.at.min(again.at), ..woken });
        let request = request.paced(place.pace);
        self.set(key, Some(request));
        true
    }

    /// The one place where a request changes.
    fn set(&mut self, key: &InstanceKey, request: Option<Request>) {
        let Some(place) = self.instances.get_mut(key) else { return };
        if let Some(before) = std::mem::replace(&mut place.request, request) {
            self.waiting.remove(&(before.at, key.clone()));
        }
        if let Some(request) = request.filter(|_| !place.under_way) {
            self.waiting.insert((request.at, key.clone()));
        }
    }

    /// When the next pass may begin, as far as that does not depend on a worker.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.waiting.first().map(|(at, _)| *at).filter(|_| self.has_room())
    }

    fn has_room(&self) -> bool {
        !self.closed && self.under_way.values().sum::<usize>() < self.workers
    }

    /// Who could be worked on if a worker were free, whoever waits longest first.
    fn due(&self, now: Instant) -> impl Iterator<Item = &(Instant, InstanceKey)> {
        self.waiting.iter().take_while(move |(at, _)| *at <= now)
    }

    /// How many wait for a pass: for a worker, for the end of the pass under way, or out a pause.
    pub(super) fn depth(&self, now: Instant) -> usize {
        let requests = self.instances.values().filter_map(|place| place.request);
        requests.filter(|request| request.asked <= now).count()
    }

    /// How long the one has waited for a worker that waits longest.
    pub(super) fn oldest(&self, now: Instant) -> Option<Duration> {
        self.due(now).next().map(|(at, _)| now - *at)
    }

    /// For how long somebody has waited while no pass began or ended.
    pub(super) fn stands_still(&self, now: Instant) -> Option<Duration> {
        let waited = self.oldest(now)?;
        Some(self.moved.map_or(waited, |moved| waited.min(now.saturating_duration_since(moved))))
    }

    /// Passes under way end, and no other begins.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nobody looks again by himself within a test.
    const NEVER: Duration = Duration::from_hours(24);

    struct Clock {
        now: Instant,
        line: Line,
    }

    fn key(namespace: &str, name: &str) -> InstanceKey {
        InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn agent(name: &str) -> InstanceKey {
        key("agents", name)
    }

    impl Clock {
        fn with_workers(workers: usize) -> Self {
            Self { now: Instant::now(), line: Line::new(workers) }
        }

        fn pass(&mut self, milliseconds: u64) {
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

        fn see(&mut self, key: &InstanceKey, changed: bool) {
            self.line.see(key, changed, self.now);
        }

        fn wake(&mut self, key: &InstanceKey) {
            self.line.wake(key, self.now);
        }

        fn take(&mut self) -> Option<InstanceKey> {
            self.line.take(self.now).map(|(key, _)| key)
        }

        fn put_back(&mut self, key: &InstanceKey, again_in: Duration) -> bool {
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
        clock.line.forget(&zoe);
        clock.pass(1000);
        assert_eq!(clock.take(), None);
        // Its last pass ends after it has gone.
        clock.see(&ada, true);
        clock.pass(1000);
        assert_eq!(clock.take(), Some(ada.clone()));
        clock.line.forget(&ada);
        clock.wake(&ada);
        assert!(!clock.put_back(&ada, Duration::ZERO));
        assert!(clock.line.instances.is_empty() && clock.line.waiting.is_empty());
        assert!(clock.line.under_way.is_empty());
        // Made again while the pass over the one before it goes on.
        clock.see(&ada, true);
        clock.pass(1000);
        clock.take();
        clock.line.forget(&ada);
        clock.see(&ada, true);
        assert!(clock.put_back(&ada, NEVER));
        clock.pass(1000);
        assert_eq!(clock.take(), Some(ada));
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

    #[derive(Clone, Debug)]
    enum Event {
        See(u8, bool),
        Wake(u8),
        Forget(u8),
        Wait(u16),
        Take,
        PutBack(u8),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0..6_u8, any::<bool>()).prop_map(|(who, changed)| Event::See(who, changed)),
            (0..6_u8).prop_map(Event::Wake),
            (0..6_u8).prop_map(Event::Forget),
            (0..2000_u16).prop_map(Event::Wait),
            Just(Event::Take),
            any::<u8>().prop_map(Event::PutBack),
        ]
    }

    proptest! {
        /// Whatever happens: no more workers than there are, no instance in two hands, nobody served
        /// who is not there, and everybody served once for all that woke him since his last pass.
        #[test]
        fn whoever_is_woken_gets_one_pass(events in prop::collection::vec(event(), 0..200)) {
            let who = |number: u8| key(["few", "many"][usize::from(number > 1)], &number.to_string());
            let mut clock = Clock::with_workers(2);
            let mut there = BTreeSet::new();
            let mut owed = BTreeSet::new();
            let mut busy: Vec<InstanceKey> = Vec::new();
            for event in events {
                match event {
                    Event::See(number, changed) => {
                        clock.see(&who(number), changed);
                        there.insert(who(number));
                        owed.insert(who(number));
                    }
                    Event::Wake(number) => {
                        clock.wake(&who(number));
                        if there.contains(&who(number)) {
                            owed.insert(who(number));
                        }
                    }
                    Event::Forget(number) => {
                        clock.line.forget(&who(number));
                        there.remove(&who(number));
                        owed.remove(&who(number));
                    }
                    Event::Wait(milliseconds) => clock.pass(milliseconds.into()),
                    Event::Take => if let Some(key) = clock.take() {
                        prop_assert!(owed.remove(&key), "{key:?} was not owed a pass");
                        prop_assert!(!busy.contains(&key), "{key:?} is in two hands");
                        busy.push(key);
                        prop_assert!(busy.len() <= 2);
                    },
                    Event::PutBack(number) => if !busy.is_empty() {
                        let key = busy.remove(usize::from(number) % busy.len());
                        let still_there = clock.put_back(&key, NEVER);
                        prop_assert_eq!(still_there, there.contains(&key));
                    },
                }
                let idle = clock.line.instances.iter().filter(|(_, place)| !place.under_way);
                let waiting: BTreeSet<_> = idle
                    .filter_map(|(key, place)| Some((place.request?.at, key.clone())))
                    .collect();
                prop_assert_eq!(&clock.line.waiting, &waiting);
                prop_assert_eq!(clock.line.under_way.values().sum::<usize>(), busy.len());
            }
            for key in busy.drain(..) {
                clock.put_back(&key, NEVER);
            }
            for _ in 0..10 {
                clock.pass(15_000);
                while let Some(key) = clock.take() {
                    prop_assert!(owed.remove(&key), "{key:?} was not owed a pass");
                    clock.put_back(&key, NEVER);
                }
            }
            prop_assert_eq!(owed, BTreeSet::new());
            let known: BTreeSet<_> = clock.line.instances.into_keys().collect();
            prop_assert_eq!(known, there);
        }
    }
}
