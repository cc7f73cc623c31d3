//! The inputs hash: what users own and what can reach the pod.
//!
//! If it differs from the one of the last roll-out, the user has asked for another pod; if it does
//! not, the operator itself is the cause of a difference ([`super::rollout`]). So what is hashed is
//! chosen field by field, and how it is written depends on no order of fields and on no name of a
//! Rust type.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::{
    AvailabilitySpec, ChromiumPersistence, ChromiumSpec, MetricsSpec, NetworkingSpec,
    ObservabilitySpec, OpenClawInstance, OpenClawInstanceSpec, PersistenceSpec, StorageSpec,
};
use crate::hash::{Hasher, of_all};
use crate::lifecycle::update;
use crate::ownership::{hash, hash_object};
use crate::resolve::{Layout, Resolved};

/// What a hash begins with: raised when the same inputs get another hash. A hash with another
/// beginning says nothing about what the user changed.
const FORMAT: &str = "2-";

/// What the user owns and what can reach the pod, as hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inputs {
    /// All of it.
    all: String,
    /// What tells changes of the user's from those of the defaults, if it was recorded.
    parts: Option<Parts>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    /// What has nothing to do with the OpenClawClusterDefaults. Contents of Secrets are not in it: the
    /// defaults can name some, too.
    by_user: String,
    /// The spec with the defaults in it.
    merged: String,
}

impl Inputs {
    pub(super) fn of(instance: &OpenClawInstance, resolved: &Resolved) -> Self {
        let all = hash(&what_reaches_the_pod(&resolved.spec));
        let by_user = if instance.spec == resolved.spec {
            all.clone()
        } else {
            hash(&what_reaches_the_pod(&instance.spec))
        };
        let record = instance.status.as_ref().and_then(|status| status.auto_update.as_ref());
        let record = record.filter(|_| resolved.auto_update.is_some());
        let tag = instance.spec.image.as_ref().and_then(|image| image.tag.as_deref());
        let update = record.and_then(|record| update::decided(record, tag));
        let by_user = update.into_iter().fold(by_user, |hash, update| of_all(&[&hash, &update]));
        let contents = resolved.environment.hash.as_deref().unwrap_or_default();
        let config = hash_object(&resolved.config.document);
        let by_user = inputs_hash(resolved, &by_user, &config, "");
        Self {
            all: inputs_hash(resolved, &all, &config, contents),
            parts: Some(Parts { by_user, merged: all }),
        }
    }

    /// Reads what `Display` writes, if it can be compared with today's.
    pub(super) fn read(recorded: &str) -> Option<Self> {
        let mut hashes = recorded.strip_prefix(FORMAT)?.splitn(3, '-').map(ToOwned::to_owned);
        let all = hashes.next()?;
        let parts =
            hashes.next().zip(hashes.next()).map(|(by_user, merged)| Parts { by_user, merged });
        Some(Self { all, parts })
    }

    /// What became other, since those were recorded.
    pub(super) fn changed_since(&self, recorded: &Self) -> Changed {
        let is_of_defaults = |(now, then): (&Parts, &Parts)| {
            now.by_user == then.by_user && now.merged != then.merged
        };
        if self.all == recorded.all {
            Changed::Nothing
        } else if self.parts.as_ref().zip(recorded.parts.as_ref()).is_some_and(is_of_defaults) {
            Changed::ClusterDefaults
        } else {
            Changed::ByUser
        }
    }
}

/// What became other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Nothing,
    /// Nothing but the OpenClawClusterDefaults.
    ClusterDefaults,
    /// What belongs to this instance.
    ByUser,
}

impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FORMAT}{}", self.all)?;
        self.parts.iter().try_for_each(|Parts { by_user, merged }| write!(f, "-{by_user}-{merged}"))
    }
}

