//! `Unsupported` and `Paused`: why nothing is written. `SelfConfigReady`: what is not done for the
//! agent.

use super::paths;
use crate::api::{ConditionType as About, Reason};
use crate::lifecycle::requests::{Enforcement, Requests};
use crate::observed::Observed;
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

/// Requests that wait of which a condition speaks.
const MANY: usize = 10;

pub(super) fn self_config(resolved: &Resolved, observed: &Observed) -> Option<Statement> {
    resolved.self_configure.as_ref()?;
    let Requests { proof, overwritten, open } = &observed.requests;
    let (holds, reason, mut message) = match (&proof.verdict, overwritten) {
        (Enforcement::Enforced, None) => {
            let message = "requests of the agent (OpenClawSelfConfig) are carried out";
            (true, Reason::RequestsCarriedOut, message.to_owned())
        }
        (Enforcement::Enforced, Some(why)) => (false, Reason::Overwritten, why.clone()),
        (verdict @ (Enforcement::NotEnforced | Enforcement::Unknown(_)), _) => {
            (false, Reason::AuthorNotProven, format!("no request is carried out: {verdict}"))
        }
    };
    if *open > MANY {
        message = format!("{message}; more than {MANY} wait, the oldest comes first");
    }
    Some(Statement::new(About::SelfConfigReady, holds, reason, message))
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
