//! `Unsupported` and `Paused`: why nothing is written. `SelfConfigReady`: what is not done for the
//! agent.

use super::paths;
use crate::api::{ConditionType as About, Reason};
use crate::problem::{Problem, Rule};
use crate::resolve::Resolved;
use crate::status::{Findings, Statement};
use crate::vocab::annotations;

pub(super) fn unsupported(problems: &[Problem]) -> Option<Statement> {
    let fields = paths(problems, Rule::Unsupported);
    (!fields.is_empty()).then(|| {
        Statement::new(
            About::Unsupported,
            true,
            Reason::Unsupported,
            format!("this version does not render {fields}"),
        )
    })
}

pub(super) fn self_config(resolved: &Resolved) -> Option<Statement> {
    resolved.self_configure.as_ref().map(|_| {
        Statement::new(
            About::SelfConfigReady,
            false,
            Reason::RequestsNotCarriedOut,
            "the agent can make requests (OpenClawSelfConfig); this version keeps them and does \
             not carry them out",
        )
    })
}

pub(super) fn paused(findings: &Findings) -> Option<Statement> {
    findings.paused.then(|| {
        Statement::new(
            About::Paused,
            true,
            Reason::Paused,
            format!("nothing is written while annotation `{}` is `true`", annotations::PAUSED),
        )
    })
}
