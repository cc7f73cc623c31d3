//! Automatic updates: how they are asked for, and which tag they stand for.

use jiff::SignedDuration;

use super::backup::{self, Backup, Lack};
use super::context::Resolving;
use super::defaults::text;
use super::storage::{DataVolume, Storage};
use super::{extensions, image, ollama};
use crate::api::{
    AutoUpdateSpec, AutoUpdateStatus, OpenClawInstance, OpenClawInstanceSpec, UpdatePhase,
};
use crate::lifecycle::GRACE_OF_JOBS;
use crate::lifecycle::update::{self, Asked};
use crate::vocab::names::InstanceName;
use crate::vocab::{images, schedule};

/// The automatic updates of an agent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AutoUpdate {
    pub(crate) asked: Asked,
    /// Where releases are looked for, registry override applied.
    pub(crate) repository: String,
    /// The tag that is rendered.
    pub(crate) tag: String,
    /// What guards the data.
    pub(crate) guard: Guard,
    /// The Job of the backup that is made now, before an update.
    pub(crate) backup_job: Option<String>,
}

/// What guards the data of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// The volume goes with each pod.
    NothingToKeep,
    /// The user wants none.
    NotWanted,
    /// There is nowhere to put a backup.
    NoStorage,
    /// The volume is for one pod, and the agent has it.
    NoSecondPod,
    /// A backup is made first.
    Backup,
    /// One would be made, but what it is made with is not complete.
    NoBackupYet,
}

/// How often a registry is asked, in seconds.
const INTERVAL: i64 = 24 * 3600;
/// How long a pod may take to be ready, in seconds.
const TIMEOUT: i64 = 600;

/// Puts the tag that the updater has decided on into the spec, where it stands for the spec's.
pub(super) fn apply(instance: &OpenClawInstance, spec: &mut OpenClawInstanceSpec) {
    let record = instance.status.as_ref().and_then(|status| status.auto_update.as_ref());
    let (Some(record), true) = (record, is_on(spec)) else { return };
    let image = spec.image.get_or_insert_default();
    if let Some(tag) = update::decided(record, text(image.tag.as_ref())) {
        image.tag = Some(tag);
        // It was said of another tag.
        image.version = None;
    }
}

/// Returns the backup that an update which is undone puts back.
pub(super) fn to_put_back<'a>(
    instance: &'a OpenClawInstance,
    spec: &OpenClawInstanceSpec,
) -> Option<&'a str> {
    let record = instance.status.as_ref()?.auto_update.as_ref()?;
    update::to_put_back(record).filter(|_| is_on(spec))
}

/// Whether updates are asked for, and a tag says which image runs.
fn is_on(spec: &OpenClawInstanceSpec) -> bool {
    let enabled = spec.auto_update.as_ref().and_then(|it| it.enabled).unwrap_or(false);
    enabled && !is_pinned(spec)
}

fn is_pinned(spec: &OpenClawInstanceSpec) -> bool {
    let image = spec.image.as_ref();
    text(image.and_then(|image| image.digest.as_ref())).is_some()
        || image.and_then(|image| image.tag.as_ref()).is_some_and(|tag| tag.contains('@'))
}

pub(super) fn resolve(
    name: &InstanceName,
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    storage: &Storage,
    backup: Option<&Backup>,
    cx: &mut Resolving<'_>,
) -> Option<AutoUpdate> {
    let asked = spec.auto_update.as_ref()?;
    let AutoUpdateSpec {
        enabled,
        check_interval,
        backup_before_update,
        rollback_on_failure,
        health_check_timeout,
    } = asked;
    let every = duration(check_interval.as_ref(), INTERVAL);
    let ready_within = duration(health_check_timeout.as_ref(), TIMEOUT)
        + SignedDuration::from_secs(before_it_starts(spec));
    if *enabled == Some(true) && is_pinned(spec) {
        cx.ineffective(
            "spec.autoUpdate.enabled",
            "has no effect beside a digest, which names one image for ever: remove one of the two",
        );
    }
    let tag = spec.image.as_ref().and_then(|image| text(image.tag.as_ref()));
    let guard = guard(storage, backup, *backup_before_update);
    let backup = backup.filter(|_| matches!(guard, Guard::Backup | Guard::NoBackupYet));
    let record = instance.status.as_ref().and_then(|status| status.auto_update.as_ref());
    is_on(spec).then(|| AutoUpdate {
        asked: Asked {
            every,
            ready_within,
            rolls_back: rollback_on_failure.unwrap_or(true),
            backup_within: backup
                .map(|backup| SignedDuration::from_secs(backup.timeout_seconds) + GRACE_OF_JOBS),
        },
        backup_job: backup.and(record).and_then(|record| backup_job(name, instance, record)),
        repository: image::with_override(spec, image::repository(spec)),
        tag: tag.unwrap_or(images::AGENT_TAG).to_owned(),
        guard,
    })
}

/// Returns the Job of the backup that is being made.
fn backup_job(
    name: &InstanceName,
    instance: &OpenClawInstance,
    record: &AutoUpdateStatus,
) -> Option<String> {
    let makes_one = update::stage(record) == Some(UpdatePhase::BackingUp);
    let begun = record.last_update_time.as_ref().filter(|_| makes_one)?;
    let uid = instance.metadata.uid.as_deref().unwrap_or_default();
    let pending = record.pending_version.as_deref().unwrap_or_default();
    Some(name.update_backup(uid, pending, &begun.0.to_string()))
}

/// Returns how long a pod of the agent's may take before its gateway is started at all, in seconds. No
/// release is to blame for that.
fn before_it_starts(spec: &OpenClawInstanceSpec) -> i64 {
    let models = spec.ollama.as_ref().filter(|it| it.enabled == Some(true));
    let models = models.and_then(|it| it.models.as_ref()).is_some_and(|all| !all.is_empty());
    let installers = [&spec.skills, &spec.plugins].into_iter().flatten();
    let installers = installers.filter(|list| !list.is_empty()).map(|_| extensions::limit(spec));
    installers.sum::<i64>() + if models { ollama::FETCH_SECONDS } else { 0 }
}

/// Returns what guards the data.
fn guard(storage: &Storage, backup: Option<&Backup>, wanted: Option<bool>) -> Guard {
    if matches!(storage.volume, DataVolume::Ephemeral(_)) {
        return Guard::NothingToKeep;
    }
    if wanted == Some(false) {
        return Guard::NotWanted;
    }
    if backup.is_some() && backup::is_for_one_pod(&storage.volume) {
        return Guard::NoSecondPod;
    }
    match backup.map(|backup| &backup.means) {
        Some(Ok(means)) if means.is_complete => Guard::Backup,
        Some(Ok(_)) => Guard::NoBackupYet,
        Some(Err(Lack::SecondPod)) => Guard::NoSecondPod,
        Some(Err(Lack::Destination | Lack::Volume | Lack::Replicas)) | None => Guard::NoStorage,
    }
}

/// Returns a time, whose bounds are checked where all limits are.
fn duration(written: Option<&String>, default: i64) -> SignedDuration {
    let seconds = text(written).and_then(schedule::whole_seconds);
    SignedDuration::from_secs(seconds.unwrap_or(default))
}
