//! Every metric, declared in one place. Names that the Go operator had keep their meaning.

mod labels;
mod updates;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openclaw_render::Kind;
use openclaw_render::api::{AutoUpdateStatus, ConditionType, OpenClawInstanceStatus, Phase};
use openclaw_render::pacing::CauseKind;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::error::RetryClass;
use crate::live::InstanceKey;
use labels::{
    CameTo, Ended, InPhase, Info, NotMade, Of, OfCause, OfKind, Performed, WithResult, in_phase,
    info, not_made, of, with_result,
};
use updates::Updates;

/// Seconds; a pass over an unchanged instance takes the first, one against an API server that does
/// not answer the last.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 60.0];

/// What a pass came to that did not fail.
const SUCCESS: &str = "success";

/// What a push of metrics came to that did not succeed.
const FAILED: &str = "failed";

/// What effects change besides objects.
const OTHERS: [&str; 2] = ["Pod", openclaw_render::vocab::KIND];

/// What is measured when somebody asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Now {
    pub(crate) queue_depth: usize,
    pub(crate) queue_oldest: Duration,
    pub(crate) config_syncs_silent: usize,
    pub(crate) cache_objects: usize,
    /// For each kind of cause for which many agents are replaced, how many wait for their turn, and
    /// whether nobody's turn comes.
    pub(crate) rollouts: Vec<(CauseKind, (usize, bool))>,
}

/// See the module.
pub(crate) struct Metrics {
    registry: Registry,
    /// With the version that was last said to run.
    known: Mutex<BTreeMap<InstanceKey, String>>,
    reconciles: Family<WithResult, Counter>,
    durations: Family<Of, Histogram, fn() -> Histogram>,
    phases: Family<InPhase, Gauge>,
    ready: Family<Of, Gauge>,
    infos: Family<Info, Gauge>,
    not_made: Family<NotMade, Counter>,
    effects: Family<Performed, Counter>,
    unsettled: Family<OfKind, Counter>,
    watch_failures: Family<OfKind, Counter>,
    requests: Family<CameTo, Counter>,
    pushes: Family<Ended, Counter>,
    updates: Updates,
    managed: Gauge,
    queue_depth: Gauge,
    queue_oldest: Gauge<f64, AtomicU64>,
    config_syncs_silent: Gauge,
    cache_size: Gauge,
    rollouts_waiting: Family<OfCause, Gauge>,
    rollouts_stopped: Family<OfCause, Gauge>,
    leader: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            known: Mutex::default(),
            reconciles: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            phases: Family::default(),
            ready: Family::default(),
            infos: Family::default(),
            not_made: Family::default(),
            effects: Family::default(),
            unsettled: Family::default(),
            watch_failures: Family::default(),
            requests: Family::default(),
            pushes: Family::default(),
            updates: Updates::default(),
            managed: Gauge::default(),
            queue_depth: Gauge::default(),
            queue_oldest: Gauge::default(),
            config_syncs_silent: Gauge::default(),
            cache_size: Gauge::default(),
            rollouts_waiting: Family::default(),
            rollouts_stopped: Family::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    /// An instance is there. Series exist only for known instances.
    pub(crate) fn know(&self, key: &InstanceKey) {
        let mut known = self.known();
        if !known.contains_key(key) {
            known.insert(key.clone(), String::new());
            self.managed.set(i64::try_from(known.len()).unwrap_or(i64::MAX));
        }
    }

    /// A pass ended, well or with the gravest of its failures.
    pub(crate) fn passed(&self, key: &InstanceKey, took: Duration, failed: Option<RetryClass>) {
        let known = self.known();
        // The pass that lets an instance go ends after it has gone.
        if !known.contains_key(key) {
            return;
        }
        let result = failed.map_or(SUCCESS, RetryClass::as_str);
        self.reconciles.get_or_create(&with_result(key, result)).inc();
        self.durations.get_or_create(&of(key)).observe(took.as_secs_f64());
    }

