//! The last backup of an agent that is being deleted: its pod is stopped first, a Job makes the
//! backup once, and what came of it is written down before the instance may go.
//!
//! # Guarantees
//! - The Job is made when no pod of the agent is there: nothing is lost that was written later.
//! - The instance goes in any case: when the backup is stored, when it cannot be, or when its time
//!   is over.
//! - Without a backup that is stored and was read back, the volume stays, whatever the spec says.
//! - Who says that no backup is wanted gets none, at any time.

use jiff::{SignedDuration, Timestamp};

use super::{BackupProgress, is_over};
use crate::api::{ConditionType, OpenClawInstanceStatus, Reason};

/// What is remembered in status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// When it began.
    pub(crate) since: Option<Timestamp>,
    /// What came of it.
    pub(crate) verdict: Option<Verdict>,
}

/// What came of the last backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Verdict {
    /// Whether the backup is stored and was read back.
    pub(crate) fn is_good(&self) -> bool {
        self.reason == Reason::BackupSucceeded
    }
}

impl Record {
    /// Returns what stands in a status. What another Job was remembered for does not count.
    pub(crate) fn of(status: Option<&OpenClawInstanceStatus>, job: &str) -> Self {
        let Some(status) = status.filter(|it| it.backup_job_name.as_deref() == Some(job)) else {
            return Self::default();
        };
        let Some(since) = &status.backing_up_since else { return Self::default() };
        let mut conditions = status.conditions.iter().flatten();
        let told = conditions.find(|it| it.type_ == ConditionType::BackupComplete.as_str());
        let verdict = told.map(|told| {
            let mut reasons = Reason::ALL.iter().copied();
            let reason = reasons.find(|it| it.as_str() == told.reason);
            Verdict {
                reason: reason.unwrap_or(Reason::BackupFailed),
                message: told.message.clone(),
            }
        });
        Self { since: Some(since.0), verdict }
    }
}

/// What is seen of the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) now: Option<Timestamp>,
    pub(crate) prospect: Prospect,
    /// Whether neither a pod of the agent is there nor anything that makes one.
    pub(crate) agent_is_gone: bool,
    pub(crate) job: BackupProgress,
    /// Time from its beginning within which it is made or given up.
    pub(crate) within: SignedDuration,
}

/// Whether a last backup can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prospect {
    /// None is wanted, or there is nothing that could be in it.
    NotWanted,
    /// It can be made, as far as is known.
    Possible,
    /// Nobody could look at what it needs.
    Unknown,
    /// It cannot be made, for this reason.
    Impossible(String),
}

/// What is done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing more: the instance may go.
    Over {
        /// Whether its volume stays, whatever the spec says.
        keeps_volume: bool,
    },
    /// It is written down that the backup begins.
    Begin,
    /// The agent is stopped.
    Stop,
    /// The Job is made.
    Make,
    /// Somebody else must go on: the Job, for this reason, or the reads.
    Wait(Option<String>),
    /// It is written down what came of it.
    Conclude(Verdict),
}

/// Returns what is done now.
pub(crate) fn next(record: &Record, seen: &Seen) -> Next {
    if seen.prospect == Prospect::NotWanted {
        return Next::Over { keeps_volume: false };
    }
    if let Some(verdict) = &record.verdict {
        return Next::Over { keeps_volume: !verdict.is_good() };
    }
    let Some(since) = record.since else { return Next::Begin };
    match (&seen.job, &seen.prospect) {
        (BackupProgress::Stored(path), _) => Next::Conclude(Verdict {
            reason: Reason::BackupSucceeded,
            message: match path {
                Some(path) => format!("the last backup is {path}"),
                None => "the last backup is stored, and its pod is gone that knew where".to_owned(),
            },
        }),
        (BackupProgress::Failed(why), _) => given_up(Reason::BackupFailed, why),
        (job, _) if is_over(since, seen.now, seen.within) => {
            let why = match job {
                BackupProgress::Running(Some(why)) => why.as_str(),
                BackupProgress::Running(None) => "its Job did not come to an end in its time",
                BackupProgress::Unknown
                | BackupProgress::Absent
                | BackupProgress::Stored(_)
                | BackupProgress::Failed(_) => {
                    if seen.agent_is_gone {
                        "its Job could not be made in its time"
                    } else {
                        "the agent's pod did not end in its time"
                    }
                }
            };
            given_up(Reason::BackupTimedOut, why)
        }
        (BackupProgress::Running(why), _) => Next::Wait(why.clone()),
        (BackupProgress::Unknown, _) | (_, Prospect::Unknown) => Next::Wait(None),
        (BackupProgress::Absent, Prospect::Impossible(why)) => given_up(Reason::BackupFailed, why),
        (BackupProgress::Absent, Prospect::Possible | Prospect::NotWanted)
            if seen.agent_is_gone =>
        {
            Next::Make
        }
        (BackupProgress::Absent, Prospect::Possible | Prospect::NotWanted) => Next::Stop,
    }
}

fn given_up(reason: Reason, why: &str) -> Next {
    Next::Conclude(Verdict { reason, message: format!("there is no last backup: {why}") })
}

#[cfg(test)]
mod exploration;
