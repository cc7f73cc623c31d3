//! `RestoreComplete`: what `spec.restoreFrom` names is restored, or why not.

use super::backup::lacks;
use super::{refusal, texts};
use crate::api::{ConditionType as About, Reason};
use crate::lifecycle::restore;
use crate::lifecycle::restore::Stage;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::power::{Off, Power};
use crate::problem::Problem;
use crate::resolve::{Permission, Resolved};
use crate::status::Statement;
use crate::status::restores::Restores;

/// Returns what is said of a restore that is asked for, under way or done.
pub(in crate::status) fn statement(
    resolved: &Resolved,
    observed: &Observed,
    problems: &[Problem],
    restores: &Restores,
) -> Option<Statement> {
    let statement = |holds, reason, message: String| {
        Some(Statement::new(About::RestoreComplete, holds, reason, message))
    };
    let record = &restores.record;
    match restore::stage(record) {
        Stage::Failed { from, why, .. } if restore::undoes_update(record) => {
            let message = format!(
                "backup {from} was not put back after an update that failed, and what was there is \
                 as it was: {why}"
            );
            return statement(false, Reason::RestoreFailed, message);
        }
        Stage::Failed { from, why, .. } => {
            return statement(
                false,
                Reason::RestoreFailed,
                format!(
                    "{from} was not restored, and what was there is as it was: {why}; name another \
                     path in spec.restoreFrom, or remove it to go on with what is there"
                ),
            );
        }
        Stage::UnderWay { job, from, .. } => {
            let key = ObjectKey::new(Kind::Job, job);
            let message = match (refusal(observed, &key), &restores.waits) {
                (Some(refused), _) => format!("{from} is not restored yet: {refused}"),
                (None, Some(waits)) => format!("Job {job} restores {from}, and waits: {waits}"),
                (None, None) => format!("Job {job} restores {from}"),
            };
            return statement(false, Reason::Restoring, message);
        }
        Stage::Ending { job, from } => {
            let message = format!("{from} is no longer asked for: Job {job} ends first");
            return statement(false, Reason::Restoring, message);
        }
        Stage::Idle => {}
    }
    let asked = resolved.restore.as_ref().and_then(|it| Some((it, it.asked.as_deref()?)));
    let asked = asked.filter(|(_, from)| restore::is_due(record, Some(from)));
    let Some((asked, from)) = asked else {
        let from = record.restored_from.as_ref()?;
        let before = record.restore.before.as_ref().map(|before| {
            format!("; what was there before is in {before} in HOME, and yours to remove")
        });
        let message = format!("{from} is restored{}", before.unwrap_or_default());
        return statement(true, Reason::RestoreSucceeded, message);
    };
    if let Some(reason) = lacks(&asked.means) {
        // Backups and restores have one bucket, and what it lacks is said once.
        let about = [About::RestoreComplete, About::BackupReady];
        let why = texts(problems, |problem| about.contains(&problem.about));
        return statement(false, reason, format!("{from} is not restored: {why}"));
    }
    if asked.permission != Permission::Given {
        let why = texts(problems, |problem| problem.about == About::RestoreComplete);
        let reason = match asked.permission {
            Permission::Unseen => Reason::WaitingForReads,
            Permission::Denied | Permission::Given => Reason::RestoreNotAllowed,
        };
        return statement(false, reason, format!("{from} is not restored: {why}"));
    }
    if asked.holds {
        let message = format!("{from} is restored before the agent starts");
        return statement(false, Reason::Restoring, message);
    }
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    let is_unseen = !matches!(observed.objects.get(&key), Some(Fact::Known(_) | Fact::Absent));
    let (reason, message) = match resolved.power {
        _ if is_unseen => {
            (Reason::WaitingForReads, format!("{from} waits until {key} could be looked at"))
        }
        Power::Off(Off::Suspended | Off::ScaledToZero | Off::Restoring) => {
            (Reason::Restoring, format!("{from} is restored once the agent's pod is gone"))
        }
        Power::On => (
            Reason::AgentRuns,
            format!(
                "{from} is restored only while the agent is off, and it runs with what it has until \
                 then: set spec.suspended to true, and to false once this condition is True"
            ),
        ),
    };
    statement(false, reason, message)
}

/// While the agent is off for it, that is why it is not ready.
pub(in crate::status) fn take_over(resolved: &Resolved, statements: &mut [Statement]) {
    if resolved.power != Power::Off(Off::Restoring) {
        return;
    }
    let restore =
        statements.iter().find(|each| each.about == About::RestoreComplete && !each.holds);
    let Some((reason, message)) = restore.map(|each| (each.reason, each.message.clone())) else {
        return;
    };
    let off = [Reason::Suspended, Reason::ScalingDown, Reason::NotApplied];
    for statement in statements.iter_mut().filter(|each| {
        let is_of_pod = matches!(each.about, About::Ready | About::StatefulSetReady);
        is_of_pod && off.contains(&each.reason)
    }) {
        statement.holds = false;
        statement.reason = reason;
        statement.message.clone_from(&message);
    }
}
