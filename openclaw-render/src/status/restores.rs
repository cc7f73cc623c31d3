//! What is read of a restore: whether the agent is gone, and what its Job and pods say.

use jiff::SignedDuration;

use super::backups::{bounded_failure, waits};
use crate::api::{OpenClawInstance, OpenClawInstanceStatus, RestoreStatus, VolumeStatus};
use crate::lifecycle::GRACE_OF_JOBS;
use crate::lifecycle::restore::{self, Job, Record, Seen, Stage};
use crate::lifecycle::update::Undoing;
use crate::observed::Observed;
use crate::predecessor::is_gone;
use crate::resolve::Resolved;

/// What there is to remember of a restore.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Restores {
    pub(super) record: Record,
    /// What keeps the pod of the Job from going on.
    pub(super) waits: Option<String>,
    /// Whether the next pass has something to do at once.
    pub(super) has_news: bool,
    /// Whether this pass has seen the end of the restore.
    pub(super) is_done: bool,
    /// How far it is for an update that is undone.
    pub(super) undoing: Undoing,
    /// The version that wrote what is on the volume then, if it tells.
    pub(super) version: Option<String>,
}

/// Returns what is remembered. Nothing goes on while the spec is wrong, or the instance is paused.
pub(super) fn read(
    instance: &OpenClawInstance,
    resolved: Option<&Resolved>,
    observed: &Observed,
    is_paused: bool,
) -> Restores {
    let before = Record::of(instance.status.as_ref());
    let unchanged = Restores {
        record: before.clone(),
        waits: None,
        has_news: false,
        is_done: false,
        undoing: Undoing::NotBegun,
        version: None,
    };
    let Some(restore) = resolved.and_then(|resolved| resolved.restore.as_ref()) else {
        return unchanged;
    };
    let Some(resolved) = resolved.filter(|_| !is_paused) else { return unchanged };
    let name = before.job.clone().unwrap_or_default();
    let next_job = next_job(resolved, restore.asked.as_deref(), observed);
    let seen = Seen {
        now: observed.now,
        asked: restore.possible().or_else(|| {
            // One that is under way does not end because a Secret cannot be seen.
            restore.asked.as_deref().filter(|_| restore.job.is_some())
        }),
        undoes_update: restore.undoes_update,
        agent_is_gone: is_gone(resolved.name.as_str(), resolved.uid.as_deref(), observed),
        job: job(&name, observed),
        next_job: &next_job,
        within: SignedDuration::from_secs(restore.timeout_seconds) + GRACE_OF_JOBS,
    };
    let record = restore::next(&before, &seen);
    let is_done =
        restore::stage(&before) != Stage::Idle && matches!(seen.job, Job::Succeeded { .. });
    Restores {
        waits: waits(&name, observed),
        has_news: record != before,
        is_done,
        undoing: undoing(&before, &record, is_done),
        version: version(&name, observed),
        record,
    }
}

impl Restores {
    /// Writes it into a status.
    pub(super) fn note(&self, status: &mut OpenClawInstanceStatus) {
        let Record { restored_from, job, restore } = self.record.clone();
        status.restored_from = restored_from;
        status.restore_job_name = job;
        status.restore = Some(restore).filter(|restore| *restore != RestoreStatus::default());
        if let (true, Some(volume)) = (self.is_done, &status.volume) {
            let version = self.version.clone();
            status.volume = Some(VolumeStatus { version, ..volume.clone() });
        }
    }
}

/// An attempt that is under way for somebody else ends first.
fn undoing(before: &Record, record: &Record, is_done: bool) -> Undoing {
    if !restore::undoes_update(before) {
        return Undoing::NotBegun;
    }
    match restore::stage(record) {
        _ if is_done => Undoing::Done,
        Stage::Failed { why, .. } => Undoing::Failed(why.to_owned()),
        Stage::UnderWay { .. } | Stage::Ending { .. } => Undoing::UnderWay,
        Stage::Idle => Undoing::NotBegun,
    }
}

/// Two attempts never begin at one time.
fn next_job(resolved: &Resolved, from: Option<&str>, observed: &Observed) -> String {
    let now = observed.now.map(|now| now.to_string()).unwrap_or_default();
    let uid = resolved.uid.as_deref().unwrap_or_default();
    resolved.name.restore(uid, from.unwrap_or_default(), &now)
}

fn job(name: &str, observed: &Observed) -> Job {
    let (Some(jobs), Some(pods)) = (observed.backup_jobs.known(), observed.backup_pods.known())
    else {
        return Job::Unknown;
    };
    let mut its_pods = pods.iter().filter(|pod| pod.job == name);
    let Some(job) = jobs.iter().find(|job| job.name == name) else {
        return if its_pods.next().is_some() { Job::Running } else { Job::Gone };
    };
    match job.succeeded {
        None => Job::Running,
        Some(true) => {
            Job::Succeeded { before: its_pods.find_map(|pod| pod.outcome.as_ref()?.before.clone()) }
        }
        Some(false) => Job::Failed(bounded_failure(job, its_pods)),
    }
}

fn version(job: &str, observed: &Observed) -> Option<String> {
    let mut pods = observed.backup_pods.known()?.iter().filter(|pod| pod.job == job);
    pods.find_map(|pod| pod.outcome.as_ref()?.version.clone())
}
