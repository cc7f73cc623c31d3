//! Every state that a restore can come to, by whatever may fail or happen on the way.

use std::collections::{BTreeSet, VecDeque};

use super::*;

/// Fewer states would mean that something is not tried any more.
const FLOOR: usize = 10_000;
/// Passes within which it comes to rest when nothing else happens.
const PASSES: usize = 12;
const BEGUN: i64 = 1_000;
const LATE: i64 = 100_000;
/// Attempts after which names are no longer told apart, so that there is an end to the states.
const ATTEMPTS: u8 = 3;

/// What an update asks for that is undone.
const UNDONE: &str = "before";

/// What becomes of Jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Well,
    Fails,
    Hangs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ran {
    Runs,
    Well,
    Badly,
}

/// A Job in the cluster; its pod may outlive it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cluster {
    name: String,
    from: String,
    is_there: bool,
    has_pod: bool,
    ran: Ran,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    fate: Fate,
    /// The record, as it is stored.
    record: String,
    asked: Option<&'static str>,
    /// Whether an update asks for [`UNDONE`].
    undoes: bool,
    is_on: bool,
    /// Whether the StatefulSet wants a pod; none is there yet while this is not known.
    replicas: Option<bool>,
    has_pod: bool,
    jobs: Vec<Cluster>,
    attempts: u8,
    is_late: bool,
    /// What the state on the volume is of.
    state: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A pass; its record may be lost.
    Pass {
        lost: bool,
    },
    /// The controllers of Kubernetes go on with the agent's pod.
    Kubernetes,
    JobGoesOn,
    JobVanishes,
    PodOfJobVanishes,
    TimePasses,
    Power,
    Ask(Option<&'static str>),
    Undo,
}

const EVENTS: &[Event] = &[
    Event::Pass { lost: false },
    Event::Pass { lost: true },
    Event::Kubernetes,
    Event::JobGoesOn,
    Event::JobVanishes,
    Event::PodOfJobVanishes,
    Event::TimePasses,
    Event::Power,
    Event::Ask(None),
    Event::Ask(Some("a")),
    Event::Ask(Some("b")),
    Event::Undo,
];

fn begin() -> Vec<World> {
    let mut worlds = Vec::new();
    for fate in [Fate::Well, Fate::Fails, Fate::Hangs] {
        for replicas in [None, Some(true), Some(false)] {
            worlds.push(World {
                fate,
                record: text(&Record::default()),
                asked: Some("a"),
                undoes: false,
                is_on: replicas != Some(false),
                replicas,
                has_pod: replicas == Some(true),
                jobs: Vec::new(),
                attempts: 0,
                is_late: false,
                state: "old",
            });
        }
    }
    worlds
}

fn text(record: &Record) -> String {
    let status = OpenClawInstanceStatus {
        restored_from: record.restored_from.clone(),
        restore_job_name: record.job.clone(),
        restore: Some(record.restore.clone()),
        ..OpenClawInstanceStatus::default()
    };
    serde_json::to_string(&status).expect("JSON")
}

impl World {
    fn record(&self) -> Record {
        Record::of(serde_json::from_str(&self.record).ok().as_ref())
    }

    fn seen_job(&self, record: &Record) -> Job {
        let name = record.job.clone().unwrap_or_default();
        let Some(job) = self.jobs.iter().find(|job| job.name == name) else { return Job::Gone };
        match (job.is_there, job.ran) {
            (true, Ran::Well) => Job::Succeeded { before: None },
            (true, Ran::Badly) if !job.has_pod => Job::Failed("failed".to_owned()),
            (true, _) => Job::Running,
            (false, _) if job.has_pod => Job::Running,
            (false, _) => Job::Gone,
        }
    }

