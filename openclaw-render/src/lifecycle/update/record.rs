//! What the record of an update stands for.

use jiff::Timestamp;

use super::AGAIN_AFTER;
use crate::api::{AutoUpdateStatus, StateRestore, UpdatePhase};
use crate::release::Release;

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
        let pending = record.filter(|record| replaces(record));
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

/// Returns the stage of an update that is under way.
pub(crate) fn stage(record: &AutoUpdateStatus) -> Option<UpdatePhase> {
    record.pending_version.as_ref()?;
    record.update_phase
}

/// Whether an update has come so far that pods are replaced for it.
pub(crate) fn replaces(record: &AutoUpdateStatus) -> bool {
    stage(record).is_some_and(|stage| stage != UpdatePhase::BackingUp)
}

/// Returns the backup that must be put back before the version of before the update is started.
pub(crate) fn to_put_back(record: &AutoUpdateStatus) -> Option<&str> {
    let is_due = stage(record) == Some(UpdatePhase::RollingBack)
        && record.state_restore == Some(StateRestore::UnderWay);
    record.pre_update_backup_path.as_deref().filter(|_| is_due)
}

/// Returns until when no backup is made, since the last one failed.
pub(crate) fn backs_off_until(record: &AutoUpdateStatus) -> Option<Timestamp> {
    record.pending_version.as_ref().filter(|_| record.update_phase.is_none())?;
    record.last_update_time.as_ref()?.0.checked_add(AGAIN_AFTER).ok()
}
