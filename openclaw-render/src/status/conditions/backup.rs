//! `BackupReady`, `ScheduledBackupReady`: backups can be made, the last one was, and the next one is
//! on its way.

use super::{refusal, texts};
use crate::api::{BackupStatus, ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::problem::Problem;
use crate::resolve::{Lack, Means, Resolved};
use crate::status::Statement;
use crate::status::backups::waits;

/// Returns what is said of backups that are asked for.
pub(super) fn statements(
    resolved: &Resolved,
    observed: &Observed,
    problems: &[Problem],
    backups: &[BackupStatus],
) -> Vec<Statement> {
    let Some(backup) = &resolved.backup else { return Vec::new() };
    if let Some(reason) = lacks(&backup.means) {
        let why = texts(problems, |problem| problem.about == About::BackupReady);
        let message = format!("no backup is made: {why}");
        let about: &[About] = match backup.schedule {
            Some(_) => &[About::BackupReady, About::ScheduledBackupReady],
            None => &[About::BackupReady],
        };
        let each = |about: &About| Statement::new(*about, false, reason, message.clone());
        return about.iter().map(each).collect();
    }
    if backup.schedule.is_none() {
        // There is nothing to say of the last one before it is made.
        return Vec::new();
    }
    vec![last(resolved, observed, backups), scheduled(resolved, observed)]
}

/// Returns what is missing for a backup to be made or restored.
pub(super) fn lacks(means: &Result<Means, Lack>) -> Option<Reason> {
    match means {
        Ok(means) => (!means.is_complete).then_some(Reason::NoCredentials),
        Err(Lack::Volume) => Some(Reason::NotPersistent),
        Err(Lack::SecondPod) => Some(Reason::ReadWriteOncePod),
        Err(Lack::Replicas) => Some(Reason::VolumePerReplica),
        Err(Lack::Destination) => Some(Reason::NoCredentials),
    }
}

/// Says what came of the last backup that has ended, and what keeps the one that is under way.
fn last(resolved: &Resolved, observed: &Observed, backups: &[BackupStatus]) -> Statement {
    let about = About::BackupReady;
    let waits =
        under_way(resolved, observed).map(|why| format!("; the one under way waits: {why}"));
    let waits = waits.unwrap_or_default();
    match backups.first() {
        None => {
            let message = format!("no backup has ended so far{waits}");
            let now = observed.now.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            Statement::unknown(about, Reason::NoBackupYet, message, now)
        }
        Some(BackupStatus { succeeded: Some(true), path, .. }) => {
            let path = path.as_deref().unwrap_or_default();
            let message = format!("the last backup is {path}{waits}");
            Statement::new(about, true, Reason::BackupSucceeded, message)
        }
        Some(BackupStatus { job_name, message, .. }) => {
            let why = message.as_deref().unwrap_or("nothing more is known");
            let good = backups.iter().find(|backup| backup.succeeded == Some(true));
            let good = good.and_then(|good| good.path.as_deref()).map_or_else(
                || "there is no good one".to_owned(),
                |path| format!("the last good one is {path}"),
            );
            let message =
                format!("the last backup, by Job {job_name}, is not good: {why}; {good}{waits}");
            Statement::new(about, false, Reason::BackupFailed, message)
        }
    }
}

/// Returns what keeps the pod of a Job that has not ended.
fn under_way(resolved: &Resolved, observed: &Observed) -> Option<String> {
    let schedule = resolved.name.backup();
    let mut jobs = observed.backup_jobs.known()?.iter();
    let job =
        jobs.find(|job| job.succeeded.is_none() && job.schedule.as_ref() == Some(&schedule))?;
    waits(&job.name, observed)
}

fn scheduled(resolved: &Resolved, observed: &Observed) -> Statement {
    let about = About::ScheduledBackupReady;
    let key = ObjectKey::new(Kind::CronJob, resolved.name.backup());
    if let Some(message) = refusal(observed, &key) {
        return Statement::new(about, false, Reason::ApplyRefused, message);
    }
    let seen = observed.objects.get(&key).and_then(Fact::known);
    if seen.is_some_and(|seen| seen.controller.as_deref() == resolved.uid.as_deref()) {
        Statement::new(about, true, Reason::Applied, format!("{key} is there"))
    } else {
        Statement::new(about, false, Reason::NotApplied, format!("{key} is not there yet"))
    }
}
