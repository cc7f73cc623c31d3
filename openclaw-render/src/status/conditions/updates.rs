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
        Some(UpdatePhase::RollingBack) => Some(statement(
            Reason::Updating,
            format!("{pending} was not ready in time, and {previous} is started again"),
        )),
        Some(_) => Some(statement(
            Reason::Updating,
            format!(
                "the agent is updated from {previous} to {pending}{}",
                data(updates.guard, previous)
            ),
        )),
        None => updates.candidate.as_ref().map(|newest| {
            let message = format!("{newest} is there{}", waits(updates));
            statement(Reason::NewVersionAvailable, message)
        }),
    }
}

/// What becomes of the data.
fn data(guard: Guard, previous: &str) -> String {
    match guard {
        Guard::NothingToKeep => String::new(),
        Guard::NotWanted => format!(
            "; spec.autoUpdate.backupBeforeUpdate is false, so {previous} cannot come back once the \
             new version has used the state"
        ),
        Guard::ByScheduleAlone => format!(
            "; backups are made by their schedule alone (`BackupReady` names the last one), so \
             {previous} cannot come back by itself once the new version has used the state"
        ),
        Guard::NoStorage => format!(
            "; no backup is made, since no storage for it is configured, so {previous} cannot come \
             back once the new version has used the state"
        ),
    }
}

fn waits(updates: &Updates) -> String {
    if updates.is_paused {
        return " and waits until the instance is no longer paused".to_owned();
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
    let is_idle = update::stage(record).is_none() && updates.candidate.is_none();
    record.failed_version.as_ref().filter(|_| is_idle && !error.is_empty())?;
    let message = format!("{error}; it is not tried again, the next release is");
    Some(statement(Reason::UpdateFailed, message))
}
