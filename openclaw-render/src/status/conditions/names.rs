//! `NameConflict`: an object of somebody else has a name that is needed.

use crate::api::{ConditionType as About, Reason};
use crate::object::ObjectKey;
use crate::status::{Findings, Statement};

pub(super) fn statement(findings: &Findings) -> Option<Statement> {
    let conflict = conflict(findings.conflicts.iter())?;
    Some(Statement::new(About::NameConflict, true, Reason::NameTaken, conflict))
}

/// Returns what is in the way, and what helps.
pub(super) fn conflict<'a>(conflicts: impl Iterator<Item = &'a ObjectKey>) -> Option<String> {
    let keys: Vec<String> = conflicts.map(ToString::to_string).collect();
    let are = if keys.len() == 1 { "is" } else { "are" };
    (!keys.is_empty()).then(|| {
        format!(
            "{} {are} not this instance's and {are} left alone: rename or delete what is in the way",
            keys.join(", "),
        )
    })
}
