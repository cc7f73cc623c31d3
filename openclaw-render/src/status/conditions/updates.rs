//! `AutoUpdateAvailable`: a newer release, and what it waits for. `AutoUpdatePaused`: why there is
//! none, or it is left alone.

use crate::api::{ConditionType as About, Reason, UpdatePhase};
use crate::lifecycle::update::{self, MOST_FAILURES, Newest};
use crate::maintenance::Standing;
use crate::resolve::Guard;
use crate::status::Statement;
use crate::status::updates::Updates;

pub(in crate::status) fn statements(updates: &Updates) -> impl Iterator<Item = Statement> {
    available(updates).into_iter().chain(paused(updates))
}

fn available(updates: &Updates) -> Option<Statement> {
    let statement =
        |reason, message| Statement::new(About::AutoUpdateAvailable, true, reason, message);
    let record = &updates.record;
    let pending = record.pending_version.as_deref().unwrap_or_default();
    let previous = record.previous_version.as_deref().unwrap_or_default();
    match update::stage(record) {
        Some(UpdatePhase::BackingUp) => {
            Some(statement(Reason::BackingUp, backing_up(updates, pending)))
        }
        Some(UpdatePhase::RollingBack) => {
            let state = update::to_put_back(record)
                .map(|path| format!(" once its state is put back from backup {path}"));
            let message = format!(
                "{pending} was not ready in time, and {previous} is started again{}",
                state.unwrap_or_default()
            );
            Some(statement(Reason::Updating, message))
        }
        Some(UpdatePhase::ApplyingUpdate | UpdatePhase::HealthCheck) => Some(statement(
            Reason::Updating,
            format!("the agent is updated from {previous} to {pending}{}", data(updates, previous)),
        )),
        None => updates.candidate.as_ref().map(|newest| {
            let message = format!("{newest} is there{}", waits(updates));
            statement(Reason::NewVersionAvailable, message)
        }),
    }
}

fn backing_up(updates: &Updates, pending: &str) -> String {
    let path = updates.record.pre_update_backup_path.as_deref();
    if let Some(path) = path {
        return format!(
            "{pending} is there, backup {path} is made for it, and it{}",
            waits(updates)
        );
    }
    let job =
        updates.backup_job.as_deref().map_or_else(String::new, |job| format!(", by Job {job}"));
    let waits = updates.backup_waits.as_deref();
    let waits = waits.map_or_else(String::new, |why| format!(", and waits: {why}"));
    format!("{pending} is there, and a backup is made before the update{job}{waits}")
}

/// What becomes of the data.
fn data(updates: &Updates, previous: &str) -> String {
    let path = updates.record.pre_update_backup_path.as_deref();
    if let Some(path) = path {
        let later = if updates.rolls_back {
            format!("is put back with {previous} if the update fails")
        } else {
            "nothing is put back by itself, since spec.autoUpdate.rollbackOnFailure is false"
                .to_owned()
        };
        return format!("; backup {path} was made first, and {later}");
    }
    match updates.guard {
        Guard::NothingToKeep => String::new(),
        Guard::NotWanted => format!(
            "; spec.autoUpdate.backupBeforeUpdate is false, so {previous} cannot come back once the \
             new version has used the state"
        ),
        Guard::NoSecondPod => format!(
            "; no backup is made, since no other pod may read a `ReadWriteOncePod` volume, so \
             {previous} cannot come back once the new version has used the state"
        ),
        // With a backup that can be made only since it was begun, too.
        Guard::NoStorage | Guard::Backup | Guard::NoBackupYet => format!(
            "; no backup was made, since no storage for it was configured, so {previous} cannot come \
             back once the new version has used the state"
        ),
    }
}

fn waits(updates: &Updates) -> String {
    if updates.is_paused {
        return " and waits until the instance is no longer paused".to_owned();
    }
    if updates.guard == Guard::NoBackupYet {
        return " and waits until a backup can be made: `BackupReady` says what is missing"
            .to_owned();
    }
    if let Some(until) = update::backs_off_until(&updates.record) {
        return format!(" and waits for a backup, which is tried again at {until}");
    }
    match (updates.pod, updates.windows) {
        (Newest::Ready, Standing::Closed(Some(opens))) => {
            format!(" and waits for the maintenance window that opens at {opens}")
        }
        (Newest::Ready, Standing::Closed(None)) => {
            " and waits for the next maintenance window".to_owned()
        }
        (Newest::Ready, Standing::Open(_) | Standing::NoWindows) => {
            " and waits for its turn: agents of one image are updated a few at a time".to_owned()
        }
        (Newest::NotThere | Newest::Starting { .. } | Newest::Refused, _) => {
            " and waits until the agent is ready and nothing of it is held".to_owned()
        }
    }
}

fn paused(updates: &Updates) -> Option<Statement> {
    let statement =
        |reason, message| Statement::new(About::AutoUpdatePaused, true, reason, message);
    let record = &updates.record;
    let error = record.last_update_error.as_deref().unwrap_or_default();
    if update::has_stopped(record) {
        let message = format!(
            "{MOST_FAILURES} updates in a row failed, the last one: {error}; to go on, set \
             spec.autoUpdate.enabled to false and to true again"
        );
        return Some(statement(Reason::UpdatesStopped, message));
    }
    if let Some(tag) = &updates.unreadable {
        let message = format!(
            "no release can be told from tag {tag:?}: name one, such as 2026.9.6, to be updated"
        );
        return Some(statement(Reason::TagUnreadable, message));
    }
    if let Some(failure) = &updates.registry {
        let repository = &updates.lookup.repository;
        let message = format!("the tags of {repository} could not be read: {failure}");
        return Some(statement(Reason::RegistryUnreachable, message));
    }
    if update::backs_off_until(record).is_some() {
        return Some(statement(Reason::BackupFailed, error.to_owned()));
    }
    let is_idle = update::stage(record).is_none() && updates.candidate.is_none();
    record.failed_version.as_ref().filter(|_| is_idle && !error.is_empty())?;
    let message = format!("{error}; it is not tried again, the next release is");
    Some(statement(Reason::UpdateFailed, message))
}
