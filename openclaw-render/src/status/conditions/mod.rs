//! The conditions of an instance, each a function of what is observed.

mod backup;
mod companions;
mod config;
mod http_route;
mod installed;
mod monitoring;
mod names;
mod objects;
mod ready;
pub(super) mod refused;
pub(super) mod restore;
mod rollout;
mod scaling;
mod secrets;
mod skill_packs;
mod storage;
pub(super) mod updates;
mod withheld;
pub(super) mod workload;
mod workspace;

use std::fmt;

use super::config_sync::Config;
use super::{Findings, Statement};
use crate::api::BackupStatus;
use crate::object::ObjectKey;
use crate::observed::Observed;
use crate::predecessor::predecessor;
use crate::problem::{Problem, Rule};
use crate::resolve::Resolved;

/// Returns what is said of every condition that applies, in their order.
pub(super) fn all(
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
    config: &Config,
    backups: &[BackupStatus],
) -> Vec<Statement> {
    let mut statements = vec![ready::statement(resolved, observed, problems, findings)];
    statements.extend(config::statement(resolved, problems, findings, config));
    statements.extend(secrets::statement(resolved, problems));
    statements.extend(workspace::statement(resolved, problems));
    statements.extend(skill_packs::statement(resolved, problems));
    statements.extend(installed::statements(resolved, observed));
    statements.extend(withheld::unsupported(problems));
    statements.extend(withheld::paused(findings));
    if let Some(resolved) = resolved {
        statements.push(workload::stateful_set_ready(resolved, observed, &findings.waits));
        statements.extend(objects::statements(resolved, observed));
        statements.extend(withheld::self_config(resolved, observed));
        statements.extend(monitoring::statement(resolved));
        statements.extend(http_route::statement(resolved, observed));
        statements.extend(scaling::statement(resolved, observed));
        statements.push(storage::statement(resolved, observed, problems));
        statements.extend(backup::statements(resolved, observed, problems, backups));
    }
    statements.extend(companions::statement(observed, findings));
    if let Some((rollout, resolved)) = findings.rollout.as_ref().zip(resolved) {
        let before = predecessor(resolved.name.as_str(), resolved.uid.as_deref(), observed);
        statements.extend(rollout::statement(rollout, before, problems));
    }
    statements.extend(self::rollout::unread_defaults(findings));
    statements.extend(names::statement(findings));
    statements.sort_by_key(|statement| statement.about);
    statements
}

/// Returns what the API server said to whatever else than objects of the instance it refused.
pub(super) fn refusals_besides(observed: &Observed) -> impl Iterator<Item = String> {
    observed.refused_besides.iter().map(|(target, said)| refused_by_server(target, said))
}

/// Returns what the API server said to an object that it refused.
pub(super) fn refusal(observed: &Observed, key: &ObjectKey) -> Option<String> {
    let said = observed.refused.get(key)?;
    Some(refused_by_server(key, said))
}

fn refused_by_server(what: impl fmt::Display, said: &str) -> String {
    format!("the API server refuses {what}: {said}")
}

/// Returns the problems of a kind in one line.
pub(crate) fn texts(problems: &[Problem], which: impl Fn(&Problem) -> bool) -> String {
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
