//! `CompanionsReady`: what stands beside the pod is there. The agent runs without it.

use super::refusal;
use crate::api::{ConditionType as About, Reason};
use crate::observed::Observed;
use crate::status::{Findings, Statement};
use crate::wait::{Wait, Why};

/// Returns what is said of the objects that stand beside the pod, the gravest reason first.
pub(super) fn statement(observed: &Observed, findings: &Findings) -> Option<Statement> {
    let mut wrong = Vec::new();
    for (key, why) in &findings.companions {
        if let Some(message) = refusal(observed, key) {
            wrong.push((0, Reason::ApplyRefused, message));
        } else if let Some(why) = *why {
            let (rank, reason) = reason(why);
            wrong.push((rank, reason, Wait { on: key.clone().into(), why }.to_string()));
        }
    }
    wrong.sort();
    let messages: Vec<&str> = wrong.iter().map(|(_, _, message)| message.as_str()).collect();
    let said = |holds, reason, message: String| {
        Some(Statement::new(About::CompanionsReady, holds, reason, message))
    };
    match wrong.first() {
        Some((_, reason, _)) => said(false, *reason, messages.join(", ")),
        None if findings.companions.is_empty() => None,
        None => {
            let keys: Vec<String> = findings.companions.keys().map(ToString::to_string).collect();
            let are = if keys.len() == 1 { "is" } else { "are" };
            said(true, Reason::Applied, format!("{} {are} there", keys.join(", ")))
        }
    }
}

fn reason(why: Why) -> (u8, Reason) {
    match why {
        Why::Refused => (0, Reason::ApplyRefused),
        Why::Foreign => (1, Reason::NameTaken),
        Why::NoKind(_) => (2, Reason::KindMissing),
        Why::Absent
        | Why::KindUnknown
        | Why::Unknown
        | Why::Unread
        | Why::Deleting
        | Why::Held
        | Why::Runs
        | Why::Lacks(_) => (3, Reason::NotApplied),
    }
}
