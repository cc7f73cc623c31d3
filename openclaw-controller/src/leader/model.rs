//! Every order of events in an election of two candidates, played with [`Election`] itself.
//!
//! Requests wait in flight as long as they like, and answers get lost; processes stop, crash and
//! begin anew; time passes. What is looked for is a moment in which two of them act.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::{Election, Timing};

const TICK: Duration = Duration::from_secs(1);
/// 15 s, 10 s and 2 s, in ticks of 2.5 s.
const TIMING: Timing = Timing {
    duration: Duration::from_secs(6),
    renew_deadline: Duration::from_secs(4),
    retry: TICK,
};
const CANDIDATES: usize = 2;
/// How late an answer may come, in ticks: longer than the Lease holds.
const LATEST: u32 = 7;

/// A rule of the protocol that is left out, to see that it is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Nothing,
    /// A write takes the place of whatever is there.
    ResourceVersion,
    /// The holder counts from the answer, not from the question.
    TimeOfTheQuestion,
    /// The holder acts until it hears that it has lost.
    Deadline,
    /// A candidate waits no longer than a holder may act.
    WaitForTheWholeDuration,
    /// A process lets go of the Lease before it has stopped acting.
    OrderOfTheEnd,
}

/// A request to replace the Lease, on its way to the API server or, as its answer, back.
#[derive(Clone, Debug)]
struct Request {
    version: u32,
    spec: LeaseSpec,
    asked: Instant,
    is_done: bool,
}

#[derive(Clone, Debug)]
struct Candidate {
    election: Election,
    /// Whether it has won and not yet found out that it has lost.
    leads: bool,
    /// Whether it has been told to stop; it lets go of the Lease when it no longer acts.
    stops: bool,
    request: Option<Request>,
}

#[derive(Clone, Debug)]
struct World {
    now: Instant,
    /// Counts writes: it stands for `renewTime`, which never comes twice.
    written: u32,
    lease: LeaseSpec,
    version: u32,
    candidates: Vec<Candidate>,
}

fn candidate(number: usize, timing: Timing) -> Candidate {
    let election = Election::new(format!("candidate-{number}"), timing);
    Candidate { election, leads: false, stops: false, request: None }
}

impl World {
    fn new(missing: Missing) -> Self {
        let timing = Self::timing(missing);
        Self {
            now: Instant::now(),
            written: 0,
            lease: LeaseSpec::default(),
            version: 0,
            candidates: (0..CANDIDATES).map(|number| candidate(number, timing)).collect(),
        }
    }

    fn timing(missing: Missing) -> Timing {
        let shorter = missing == Missing::WaitForTheWholeDuration;
        let duration = if shorter { Duration::from_secs(3) } else { TIMING.duration };
        Timing { duration, ..TIMING }
    }

    fn acts(&self, number: usize, missing: Missing) -> bool {
        let candidate = &self.candidates[number];
        let in_time = missing == Missing::Deadline || !candidate.election.left(self.now).is_zero();
        candidate.leads && in_time
    }

    /// What can happen next.
    fn successors(&self, missing: Missing) -> Vec<Self> {
        let mut found = vec![self.later()];
        for number in 0..CANDIDATES {
            found.extend(self.asking(number, missing));
            found.extend(self.answered(number, missing));
            found.extend(self.stopping(number, missing));
            let mut crashed = self.clone();
            crashed.candidates[number] = candidate(number, Self::timing(missing));
            found.push(crashed.clone());
            // What it has sent may still arrive.
            let sent = self.candidates[number].request.clone().filter(|request| !request.is_done);
            if sent.is_some() {
                crashed.candidates[number].request = sent;
                found.push(crashed);
            }
        }
        found
    }

    fn later(&self) -> Self {
        let mut later = self.clone();
        later.now += TICK;
        let now = later.now;
        for candidate in &mut later.candidates {
            let too_late = |request: &Request| now - request.asked > TICK * LATEST;
            if candidate.request.as_ref().is_some_and(too_late) {
                candidate.request = None;
            }
        }
        later
    }

