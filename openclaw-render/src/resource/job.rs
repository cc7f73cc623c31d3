//! `Job`: restores a backup into the agent's volume, once.
//!
//! - Present when: a restore is under way, see `lifecycle/restore.rs`. It goes when that is done, or
//!   no longer asked for; not by itself, since nobody else knows what came of it until the operator has
//!   seen it.
//! - Reads: `spec.restoreFrom`, `spec.backup`, and what the agent's own pod reads: image, volume,
//!   security, placement. As it was when the Job was made: it is never changed.
//! - Restarts pods: never. The agent is off meanwhile.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::meta;
use crate::pod::restore;
use crate::resolve::Resolved;
use crate::vocab::labels;

/// Attempts after the first one: a storage may be away for a while.
const RETRIES: i32 = 1;

pub(super) fn render(instance: &Resolved) -> Option<Job> {
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
