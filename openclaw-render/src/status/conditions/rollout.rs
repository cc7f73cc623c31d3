//! `RolloutPending`: a roll-out waits, and on what.

use super::texts;
use crate::api::{ConditionType as About, Reason};
use crate::problem::{Problem, Severity};
use crate::rollout::{Rollout, Verdict};
use crate::status::Statement;
use crate::vocab::annotations;

/// Changes that a message lists; the rest is counted.
const LISTED_CHANGES: usize = 5;

pub(super) fn statement(rollout: &Rollout, problems: &[Problem]) -> Option<Statement> {
    let hash = &rollout.pod_hash;
    match rollout.verdict {
        Verdict::HeldForApproval => Some(Statement::new(
            About::RolloutPending,
            true,
            Reason::HeldForApproval,
            format!(
                "the operator, not the spec, would replace the pod ({}); to approve, set \
                 annotation {}={hash}",
                changes(rollout),
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
        Verdict::Go | Verdict::Unknown => None,
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