/// Returns the hash of everything, with those of the spec, of its configuration and of what Secrets hold.
fn inputs_hash(resolved: &Resolved, spec: &str, config: &str, contents: &str) -> String {
    let layout = match resolved.storage.layout {
        Layout::Home => "home",
        Layout::Flat => "flat",
    };
    let mut hasher = Hasher::default();
    hasher.field(&[spec]);
    hasher.field(&[config]);
    hasher.field(&[contents]);
    hasher.field(&[layout]);
    if let Some(external) = &resolved.workspaces.external {
        hasher.field(&["workspace", external]);
    }
    // What nobody has adds nothing, so that it changes no hash.
    for hash in resolved.further_inputs() {
        hasher.field(&[hash]);
    }
    for revision in resolved.skill_packs.revisions.keys() {
        hasher.field(&["pack", revision]);
    }
    for choice in resolved.choices.in_effect() {
        hasher.field(&[&choice]);
    }
    hasher.finish()
}

/// Returns the parts of a spec of which a change may change the pod, or what is held together with
/// it.
///
/// Left out is what only says when something happens, and what ends in objects that stand beside
/// the pod. Every struct is taken apart without `..`, so that a new field does not compile until
/// someone says here whether it can reach the pod.
fn what_reaches_the_pod(spec: &OpenClawInstanceSpec) -> Value {
    let OpenClawInstanceSpec {
        registry,
        image,
        config,
        workspace,
        skills,
        plugins,
        skills_install,
        env_from,
        env,
        resources,
        security,
        storage,
        chromium,
        tailscale,
        netbird,
        ollama,
        web_terminal,
        init_containers,
        sidecars,
        sidecar_volumes,
        extra_volumes,
        extra_volume_mounts,
        networking,
        probes,
        observability,
        availability,
        suspended: _,
        replicas: _,
        backup: _,
        restore_from: _,
        runtime_deps,
        gateway,
        auto_update: _,
        self_configure,
        pod_annotations,
        share_process_namespace,
        skill_pack_update_policy,
        rollout: _,
        maintenance_windows: _,
    } = spec;
    object([
        ("registry", value(registry)),
        ("image", value(image)),
        ("config", value(config)),
        ("workspace", value(workspace)),
        ("skills", value(skills)),
        ("plugins", value(plugins)),
        ("skillsInstall", value(skills_install)),
        ("envFrom", value(env_from)),
        ("env", value(env)),
        ("resources", value(resources)),
        ("security", value(security)),
        ("storage", of(storage.as_ref(), of_storage)),
        ("chromium", of(chromium.as_ref(), of_chromium)),
        ("tailscale", value(tailscale)),
        ("netbird", value(netbird)),
        ("ollama", value(ollama)),
        ("webTerminal", value(web_terminal)),
        ("initContainers", value(init_containers)),
        ("sidecars", value(sidecars)),
        ("sidecarVolumes", value(sidecar_volumes)),
        ("extraVolumes", value(extra_volumes)),
        ("extraVolumeMounts", value(extra_volume_mounts)),
        ("networking", of(networking.as_ref(), of_networking)),
        ("probes", value(probes)),
        ("observability", of(observability.as_ref(), of_observability)),
        ("availability", of(availability.as_ref(), of_availability)),
        ("runtimeDeps", value(runtime_deps)),
        ("gateway", value(gateway)),
        ("selfConfigure", value(self_configure)),
        ("podAnnotations", value(pod_annotations)),
        ("shareProcessNamespace", value(share_process_namespace)),
        ("skillPackUpdatePolicy", value(skill_pack_update_policy)),
    ])
}

/// A volume of the pod itself has a size limit; a claim grows under a pod that runs.
fn of_storage(storage: &StorageSpec) -> Value {
    let StorageSpec { persistence } = storage;
    let of_persistence = |persistence: &PersistenceSpec| {
        let PersistenceSpec {
            enabled,
            storage_class,
            size,
            access_modes,
            existing_claim,
            orphan: _,
        } = persistence;
        object([
            ("enabled", value(enabled)),
            ("storageClass", value(storage_class)),
            ("size", value(&size.as_ref().filter(|_| *enabled == Some(false)))),
            ("accessModes", value(access_modes)),
            ("existingClaim", value(existing_claim)),
        ])
    };
    object([("persistence", of(persistence.as_ref(), of_persistence))])
}

