//! `Job`: restores a backup into the agent's volume, once; or makes a backup of it, before an update
//! or as the last one.
//!
//! - Present when: a restore is under way, see `lifecycle/restore.rs`, a backup before an update, see
//!   `lifecycle/update.rs`, or the instance is being deleted, see `lifecycle/last_backup.rs`. It goes
//!   when that is done, or no longer asked for; not by itself, since nobody else knows what came of it
//!   until the operator has seen it.
//! - Reads: `spec.restoreFrom`, `spec.backup`, and what the agent's own pod reads: image, volume,
//!   security, placement. As it was when the Job was made: it is never changed.
//! - Restarts pods: never. The agent is off meanwhile, but for the backup before an update.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::meta;
use crate::pod::{backup, restore};
use crate::resolve::{Backup, Means, Resolved};
use crate::vocab::labels;

/// Attempts after the first one: a storage may be away for a while.
const RETRIES: i32 = 1;
/// Another backup that is under way keeps this one waiting.
const RETRIES_BESIDE_OTHERS: i32 = 4;
/// Finalizer of Kubernetes on an object that waits for what it owns.
const WAITS_FOR_DEPENDENTS: &str = "foregroundDeletion";
/// A pod that has ended keeps its staging volume. What came of it is in the agent's status by then.
const KEPT_SECONDS: i32 = 3600;

pub(super) fn render(instance: &Resolved) -> impl Iterator<Item = Job> {
    that_restores(instance).into_iter().chain(before_update(instance))
}

fn that_restores(instance: &Resolved) -> Option<Job> {
    let asked = instance.restore.as_ref()?;
    let means = asked.means.as_ref().ok()?;
    let (name, from) = asked.job.as_ref()?;
    Some(Job {
        metadata: ObjectMeta {
            labels: Some(labels::of_backups(&instance.name)),
            ..meta::with_owner(instance, name.clone())
        },
        spec: Some(JobSpec {
            active_deadline_seconds: Some(asked.timeout_seconds),
            backoff_limit: Some(RETRIES),
            template: restore::template(instance, asked, means, name, from),
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// What came of it is read by the operator, which then takes it away.
fn before_update(instance: &Resolved) -> Option<Job> {
    let asked = instance.backup.as_ref()?;
    let means = asked.means.as_ref().ok()?;
    let name = instance.auto_update.as_ref()?.backup_job.clone()?;
    let spec = that_backs_up(instance, asked, means, RETRIES_BESIDE_OTHERS);
    Some(Job {
        metadata: ObjectMeta {
            labels: Some(labels::of_backups(&instance.name)),
            ..meta::with_owner(instance, name)
        },
        spec: Some(JobSpec { ttl_seconds_after_finished: None, ..spec }),
        ..Default::default()
    })
}

/// Returns the Job that makes the last backup of an instance that is being deleted.
///
/// What an instance owns that is deleted in the foreground is deleted before it, so it does not own
/// the Job then.
pub(crate) fn of_last_backup(instance: &Resolved, finalizers: &[String]) -> Option<Job> {
    let asked = instance.backup.as_ref()?;
    let means = asked.means.as_ref().ok()?;
    let name = instance.name.last_backup(instance.uid.as_deref().unwrap_or_default());
    let metadata = if finalizers.iter().any(|it| it == WAITS_FOR_DEPENDENTS) {
        meta::without_owner(instance, name)
    } else {
        meta::with_owner(instance, name)
    };
    Some(Job {
        metadata: ObjectMeta { labels: Some(labels::of_backups(&instance.name)), ..metadata },
        spec: Some(that_backs_up(instance, asked, means, RETRIES_BESIDE_OTHERS)),
        ..Default::default()
    })
}

/// Returns the spec of a Job that makes a backup, with so many attempts after the first one.
pub(super) fn that_backs_up(
    instance: &Resolved,
    asked: &Backup,
    means: &Means,
    retries: i32,
) -> JobSpec {
    JobSpec {
        active_deadline_seconds: Some(asked.timeout_seconds),
        backoff_limit: Some(retries),
        template: backup::template(instance, asked, means),
        ttl_seconds_after_finished: Some(KEPT_SECONDS),
        ..Default::default()
    }
}
