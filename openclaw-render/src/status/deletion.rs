//! What is said of an instance that is being deleted, and of its last backup.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Report, Statement, conditions, transitions};
use crate::api::{ConditionType, OpenClawInstance, OpenClawInstanceStatus, Phase, Reason};
use crate::lifecycle::last_backup::Verdict;
use crate::lifecycle::{WaitingOn, deletion};
use crate::object::{Kind, ObjectKey};
use crate::observed::Observed;
use crate::vocab::annotations::SKIP_BACKUP;

/// How far the last backup is.
pub(crate) struct LastBackup<'a> {
    /// Its Job.
    pub(crate) job: &'a str,
    pub(crate) since: Option<Timestamp>,
    pub(crate) verdict: Option<Verdict>,
    /// What it waits for, if not for its Job.
    pub(crate) waits: Option<String>,
}

/// Returns what there is to say while the last backup is made.
pub(crate) fn report_last_backup(
    instance: &OpenClawInstance,
    last: &LastBackup<'_>,
    observed: &Observed,
) -> Report {
    let key = ObjectKey::new(Kind::Job, last.job);
    let refused = conditions::refusal(observed, &key);
    let waits = refused.or_else(|| last.waits.clone()).map(|it| format!(": {it}"));
    let message = format!(
        "the instance is being deleted, and Job {} makes its last backup{}; with annotation \
         {SKIP_BACKUP}=true it goes without one",
        last.job,
        waits.unwrap_or_default(),
    );
    let ready = Statement::new(ConditionType::Ready, false, Reason::BackingUp, message);
    let verdict = last.verdict.as_ref();
    let status = OpenClawInstanceStatus {
        backing_up_since: last.since.map(Time),
        backup_job_name: Some(last.job.to_owned()),
        ..instance.status.clone().unwrap_or_default()
    };
    report(instance, observed, ready, verdict, status, Phase::BackingUp)
}

/// Returns what there is to say when nothing but the volume is left to look after.
pub(crate) fn report_deletion(
    instance: &OpenClawInstance,
    waits_for: Option<&WaitingOn>,
    verdict: Option<&Verdict>,
    observed: &Observed,
) -> Report {
    let claim = conditions::refusal(observed, &deletion::claim(instance))
        .map(|refused| format!("the instance stays until its claim is released, and {refused}"));
    let besides = conditions::refusals_besides(observed).next();
    let besides =
        besides.map(|it| format!("the instance stays until nothing looks after it: {it}"));
    let (reason, message) = match (claim.or(besides), waits_for) {
        (Some(refused), _) => (Reason::ApplyRefused, refused),
        (None, Some(waits_for)) => {
            (Reason::Terminating, format!("the instance is being deleted: {waits_for}"))
        }
        (None, None) => (Reason::Terminating, "the instance is being deleted".to_owned()),
    };
    let ready = Statement::new(ConditionType::Ready, false, reason, message);
    let status = instance.status.clone().unwrap_or_default();
    report(instance, observed, ready, verdict, status, Phase::Terminating)
}

fn report(
    instance: &OpenClawInstance,
    observed: &Observed,
    ready: Statement,
    verdict: Option<&Verdict>,
    status: OpenClawInstanceStatus,
    phase: Phase,
) -> Report {
    let about = ConditionType::BackupComplete;
    let told = verdict.map(|verdict| {
        Statement::new(about, verdict.is_good(), verdict.reason, verdict.message.clone())
    });
    let statements = [ready].into_iter().chain(told).collect();
    let (conditions, events) = transitions::since_last(instance, statements, observed.now);
    let status = OpenClawInstanceStatus {
        phase: Some(phase),
        observed_generation: instance.metadata.generation,
        conditions: Some(conditions),
        ..status
    };
    Report { status, events, ..Report::default() }
}