/// The claim of its profile grows under a pod that runs.
fn of_chromium(chromium: &ChromiumSpec) -> Value {
    let ChromiumSpec { enabled, image, resources, persistence, extra_args, extra_env } = chromium;
    let of_persistence = |persistence: &ChromiumPersistence| {
        let ChromiumPersistence { enabled, storage_class, size: _, existing_claim } = persistence;
        object([
            ("enabled", value(enabled)),
            ("storageClass", value(storage_class)),
            ("existingClaim", value(existing_claim)),
        ])
    };
    object([
        ("enabled", value(enabled)),
        ("image", value(image)),
        ("resources", value(resources)),
        ("persistence", of(persistence.as_ref(), of_persistence)),
        ("extraArgs", value(extra_args)),
        ("extraEnv", value(extra_env)),
    ])
}

/// Host names of ways in become origins of the Control UI in openclaw.json.
fn of_networking(networking: &NetworkingSpec) -> Value {
    let NetworkingSpec { service, ingress, http_route, metrics_ingress } = networking;
    object([
        ("service", value(service)),
        ("ingress", value(ingress)),
        ("httpRoute", value(http_route)),
        ("metricsIngress", value(metrics_ingress)),
    ])
}

/// What other projects' operators read stands beside the pod, but it may ask for the collector.
fn of_observability(observability: &ObservabilitySpec) -> Value {
    let ObservabilitySpec { metrics, logging } = observability;
    let of_metrics = |metrics: &MetricsSpec| {
        let MetricsSpec {
            enabled,
            port,
            service_monitor,
            prometheus_rule,
            grafana_dashboard: _,
            collector,
        } = metrics;
        let monitored = service_monitor.as_ref().and_then(|monitor| monitor.enabled);
        let ruled = prometheus_rule.as_ref().and_then(|rule| rule.enabled);
        object([
            ("enabled", value(enabled)),
            ("port", value(port)),
            ("serviceMonitorEnabled", value(&monitored)),
            ("prometheusRuleEnabled", value(&ruled)),
            ("collector", value(collector)),
        ])
    };
    object([("metrics", of(metrics.as_ref(), of_metrics)), ("logging", value(logging))])
}

/// Budget and scaling are about the number of pods; but what is scaled has a claim for each.
fn of_availability(availability: &AvailabilitySpec) -> Value {
    let AvailabilitySpec {
        pod_disruption_budget: _,
        auto_scaling,
        node_selector,
        tolerations,
        affinity,
        topology_spread_constraints,
        runtime_class_name,
    } = availability;
    let is_scaled = auto_scaling.as_ref().and_then(|scaling| scaling.enabled);
    object([
        ("autoScalingEnabled", value(&is_scaled)),
        ("nodeSelector", value(node_selector)),
        ("tolerations", value(tolerations)),
        ("affinity", value(affinity)),
        ("topologySpreadConstraints", value(topology_spread_constraints)),
        ("runtimeClassName", value(runtime_class_name)),
    ])
}

fn of<T>(section: Option<&T>, parts: impl Fn(&T) -> Value) -> Value {
    section.map(parts).unwrap_or_default()
}

fn value(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}

