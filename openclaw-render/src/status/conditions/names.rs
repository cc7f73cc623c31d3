//! `NameConflict`: an object of somebody else has a name that is needed.

use crate::api::{ConditionType as About, Reason};
use crate::status::{Findings, Statement};

pub(super) fn statement(findings: &Findings) -> Option<Statement> {
    (!findings.conflicts.is_empty())
        .then(|| Statement::new(About::NameConflict, true, Reason::NameTaken, conflict(findings)))
}

/// Returns what is in the way, and what helps.
pub(super) fn conflict(findings: &Findings) -> String {
    let keys: Vec<String> = findings.conflicts.iter().map(ToString::to_string).collect();
    format!(
        "{} {} not this instance's and {} left alone: rename or delete what is in the way",
        keys.join(", "),
        if keys.len() == 1 { "is" } else { "are" },
        if keys.len() == 1 { "is" } else { "are" },
    )
}
