//! Every state that an update can come to, by whatever may fail or happen on the way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::release::newest_release;
use crate::version::Version;

/// Fewer states would mean that something is not tried any more.
const FLOOR: usize = 10_000;
/// Passes within which an update comes to its end when nothing else happens.
const PASSES: usize = 8;
/// What the registry has at first, and what comes later.
const FIRST: &[&str] = &["2026.9.6", "2026.9.7"];
const LATER: &[&str] = &["2026.9.6", "2026.9.7", "2026.9.8"];
/// The version that is begun with.
const OLD: &str = "2026.9.6";

/// What becomes of the pods of the newer versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// They become ready.
    Well,
    /// They begin with the state and never become ready.
    FailsLate,
    /// They never begin with the state: no image, no node.
    FailsEarly,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pod {
    tag: String,
    used_state: bool,
    ready: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    fate: Fate,
    rolls_back: bool,
    /// The record, as it is stored.
    record: String,
    spec: String,
    is_on: bool,
    is_open: bool,
    tags: Option<bool>,
    /// Whether the deadline has passed since the record's time.
    is_late: bool,
    template: String,
    pod: Option<Pod>,
    /// The newest version that has used the state.
    state: String,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A pass; its record may be lost.
    Pass {
        lost: bool,
    },
    /// Kubernetes goes on with the pod.
    Kubernetes,
    PodVanishes,
    PodFails,
    TimePasses,
    Power,
    Window,
    Registry,
    RegistryFails,
    UserTakesNewest,
}

const EVENTS: &[Event] = &[
    Event::Pass { lost: false },
    Event::Pass { lost: true },
    Event::Kubernetes,
    Event::PodVanishes,
    Event::PodFails,
    Event::TimePasses,
    Event::Power,
    Event::Window,
    Event::Registry,
    Event::RegistryFails,
    Event::UserTakesNewest,
];

fn version(tag: &str) -> Version {
    Version::from_tag(tag).expect("a version")
}

fn begin() -> Vec<World> {
    let mut worlds = Vec::new();
    for fate in [Fate::Well, Fate::FailsLate, Fate::FailsEarly] {
        for rolls_back in [true, false] {
            // Only failures count them.
            let counted = rolls_back && fate == Fate::FailsEarly;
            for failures in [0, MOST_FAILURES - 1].into_iter().take(1 + usize::from(counted)) {
                let record = AutoUpdateStatus {
                    rollback_count: Some(failures).filter(|count| *count > 0),
                    ..AutoUpdateStatus::default()
                };
                worlds.push(World {
                    fate,
                    rolls_back,
                    record: text(&record),
                    spec: OLD.to_owned(),
                    is_on: true,
                    is_open: true,
                    tags: Some(false),
                    is_late: false,
                    template: OLD.to_owned(),
                    pod: Some(Pod { tag: OLD.to_owned(), used_state: true, ready: true }),
                    state: OLD.to_owned(),
                });
            }
        }
    }
    worlds
}

