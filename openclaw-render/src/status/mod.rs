//! Status: conditions, phase and summary, computed whole in every pass from what is observed.
//!
//! Conditions say what is; the phase is their summary. A condition keeps its transition time while
//! its status stays the same.

mod conditions;
mod config;
mod kept;
mod workload;

pub(crate) use config::UNCONFIRMED_AFTER;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
pub(crate) use kept::decode;

use crate::api::{
    ConditionType, ConfigStatus, ManagedResources, OpenClawInstance, OpenClawInstanceStatus, Phase,
    Reason, VolumeStatus,
};
use crate::effect::{Effect, Event, EventKind, Plan};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::plan::rollout::Rollout;
use crate::problem::Problem;
use crate::resolve::{DataVolume, Resolved, is_off};
use crate::vocab::{labels, ports};
use crate::wait::Wait;

/// In bytes; the definition allows as many characters.
const LONGEST_MESSAGE: usize = 32_768;

/// What a pass found out besides the problems of the spec.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) paused: bool,
    pub(crate) rollout: Option<Rollout>,
    /// Objects of others under names that we need.
    pub(crate) conflicts: Vec<ObjectKey>,
    /// What the StatefulSet is not sent without.
    pub(crate) waits: Vec<Wait>,
}

/// One statement of status, before it has a time.
pub(crate) struct Statement {
    pub(crate) about: ConditionType,
    pub(crate) holds: bool,
    pub(crate) reason: Reason,
    pub(crate) message: String,
    /// Nobody can tell whether it holds, since then.
    pub(crate) unknown_since: Option<Timestamp>,
}

impl Statement {
    pub(crate) fn new(
        about: ConditionType,
        holds: bool,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self { about, holds, reason, message: message.into(), unknown_since: None }
    }

    /// Nobody can tell.
    pub(crate) fn unknown(
        about: ConditionType,
        reason: Reason,
        message: impl Into<String>,
        since: Timestamp,
    ) -> Self {
        Self { unknown_since: Some(since), ..Self::new(about, false, reason, message) }
    }

    fn is_bad(&self) -> bool {
        self.holds != self.about.is_good_when_true()
    }
}

/// Fills the plan's status and events. Whether watches tell of everything that is waited for.
pub(crate) fn report(
    instance: &OpenClawInstance,
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
    plan: &mut Plan,
) -> bool {
    let config = config::read(instance, resolved, observed, findings);
    let mut statements = conditions::all(resolved, observed, problems, findings, &config);
    plan.ask = config.question;
    if resolved.is_none() && is_off(&instance.spec) {
        let name = instance.metadata.name.as_deref().unwrap_or_default();
        statements.extend(workload::stopped(name, observed));
    }
    let previous = instance.status.clone().unwrap_or_default();
    let known = previous.managed_resources.clone();
    plan.status = OpenClawInstanceStatus {
        phase: Some(phase(&statements, &previous, resolved)),
        observed_generation: instance.metadata.generation,
        gateway_endpoint: resolved.map(|resolved| {
            format!("{}.{}.svc:{}", resolved.name, resolved.namespace, ports::GATEWAY)
        }),
        replicas: resolved.and_then(|resolved| pods_of(resolved, observed)).or(previous.replicas),
        selector: resolved
            .map(|resolved| labels::selecting_text(&resolved.name))
            .or(previous.selector.clone()),
        managed_resources: match resolved {
            Some(resolved) => Some(managed(resolved, observed, known.unwrap_or_default())),
            None => known,
        },
        config: config.status,
        volume: volume(observed, &previous),
        ..kept::records(previous.clone())
    };
    plan.status.last_reconcile_time = carried_out_at(&plan.status, &previous, observed);
    let is_told = is_settled(&plan.status) || awaits_pod(&statements, observed);
    finish(instance, observed, statements, &previous, plan);
    is_told
}

/// Status of an instance that is being deleted; `claim` is the one that must outlive it.
pub(crate) fn report_deletion(
    instance: &OpenClawInstance,
    claim: &str,
    observed: &Observed,
    plan: &mut Plan,
) {
    let previous = instance.status.clone().unwrap_or_default();
    plan.status = OpenClawInstanceStatus {
        phase: Some(Phase::Terminating),
        observed_generation: instance.metadata.generation,
        ..previous.clone()
    };
    let refused =
        conditions::refusal(observed, &ObjectKey::new(Kind::PersistentVolumeClaim, claim));
    let releases = plan.effects.iter().any(|it| matches!(it, Effect::PatchClaim { .. }));
    let (reason, message) = match refused {
        Some(refused) => (
            Reason::ApplyRefused,
            format!("the instance stays until its claim is released, and {refused}"),
        ),
        None if !plan.reads.is_empty() => (
            Reason::Terminating,
            format!("the instance is being deleted: claim {claim} must be read before it goes"),
        ),
        None if releases => (
            Reason::Terminating,
            format!("the instance is being deleted: claim {claim} is released from it first"),
        ),
        None => (Reason::Terminating, "the instance is being deleted".to_owned()),
    };
    let statements = vec![Statement::new(ConditionType::Ready, false, reason, message)];
    finish(instance, observed, statements, &previous, plan);
}

