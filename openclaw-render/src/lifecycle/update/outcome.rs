//! What an update comes to next.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Seen;
use crate::api::{AutoUpdateStatus, StateRestore, UpdatePhase};

pub(super) const TOO_LATE: &str =
    "it has used the state, which the version before cannot read any more";
const NO_WAY_BACK: &str =
    "it has used the state, and the backup of before cannot be put back: `BackupReady` says why";
pub(super) const REFUSED: &str = "the version before refuses the state of the backup, too";
pub(super) const AS_ASKED: &str = "spec.autoUpdate.rollbackOnFailure is false";

/// A record without an update under way.
pub(super) fn idle(record: AutoUpdateStatus) -> AutoUpdateStatus {
    AutoUpdateStatus {
        pending_version: None,
        previous_version: None,
        update_phase: None,
        state_restore: None,
        ..record
    }
}

/// A record of updates that are turned off: nothing is under way, and nothing has failed.
pub(crate) fn off(record: AutoUpdateStatus) -> AutoUpdateStatus {
    idle(AutoUpdateStatus {
        failed_version: None,
        rollback_count: None,
        last_update_error: None,
        ..record
    })
}

pub(super) fn since(record: AutoUpdateStatus, now: Timestamp) -> AutoUpdateStatus {
    AutoUpdateStatus { last_update_time: Some(Time(now)), ..record }
}

pub(super) fn confirmed(record: AutoUpdateStatus) -> AutoUpdateStatus {
    let current_version = record.pending_version.clone();
    idle(AutoUpdateStatus {
        current_version,
        rollback_count: None,
        failed_version: None,
        last_update_error: None,
        ..record
    })
}

pub(super) fn went_back(record: AutoUpdateStatus) -> AutoUpdateStatus {
    let current = record.previous_version.clone();
    let path = record.pre_update_backup_path.as_deref().unwrap_or_default();
    let state = match record.state_restore {
        None => String::new(),
        Some(_) => format!(", with the state of backup {path}"),
    };
    let why = format!(
        "{} was not ready in time; {} runs again{state}",
        record.pending_version.as_deref().unwrap_or_default(),
        current.as_deref().unwrap_or_default(),
    );
    failed(record, current, why)
}

pub(super) fn stays(record: AutoUpdateStatus, why: &str) -> AutoUpdateStatus {
    let current = record.pending_version.clone();
    let pending = current.as_deref().unwrap_or_default();
    let why = format!("{pending} was not ready in time and stays: {why}");
    failed(record, current, why)
}

pub(super) fn failed(
    record: AutoUpdateStatus,
    current_version: Option<String>,
    why: String,
) -> AutoUpdateStatus {
    let failed_version = record.pending_version.clone();
    let count = record.rollback_count.unwrap_or(0).saturating_add(1);
    idle(AutoUpdateStatus {
        current_version,
        failed_version,
        rollback_count: Some(count),
        last_update_error: Some(why),
        ..record
    })
}

pub(super) fn applying(record: AutoUpdateStatus, now: Timestamp) -> AutoUpdateStatus {
    let phase = Some(UpdatePhase::ApplyingUpdate);
    since(AutoUpdateStatus { update_phase: phase, ..record }, now)
}

pub(super) fn goes_back(record: AutoUpdateStatus, now: Timestamp) -> AutoUpdateStatus {
    let phase = Some(UpdatePhase::RollingBack);
    since(AutoUpdateStatus { update_phase: phase, ..record }, now)
}

/// Goes back from a version that has used the state, if there is a backup of what it was before.
/// Nothing is stopped for one that cannot be put back.
pub(super) fn with_its_state(
    record: AutoUpdateStatus,
    seen: &Seen<'_>,
    now: Timestamp,
) -> AutoUpdateStatus {
    if record.pre_update_backup_path.is_none() {
        return stays(record, TOO_LATE);
    }
    if !seen.can_put_back {
        return stays(record, NO_WAY_BACK);
    }
    goes_back(AutoUpdateStatus { state_restore: Some(StateRestore::UnderWay), ..record }, now)
}

/// The version that runs goes on, and another backup is tried later.
pub(super) fn backs_off(record: AutoUpdateStatus, why: &str, now: Timestamp) -> AutoUpdateStatus {
    let pending = record.pending_version.clone();
    let error = format!(
        "the backup before the update to {} failed: {why}",
        pending.as_deref().unwrap_or_default()
    );
    let waits = AutoUpdateStatus {
        pending_version: pending,
        last_update_error: Some(error),
        ..idle(record)
    };
    since(waits, now)
}