fn text(record: &AutoUpdateStatus) -> String {
    serde_json::to_string(record).expect("JSON")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

const BEGUN: i64 = 1_800_000_000;
const LATE: i64 = BEGUN + 3600;

impl World {
    fn record(&self) -> AutoUpdateStatus {
        serde_json::from_str(&self.record).expect("a record")
    }

    fn rendered(&self) -> String {
        decided(&self.record(), Some(&self.spec)).unwrap_or_else(|| self.spec.clone())
    }

    fn newest_pod(&self, rendered: &str) -> Newest {
        match &self.pod {
            Some(pod) if pod.tag == rendered && self.template == rendered => {
                if pod.ready {
                    Newest::Ready
                } else if version(&pod.tag) < version(&self.state) {
                    Newest::Refused
                } else {
                    Newest::Starting { used_state: pod.used_state }
                }
            }
            Some(_) | None => Newest::NotThere,
        }
    }

    /// One pass: what it decides is checked here.
    fn pass(&mut self, lost: bool) {
        let before = self.record();
        let rendered = self.rendered();
        let pod = self.newest_pod(&rendered);
        let tags = self.tags.map(|later| if later { LATER } else { FIRST });
        let newest = tags.and_then(|tags| newest_release(&rendered, tags.iter().copied()));
        let seen = Seen {
            now: Some(at(if self.is_late { LATE } else { BEGUN })),
            rendered: &rendered,
            runs: None,
            newest,
            looked_at: tags.map(|_| at(0)),
            is_on: self.is_on,
            may_begin: self.is_open,
            pod,
        };
        let asked = Asked {
            every: SignedDuration::from_hours(24),
            ready_within: SignedDuration::from_mins(10),
            rolls_back: self.rolls_back,
        };
        let mut after = next(&before, &asked, &seen);
        self.check(&before, &after, &seen);
        assert_eq!(next(&before, &asked, &seen), after, "the same is decided again");
        if self.is_on {
            // What is rendered is sent in the same pass.
            self.template.clone_from(&rendered);
        }
        if lost {
            return;
        }
        if after.last_update_time == Some(Time(at(LATE))) {
            after.last_update_time = Some(Time(at(BEGUN)));
            self.is_late = false;
        } else if after.last_update_time.is_none() || stage(&after).is_none() {
            self.is_late = false;
        }
        if stage(&after).is_none() {
            after.last_update_time = None;
        }
        self.record = text(&after);
    }

    /// What must hold of every decision.
    fn check(&self, before: &AutoUpdateStatus, after: &AutoUpdateStatus, seen: &Seen<'_>) {
        let what = format!("{self:?}\n{before:?}\n{after:?}");
        let begins = stage(before).is_none() && stage(after).is_some();
        if begins {
            let pending = after.pending_version.as_deref().expect("a version");
            assert!(self.is_on && self.is_open && seen.pod == Newest::Ready, "{what}");
            assert!(version(pending) > version(seen.rendered), "never lower: {what}");
            assert_ne!(Some(pending), before.failed_version.as_deref(), "tried again: {what}");
            assert!(before.rollback_count.unwrap_or(0) < MOST_FAILURES, "does not stop: {what}");
            assert_eq!(after.previous_version.as_deref(), Some(seen.rendered), "{what}");
        }
        let ends = stage(before).is_some() && stage(after).is_none();
        let failed = after.rollback_count > before.rollback_count;
        let changed = after.current_version != before.current_version;
        if ends && !failed && changed {
            assert_eq!(seen.pod, Newest::Ready, "confirmed without a pod: {what}");
            assert_eq!(after.current_version, before.pending_version, "{what}");
            assert_eq!(after.rollback_count, None, "{what}");
        }
        if failed {
            assert!(ends, "{what}");
            assert_eq!(after.failed_version, before.pending_version, "{what}");
            assert!(after.last_update_error.is_some(), "a failure without a word: {what}");
        }
        let goes_back =
            stage(after) == Some(UpdatePhase::RollingBack) && stage(before) != stage(after);
        if goes_back {
            assert!(self.rolls_back, "{what}");
            assert!(self.is_late, "before its time: {what}");
            assert_ne!(seen.pod, Newest::Starting { used_state: true }, "too late: {what}");
        }
        if stage(after).is_none() {
            assert_eq!((&after.pending_version, &after.previous_version), (&None, &None), "{what}");
        }
    }

    fn kubernetes(&mut self) {
        let fate = self.fate;
        match &mut self.pod {
            Some(pod) if pod.tag != self.template || !self.is_on => self.pod = None,
            Some(pod) => {
                let older = version(&pod.tag) < version(&self.state);
                let is_new = pod.tag != OLD;
                if older || (is_new && fate == Fate::FailsEarly) {
                    return;
                }
                if pod.used_state {
                    pod.ready = !is_new || fate == Fate::Well;
                } else {
                    pod.used_state = true;
                    self.state.clone_from(&pod.tag);
                }
            }
            None if self.is_on => {
                let tag = self.template.clone();
                self.pod = Some(Pod { tag, used_state: false, ready: false });
            }
            None => {}
        }
    }

    fn after(&self, event: Event) -> Self {
        let mut world = self.clone();
        match event {
            Event::Pass { lost } => world.pass(lost),
            Event::Kubernetes => world.kubernetes(),
            Event::PodVanishes => world.pod = None,
            Event::PodFails => {
                if let Some(pod) = &mut world.pod {
                    pod.ready = false;
                }
            }
            Event::TimePasses => world.is_late = world.record().last_update_time.is_some(),
            Event::Power => world.is_on = !world.is_on,
            Event::Window => world.is_open = !world.is_open,
            Event::Registry => world.tags = Some(true),
            Event::RegistryFails => world.tags = None,
            Event::UserTakesNewest => LATER[2].clone_into(&mut world.spec),
        }
        world
    }

    /// Nothing happens any more but passes, Kubernetes, and time.
    fn comes_to_rest(&self) -> Self {
        let mut world = Self { is_on: true, ..self.clone() };
        for _ in 0..PASSES {
            for event in [Event::Pass { lost: false }, Event::Kubernetes, Event::Kubernetes] {
                world = world.after(event);
            }
            world = world.after(Event::Kubernetes).after(Event::Kubernetes);
            world = world.after(Event::Pass { lost: false }).after(Event::TimePasses);
        }
        world
    }
}

#[expect(clippy::disallowed_macros, reason = "a test tells how much it has looked at")]
#[test]
fn every_state_of_an_update_keeps_its_promises_and_comes_to_rest() {
    let mut seen: BTreeSet<World> = begin().into_iter().collect();
    let mut queue: VecDeque<World> = seen.iter().cloned().collect();
    let mut stages: BTreeMap<Option<UpdatePhase>, usize> = BTreeMap::new();
    while let Some(world) = queue.pop_front() {
        *stages.entry(stage(&world.record())).or_default() += 1;
        for event in EVENTS {
            let after = world.after(*event);
            if seen.insert(after.clone()) {
                queue.push_back(after);
            }
        }
    }
    println!("{} states: {stages:?}", seen.len());
    assert!(seen.len() >= FLOOR, "only {} states", seen.len());
    for phase in [UpdatePhase::ApplyingUpdate, UpdatePhase::HealthCheck, UpdatePhase::RollingBack] {
        assert!(stages.get(&Some(phase)).is_some_and(|count| *count > 100), "{phase}: {stages:?}");
    }
    for world in &seen {
        let end = world.comes_to_rest();
        let record = end.record();
        let what = format!("{world:?}\n{end:?}");
        assert!(stage(&record).is_none(), "is never over: {what}");
        let rendered = end.rendered();
        assert!(version(&rendered) >= version(&end.state), "cannot read the state: {what}");
        assert_eq!(end.pod.as_ref().map(|pod| &pod.tag), Some(&rendered), "{what}");
        let runs = end.pod.as_ref().is_some_and(|pod| pod.ready);
        assert!(runs || (end.fate != Fate::Well && rendered != OLD), "does not run: {what}");
    }
}
