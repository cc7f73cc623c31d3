//! An update of the agent to a newer release: begun at a good time, confirmed when the new pod is
//! ready, and undone while that is possible.
//!
//! The record in status says which tag is rendered ([`decided`]); nothing else makes the pod another
//! one. So a record is always written before the pod is replaced, and whoever comes next goes on
//! with it. How far the pod is, is judged by the pod of exactly that template.
//!
//! # Guarantees
//! - Nothing begins while the agent is off, not ready, held, or outside of its windows.
//! - Every stage that waits ends by its deadline.
//! - The older version is not started on a state that the newer one has used.
//! - What a user changes on the way wins: then the update is given up, and the spec counts.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{AutoUpdateStatus, UpdatePhase};
use crate::release::Release;

/// So many updates in a row that failed stop the updater.
pub(crate) const MOST_FAILURES: i32 = 3;

/// What is asked for, as the spec has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Time between two looks at the registry.
    pub(crate) every: SignedDuration,
    /// Time in which a new version must be ready.
    pub(crate) ready_within: SignedDuration,
    /// Whether image and state go back when an update fails.
    pub(crate) rolls_back: bool,
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
    /// Whether a window is open, or there is none to wait for.
    pub(crate) may_begin: bool,
    pub(crate) pod: Newest,
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

/// Returns the tag that the record stands for, in the place of the spec's.
///
/// The spec is the least that runs: a later release in it wins, and so does another kind of image.
pub(crate) fn decided(record: &AutoUpdateStatus, spec: Option<&str>) -> Option<String> {
    let tag = match (stage(record), &record.pending_version, &record.previous_version) {
        (Some(UpdatePhase::RollingBack), _, Some(previous)) => Some(previous),
        (Some(UpdatePhase::ApplyingUpdate | UpdatePhase::HealthCheck), Some(pending), _) => {
            Some(pending)
        }
        (Some(_) | None, _, _) => record.current_version.as_ref(),
    }?;
    let release = Release::from_tag(tag)?;
    let floor = spec.filter(|tag| !names_no_release(tag));
    let wins = match floor.map(Release::from_tag) {
        None => true,
        Some(None) => false,
        Some(Some(floor)) => release.is_newer_than(&floor),
    };
    wins.then(|| tag.clone())
}

/// What a record tells that the one before did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpdateNews {
    /// A newer release is being given to the agent.
    pub is_begun: bool,
    /// A newer release was not ready in time, and the agent went back.
    pub is_undone: bool,
}

/// Returns what happened between two records, for those who count it.
#[must_use]
pub fn update_news(before: Option<&AutoUpdateStatus>, after: &AutoUpdateStatus) -> UpdateNews {
    let of = |record: Option<&AutoUpdateStatus>| {
        let pending = record.filter(|record| stage(record).is_some());
        let failures = record.and_then(|record| record.rollback_count).unwrap_or(0);
        (pending.and_then(|record| record.pending_version.clone()), failures)
    };
    let ((pending_before, failures_before), (pending, failures)) = (of(before), of(Some(after)));
    UpdateNews {
        is_begun: pending.is_some() && pending != pending_before,
        is_undone: failures > failures_before && after.current_version != after.failed_version,
    }
}

/// Whether a tag is one that moves from release to release.
pub(crate) fn names_no_release(tag: &str) -> bool {
    tag.is_empty() || tag == crate::vocab::images::AGENT_TAG
}

/// Returns the stage of an update that is under way. A backup is none: nothing has begun yet.
pub(crate) fn stage(record: &AutoUpdateStatus) -> Option<UpdatePhase> {
    record.pending_version.as_ref()?;
    record.update_phase.filter(|phase| *phase != UpdatePhase::BackingUp)
}

