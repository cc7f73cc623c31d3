//! [`Line`]: which instance gets a pass next, as plain data. What time it is, is told.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::live::InstanceKey;
use crate::memory::Memory;

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

/// What of an instance there may be: a place lasts as long as any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Front {
    /// The instance itself.
    Instance,
    /// The `AgentInstance` that stands for it.
    Agent,
    /// Requests that name it.
    Requests,
}

#[derive(Default)]
struct Place {
    /// What there is of it.
    fronts: BTreeSet<Front>,
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
    pub(super) fn see(&mut self, key: &InstanceKey, front: Front, changed: bool, now: Instant) {
        let place = self.instances.entry(key.clone()).or_default();
        place.gone = false;
        place.fronts.insert(front);
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

    /// That of an instance is gone. With the last of it goes everything that was kept for it;
    /// otherwise what is left has something to do.
    pub(super) fn forget(&mut self, key: &InstanceKey, front: Front, now: Instant) {
        if let Some(place) = self.instances.get_mut(key) {
            place.fronts.remove(&front);
            if !place.fronts.is_empty() {
                return self.wake(key, now);
            }
        }
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
mod laws;
#[cfg(test)]
mod tests;
