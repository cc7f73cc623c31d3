//! An update of the agent to a newer release: begun at a good time, after a backup where one can be
//! made, confirmed when the new pod is ready, and undone while that is possible.
//!
//! The record in status says which tag is rendered ([`decided`]); nothing else makes the pod another
//! one. So a record is always written before the pod is replaced, and whoever comes next goes on
//! with it. How far the pod is, is judged by the pod of exactly that template.
//!
//! # Guarantees
//! - Nothing begins while the agent is off, not ready, held, or outside of its windows.
//! - Where a backup can be made, nothing is replaced before one is stored.
//! - Every stage that waits ends by its deadline.
//! - The older version is not started on a state that the newer one has used: that of the backup is
//!   put back first, or the newer version stays.
//! - What a user changes on the way wins: then the update is given up, and the spec counts.

mod outcome;
mod record;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub(crate) use outcome::off;
use outcome::{
    AS_ASKED, REFUSED, TOO_LATE, applying, backs_off, confirmed, goes_back, idle, since, stays,
    went_back, with_its_state,
};
pub use record::{UpdateNews, update_news};
pub(crate) use record::{backs_off_until, decided, names_no_release, replaces, stage, to_put_back};

use super::{BackupProgress, is_over};
use crate::api::{AutoUpdateStatus, StateRestore, UpdatePhase};
use crate::release::Release;

/// So many updates in a row that failed stop the updater.
pub(crate) const MOST_FAILURES: i32 = 3;

/// Time after a backup that failed before the next one is tried.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What is asked for, as the spec has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Time between two looks at the registry.
    pub(crate) every: SignedDuration,
    /// Time in which a new version must be ready.
    pub(crate) ready_within: SignedDuration,
    /// Whether image and state go back when an update fails.
    pub(crate) rolls_back: bool,
    /// Whether a backup is made first, and the time in which it must be stored, or put back.
    pub(crate) backup_within: Option<SignedDuration>,
}

/// What is seen of the agent and its registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Option<Timestamp>,
    /// The tag that is rendered now.
    pub(crate) rendered: &'a str,
    /// The tag that runs, where the one that is rendered names no release.
    pub(crate) runs: Option<String>,
    /// The newest release of its kind that is newer, as far as the registry was seen.
    pub(crate) newest: Option<&'a str>,
    /// When the registry was looked at last.
    pub(crate) looked_at: Option<Timestamp>,
    /// Whether a pod is wanted.
    pub(crate) is_on: bool,
    /// Whether a window is open, or there is none to wait for, and it is the agent's turn.
    pub(crate) may_begin: bool,
    pub(crate) pod: Newest,
    /// What is known of the Job of the backup, while one is made.
    pub(crate) backup: BackupProgress,
    /// Whether a backup can be put back, as far as is known.
    pub(crate) can_put_back: bool,
    /// How far it is that the backup is put back.
    pub(crate) undoing: Undoing,
}

/// How far it is that the state of before the update is put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undoing {
    /// It has not begun.
    NotBegun,
    UnderWay,
    Done,
    /// What was there is as it was, for this reason.
    Failed(String),
}

/// The pod of exactly the template that is rendered now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newest {
    /// The template was not sent, or its pod was not seen.
    NotThere,
    /// It is on its way; whether its version has used the state on the volume.
    Starting { used_state: bool },
    /// It found the state to be that of a newer version.
    Refused,
    /// It is ready.
    Ready,
}

/// Returns the next record.
pub(crate) fn next(record: &AutoUpdateStatus, asked: &Asked, seen: &Seen<'_>) -> AutoUpdateStatus {
    let record = noted(record, seen);
    let Some(now) = seen.now else { return record };
    match stage(&record) {
        None if seen.pod == Newest::Refused => found_too_late(idle(record), seen),
        None => begin(record, asked, seen, now),
        Some(_) if is_overtaken(&record, seen) => idle(record),
        Some(UpdatePhase::BackingUp) => backing_up(record, asked, seen, now),
        Some(UpdatePhase::RollingBack) if to_put_back(&record).is_some() => {
            putting_back(record, asked, seen, now)
        }
        // Nothing can be said of a pod that is not wanted. The time begins when it is.
        Some(_) if !seen.is_on => AutoUpdateStatus { last_update_time: None, ..record },
        Some(UpdatePhase::RollingBack) => rolling_back(record, asked, seen, now),
        Some(UpdatePhase::ApplyingUpdate | UpdatePhase::HealthCheck) => {
            replacing(record, asked, seen, now)
        }
    }
}

