//! The conditions of an instance, each a function of what is observed.

mod companions;
mod config;
mod installed;
mod monitoring;
mod names;
mod objects;
mod ready;
mod rollout;
mod secrets;
mod storage;
mod withheld;
pub(super) mod workload;
mod workspace;

use super::config_sync::Config;
use super::{Findings, Statement};
use crate::object::ObjectKey;
use crate::observed::Observed;
use crate::problem::{Problem, Rule};
use crate::resolve::Resolved;

/// Returns what is said of every condition that applies, in their order.
pub(super) fn all(
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
    config: &Config,
) -> Vec<Statement> {
    let mut statements = vec![ready::statement(resolved, observed, problems, findings)];
    statements.extend(config::statement(resolved, problems, findings, config));
    statements.extend(secrets::statement(resolved, problems));
    statements.extend(workspace::statement(resolved, problems));
    statements.extend(installed::statements(resolved, observed));
    statements.extend(withheld::unsupported(problems));
    statements.extend(withheld::paused(findings));
    if let Some(resolved) = resolved {
        statements.push(workload::stateful_set_ready(resolved, observed, &findings.waits));
        statements.extend(objects::statements(resolved, observed));
        statements.extend(withheld::self_config(resolved));
        statements.extend(monitoring::statement(resolved));
        statements.push(storage::statement(resolved, observed, problems));
    }
    statements.extend(companions::statement(observed, findings));
    let rollout = findings.rollout.as_ref();
    statements.extend(rollout.and_then(|rollout| rollout::statement(rollout, problems)));
    statements.extend(names::statement(findings));
    statements.sort_by_key(|statement| statement.about);
    statements
}

/// Returns what the API server said to an object that it refused.
pub(super) fn refusal(observed: &Observed, key: &ObjectKey) -> Option<String> {
    let said = observed.refused.get(key)?;
    Some(format!("the API server refuses {key}: {said}"))
}

fn texts(problems: &[Problem], which: impl Fn(&Problem) -> bool) -> String {
    let texts: Vec<String> =
        problems.iter().filter(|problem| which(problem)).map(ToString::to_string).collect();
    texts.join("; ")
}

fn paths(problems: &[Problem], rule: Rule) -> String {
    let paths: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.rule == rule)
        .map(|problem| problem.path.as_str())
        .collect();
    paths.join(", ")
}
