//! `WorkspaceReady`: the ConfigMaps of workspaces are there. Said only where one is named.

use crate::api::{ConditionType as About, Reason};
use crate::problem::{Problem, Rule};
use crate::resolve::Resolved;
use crate::status::Statement;

pub(super) fn statement(resolved: Option<&Resolved>, problems: &[Problem]) -> Option<Statement> {
    for (rule, reason) in [
        (Rule::Missing, Reason::ConfigMapMissing),
        (Rule::Unknown, Reason::ConfigMapUnknown),
        (Rule::Ineffective, Reason::InvalidFileName),
    ] {
        let is_it = |each: &Problem| each.about == About::WorkspaceReady && each.rule == rule;
        let found = super::texts(problems, is_it);
        if !found.is_empty() {
            return Some(Statement::new(About::WorkspaceReady, false, reason, found));
        }
    }
    resolved?.workspaces.external.as_ref()?;
    Some(Statement::new(
        About::WorkspaceReady,
        true,
        Reason::WorkspaceRendered,
        "every file of the workspaces is rendered; it is written when the next pod starts",
    ))
}
