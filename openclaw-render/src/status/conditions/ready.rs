//! `Ready`: the sum of all that stands between the instance and its pod.

use super::{names, paths, refusal, refusals_besides, texts, workload};
use crate::api::{ConditionType as About, Reason};
use crate::object::ObjectKey;
use crate::observed::Observed;
use crate::problem::{Problem, Rule, Severity};
use crate::resolve::Resolved;
use crate::status::{Findings, Statement};

pub(super) fn statement(
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
) -> Statement {
    let condition =
        |holds, reason, message: String| Statement::new(About::Ready, holds, reason, message);
    // What stands beside has a condition of its own.
    let is_needed = |key: &&ObjectKey| !findings.companions.contains_key(*key);
    let errors = texts(problems, |problem| problem.severity == Severity::Error);
    if !errors.is_empty() {
        return condition(false, Reason::InvalidSpec, errors);
    }
    let unsupported = paths(problems, Rule::Unsupported);
    if !unsupported.is_empty() {
        return condition(
            false,
            Reason::Unsupported,
            format!("nothing is changed while these fields are set: {unsupported}"),
        );
    }
    let conflicts = findings.conflicts.iter().filter(|key| is_needed(key));
    if let Some(conflict) = names::conflict(conflicts) {
        return condition(false, Reason::NameTaken, conflict);
    }
    let Some(resolved) = resolved else {
        return condition(false, Reason::InvalidSpec, "the spec could not be resolved".to_owned());
    };
    let ready = workload::ready(resolved, observed, &findings.waits);
    let refused = observed.refused.keys().filter(|key| is_needed(key));
    let refusals = refused.filter_map(|key| refusal(observed, key));
    let refusals: Vec<String> = refusals.chain(refusals_besides(observed)).collect();
    if !ready.holds && !refusals.is_empty() {
        return condition(false, Reason::ApplyRefused, refusals.join("; "));
    }
    let stops = texts(problems, |problem| problem.severity == Severity::WillNotStart);
    if !ready.holds && ready.reason != Reason::Suspended && !stops.is_empty() {
        return condition(false, Reason::WillNotStart, stops);
    }
    ready
}