/// Whether somebody has asked for something else meanwhile.
fn is_overtaken(record: &AutoUpdateStatus, seen: &Seen<'_>) -> bool {
    let is_rendered = |tag: &Option<String>| tag.as_deref() == Some(seen.rendered);
    match stage(record) {
        None => false,
        Some(UpdatePhase::BackingUp) => {
            record.previous_version.is_none()
                || !(names_no_release(seen.rendered) || is_rendered(&record.previous_version))
        }
        Some(UpdatePhase::RollingBack) => !is_rendered(&record.previous_version),
        Some(UpdatePhase::ApplyingUpdate | UpdatePhase::HealthCheck) => {
            !is_rendered(&record.pending_version)
        }
    }
}

/// The agent runs meanwhile, and its pod is replaced when it can be told that the backup is stored.
fn backing_up(
    record: AutoUpdateStatus,
    asked: &Asked,
    seen: &Seen<'_>,
    now: Timestamp,
) -> AutoUpdateStatus {
    let Some(within) = asked.backup_within.filter(|_| seen.is_on) else { return idle(record) };
    let left = time_left(&record, within, now);
    match (&seen.backup, left) {
        (_, Left::Begins) => since(record, now),
        (BackupProgress::Failed(why), _) | (BackupProgress::Running(Some(why)), Left::Over) => {
            backs_off(record, why, now)
        }
        (BackupProgress::Stored(Some(path)), Left::Some) if seen.pod == Newest::Ready => {
            let record = AutoUpdateStatus { pre_update_backup_path: Some(path.clone()), ..record };
            if seen.may_begin { applying(record, now) } else { record }
        }
        (BackupProgress::Stored(None), _) => {
            backs_off(record, "its pod is gone, which alone could tell where it lies", now)
        }
        // It is too old by now.
        (BackupProgress::Stored(Some(_)), Left::Over) => idle(record),
        (_, Left::Over) => backs_off(record, "it was not stored in its time", now),
        (_, Left::Some) => record,
    }
}

fn replacing(
    record: AutoUpdateStatus,
    asked: &Asked,
    seen: &Seen<'_>,
    now: Timestamp,
) -> AutoUpdateStatus {
    let phase = match seen.pod {
        Newest::Ready => return confirmed(record),
        Newest::NotThere => UpdatePhase::ApplyingUpdate,
        Newest::Starting { .. } | Newest::Refused => UpdatePhase::HealthCheck,
    };
    let record = AutoUpdateStatus { update_phase: Some(phase), ..record };
    match time_left(&record, asked.ready_within, now) {
        Left::Begins => since(record, now),
        Left::Some => record,
        Left::Over if !asked.rolls_back => stays(record, AS_ASKED),
        Left::Over if seen.pod == (Newest::Starting { used_state: true }) => {
            with_its_state(record, seen, now)
        }
        Left::Over => goes_back(record, now),
    }
}

fn rolling_back(
    record: AutoUpdateStatus,
    asked: &Asked,
    seen: &Seen<'_>,
    now: Timestamp,
) -> AutoUpdateStatus {
    match seen.pod {
        Newest::Ready => went_back(record),
        Newest::Refused if record.state_restore.is_some() => stays(record, REFUSED),
        Newest::Refused => with_its_state(record, seen, now),
        Newest::NotThere | Newest::Starting { .. } => {
            match time_left(&record, asked.ready_within, now) {
                Left::Begins => since(record, now),
                Left::Some => record,
                Left::Over => went_back(record),
            }
        }
    }
}

