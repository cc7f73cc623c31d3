//! `StorageReady`: the volumes are there.

use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
use crate::resolve::{DataVolume, Resolved};
use crate::status::Statement;

/// The first claim with which something is wrong, or else the first.
pub(super) fn statement(
    resolved: &Resolved,
    observed: &Observed,
    problems: &[Problem],
) -> Statement {
    let missing =
        |problem: &&Problem| problem.about == About::StorageReady && problem.rule == Rule::Missing;
    if let Some(problem) = problems.iter().find(missing) {
        return condition(false, Reason::ClaimMissing, problem.to_string());
    }
    let ephemeral = matches!(resolved.storage.volume, DataVolume::Ephemeral(_))
        .then(|| condition(true, Reason::NotPersistent, "the state goes with the pod".to_owned()));
    let claims = resolved.claims().into_iter().map(|claim| of_claim(claim, observed));
    let all: Vec<Statement> = ephemeral.into_iter().chain(claims).collect();
    let wrong = all.iter().position(|statement| !statement.holds).unwrap_or_default();
    let said = all.into_iter().nth(wrong);
    said.unwrap_or_else(|| condition(true, Reason::NotPersistent, "no volume is kept".to_owned()))
}

fn condition(holds: bool, reason: Reason, message: String) -> Statement {
    Statement::new(About::StorageReady, holds, reason, message)
}

fn of_claim(claim: &str, observed: &Observed) -> Statement {
    if let Some(said) = observed.refused.get(&ObjectKey::new(Kind::PersistentVolumeClaim, claim)) {
        let message = format!("the API server refuses claim {claim}: {said}");
        return condition(false, Reason::ApplyRefused, message);
    }
    match observed.claims.get(claim).unwrap_or(&Fact::Unknown) {
        Fact::Known(seen) if seen.deleting => condition(
            false,
            Reason::ClaimMissing,
            format!(
                "claim {claim} is being deleted, and its data with it, as soon as no pod uses it"
            ),
        ),
        Fact::Known(seen) => match seen.phase.as_deref() {
            Some("Bound") => condition(true, Reason::ClaimBound, format!("claim {claim} is bound")),
            Some("Lost") => condition(
                false,
                Reason::ClaimLost,
                format!("claim {claim} has lost its volume: restore the volume or the data"),
            ),
            _ => condition(
                false,
                Reason::ClaimPending,
                format!("claim {claim} waits for a volume; see `kubectl describe pvc {claim}`"),
            ),
        },
        Fact::Absent | Fact::Unknown => {
            condition(false, Reason::NotApplied, format!("claim {claim} is not there yet"))
        }
    }
}
