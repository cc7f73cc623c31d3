//! `CronJob`: makes a backup of the agent's HOME at its times, also while the operator is away.
//!
//! - Present when: `spec.backup.schedule` is set, and a backup can be made.
//! - Reads: `spec.backup`, and what the agent's own pod reads: image, volume, security, placement.
//! - Restarts pods: never. A backup that is under way goes on as it was begun.

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{job, meta};
use crate::resolve::Resolved;
use crate::vocab::labels;

/// An agent and its cluster may be on their way up when the time comes.
const MAY_BEGIN_LATE_SECONDS: i64 = 600;
/// Attempts after the first one.
const RETRIES: i32 = 1;

pub(super) fn render(instance: &Resolved) -> Option<CronJob> {
    let asked = instance.backup.as_ref()?;
    let schedule = asked.schedule.as_ref()?;
    let means = asked.means.as_ref().ok()?;
    Some(CronJob {
        metadata: meta::with_owner(instance, instance.name.backup()),
        spec: Some(CronJobSpec {
            concurrency_policy: Some("Forbid".to_owned()),
            failed_jobs_history_limit: Some(schedule.failed_jobs),
            job_template: JobTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels::of_backups(&instance.name)),
                    ..Default::default()
                }),
                spec: Some(job::that_backs_up(instance, asked, means, RETRIES)),
            },
            schedule: schedule.cron.clone(),
            starting_deadline_seconds: Some(MAY_BEGIN_LATE_SECONDS),
            successful_jobs_history_limit: Some(schedule.succeeded_jobs),
            // `suspend` is left to whoever wants to stop backups for a while.
            time_zone: Some("Etc/UTC".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    })
}
