//! Status: conditions, phase and summary, computed whole in every pass from what is observed.
//!
//! Conditions say what is; the phase is their summary. A condition keeps its transition time while
//! its status stays the same.

mod conditions;
mod workload;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::{
    ConditionType, ConfigStatus, ManagedResources, OpenClawInstance, OpenClawInstanceStatus, Phase,
    Reason,
};
use crate::effect::{Event, EventKind, Plan, Read};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::plan::rollout::Rollout;
use crate::problem::Problem;
use crate::resolve::{DataVolume, Resolved};
use crate::vocab::ports;

/// What a pass found out besides the problems of the spec.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) paused: bool,
    pub(crate) rollout: Option<Rollout>,
    /// Objects of others under names that we need.
    pub(crate) conflicts: Vec<ObjectKey>,
}

/// One statement of status, before it has a time.
pub(crate) struct Statement {
    pub(crate) about: ConditionType,
    pub(crate) holds: bool,
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Statement {
    pub(crate) fn new(
        about: ConditionType,
        holds: bool,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self { about, holds, reason, message: message.into() }
    }

    fn is_bad(&self) -> bool {
        self.holds != self.about.is_good_when_true()
    }
}

/// Changes by a migration that are kept, and how many characters of each: as many as config-sync
/// tells.
const MIGRATED_LIMIT: usize = 33;
const MIGRATED_LENGTH: usize = 256;

/// Fills the plan's status and events. Whether watches tell of everything that is waited for.
pub(crate) fn report(
    instance: &OpenClawInstance,
    resolved: Option<&Resolved>,
    observed: &Observed,
    problems: &[Problem],
    findings: &Findings,
    plan: &mut Plan,
) -> bool {
    let config = config(instance, observed, findings);
    let statements = conditions::all(resolved, observed, problems, findings, config.as_ref());
    if let Some(pod) = asks_config_sync(resolved, config.as_ref(), observed) {
        plan.reads.push(Read::ConfigSync { pod });
    }
    let previous = instance.status.clone().unwrap_or_default();
    let phase = phase(&statements, &previous, resolved);
    plan.status = OpenClawInstanceStatus {
        phase: Some(phase),
        observed_generation: instance.metadata.generation,
        gateway_endpoint: resolved.map(|resolved| {
            format!("{}.{}.svc:{}", resolved.name, resolved.namespace, ports::GATEWAY)
        }),
        managed_resources: resolved
            .map(|resolved| managed(resolved, observed))
            .or(previous.managed_resources.clone()),
        config,
        ..OpenClawInstanceStatus::default()
    };
    let is_told = is_settled(&plan.status) || awaits_pod(&statements, observed);
    finish(instance, observed, statements, &previous, plan);
    is_told
}

/// Status of an instance that is being deleted.
pub(crate) fn report_deletion(instance: &OpenClawInstance, observed: &Observed, plan: &mut Plan) {
    let previous = instance.status.clone().unwrap_or_default();
    plan.status = OpenClawInstanceStatus {
        phase: Some(Phase::Terminating),
        observed_generation: instance.metadata.generation,
        ..previous.clone()
    };
    let statements = vec![Statement::new(
        ConditionType::Ready,
        false,
        Reason::Terminating,
        "the instance is being deleted",
    )];
    finish(instance, observed, statements, &previous, plan);
}

/// Whether nothing is being waited for.
pub(crate) fn is_settled(status: &OpenClawInstanceStatus) -> bool {
    matches!(status.phase, Some(Phase::Running | Phase::Suspended))
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
    let now = observed.now.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let before = previous.conditions.as_deref().unwrap_or_default();
    let mut conditions = Vec::with_capacity(statements.len());
    for statement in statements {
        let (type_, reason) = (statement.about.to_string(), statement.reason.to_string());
        let status = if statement.holds { "True" } else { "False" };
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
                .map_or(Time(now), |old| old.last_transition_time.clone()),
            message: statement.message,
            observed_generation: instance.metadata.generation,
            reason,
            status: status.to_owned(),
            type_,
        });
    }
    plan.status.conditions = Some(conditions);
}

/// One event per fact: a condition that turns bad, one that turns good again after it was bad for a
/// reason, and the agent becoming ready. What is only on its way is no news.
fn event(statement: &Statement, old: Option<&Condition>) -> Option<Event> {
    let Statement { about, holds, reason, message } = statement;
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
    let broken = |about| find(about).is_some_and(|statement| !statement.holds);
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

/// Whether the API server refuses a part of what the instance needs.
fn refuses(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| statement.reason == Reason::ApplyRefused)
}

