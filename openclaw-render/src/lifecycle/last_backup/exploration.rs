//! Every state that a last backup can come to, by whatever may fail or happen on the way.

use std::collections::{BTreeSet, VecDeque};

use super::*;

/// Fewer states would mean that something is not tried any more.
const FLOOR: usize = 1_000;
/// Passes within which the instance goes when nothing else happens.
const PASSES: usize = 12;
const BEGUN: i64 = 1_000;
const LATE: i64 = 100_000;
const PATH: &str = "backups/agents/ada/1";

/// What becomes of the Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Well,
    Fails,
    Hangs,
    /// It cannot be made.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ran {
    Runs,
    Well,
    Badly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outlook {
    Possible,
    Impossible,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that may be so")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    fate: Fate,
    outlook: Outlook,
    skips: bool,
    /// Whether reads fail.
    is_blind: bool,
    begun: bool,
    /// Whether the verdict that is written down is a good one.
    verdict: Option<bool>,
    /// Whether the StatefulSet wants a pod.
    is_wanted: bool,
    has_pod: bool,
    job: Option<Ran>,
    is_late: bool,
    /// Whether the bucket has all that the agent wrote.
    is_stored: bool,
    /// Whether the instance has gone, and its volume has stayed.
    gone: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A pass; what it writes down may be lost.
    Pass {
        lost: bool,
    },
    /// The controllers of Kubernetes go on with the agent's pod.
    Kubernetes,
    JobGoesOn,
    JobVanishes,
    TimePasses,
    Skip,
    /// Reads fail from now on, or succeed again.
    Blind,
    /// The Secret comes or goes.
    Outlook,
}

const EVENTS: &[Event] = &[
    Event::Pass { lost: false },
    Event::Pass { lost: true },
    Event::Kubernetes,
    Event::JobGoesOn,
    Event::JobVanishes,
    Event::TimePasses,
    Event::Skip,
    Event::Blind,
    Event::Outlook,
];

impl World {
    fn record(&self) -> Record {
        let verdict = self.verdict.map(|is_good| Verdict {
            reason: if is_good { Reason::BackupSucceeded } else { Reason::BackupFailed },
            message: String::new(),
        });
        let since = self.begun.then(|| at(BEGUN));
        Record { since, verdict }
    }

    fn seen(&self) -> Seen {
        Seen {
            now: Some(at(if self.is_late { LATE } else { BEGUN + 1 })),
            prospect: match (self.skips, self.is_blind, self.outlook) {
                (true, _, _) => Prospect::NotWanted,
                (false, true, _) => Prospect::Unknown,
                (false, false, Outlook::Possible) => Prospect::Possible,
                (false, false, Outlook::Impossible) => Prospect::Impossible("no keys".to_owned()),
            },
            agent_is_gone: !self.is_blind && !self.is_wanted && !self.has_pod,
            job: match self.job {
                _ if self.is_blind => BackupProgress::Unknown,
                None => BackupProgress::Absent,
                Some(Ran::Runs) => BackupProgress::Running(None),
                Some(Ran::Well) => BackupProgress::Stored(Some(PATH.to_owned())),
                Some(Ran::Badly) => BackupProgress::Failed("no bucket".to_owned()),
            },
            within: SignedDuration::from_secs(3_600),
        }
    }

    fn after(&self, event: Event) -> Self {
        let mut next = self.clone();
        match event {
            Event::Pass { lost } => next.pass(lost),
            Event::Kubernetes => next.has_pod = next.is_wanted,
            Event::JobGoesOn => {
                if next.job == Some(Ran::Runs) {
                    match next.fate {
                        Fate::Well => (next.job, next.is_stored) = (Some(Ran::Well), true),
                        Fate::Fails => next.job = Some(Ran::Badly),
                        Fate::Hangs | Fate::Refused => {}
                    }
                }
            }
            Event::JobVanishes => next.job = None,
            Event::TimePasses => next.is_late = true,
            Event::Skip => next.skips = true,
            Event::Blind => next.is_blind = !next.is_blind,
            Event::Outlook => {
                next.outlook = match next.outlook {
                    Outlook::Possible => Outlook::Impossible,
                    Outlook::Impossible => Outlook::Possible,
                }
            }
        }
        next
    }