/// The agent is off, and the state of before the update is put back.
fn putting_back(
    record: AutoUpdateStatus,
    asked: &Asked,
    seen: &Seen<'_>,
    now: Timestamp,
) -> AutoUpdateStatus {
    let not_put_back = |record: AutoUpdateStatus, why: &str| {
        let path = record.pre_update_backup_path.clone().unwrap_or_default();
        stays(record, &format!("backup {path} could not be put back: {why}"))
    };
    let within = asked.backup_within.unwrap_or(asked.ready_within);
    match &seen.undoing {
        // The time of the version before begins when its pod is wanted.
        Undoing::Done => AutoUpdateStatus {
            state_restore: Some(StateRestore::Done),
            last_update_time: None,
            ..record
        },
        Undoing::Failed(why) => not_put_back(record, why),
        // It has a time of its own.
        Undoing::UnderWay => record,
        Undoing::NotBegun => match time_left(&record, within, now) {
            Left::Begins => since(record, now),
            Left::Some => record,
            Left::Over => not_put_back(record, "the agent's pod did not end in its time"),
        },
    }
}

/// The pod of the version before was not seen in time. Now it tells that the newer one has used the
/// state after all.
fn found_too_late(record: AutoUpdateStatus, seen: &Seen<'_>) -> AutoUpdateStatus {
    let release = |tag: &str| Release::from_tag(tag);
    let failed = record.failed_version.clone().filter(|failed| {
        release(failed)
            .zip(release(seen.rendered))
            .is_some_and(|(failed, rendered)| failed.is_newer_than(&rendered))
    });
    if failed.is_none() || record.current_version.as_deref() != Some(seen.rendered) {
        return record;
    }
    let why = failed.as_ref().map(|failed| format!("{failed} stays: {TOO_LATE}"));
    AutoUpdateStatus { current_version: failed, last_update_error: why, ..record }
}

/// What was found out meanwhile from the registry.
fn noted(record: &AutoUpdateStatus, seen: &Seen<'_>) -> AutoUpdateStatus {
    let mut record = record.clone();
    if let Some(at) = seen.looked_at {
        record.last_check_time = Some(Time(at));
        let newest = seen.newest.map(ToOwned::to_owned);
        record.latest_version = newest.or_else(|| release_of(seen).map(ToOwned::to_owned));
    }
    record
}

/// The release that runs.
fn release_of<'a>(seen: &'a Seen<'_>) -> Option<&'a str> {
    if names_no_release(seen.rendered) { seen.runs.as_deref() } else { Some(seen.rendered) }
}

fn begin(
    record: AutoUpdateStatus,
    asked: &Asked,
    seen: &Seen<'_>,
    now: Timestamp,
) -> AutoUpdateStatus {
    if asked.backup_within.is_some()
        && record.pending_version.is_some()
        && !record.last_update_time.as_ref().is_none_or(|at| is_over(at.0, Some(now), AGAIN_AFTER))
    {
        return record;
    }
    let record = idle(record);
    let (Some(newest), Some(runs)) = (candidate(&record, seen), release_of(seen)) else {
        return record;
    };
    if !seen.is_on || !seen.may_begin || seen.pod != Newest::Ready {
        return record;
    }
    let begun = AutoUpdateStatus {
        pending_version: Some(newest.to_owned()),
        previous_version: Some(runs.to_owned()),
        pre_update_backup_path: None,
        last_update_error: None,
        ..record
    };
    if asked.backup_within.is_none() {
        return applying(begun, now);
    }
    since(AutoUpdateStatus { update_phase: Some(UpdatePhase::BackingUp), ..begun }, now)
}

/// Returns the release that is the next, unless the updater has stopped or it has failed before.
pub(crate) fn candidate<'a>(record: &AutoUpdateStatus, seen: &Seen<'a>) -> Option<&'a str> {
    let newest = seen.newest?;
    let failed = record.failed_version.as_deref().and_then(Release::from_tag);
    let is_tried = failed.is_some_and(|failed| {
        !Release::from_tag(newest).is_some_and(|newest| newest.is_newer_than(&failed))
    });
    (!has_stopped(record) && !is_tried).then_some(newest)
}

/// Whether too many updates in a row have failed.
pub(crate) fn has_stopped(record: &AutoUpdateStatus) -> bool {
    record.rollback_count.unwrap_or(0) >= MOST_FAILURES
}

enum Left {
    /// The time has not begun: it begins now.
    Begins,
    Some,
    Over,
}

fn time_left(record: &AutoUpdateStatus, within: SignedDuration, now: Timestamp) -> Left {
    let Some(Time(begun)) = &record.last_update_time else { return Left::Begins };
    if is_over(*begun, Some(now), within) { Left::Over } else { Left::Some }
}

#[cfg(test)]
mod exploration;
