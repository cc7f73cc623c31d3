//! Every state that an update can come to, by whatever may fail or happen on the way.

mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use world::{Event, Fate, OLD, World, begin, version};

use super::*;

/// Fewer states would mean that something is not tried any more.
const FLOOR: usize = 10_000;
/// Passes within which an update comes to its end when nothing else happens.
const PASSES: usize = 32;

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
    Event::Bucket,
    Event::UserTakesNewest,
];

impl World {
    /// Returns what it comes to when nothing else happens any more; nothing if it is on the way of one
    /// that was looked at before.
    fn comes_to_rest(&self, looked_at: &mut BTreeSet<Self>) -> Option<Self> {
        let mut world = Self { is_on: true, bucket_works: true, ..self.clone() };
        let mut way = Vec::new();
        while way.len() < PASSES {
            let later = world.later();
            let is_known = looked_at.contains(&world);
            if is_known || later == world {
                looked_at.extend(way);
                return (!is_known).then_some(world);
            }
            way.push(std::mem::replace(&mut world, later));
        }
        panic!("is never at rest: {self:?}\n{world:?}")
    }

    fn check_at_rest(&self) {
        let what = format!("{self:?}");
        assert!(stage(&self.record()).is_none(), "is never over: {what}");
        let rendered = self.rendered();
        assert!(version(&rendered) >= version(&self.state), "cannot read the state: {what}");
        assert_eq!(self.pod.as_ref().map(|pod| &pod.tag), Some(&rendered), "{what}");
        let runs = self.pod.as_ref().is_some_and(|pod| pod.ready);
        assert!(runs || (self.fate != Fate::Well && rendered != OLD), "does not run: {what}");
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
        for event in EVENTS.iter().filter(|event| world.can(**event)) {
            let after = world.after(*event);
            if seen.insert(after.clone()) {
                queue.push_back(after);
            }
        }
    }
    println!("{} states: {stages:?}", seen.len());
    assert!(seen.len() >= FLOOR, "only {} states", seen.len());
    for phase in [
        UpdatePhase::BackingUp,
        UpdatePhase::ApplyingUpdate,
        UpdatePhase::HealthCheck,
        UpdatePhase::RollingBack,
    ] {
        assert!(stages.get(&Some(phase)).is_some_and(|count| *count > 100), "{phase}: {stages:?}");
    }
    let mut looked_at = BTreeSet::new();
    let ends = seen.iter().filter_map(|world| world.comes_to_rest(&mut looked_at));
    for end in ends.collect::<BTreeSet<_>>() {
        end.check_at_rest();
    }
}

#[test]
fn with_a_backup_the_older_version_and_its_state_come_back() {
    for world in begin().into_iter().filter(|world| world.fate == Fate::FailsLate) {
        let end = world.comes_to_rest(&mut BTreeSet::new()).expect("the first one");
        let runs = end.pod.as_ref().is_some_and(|pod| pod.ready);
        let comes_back = world.rolls_back && world.backs_up;
        assert_eq!((end.rendered() == OLD, runs), (comes_back, comes_back), "{end:?}");
    }
}
