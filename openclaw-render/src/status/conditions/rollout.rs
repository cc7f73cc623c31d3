//! `RolloutPending`: a roll-out waits, and on what.

use super::texts;
use crate::api::{ConditionType as About, Reason};
use crate::maintenance::Standing;
use crate::pacing::CauseKind;
use crate::predecessor::Predecessor;
use crate::problem::{Problem, Severity};
use crate::rollout::{Rollout, Verdict};
use crate::status::{Findings, Statement};
use crate::vocab::annotations;

/// Changes that a message lists; the rest is counted.
const LISTED_CHANGES: usize = 5;

/// Without the defaults nobody knows what is wanted.
pub(super) fn unread_defaults(findings: &Findings) -> Option<Statement> {
    findings.unread_defaults.then(|| {
        Statement::new(
            About::RolloutPending,
            true,
            Reason::WaitingForReads,
            "nothing changes until OpenClawClusterDefaults/cluster can be read: let the operator \
             get it, and see that `kubectl get openclawclusterdefaults cluster -o yaml` has only \
             fields of its kind",
        )
    })
}

pub(super) fn statement(
    rollout: &Rollout,
    predecessor: Predecessor<'_>,
    problems: &[Problem],
) -> Option<Statement> {
    let hash = &rollout.pod_hash;
    match rollout.verdict {
        Verdict::HeldForApproval if matches!(predecessor, Predecessor::Runs(_)) => {
            Some(Statement::new(
                About::RolloutPending,
                true,
                Reason::HeldForApproval,
                format!(
                    "the agent runs in a Deployment, which an older operator made: the Deployment is \
                     deleted, and when its pods are gone, a StatefulSet starts on the same volume; \
                     {}set annotation {}={hash}",
                    ways_on(rollout.windows),
                    annotations::APPROVE_ROLLOUT,
                ),
            ))
        }
        Verdict::HeldForApproval => Some(Statement::new(
            About::RolloutPending,
            true,
            Reason::HeldForApproval,
            format!(
                "the operator, not the spec, would replace the pod ({}); {}set annotation \
                 {}={hash}",
                changes(rollout),
                ways_on(rollout.windows),
                annotations::APPROVE_ROLLOUT,
            ),
        )),
        Verdict::WaitsForTurn => Some(Statement::new(
            About::RolloutPending,
            true,
            Reason::WaitsForTurn,
            format!(
                "{} would replace the pods of several agents, which happens to a few at a time; to \
                 replace this one now, set annotation {}={hash}",
                subject(rollout),
                annotations::APPROVE_ROLLOUT,
            ),
        )),
        Verdict::Stopped => Some(Statement::new(
            About::RolloutPending,
            true,
            Reason::RolloutStopped,
            format!(
                "{} would replace the pods of several agents, and one that was replaced does not \
                 become ready: no other is until whoever runs the operator has seen to it; to \
                 replace this one all the same, set annotation {}={hash}",
                subject(rollout),
                annotations::APPROVE_ROLLOUT,
            ),
        )),
        Verdict::WillNotStart => Some(Statement::new(
            About::RolloutPending,
            true,
            Reason::WillNotStart,
            format!(
                "the pod and what it depends on stay as they are until the spec is mended: {}",
                texts(problems, |problem| problem.severity == Severity::WillNotStart)
            ),
        )),
        Verdict::Go if matches!(predecessor, Predecessor::Runs(_) | Predecessor::Ends) => {
            Some(Statement::new(
                About::RolloutPending,
                true,
                Reason::ReplacingDeployment,
                "the Deployment that ran the agent is deleted; when its pods are gone, the \
                 StatefulSet starts on the same volume; if it stays, the operator's log and \
                 `kubectl describe deployment` say why",
            ))
        }
        Verdict::Go | Verdict::Unknown => None,
    }
}

/// What replaces the pods of several agents.
fn subject(rollout: &Rollout) -> &'static str {
    match rollout.cause.as_ref().map(|cause| cause.kind) {
        Some(CauseKind::ClusterDefaults) => "a change of OpenClawClusterDefaults/cluster",
        Some(CauseKind::Update) => "a newer release",
        Some(CauseKind::Operator) | None => "a change of the operator",
    }
}

/// How a held roll-out goes on, up to the approval.
fn ways_on(windows: Standing) -> String {
    match windows {
        Standing::NoWindows | Standing::Open(_) => "to approve, ".to_owned(),
        Standing::Closed(Some(opens)) => {
            format!(
                "it does so in the maintenance window that opens at {opens}; to approve it before, "
            )
        }
        Standing::Closed(None) => {
            "it does so in the next maintenance window; to approve it before, ".to_owned()
        }
    }
}

fn changes(rollout: &Rollout) -> String {
    let listed: Vec<String> =
        rollout.changes.iter().take(LISTED_CHANGES).map(|change| change.path.clone()).collect();
    match rollout.changes.len().saturating_sub(LISTED_CHANGES) {
        _ if listed.is_empty() => "configuration files".to_owned(),
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}
