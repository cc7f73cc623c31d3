//! `SecretsReady`: everything that the environment refers to is there.

use crate::api::{ConditionType as About, Reason};
use crate::problem::{Problem, Rule};
use crate::resolve::Resolved;
use crate::status::Statement;

pub(super) fn statement(resolved: Option<&Resolved>, problems: &[Problem]) -> Option<Statement> {
    let about = |problem: &&Problem| problem.about == About::SecretsReady;
    for (rules, reason) in [
        (&[Rule::Missing, Rule::MissingKey][..], Reason::SecretMissing),
        (&[Rule::Unknown], Reason::SecretUnknown),
    ] {
        let found: Vec<String> = problems
            .iter()
            .filter(about)
            .filter(|problem| rules.contains(&problem.rule))
            .map(ToString::to_string)
            .collect();
        if !found.is_empty() {
            return Some(Statement::new(About::SecretsReady, false, reason, found.join("; ")));
        }
    }
    resolved?;
    Some(Statement::new(
        About::SecretsReady,
        true,
        Reason::SecretsFound,
        "everything that the environment refers to is there",
    ))
}
