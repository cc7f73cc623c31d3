//! `StorageReady`: the volume is there.

use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
use crate::resolve::{DataVolume, Resolved};
use crate::status::Statement;

pub(super) fn statement(
    resolved: &Resolved,
    observed: &Observed,
    problems: &[Problem],
) -> Statement {
    let condition = |holds, reason, message: String| {
        Statement::new(About::StorageReady, holds, reason, message)
    };
    let claim = match &resolved.storage.volume {
        DataVolume::Ephemeral(_) => {
            return condition(
                true,
                Reason::NotPersistent,
                "the state goes with the pod".to_owned(),
            );
        }
        DataVolume::Own { claim, .. } | DataVolume::Existing(claim) => claim,
    };
    let missing =
        |problem: &&Problem| problem.about == About::StorageReady && problem.rule == Rule::Missing;
    if let Some(problem) = problems.iter().find(missing) {
        return condition(false, Reason::ClaimMissing, problem.to_string());
    }
    if let Some(said) =
        observed.refused.get(&ObjectKey::new(Kind::PersistentVolumeClaim, claim.as_str()))
    {
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