fn config(
    instance: &OpenClawInstance,
    observed: &Observed,
    findings: &Findings,
) -> Option<ConfigStatus> {
    let previous = instance.status.as_ref().and_then(|status| status.config.clone());
    let sync = observed.config_sync.known();
    let rendered = findings.rollout.as_ref().map(|rollout| rollout.config_hash.clone());
    let rendered_hash = rendered.or_else(|| previous.as_ref()?.rendered_hash.clone());
    let status = match sync {
        Some(sync) => ConfigStatus {
            rendered_hash,
            applied_hash: sync.applied_hash.clone(),
            migrated: migrated(&sync.migrated),
            rejected_hash: sync.rejected_hash.clone(),
            message: sync.message.clone(),
        },
        None => remembered(ConfigStatus { rendered_hash, ..previous.unwrap_or_default() }),
    };
    (status != ConfigStatus::default()).then_some(status)
}

/// Whoever answers for config-sync decides what it says, but not how much.
fn migrated(changes: &[String]) -> Vec<String> {
    let short = |change: &String| change.chars().take(MIGRATED_LENGTH).collect();
    changes.iter().take(MIGRATED_LIMIT).map(short).collect()
}

/// Without what was said of another configuration than the one that is in place again.
fn remembered(config: ConfigStatus) -> ConfigStatus {
    if config.rendered_hash == config.applied_hash {
        ConfigStatus { rejected_hash: None, message: None, ..config }
    } else {
        config
    }
}

/// config-sync is asked after a change and until it has judged it, and when the volume may be full;
/// never at rest.
fn asks_config_sync(
    resolved: Option<&Resolved>,
    config: Option<&ConfigStatus>,
    observed: &Observed,
) -> Option<String> {
    let unasked = matches!(observed.config_sync, Fact::Unknown);
    let pod = observed.pods.known()?.first()?;
    let is_news = config.is_some_and(|config| !is_judged(config));
    let is_full = resolved.is_some_and(|resolved| workload::may_lack_space(resolved, pod));
    (unasked && (is_news || is_full)).then(|| pod.name.clone())
}

/// Whether config-sync has answered, and is about to say more of the newest configuration.
pub(crate) fn is_judging(status: &OpenClawInstanceStatus, observed: &Observed) -> bool {
    let answered = observed.config_sync.known().is_some();
    let says_more = |config: &ConfigStatus| !is_judged(config) && config.hindrance().is_none();
    answered && status.config.as_ref().is_some_and(says_more)
}

fn is_judged(config: &ConfigStatus) -> bool {
    config.rendered_hash == config.applied_hash || config.rendered_hash == config.rejected_hash
}

impl ConfigStatus {
    /// Why the newest configuration is not in place, though the application has not refused it.
    fn hindrance(&self) -> Option<&str> {
        // What is said of a refused one can be of the last but one.
        let is_open = self.rejected_hash.is_none() && self.rendered_hash != self.applied_hash;
        self.message.as_deref().filter(|_| is_open)
    }
}

fn managed(resolved: &Resolved, observed: &Observed) -> ManagedResources {
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
        ..ManagedResources::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Statement, awaits_pod, is_judging, migrated};
    use crate::api::{ConditionType as About, ConfigStatus, OpenClawInstanceStatus, Reason};
    use crate::observed::{ConfigSync, Fact, Observed, Pod};

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

    #[test]
    fn whoever_answers_for_config_sync_does_not_fill_the_status() {
        let kept = migrated(&vec!["ä".repeat(10_000); 10_000]);
        assert_eq!(kept.len(), 33);
        assert!(kept.iter().all(|change| change.chars().count() == 256));
        assert_eq!(migrated(&["removed cron.retry".to_owned()]), ["removed cron.retry"]);
    }

    #[test]
    fn config_sync_is_waited_for_until_it_has_judged_the_newest_configuration() {
        let answered =
            Observed { config_sync: Fact::Known(ConfigSync::default()), ..Observed::default() };
        for (applied, rejected, message, waits) in [
            (Some("old"), None, None, true),
            (None, None, None, true),
            (Some("new"), None, None, false),
            (Some("old"), Some("new"), Some("refused"), false),
            (Some("old"), Some("older"), Some("refused"), true),
            (Some("old"), None, Some("failed to write"), false),
        ] {
            let status = OpenClawInstanceStatus {
                config: Some(ConfigStatus {
                    rendered_hash: Some("new".to_owned()),
                    applied_hash: applied.map(ToOwned::to_owned),
                    rejected_hash: rejected.map(ToOwned::to_owned),
                    message: message.map(ToOwned::to_owned),
                    ..ConfigStatus::default()
                }),
                ..OpenClawInstanceStatus::default()
            };
            assert_eq!(is_judging(&status, &answered), waits, "{applied:?} {rejected:?}");
            assert!(!is_judging(&status, &Observed::default()), "nobody answered");
        }
    }
}