    /// What was last said of an instance.
    pub(crate) fn reported(&self, key: &InstanceKey, status: &OpenClawInstanceStatus) {
        let mut known = self.known();
        let Some(version) = known.get_mut(key) else { return };
        let ran = status.volume.as_ref().and_then(|volume| volume.version.clone());
        let ran = ran.unwrap_or_default();
        if *version != ran {
            self.infos.remove(&info(key, version));
            *version = ran;
        }
        self.infos.get_or_create(&info(key, version)).set(1);
        for phase in Phase::ALL {
            let holds = status.phase == Some(*phase);
            self.phases.get_or_create(&in_phase(key, *phase)).set(holds.into());
        }
        let conditions = status.conditions.iter().flatten();
        let about = ConditionType::Ready.as_str();
        let ready = conditions.into_iter().any(|it| it.type_ == about && it.status == "True");
        self.ready.get_or_create(&of(key)).set(ready.into());
    }

    /// An effect was performed or failed.
    pub(crate) fn performed(
        &self,
        key: &InstanceKey,
        effect: &'static str,
        kind: &'static str,
        failed: Option<RetryClass>,
    ) {
        let is_made = effect == "apply" || effect == "create";
        if is_made && failed.is_some_and(|class| class != RetryClass::Conflict) {
            let known = self.known();
            if known.contains_key(key) {
                self.not_made.get_or_create(&not_made(key, kind)).inc();
            }
        }
        let result = failed.map_or(SUCCESS, RetryClass::as_str);
        self.effects.get_or_create(&Performed { effect, kind, result }).inc();
    }

    /// The API server stored something else than what was applied.
    pub(crate) fn unsettled(&self, kind: Kind) {
        self.unsettled.get_or_create(&OfKind { kind: kind.as_str() }).inc();
    }

    /// A watch broke off or could not begin.
    pub(crate) fn watch_failed(&self, kind: &'static str) {
        self.watch_failures.get_or_create(&OfKind { kind }).inc();
    }

    /// A request of an agent came to a phase.
    pub(crate) fn request_came_to(&self, phase: &str) {
        self.requests.get_or_create(&CameTo { phase: phase.to_owned() }).inc();
    }

    /// The metrics were pushed to a collector, or could not be.
    pub(crate) fn pushed(&self, succeeded: bool) {
        let result = if succeeded { SUCCESS } else { FAILED };
        self.pushes.get_or_create(&Ended { result }).inc();
    }

    /// The registry was looked at for an instance, and could be read or not.
    pub(crate) fn checked_for_updates(&self, key: &InstanceKey, is_read: bool) {
        let known = self.known();
        if known.contains_key(key) {
            self.updates.checked(key, is_read);
        }
    }

    /// The record of an instance's updates was written in place of another one.
    pub(crate) fn update_recorded(
        &self,
        key: &InstanceKey,
        before: Option<&AutoUpdateStatus>,
        after: Option<&AutoUpdateStatus>,
    ) {
        let known = self.known();
        if let (Some(after), true) = (after, known.contains_key(key)) {
            self.updates.recorded(key, before, after);
        }
    }

    /// This replica acts, or waits for the Lease.
    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// The series of an instance that is gone go too.
    pub(crate) fn forget(&self, key: &InstanceKey) {
        let mut known = self.known();
        if let Some(version) = known.remove(key) {
            self.infos.remove(&info(key, &version));
        }
        self.managed.set(i64::try_from(known.len()).unwrap_or(i64::MAX));
        for result in RetryClass::ALL.map(RetryClass::as_str).into_iter().chain([SUCCESS]) {
            self.reconciles.remove(&with_result(key, result));
        }
        for phase in Phase::ALL {
            self.phases.remove(&in_phase(key, *phase));
        }
        for resource in Kind::ALL.iter().map(|kind| kind.as_str()).chain(OTHERS) {
            self.not_made.remove(&not_made(key, resource));
        }
        self.updates.forget(key);
        self.durations.remove(&of(key));
        self.ready.remove(&of(key));
    }

