//! A restore of the agent's state: begun when no pod of the agent is there, done once by a Job, and
//! remembered.
//!
//! The record in status says which Job is rendered. It is written before the Job is made, and while it
//! names one, no pod of the agent is wanted. So nobody reads a volume on which a restore works, and
//! whoever comes next goes on with the same attempt.
//!
//! It is asked for by a user, or by an update that is undone. Then the agent is stopped for it, and what
//! the user asked for is remembered as before.
//!
//! # Guarantees
//! - A running agent is left alone, whatever its user asks for.
//! - An agent that begins with a restore is not started before that is done, or no longer asked for.
//! - Every attempt has a Job of its own, and a time by which it ends.
//! - Who no longer asks for it gets the agent back once the Job and its pods are gone.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::is_over;
use crate::api::{OpenClawInstanceStatus, RestoreStatus};

/// What is remembered in status.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    /// What was restored last.
    pub(crate) restored_from: Option<String>,
    /// The Job of the attempt, or of the last one.
    pub(crate) job: Option<String>,
    pub(crate) restore: RestoreStatus,
}

impl Record {
    pub(crate) fn of(status: Option<&OpenClawInstanceStatus>) -> Self {
        let Some(status) = status else { return Self::default() };
        Self {
            restored_from: status.restored_from.clone().filter(|from| !from.is_empty()),
            job: status.restore_job_name.clone().filter(|job| !job.is_empty()),
            restore: status.restore.clone().unwrap_or_default(),
        }
    }
}

/// How far a restore is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage<'a> {
    /// None is under way.
    Idle,
    /// The Job of that name restores this.
    UnderWay { job: &'a str, from: &'a str, since: Timestamp },
    /// The Job of that name could not restore this.
    Failed { job: &'a str, from: &'a str, why: &'a str },
    /// It is no longer asked for, and its Job goes.
    Ending { job: &'a str, from: &'a str },
}

/// Returns how far it is.
pub(crate) fn stage(record: &Record) -> Stage<'_> {
    let RestoreStatus { from, start_time, message, undoes_update: _, before: _ } = &record.restore;
    let (Some(job), Some(from)) = (&record.job, from) else { return Stage::Idle };
    match (start_time, message) {
        (None, _) => Stage::Ending { job, from },
        (Some(_), Some(why)) => Stage::Failed { job, from, why },
        (Some(Time(since)), None) => Stage::UnderWay { job, from, since: *since },
    }
}

/// What is seen of the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Option<Timestamp>,
    /// What is to be restored, if that can be done.
    pub(crate) asked: Option<&'a str>,
    /// Whether an update asks for it.
    pub(crate) undoes_update: bool,
    /// Whether neither a pod of the agent is there nor anything that makes one.
    pub(crate) agent_is_gone: bool,
    /// What is known of the attempt's Job.
    pub(crate) job: Job,
    /// Name of the Job if an attempt begins now.
    pub(crate) next_job: &'a str,
    /// Time in which a Job ends by itself, or is given up.
    pub(crate) within: SignedDuration,
}

/// What is known of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// It or a pod of it may be there.
    Unknown,
    /// Neither it nor a pod of it is there.
    Gone,
    /// It has not ended, or a pod of it is still there.
    Running,
    /// It has restored, and this directory holds what was there before.
    Succeeded { before: Option<String> },
    /// It has ended, for this reason.
    Failed(String),
}

/// Whether what is under way was asked for by an update that is undone.
pub(crate) fn undoes_update(record: &Record) -> bool {
    record.restore.undoes_update == Some(true)
}

/// Whether something is asked for that was not restored already.
pub(crate) fn is_due(record: &Record, asked: Option<&str>) -> bool {
    asked.is_some() && asked != record.restored_from.as_deref()
}

/// Whether no pod is wanted. An agent that runs is never stopped because its user asks for a restore.
pub(crate) fn holds(record: &Record, asked: Option<&str>, may_begin: bool) -> bool {
    match stage(record) {
        Stage::Idle => is_due(record, asked) && may_begin,
        Stage::UnderWay { .. } | Stage::Failed { .. } | Stage::Ending { .. } => true,
    }
}

/// Returns the next record.
pub(crate) fn next(record: &Record, seen: &Seen<'_>) -> Record {
    let asks_for = |from: &str| seen.asked == Some(from);
    match (stage(record), &seen.job) {
        (Stage::Idle, _) => match (seen.asked, seen.now) {
            (Some(from), Some(now)) if is_due(record, seen.asked) && seen.agent_is_gone => Record {
                job: Some(seen.next_job.to_owned()),
                restore: RestoreStatus {
                    from: Some(from.to_owned()),
                    start_time: Some(Time(now)),
                    undoes_update: seen.undoes_update.then_some(true),
                    message: None,
                    before: record.restore.before.clone(),
                },
                ..record.clone()
            },
            _ => record.clone(),
        },
        // However late: what lies on the volume is what was restored.
        (
            Stage::UnderWay { from, .. } | Stage::Failed { from, .. } | Stage::Ending { from, .. },
            Job::Succeeded { before },
        ) => Record {
            restored_from: if undoes_update(record) {
                record.restored_from.clone()
            } else {
                Some(from.to_owned())
            },
            job: record.job.clone(),
            restore: RestoreStatus { before: before.clone(), ..RestoreStatus::default() },
        },
        (Stage::UnderWay { from, .. } | Stage::Failed { from, .. }, _) if !asks_for(from) => {
            let restore = RestoreStatus { start_time: None, ..record.restore.clone() };
            Record { restore, ..record.clone() }
        }
        (Stage::UnderWay { .. }, Job::Failed(why)) => failed(record, why),
        (Stage::UnderWay { since, .. }, _) if is_over(since, seen.now, seen.within) => {
            failed(record, "it did not come to an end in its time")
        }
        (Stage::Ending { .. }, Job::Gone) => {
            let restore =
                RestoreStatus { before: record.restore.before.clone(), ..RestoreStatus::default() };
            Record { job: None, restore, ..record.clone() }
        }
        (Stage::UnderWay { .. } | Stage::Failed { .. } | Stage::Ending { .. }, _) => record.clone(),
    }
}

fn failed(record: &Record, why: &str) -> Record {
    let restore = RestoreStatus { message: Some(why.to_owned()), ..record.restore.clone() };
    Record { restore, ..record.clone() }
}

#[cfg(test)]
mod exploration;