    /// A candidate reads the Lease and sends its bid. One that is being stopped asks no more.
    fn asking(&self, number: usize, missing: Missing) -> Option<Self> {
        let mut world = self.clone();
        let candidate = &mut world.candidates[number];
        if candidate.request.is_some() || candidate.stops {
            return None;
        }
        let wall_clock =
            MicroTime(jiff::Timestamp::from_second(i64::from(world.written) + 1).expect("a time"));
        let lease = (world.version > 0).then_some(&world.lease);
        match candidate.election.bid(lease, world.now, &wall_clock) {
            Some(spec) => {
                let request =
                    Request { version: world.version, spec, asked: world.now, is_done: false };
                candidate.request = Some(request);
            }
            // Somebody else's: whoever had it stops acting.
            None if missing != Missing::Deadline => candidate.leads = false,
            None => {}
        }
        Some(world)
    }

    /// A request reaches the API server, or its answer arrives, or is lost.
    fn answered(&self, number: usize, missing: Missing) -> Vec<Self> {
        let mut world = self.clone();
        let Some(mut request) = world.candidates[number].request.take() else { return Vec::new() };
        let lost = world.clone();
        if request.is_done {
            let candidate = &mut world.candidates[number];
            let asked =
                if missing == Missing::TimeOfTheQuestion { world.now } else { request.asked };
            candidate.election.won(request.spec, asked, world.now);
            candidate.leads = true;
            return vec![world, lost];
        }
        if missing != Missing::ResourceVersion && request.version != world.version {
            // Refused: whether the Lease is lost shows at the next attempt.
            return vec![lost];
        }
        world.written += 1;
        world.version += 1;
        world.lease = request.spec.clone();
        request.is_done = true;
        world.candidates[number].request = Some(request);
        vec![world, lost]
    }

    /// A holder is told to stop, or lets go.
    fn stopping(&self, number: usize, missing: Missing) -> Option<Self> {
        let mut world = self.clone();
        let candidate = &mut world.candidates[number];
        if !candidate.leads {
            return None;
        }
        if !candidate.stops {
            candidate.stops = true;
            return Some(world);
        }
        let holder = Some(candidate.election.identity());
        if candidate.request.is_none() && world.lease.holder_identity.as_deref() == holder {
            world.written += 1;
            world.version += 1;
            world.lease.holder_identity = None;
        }
        if missing != Missing::OrderOfTheEnd {
            world.candidates[number] = self::candidate(number, Self::timing(missing));
        }
        Some(world)
    }

    /// What tells one state from another: times by their age, as far as any rule looks.
    fn key(&self) -> String {
        let age = |time: Instant, most: Duration| (self.now - time).min(most).as_secs();
        let (duration, deadline) = (TIMING.duration, TIMING.renew_deadline);
        let candidates: Vec<String> = self
            .candidates
            .iter()
            .map(|candidate| {
                let seen = candidate.election.seen.as_ref();
                let seen = seen.map(|(seen, since)| (*seen == self.lease, age(*since, duration)));
                let request = candidate.request.as_ref().map(|request| {
                    (
                        request.is_done,
                        request.version == self.version,
                        age(request.asked, TICK * LATEST),
                    )
                });
                let renewed = candidate.election.renewed.map(|renewed| age(renewed, deadline));
                format!("{seen:?} {request:?} {renewed:?} {} {}", candidate.leads, candidate.stops)
            })
            .collect();
        let holder = &self.lease.holder_identity;
        format!("{holder:?} {} {candidates:?}", self.version > 0)
    }
}

/// Returns how many states there are, or how many were seen before two acted.
fn explore(missing: Missing) -> Result<usize, usize> {
    let first = World::new(missing);
    let mut known = BTreeSet::from([first.key()]);
    let mut next = VecDeque::from([first]);
    while let Some(world) = next.pop_front() {
        let acting = (0..CANDIDATES).filter(|number| world.acts(*number, missing)).count();
        if acting > 1 {
            return Err(known.len());
        }
        for successor in world.successors(missing) {
            if known.insert(successor.key()) {
                next.push_back(successor);
            }
        }
    }
    Ok(known.len())
}

#[test]
fn two_never_act_whatever_the_order_of_events() {
    let states = explore(Missing::Nothing).expect("nobody acts beside another");
    println!("{states} states");
    assert!(states > 1_000, "{states}");
}

#[test]
fn every_rule_of_the_protocol_is_needed() {
    for missing in [
        Missing::ResourceVersion,
        Missing::TimeOfTheQuestion,
        Missing::Deadline,
        Missing::WaitForTheWholeDuration,
        Missing::OrderOfTheEnd,
    ] {
        assert!(explore(missing).is_err(), "nobody misses {missing:?}");
    }
}
