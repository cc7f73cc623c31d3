//! The phase, a summary of the conditions, and what follows from it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::statement::Statement;
use crate::api::{ConditionType, ConfigStatus, OpenClawInstanceStatus, Phase, Reason};
use crate::observed::Observed;

pub(super) fn summary(statements: &[Statement], previous: &OpenClawInstanceStatus) -> Phase {
    let find = |about| statements.iter().find(|statement| statement.about == about);
    let broken = |about| {
        find(about).is_some_and(|statement| !statement.holds && statement.unknown_since.is_none())
    };
    let Some(ready) = find(ConditionType::Ready) else { return Phase::Failed };
    let was_running =
        matches!(previous.phase, Some(Phase::Running | Phase::Degraded | Phase::Updating));
    let refused = matches!(
        ready.reason,
        Reason::InvalidSpec
            | Reason::Unsupported
            | Reason::NameTaken
            | Reason::WillNotStart
            | Reason::RestoreFailed
    );
    let restores = |about| find(about).is_some_and(|it| it.reason == Reason::Restoring);
    if restores(ConditionType::Ready) {
        Phase::Restoring
    } else if ready.reason == Reason::Suspended {
        Phase::Suspended
    } else if refused {
        Phase::Failed
    } else if ready.holds {
        if broken(ConditionType::ConfigValid) || refuses(statements) {
            Phase::Degraded
        } else {
            Phase::Running
        }
    } else if updates(statements) {
        Phase::Updating
    } else if was_running {
        Phase::Degraded
    } else {
        Phase::Provisioning
    }
}

/// Whether the pod is replaced by the updater.
fn updates(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| statement.reason == Reason::Updating)
}

/// Whether a part of what the agent needs is refused, by the API server or by us.
fn refuses(statements: &[Statement]) -> bool {
    let refusals = [Reason::ApplyRefused, Reason::WillNotStart];
    statements.iter().any(|statement| {
        statement.about != ConditionType::CompanionsReady && refusals.contains(&statement.reason)
    })
}

/// Whether all that is missing is a pod, which the cluster's own controllers make.
pub(super) fn lacks_only_its_pod(statements: &[Statement], observed: &Observed) -> bool {
    observed.pods.known().is_some_and(Vec::is_empty)
        && statements
            .iter()
            .filter(|statement| statement.is_bad())
            .all(|statement| matches!(statement.reason, Reason::PodStarting | Reason::ClaimPending))
}

/// Returns when this generation was first carried out: the agent runs with its newest configuration, or is
/// off. It stays as it is until the next one, so that an instance at rest is not written.
pub(super) fn carried_out_at(
    status: &OpenClawInstanceStatus,
    previous: &OpenClawInstanceStatus,
    observed: &Observed,
) -> Option<Time> {
    let same = previous.observed_generation == status.observed_generation;
    let before = previous.last_reconcile_time.clone().filter(|_| same);
    let in_place = |config: &ConfigStatus| config.rendered_hash == config.applied_hash;
    let done = match status.phase {
        Some(Phase::Suspended) => true,
        Some(Phase::Running) => status.config.as_ref().is_some_and(in_place),
        _ => false,
    };
    before.or_else(|| observed.now.filter(|_| done).map(Time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConditionType as About;
    use crate::observed::{Fact, Pod};

    #[test]
    fn a_generation_is_carried_out_once() {
        let [earlier, now] = [100, 200].map(|at| jiff::Timestamp::from_second(at).unwrap());
        let observed = Observed { now: Some(now), ..Observed::default() };
        let newest = || Some("new".to_owned());
        for (generation, time, phase, applied, expected) in [
            (None, None, Phase::Provisioning, None, None),
            (Some(2), None, Phase::Degraded, newest(), None),
            (Some(2), None, Phase::Running, None, None),
            (Some(2), None, Phase::Running, newest(), Some(now)),
            (Some(2), None, Phase::Suspended, None, Some(now)),
            (Some(2), Some(earlier), Phase::Running, newest(), Some(earlier)),
            (Some(2), Some(earlier), Phase::Degraded, newest(), Some(earlier)),
            (Some(1), Some(earlier), Phase::Degraded, newest(), None),
            (Some(1), Some(earlier), Phase::Running, newest(), Some(now)),
        ] {
            let previous = OpenClawInstanceStatus {
                observed_generation: generation,
                last_reconcile_time: time.map(Time),
                ..OpenClawInstanceStatus::default()
            };
            let config = ConfigStatus {
                rendered_hash: newest(),
                applied_hash: applied.clone(),
                ..ConfigStatus::default()
            };
            let status = OpenClawInstanceStatus {
                phase: Some(phase),
                observed_generation: Some(2),
                config: Some(config),
                ..OpenClawInstanceStatus::default()
            };
            let found = carried_out_at(&status, &previous, &observed);
            assert_eq!(found, expected.map(Time), "{generation:?} {time:?} {phase} {applied:?}");
        }
    }

    #[test]
    fn watches_tell_of_a_pod_that_is_missing_and_of_nothing_else() {
        let no_pod = Observed { pods: Fact::Known(Vec::new()), ..Observed::default() };
        let starting = || Statement::new(About::Ready, false, Reason::PodStarting, "");
        let fine = || Statement::new(About::ServiceReady, true, Reason::Applied, "");
        assert!(lacks_only_its_pod(&[starting(), fine()], &no_pod));
        // Nobody tells when a name becomes free.
        let taken = Statement::new(About::NameConflict, true, Reason::NameTaken, "");
        assert!(!lacks_only_its_pod(&[starting(), taken], &no_pod));
        // Of a pod that is there, config-sync must be asked.
        let pods = Fact::Known(vec![Pod::default()]);
        assert!(!lacks_only_its_pod(&[starting()], &Observed { pods, ..Observed::default() }));
        assert!(!lacks_only_its_pod(&[starting()], &Observed::default()));
    }
}