    fn pass(&mut self, lost: bool) {
        match super::next(&self.record(), &self.seen()) {
            Next::Over { keeps_volume } => self.gone = Some(keeps_volume),
            Next::Begin => self.begun |= !lost,
            Next::Stop => self.is_wanted = false,
            Next::Make => {
                assert!(!self.has_pod && !self.is_wanted, "a backup beside the agent: {self:?}");
                assert!(self.job.is_none(), "two Jobs at a time: {self:?}");
                if self.fate != Fate::Refused {
                    self.job = Some(Ran::Runs);
                }
            }
            Next::Wait(_) => {}
            Next::Conclude(verdict) => {
                if !lost {
                    self.verdict = Some(verdict.is_good());
                }
            }
        }
    }

    fn judge(&self) {
        let Some(keeps_volume) = self.gone else { return };
        assert!(
            keeps_volume || self.skips || self.is_stored,
            "the volume may go, and nothing is stored: {self:?}"
        );
        assert!(
            !(keeps_volume && self.skips),
            "who wants no backup has the last word about the volume: {self:?}"
        );
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for fate in [Fate::Well, Fate::Fails, Fate::Hangs, Fate::Refused] {
        for outlook in [Outlook::Possible, Outlook::Impossible] {
            for is_wanted in [true, false] {
                worlds.push(World {
                    fate,
                    outlook,
                    skips: false,
                    is_blind: false,
                    begun: false,
                    verdict: None,
                    is_wanted,
                    has_pod: is_wanted,
                    job: None,
                    is_late: false,
                    is_stored: false,
                    gone: None,
                });
            }
        }
    }
    worlds
}

/// The instance goes when Kubernetes does its work and time passes, also if reads fail for ever.
fn goes(world: &World) {
    let mut world = World { is_late: true, ..world.clone() };
    for _ in 0..PASSES {
        for event in [Event::Pass { lost: false }, Event::Kubernetes, Event::JobGoesOn] {
            world = world.after(event);
            if world.gone.is_some() {
                return world.judge();
            }
        }
    }
    panic!("the instance stays for ever: {world:?}");
}

#[test]
fn the_instance_goes_in_any_case_and_its_volume_only_with_a_backup() {
    let mut seen: BTreeSet<World> = BTreeSet::new();
    let mut queue: VecDeque<World> = worlds().into();
    while let Some(world) = queue.pop_front() {
        if !seen.insert(world.clone()) {
            continue;
        }
        world.judge();
        if world.gone.is_some() {
            continue;
        }
        goes(&world);
        queue.extend(EVENTS.iter().map(|event| world.after(*event)));
    }
    assert!(seen.len() >= FLOOR, "only {} states", seen.len());
}

#[test]
fn an_agent_is_backed_up_where_nothing_fails() {
    for world in worlds() {
        let mut now = world.clone();
        for _ in 0..PASSES {
            for event in [Event::Pass { lost: false }, Event::Kubernetes, Event::JobGoesOn] {
                if now.gone.is_none() {
                    now = now.after(event);
                }
            }
        }
        let stored = world.fate == Fate::Well && world.outlook == Outlook::Possible;
        assert_eq!(now.is_stored, stored, "{now:?}");
        let hangs = matches!(world.fate, Fate::Hangs | Fate::Refused);
        let waits = hangs && world.outlook == Outlook::Possible;
        assert_eq!(now.gone.is_none(), waits, "only what is late is given up: {now:?}");
    }
}

#[test]
fn what_another_job_was_remembered_for_does_not_count() {
    let status: OpenClawInstanceStatus = serde_json::from_value(serde_json::json!({
        "backupJobName": "ada-backup",
        "backingUpSince": "2026-11-01T00:00:00Z",
        "conditions": [{"type": "BackupComplete", "status": "True", "reason": "BackupSucceeded",
            "message": "", "lastTransitionTime": "2026-11-01T00:00:00Z"}],
    }))
    .expect("a status");
    assert_eq!(Record::of(Some(&status), "ada-last-backup-1"), Record::default());
    let record = Record::of(Some(&status), "ada-backup");
    assert!(record.verdict.is_some_and(|verdict| verdict.is_good()));
}