/// Returns the next record.
pub(crate) fn next(record: &AutoUpdateStatus, asked: &Asked, seen: &Seen<'_>) -> AutoUpdateStatus {
    let record = noted(record, seen);
    let Some(now) = seen.now else { return record };
    let pending = record.pending_version.clone().unwrap_or_default();
    let previous = record.previous_version.clone().unwrap_or_default();
    match (stage(&record), seen.pod) {
        (None, Newest::Refused) => found_too_late(idle(record), seen),
        (None, pod) => begin(idle(record), pod, seen, now),
        // Somebody has asked for something else meanwhile.
        (Some(UpdatePhase::RollingBack), _) if seen.rendered != previous => idle(record),
        (Some(UpdatePhase::ApplyingUpdate | UpdatePhase::HealthCheck), _)
            if seen.rendered != pending =>
        {
            idle(record)
        }
        // Nothing can be said of a pod that is not wanted. The time begins when it is.
        (Some(_), _) if !seen.is_on => AutoUpdateStatus { last_update_time: None, ..record },
        (Some(UpdatePhase::RollingBack), Newest::Refused) => stays(record, TOO_LATE),
        (Some(UpdatePhase::RollingBack), Newest::Ready) => went_back(record),
        (Some(UpdatePhase::RollingBack), Newest::NotThere | Newest::Starting { .. }) => {
            match time_left(&record, asked, now) {
                Left::Begins => since(record, now),
                Left::Some => record,
                Left::Over => went_back(record),
            }
        }
        (Some(UpdatePhase::ApplyingUpdate | UpdatePhase::HealthCheck), Newest::Ready) => {
            confirmed(record)
        }
        (Some(UpdatePhase::ApplyingUpdate | UpdatePhase::HealthCheck), pod) => {
            let phase = match pod {
                Newest::NotThere => UpdatePhase::ApplyingUpdate,
                Newest::Starting { .. } | Newest::Refused | Newest::Ready => {
                    UpdatePhase::HealthCheck
                }
            };
            let record = AutoUpdateStatus { update_phase: Some(phase), ..record };
            match time_left(&record, asked, now) {
                Left::Begins => since(record, now),
                Left::Some => record,
                Left::Over if !asked.rolls_back => stays(record, AS_ASKED),
                Left::Over if pod == (Newest::Starting { used_state: true }) => {
                    stays(record, TOO_LATE)
                }
                Left::Over => {
                    let back = Some(UpdatePhase::RollingBack);
                    since(AutoUpdateStatus { update_phase: back, ..record }, now)
                }
            }
        }
        (Some(UpdatePhase::BackingUp), _) => idle(record),
    }
}

const TOO_LATE: &str = "it has used the state, which the version before cannot read any more";
const AS_ASKED: &str = "spec.autoUpdate.rollbackOnFailure is false";

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

/// A record without an update under way.
fn idle(record: AutoUpdateStatus) -> AutoUpdateStatus {
    AutoUpdateStatus { pending_version: None, previous_version: None, update_phase: None, ..record }
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

fn begin(
    record: AutoUpdateStatus,
    pod: Newest,
    seen: &Seen<'_>,
    now: Timestamp,
) -> AutoUpdateStatus {
    let (Some(newest), Some(runs)) = (candidate(&record, seen), release_of(seen)) else {
        return record;
    };
    if !seen.is_on || !seen.may_begin || pod != Newest::Ready {
        return record;
    }
    let begun = AutoUpdateStatus {
        pending_version: Some(newest.to_owned()),
        previous_version: Some(runs.to_owned()),
        update_phase: Some(UpdatePhase::ApplyingUpdate),
        last_update_error: None,
        ..record
    };
    since(begun, now)
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

fn time_left(record: &AutoUpdateStatus, asked: &Asked, now: Timestamp) -> Left {
    let Some(Time(begun)) = &record.last_update_time else { return Left::Begins };
    let passed = now.duration_since(*begun);
    // A clock that was put back must not make the wait longer than it is.
    if passed >= asked.ready_within || passed < SignedDuration::ZERO - asked.ready_within {
        Left::Over
    } else {
        Left::Some
    }
}

fn since(record: AutoUpdateStatus, now: Timestamp) -> AutoUpdateStatus {
    AutoUpdateStatus { last_update_time: Some(Time(now)), ..record }
}

fn confirmed(record: AutoUpdateStatus) -> AutoUpdateStatus {
    let current_version = record.pending_version.clone();
    idle(AutoUpdateStatus {
        current_version,
        rollback_count: None,
        failed_version: None,
        last_update_error: None,
        ..record
    })
}

fn went_back(record: AutoUpdateStatus) -> AutoUpdateStatus {
    let current = record.previous_version.clone();
    let why = format!(
        "{} was not ready in time; {} runs again",
        record.pending_version.as_deref().unwrap_or_default(),
        current.as_deref().unwrap_or_default(),
    );
    failed(record, current, why)
}

fn stays(record: AutoUpdateStatus, why: &str) -> AutoUpdateStatus {
    let current = record.pending_version.clone();
    let pending = current.as_deref().unwrap_or_default();
    let why = format!("{pending} was not ready in time and stays: {why}");
    failed(record, current, why)
}

fn failed(
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

#[cfg(test)]
mod exploration;