    /// Everything, as Prometheus reads it, in the text format of `OpenMetrics`.
    pub(crate) fn encode(&self, now: &Now) -> String {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.queue_depth.set(count(now.queue_depth));
        self.queue_oldest.set(now.queue_oldest.as_secs_f64());
        self.config_syncs_silent.set(count(now.config_syncs_silent));
        self.cache_size.set(count(now.cache_objects));
        for (cause, (waiting, is_stopped)) in &now.rollouts {
            let of = OfCause { cause: cause.as_str() };
            self.rollouts_waiting.get_or_create(&of).set(count(*waiting));
            self.rollouts_stopped.get_or_create(&of).set((*is_stopped).into());
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<InstanceKey, String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&mut self) {
        let all = &mut self.registry;
        all.register(
            "openclaw_reconcile",
            "Passes over an instance, by result",
            self.reconciles.clone(),
        );
        all.register(
            "openclaw_reconcile_duration_seconds",
            "Time that a pass over an instance took",
            self.durations.clone(),
        );
        all.register(
            "openclaw_instance_phase",
            "1 for the phase that an instance is in, 0 for the others",
            self.phases.clone(),
        );
        all.register(
            "openclaw_instance_ready",
            "1 while an instance's condition Ready is True",
            self.ready.clone(),
        );
        all.register(
            "openclaw_instance_info",
            "1, with the version of the agent that was last ready",
            self.infos.clone(),
        );
        all.register(
            "openclaw_resource_creation_failures",
            "Objects of an instance that the API server did not take, conflicts aside",
            self.not_made.clone(),
        );
        all.register(
            "openclaw_effects",
            "Calls that change the cluster, by effect, kind and result",
            self.effects.clone(),
        );
        all.register(
            "openclaw_applies_unsettled",
            "Applies after which the API server stores something else than what was sent",
            self.unsettled.clone(),
        );
        all.register(
            "openclaw_watch_failures",
            "Watches that broke off or could not begin, by kind",
            self.watch_failures.clone(),
        );
        all.register(
            "openclaw_selfconfig_requests",
            "Requests of agents for changes of themselves, by the phase that they came to",
            self.requests.clone(),
        );
        all.register(
            "openclaw_metrics_pushes",
            "Pushes of all metrics to a collector, by result",
            self.pushes.clone(),
        );
        self.updates.register(all);
        all.register(
            "openclaw_managed_instances",
            "Instances that this operator looks after",
            self.managed.clone(),
        );
        all.register(
            "openclaw_queue_depth",
            "Instances that wait for a pass",
            self.queue_depth.clone(),
        );
        all.register(
            "openclaw_queue_oldest_seconds",
            "Time that the instance has waited for a worker that waits longest, 0 if none does",
            self.queue_oldest.clone(),
        );
        all.register(
            "openclaw_config_sync_silent",
            "Agents whose config-sync was asked and does not answer",
            self.config_syncs_silent.clone(),
        );
        all.register(
            "openclaw_cache_objects",
            "Objects and pods that the cache knows",
            self.cache_size.clone(),
        );
        all.register(
            "openclaw_rollout_waiting_instances",
            "Instances whose pod waits for its turn to be replaced, by cause",
            self.rollouts_waiting.clone(),
        );
        all.register(
            "openclaw_rollout_stopped",
            "1 while no turn comes because an agent that was replaced does not become ready",
            self.rollouts_stopped.clone(),
        );
        all.register(
            "openclaw_leader",
            "1 while this replica acts, 0 while it waits for the Lease",
            self.leader.clone(),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_series_of_a_deleted_instance_vanish() {
        let metrics = Metrics::new();
        let key = InstanceKey { namespace: "agents".to_owned(), name: "ada".to_owned() };
        let empty = metrics.encode(&Now::default());
        metrics.know(&key);
        metrics.passed(&key, Duration::from_millis(3), Some(RetryClass::Refused));
        metrics.passed(&key, Duration::from_millis(3), None);
        metrics.reported(&key, &ran("2026.9.6"));
        metrics.performed(&key, "apply", "Service", Some(RetryClass::Refused));
        metrics.reported(&key, &ran("2026.9.7"));
        metrics.checked_for_updates(&key, true);
        metrics.checked_for_updates(&key, false);
        metrics.update_recorded(&key, None, Some(&AutoUpdateStatus::default()));
        let text = metrics.encode(&Now::default());
        assert!(text.contains("version=\"2026.9.7\"") && !text.contains("2026.9.6"), "{text}");
        assert!(text.contains("resource=\"Service\""), "{text}");
        assert!(metrics.encode(&Now::default()).contains("instance=\"ada\""));
        metrics.forget(&key);
        let left = metrics.encode(&Now::default());
        let of_instances =
            |text: &str| text.lines().filter(|line| line.contains("instance=")).count();
        assert_eq!((of_instances(&left), of_instances(&empty)), (0, 0), "{left}");
        // What ends late leaves nothing.
        metrics.passed(&key, Duration::from_millis(3), None);
        metrics.reported(&key, &OpenClawInstanceStatus::default());
        metrics.checked_for_updates(&key, true);
        metrics.update_recorded(&key, None, Some(&AutoUpdateStatus::default()));
        metrics.performed(&key, "apply", "Service", Some(RetryClass::Refused));
        assert_eq!(of_instances(&metrics.encode(&Now::default())), 0);
    }

    fn ran(version: &str) -> OpenClawInstanceStatus {
        let status = serde_json::json!({"volume": {"version": version}});
        serde_json::from_value(status).unwrap()
    }

    /// Names of series with our prefix in expressions, wherever they stand in a text.
    fn series(text: &str) -> BTreeSet<String> {
        let is_of_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let words = text.split(|it| !is_of_name(it));
        words.filter(|word| word.starts_with("openclaw_")).map(str::to_owned).collect()
    }

    #[test]
    fn what_alerts_and_dashboards_ask_for_is_served() {
        let metrics = Metrics::new();
        let key = InstanceKey { namespace: "agents".to_owned(), name: "ada".to_owned() };
        metrics.know(&key);
        metrics.passed(&key, Duration::from_millis(3), None);
        metrics.reported(&key, &ran("2026.9.6"));
        metrics.performed(&key, "apply", "Service", Some(RetryClass::Refused));
        metrics.watch_failed("Service");
        metrics.checked_for_updates(&key, true);
        metrics.update_recorded(&key, None, Some(&AutoUpdateStatus::default()));
        let text = metrics.encode(&Now::default());
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let served: BTreeSet<&str> =
            lines.filter_map(|line| line.split(['{', ' ']).next()).collect();

        let manifest = serde_json::json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
            "metadata": {"name": "ada", "namespace": "agents"},
            "spec": {"observability": {"metrics": {
                "prometheusRule": {"enabled": true}, "grafanaDashboard": {"enabled": true},
            }}},
        });
        let (instance, _) = openclaw_render::decode_instance(manifest).unwrap();
        let (objects, _) = openclaw_render::render_instance(
            &instance,
            &openclaw_render::Observed::default(),
            &openclaw_render::Settings::default(),
        );
        let about = |name: &str| {
            let found = objects.iter().find(|object| object.name() == name);
            found.unwrap().to_value().to_string()
        };
        let fleet = "../charts/openclaw-operator/files/dashboards/openclaw-operator.json";
        for text in [
            about("ada-alerts"),
            about("ada-dashboard-instance"),
            std::fs::read_to_string(fleet).unwrap(),
        ] {
            let wanted = series(&text);
            assert!(wanted.len() > 1, "{text}");
            for name in wanted {
                assert!(served.contains(name.as_str()), "{name} is not among {served:?}");
            }
        }
    }
}