    fn asks_for(&self) -> Option<&'static str> {
        if self.undoes { Some(UNDONE) } else { self.asked }
    }

    /// One pass, in the order of a real one: what is stored decides what is sent.
    fn pass(&mut self, lost: bool) {
        let record = self.record();
        let is_down = self.replicas != Some(true);
        let asked = self.asks_for();
        let is_held = holds(&record, asked, is_down || self.undoes);
        let wants_pod = self.is_on && !is_held;
        assert!(
            !(self.has_pod
                && stage(&record) == Stage::Idle
                && self.is_on
                && !self.undoes
                && self.replicas == Some(true))
                || wants_pod,
            "a running agent is stopped: {self:?}"
        );
        let rendered = match stage(&record) {
            Stage::UnderWay { job, from, .. } if asked == Some(from) => {
                Some((job.to_owned(), from.to_owned()))
            }
            Stage::Idle | Stage::UnderWay { .. } | Stage::Failed { .. } | Stage::Ending { .. } => {
                None
            }
        };
        let next_job = format!("job-{}", self.attempts);
        let seen = Seen {
            now: Timestamp::from_second(if self.is_late { LATE } else { BEGUN }).ok(),
            asked,
            undoes_update: self.undoes,
            agent_is_gone: is_down && !self.has_pod,
            job: self.seen_job(&record),
            next_job: &next_job,
            within: SignedDuration::from_secs(3_600),
        };
        let mut after = next(&record, &seen);
        assert_eq!(next(&record, &seen), after, "the same is decided again");
        if after.restored_from != record.restored_from {
            assert_ne!(after.restored_from.as_deref(), Some(UNDONE), "not the user's: {self:?}");
            assert_eq!(after.restored_from.as_deref(), Some(self.state), "{self:?}");
        }
        for job in &mut self.jobs {
            if rendered.as_ref().is_none_or(|(name, _)| *name != job.name) {
                job.is_there = false;
            }
        }
        if let Some((name, from)) = rendered {
            let is_there = self.jobs.iter().any(|job| job.name == name && job.is_there);
            if !is_there {
                assert!(!self.has_pod, "a Job is made beside the agent: {self:?}");
                self.jobs.retain(|job| job.name != name || job.has_pod);
                let ran = Ran::Runs;
                self.jobs.push(Cluster { name, from, is_there: true, has_pod: true, ran });
            }
        }
        self.replicas = Some(wants_pod);
        self.jobs.retain(|job| job.is_there || job.has_pod);
        self.jobs.sort();
        if lost {
            return;
        }
        if let (Stage::Idle, Stage::UnderWay { .. }) = (stage(&record), stage(&after)) {
            self.attempts += 1;
            self.is_late = false;
            after.restore.start_time = Timestamp::from_second(BEGUN).ok().map(Time);
        }
        let has_ended = matches!(seen.job, Job::Succeeded { .. })
            || matches!(stage(&after), Stage::Failed { .. });
        if has_ended && undoes_update(&record) {
            // The update goes on without.
            self.undoes = false;
        }
        self.record = text(&after);
    }

    fn after(&self, event: Event) -> Option<Self> {
        let mut world = self.clone();
        match event {
            Event::Pass { lost } => world.pass(lost),
            Event::Kubernetes => {
                let wants = world.replicas == Some(true);
                if wants && !world.has_pod {
                    let works = world.jobs.iter().find(|job| job.has_pod && job.ran == Ran::Runs);
                    assert_eq!(works, None, "the agent starts beside a Job: {world:?}");
                }
                world.has_pod = wants;
            }
            Event::JobGoesOn => world.job_goes_on(),
            Event::JobVanishes => {
                for job in &mut world.jobs {
                    job.is_there = false;
                }
            }
            Event::PodOfJobVanishes => {
                for job in world.jobs.iter_mut().filter(|job| !job.is_there) {
                    job.has_pod = false;
                }
            }
            Event::TimePasses => world.is_late = true,
            Event::Power => world.is_on = !world.is_on,
            Event::Ask(asked) => world.asked = asked,
            Event::Undo => world.undoes = true,
        }
        (world != *self && world.attempts <= ATTEMPTS && world.jobs.len() <= 2).then_some(world)
    }

    fn job_goes_on(&mut self) {
        for job in self.jobs.iter_mut().filter(|job| job.is_there && job.has_pod) {
            let ran = match self.fate {
                Fate::Well => Ran::Well,
                Fate::Fails => Ran::Badly,
                Fate::Hangs => continue,
            };
            job.has_pod = false;
            job.ran = ran;
            if ran == Ran::Well {
                self.state = *["a", "b", UNDONE]
                    .iter()
                    .find(|from| **from == job.from)
                    .expect("something that is asked for");
            }
        }
    }

    /// Nothing happens any more but what the cluster and the operator do by themselves.
    fn settled(&self) -> Self {
        let mut world = self.clone();
        for _ in 0..PASSES {
            let before = world.clone();
            world.pass(false);
            let wants = world.replicas == Some(true);
            world.has_pod = wants;
            world.job_goes_on();
            for job in world.jobs.iter_mut().filter(|job| !job.is_there) {
                job.has_pod = false;
            }
            world.is_late = true;
            if world == before {
                // Every round from here on would be this one.
                break;
            }
        }
        world
    }
}

#[test]
fn from_every_state_it_comes_to_rest_as_it_should() {
    let mut known: BTreeSet<World> = begin().into_iter().collect();
    let mut left: VecDeque<World> = known.iter().cloned().collect();
    while let Some(world) = left.pop_front() {
        let rest = world.settled();
        let mut again = rest.clone();
        again.pass(false);
        assert_eq!(again, rest, "it does not stay at rest, from {world:?}");
        let record = rest.record();
        assert!(!rest.undoes, "an update waits for ever: {rest:?}");
        let is_due = is_due(&record, rest.asked);
        match stage(&record) {
            Stage::Idle => {
                assert!(!is_due || rest.has_pod, "nothing happens: {rest:?}");
                assert_eq!(rest.has_pod, rest.is_on, "{rest:?}");
                assert_eq!(rest.jobs, [], "{rest:?}");
            }
            Stage::Failed { from, why, .. } => {
                let is_late = why.contains("in its time");
                assert!(is_late || rest.fate == Fate::Fails, "from {world:?} to {rest:?}");
                assert_eq!(rest.asked, Some(from), "{rest:?}");
                assert!(!rest.has_pod, "{rest:?}");
            }
            Stage::UnderWay { .. } | Stage::Ending { .. } => panic!("no end: {rest:?}"),
        }
        for event in EVENTS {
            let Some(next) = world.after(*event) else { continue };
            if known.insert(next.clone()) {
                left.push_back(next);
            }
        }
    }
    assert!(known.len() >= FLOOR, "only {} states", known.len());
}