/// What is not set is not written, so that a new field changes no hash where nobody sets it.
fn object<const N: usize>(parts: [(&str, Value); N]) -> Value {
    let is_set = |part: &Value| !part.is_null() && *part != json!({});
    let parts = parts.into_iter().filter(|(_, part)| is_set(part));
    Value::Object(parts.map(|(name, part)| (name.to_owned(), part)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Changed, Inputs};
    use crate::documents::decode_instance;
    use crate::observed::{Fact, Observed};
    use crate::resolution::resolve;
    use crate::settings::Settings;

    fn inputs_of(spec: &Value, defaults: Option<&Value>) -> Inputs {
        let instance = json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
            "metadata": {"name": "ada"}, "spec": spec,
        });
        let (instance, _) = decode_instance(instance).expect("it decodes");
        let defaults = defaults.map(|spec| {
            let defaults = json!({"metadata": {"name": "cluster"}, "spec": spec});
            serde_json::from_value(defaults).expect("it decodes")
        });
        let cluster_defaults = defaults.map_or(Fact::Absent, Fact::Known);
        let observed = Observed { cluster_defaults, ..Observed::default() };
        let resolution = resolve(&instance, &observed, &Settings::default());
        Inputs::of(&instance, &resolution.resolved.expect("it resolves"))
    }

    fn hash_of(spec: &Value) -> String {
        inputs_of(spec, None).to_string()
    }

    /// Another value here means: with the next upgrade of the operator, no change of a user's is
    /// told from one of the operator's until the hash was written anew. Raise `FORMAT` then.
    #[test]
    fn the_same_inputs_have_the_same_hash_in_every_version_of_the_operator() {
        let spec = json!({
            "image": {"tag": "2026.9.6"},
            "config": {"raw": {"logging": {"level": "debug"}, "agents": {"b": 1, "a": [2, 1]}}},
            "env": [{"name": "LANG", "value": "C.UTF-8"}],
            "storage": {"persistence": {"size": "20Gi", "storageClass": "fast"}},
            "availability": {"nodeSelector": {"disk": "ssd"}},
            "observability": {"metrics": {"serviceMonitor": {"enabled": false}}},
        });
        assert_eq!(hash_of(&spec), "2-78818b60e737ef5e-78818b60e737ef5e-b526ebaad50c6bf3");
        assert!(Inputs::read("2-0").is_some());
        assert_eq!(Inputs::read("0123456789abcdef"), None);
    }

    #[test]
    fn a_change_of_the_defaults_is_told_from_one_of_the_spec() {
        let spec = json!({"image": {"tag": "2026.9.6"}});
        let other = json!({"image": {"tag": "2026.9.6"}, "env": [{"name": "LANG", "value": "C"}]});
        let defaults = json!({"env": [{"name": "TZ", "value": "UTC"}]});
        let recorded = |inputs: &Inputs| Inputs::read(&inputs.to_string()).expect("ours");
        let before = inputs_of(&spec, None);
        let with_defaults = inputs_of(&spec, Some(&defaults));
        let rotated = Inputs { all: "a Secret holds something else".to_owned(), ..before.clone() };
        for (now, then, expected) in [
            (&before, recorded(&before), Changed::Nothing),
            (&with_defaults, recorded(&before), Changed::ClusterDefaults),
            (&before, recorded(&with_defaults), Changed::ClusterDefaults),
            (&inputs_of(&other, None), recorded(&before), Changed::ByUser),
            (&inputs_of(&other, Some(&defaults)), recorded(&before), Changed::ByUser),
            (&with_defaults, Inputs { parts: None, ..before.clone() }, Changed::ByUser),
            (&before, Inputs { parts: None, ..before.clone() }, Changed::Nothing),
            (&rotated, recorded(&before), Changed::ByUser),
        ] {
            assert_eq!(now.changed_since(&then), expected, "{now} {then}");
        }
    }

    #[test]
    fn the_order_of_keys_is_no_difference_and_that_of_items_is() {
        let spec = |document: &str| {
            let document: Value = serde_json::from_str(document).expect("JSON");
            json!({"image": {"tag": "2026.9.6"}, "config": {"raw": document}})
        };
        let one = hash_of(&spec(r#"{"tools": {"allow": ["a", "b"], "deny": ["c"]}}"#));
        let keys = hash_of(&spec(r#"{"tools": {"deny": ["c"], "allow": ["a", "b"]}}"#));
        let items = hash_of(&spec(r#"{"tools": {"allow": ["b", "a"], "deny": ["c"]}}"#));
        assert_eq!(one, keys);
        assert_ne!(one, items);
    }
}