/// Whether nothing is being waited for.
pub(crate) fn is_settled(status: &OpenClawInstanceStatus) -> bool {
    matches!(status.phase, Some(Phase::Running | Phase::Suspended))
}

/// When this generation was first carried out: the agent runs with its newest configuration, or is
/// off. It stays as it is until the next one, so that an instance at rest is not written.
fn carried_out_at(
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

/// Whether all that is missing is a pod, which the cluster's own controllers make.
fn awaits_pod(statements: &[Statement], observed: &Observed) -> bool {
    observed.pods.known().is_some_and(Vec::is_empty)
        && statements
            .iter()
            .filter(|statement| statement.is_bad())
            .all(|statement| matches!(statement.reason, Reason::PodStarting | Reason::ClaimPending))
}

/// Gives the statements their times, and tells what changed.
fn finish(
    instance: &OpenClawInstance,
    observed: &Observed,
    statements: Vec<Statement>,
    previous: &OpenClawInstanceStatus,
    plan: &mut Plan,
) {
    let now = observed.now.unwrap_or(Timestamp::UNIX_EPOCH);
    let before = previous.conditions.as_deref().unwrap_or_default();
    let mut conditions = Vec::with_capacity(statements.len());
    for statement in statements {
        let (type_, reason) = (statement.about.to_string(), statement.reason.to_string());
        let status = match statement.unknown_since {
            Some(_) => "Unknown",
            None if statement.holds => "True",
            None => "False",
        };
        let old = before.iter().find(|condition| condition.type_ == type_);
        if old.is_none_or(|old| old.status != status || old.reason != reason) {
            let event = event(&statement, old);
            plan.events.extend(event.filter(|new| {
                // Two conditions may report one fact.
                !plan.events.iter().any(|event| event.reason == new.reason)
            }));
        }
        conditions.push(Condition {
            last_transition_time: old
                .filter(|old| old.status == status)
                .map_or(Time(statement.unknown_since.unwrap_or(now)), |old| {
                    old.last_transition_time.clone()
                }),
            message: shortened(statement.message),
            observed_generation: instance.metadata.generation,
            reason,
            status: status.to_owned(),
            type_,
        });
    }
    conditions.extend(before.iter().filter(|it| kept::is_foreign(&it.type_)).cloned());
    plan.status.conditions = Some(conditions);
}

/// The API server refuses a status with a longer message as a whole.
fn shortened(mut message: String) -> String {
    const MARK: &str = " …";
    if message.len() > LONGEST_MESSAGE {
        message.truncate(message.floor_char_boundary(LONGEST_MESSAGE - MARK.len()));
        message.push_str(MARK);
    }
    message
}

/// One event per fact: a condition that turns bad, one that turns good again after it was bad for a
/// reason, and the agent becoming ready. What is only on its way is no news.
fn event(statement: &Statement, old: Option<&Condition>) -> Option<Event> {
    let Statement { about, holds, reason, message, unknown_since: _ } = statement;
    // Ready says the same, and more.
    if *about == ConditionType::StatefulSetReady || is_waiting(*reason) {
        return None;
    }
    let bad = statement.is_bad();
    let turned = old.is_none_or(|old| (old.status == "True") != *holds);
    let recovered =
        old.is_some_and(|old| !WAITING.iter().any(|each| each.to_string() == old.reason));
    // Nothing is wrong, and somebody should mend it all the same.
    let advises = *reason == Reason::ConfigMigrated;
    if !bad && !advises && !(turned && (recovered || *about == ConditionType::Ready)) {
        return None;
    }
    let wanted = matches!(reason, Reason::Suspended | Reason::Paused | Reason::Terminating);
    Some(Event {
        kind: if bad && !wanted { EventKind::Warning } else { EventKind::Normal },
        reason: reason.to_string(),
        message: message.clone(),
    })
}

/// Reasons of what is on its way.
const WAITING: &[Reason] = &[
    Reason::WaitingForReads,
    Reason::NotApplied,
    Reason::PodStarting,
    Reason::ClaimPending,
    Reason::ScalingDown,
];

fn is_waiting(reason: Reason) -> bool {
    WAITING.contains(&reason)
}

fn phase(
    statements: &[Statement],
    previous: &OpenClawInstanceStatus,
    resolved: Option<&Resolved>,
) -> Phase {
    let find = |about| statements.iter().find(|statement| statement.about == about);
    let broken = |about| {
        find(about).is_some_and(|statement| !statement.holds && statement.unknown_since.is_none())
    };
    let Some(ready) = find(ConditionType::Ready) else { return Phase::Pending };
    let was_running = matches!(previous.phase, Some(Phase::Running | Phase::Degraded));
    let refused = matches!(
        ready.reason,
        Reason::InvalidSpec | Reason::Unsupported | Reason::NameTaken | Reason::WillNotStart
    );
    if ready.reason == Reason::Suspended {
        Phase::Suspended
    } else if refused {
        Phase::Failed
    } else if ready.holds {
        if broken(ConditionType::ConfigValid) || refuses(statements) {
            Phase::Degraded
        } else {
            Phase::Running
        }
    } else if resolved.is_none() {
        Phase::Pending
    } else if was_running {
        Phase::Degraded
    } else {
        Phase::Provisioning
    }
}

/// Whether a part of what the instance asks for is refused, by the API server or by us.
fn refuses(statements: &[Statement]) -> bool {
    let refusals = [Reason::ApplyRefused, Reason::WillNotStart];
    statements.iter().any(|statement| refusals.contains(&statement.reason))
}

/// How many pods the StatefulSet has; nothing while that is not known.
fn pods_of(resolved: &Resolved, observed: &Observed) -> Option<i32> {
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    match observed.objects.get(&key)? {
        Fact::Known(seen) => Some(seen.workload.as_ref()?.replicas),
        Fact::Absent => Some(0),
        Fact::Unknown => None,
    }
}

/// What is ready on its volume, by the pod itself: while a roll-out waits, the spec asks for another
/// version, and perhaps another volume.
fn volume(observed: &Observed, previous: &OpenClawInstanceStatus) -> Option<VolumeStatus> {
    let mut pods = observed.pods.known().into_iter().flatten();
    let ready = pods.find(|pod| pod.ready);
    let seen = ready.and_then(|pod| {
        let (version, claim) = (pod.version?, pod.claim.clone()?);
        let uid = observed.claims.get(&claim)?.known()?.uid.clone();
        let version = Some(version.to_string());
        Some(VolumeStatus { claim: Some(claim), uid: Some(uid), version })
    });
    seen.or_else(|| previous.volume.clone())
}

/// Names of what we make; of what we do not, the names that were known stay.
fn managed(resolved: &Resolved, observed: &Observed, known: ManagedResources) -> ManagedResources {
    let name = resolved.name.to_string();
    let seen = |kind: Kind, name: &str| {
        let key = ObjectKey::new(kind, name);
        let fact = observed.objects.get(&key);
        fact.and_then(Fact::known).map(|_| name.to_owned())
    };
    ManagedResources {
        stateful_set: seen(Kind::StatefulSet, &name),
        service: seen(Kind::Service, &name),
        config_map: seen(Kind::ConfigMap, &resolved.name.config()),
        network_policy: seen(Kind::NetworkPolicy, &name),
        pod_disruption_budget: seen(Kind::PodDisruptionBudget, &name),
        pvc: match &resolved.storage.volume {
            DataVolume::Own { claim, .. } | DataVolume::Existing(claim) => Some(claim.clone()),
            DataVolume::Ephemeral(_) => None,
        },
        service_account: seen(Kind::ServiceAccount, &resolved.security.service_account.name),
        role: seen(Kind::Role, &name),
        role_binding: seen(Kind::RoleBinding, &name),
        gateway_token_secret: Some(resolved.token_secret()),
        ..known
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::{Statement, awaits_pod, carried_out_at};
    use crate::api::{ConditionType as About, ConfigStatus, OpenClawInstanceStatus, Phase, Reason};
    use crate::observed::{Fact, Observed, Pod};

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
        assert!(awaits_pod(&[starting(), fine()], &no_pod));
        // Nobody tells when a name becomes free.
        let taken = Statement::new(About::NameConflict, true, Reason::NameTaken, "");
        assert!(!awaits_pod(&[starting(), taken], &no_pod));
        // Of a pod that is there, config-sync must be asked.
        let pods = Fact::Known(vec![Pod::default()]);
        assert!(!awaits_pod(&[starting()], &Observed { pods, ..Observed::default() }));
        assert!(!awaits_pod(&[starting()], &Observed::default()));
    }
}
