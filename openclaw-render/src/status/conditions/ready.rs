//! `Ready`: the sum of all that stands between the instance and its pod.

use super::{names, paths, refusal, texts, workload};
use crate::api::{ConditionType as About, Reason};
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
    if !findings.conflicts.is_empty() {
        return condition(false, Reason::NameTaken, names::conflict(findings));
    }
    let Some(resolved) = resolved else {
        return condition(false, Reason::InvalidSpec, "the spec could not be resolved".to_owned());
    };
    let ready = workload::ready(resolved, observed, &findings.waits);
    if !ready.holds && !observed.refused.is_empty() {
        let refusals: Vec<String> =
            observed.refused.keys().filter_map(|key| refusal(observed, key)).collect();
        return condition(false, Reason::ApplyRefused, refusals.join("; "));
    }
    let stops = texts(problems, |problem| problem.severity == Severity::WillNotStart);
    if !ready.holds && ready.reason != Reason::Suspended && !stops.is_empty() {
        return condition(false, Reason::WillNotStart, stops);
    }
    ready
}
