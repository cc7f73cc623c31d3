//! Whether the agent's metrics are served, by what, and who reads them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::{Map, Value};

use super::context::Resolving;
use super::defaults::text;
use super::metadata::users_labels;
use super::network_policy::networks;
use super::{image, resources, selectors, stored_defaults};
use crate::api::{
    MetricsIngressFrom, MetricsIngressSpec, MetricsSpec, OpenClawInstance, OpenClawInstanceSpec,
};
use crate::version::Version;
use crate::vocab::grammar::is_interval;
use crate::vocab::{images, plugins, ports};

/// Without a word of the user's.
const PORT: i32 = 9090;
const INTERVAL: &str = "30s";
const PATH: &str = "spec.observability.metrics";
const INGRESS: &str = "spec.networking.metricsIngress";

/// Metrics that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Metrics {
    /// The exporter hands them to a collector, which serves them.
    Served(Box<Served>),
    /// There is nothing to serve, for this reason.
    Nothing(String),
}

impl Metrics {
    /// Returns how they are served, if they are.
    pub(super) fn served(&self) -> Option<&Served> {
        match self {
            Self::Served(served) => Some(served),
            Self::Nothing(_) => None,
        }
    }
}

/// How metrics are served.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) port: i32,
    /// Image of the collector, registry override applied.
    pub(crate) image: String,
    pub(crate) resources: ResourceRequirements,
    pub(crate) monitor: Option<Monitor>,
    pub(crate) open_to: Scrapers,
}

/// How Prometheus is told of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Monitor {
    pub(crate) interval: String,
    /// The user's, none of which is ours.
    pub(crate) labels: BTreeMap<String, String>,
}

/// Who may reach the metrics port.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scrapers {
    pub(crate) same_namespace: bool,
    pub(crate) namespaces: Vec<String>,
    pub(crate) cidrs: Vec<String>,
    /// Which pods of these namespaces.
    pub(crate) pods: Option<LabelSelector>,
}

/// Returns what becomes of the metrics, if they are asked for.
pub(super) fn resolve(
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    document: &Map<String, Value>,
    version: Version,
    cx: &mut Resolving<'_>,
) -> Option<Metrics> {
    let metrics = spec.observability.as_ref().and_then(|each| each.metrics.clone());
    let metrics = metrics.unwrap_or_default();
    let ingress = spec.networking.as_ref().and_then(|each| each.metrics_ingress.clone());
    let open_to = scrapers(spec, &ingress.unwrap_or_default(), cx);
    let port = port(&metrics, cx);
    let monitor = monitor(&metrics, cx);
    if !are_asked_for(instance, spec, &metrics, cx) {
        return None;
    }
    if let Err(reason) = exporter(spec, document, version) {
        cx.ineffective(format!("{PATH}.enabled"), format!("has no effect: {reason}"));
        return Some(Metrics::Nothing(reason));
    }
    let collector = metrics.collector.unwrap_or_default();
    let default = (images::COLLECTOR_REPOSITORY, images::COLLECTOR_TAG);
    let path = format!("{PATH}.collector");
    Some(Metrics::Served(Box::new(Served {
        port,
        image: image::helper(&format!("{path}.image"), collector.image.as_ref(), default, spec, cx),
        resources: resources::requirements(
            &format!("{path}.resources"),
            collector.resources.as_ref(),
            &resources::COLLECTOR,
            cx,
        ),
        monitor,
        open_to,
    })))
}

/// Metrics are on when they are turned on, or when anything is made of them and nothing turns them
/// off. What the Go operator's schema turned on by itself asks for nothing.
fn are_asked_for(
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    metrics: &MetricsSpec,
    cx: &mut Resolving<'_>,
) -> bool {
    let on = |switch: Option<bool>| switch == Some(true);
    let is_used = on(metrics.service_monitor.as_ref().and_then(|each| each.enabled))
        || on(metrics.prometheus_rule.as_ref().and_then(|each| each.enabled));
    let ingress = spec.networking.as_ref().and_then(|each| each.metrics_ingress.as_ref());
    let is_opened = ingress.is_some_and(names_scrapers);
    let switch = ["spec", "observability", "metrics", "enabled"];
    match metrics.enabled {
        Some(true)
            if !is_used
                && !is_opened
                && metrics.port.is_none_or(|port| port == PORT)
                && stored_defaults::is_stored(instance, &switch) =>
        {
            cx.ineffective(
                format!("{PATH}.enabled"),
                "is a default that the Go operator stored, and nothing asks for it: set it \
                 yourself, or use the metrics",
            );
            false
        }
        Some(enabled) => enabled,
        None => is_used || is_opened || metrics.port.is_some(),
    }
}

/// Whether somebody in particular is let in. A `from` alone asks for no metrics: the Go operator's
/// schema wrote one, and `None` keeps everybody out.
fn names_scrapers(ingress: &MetricsIngressSpec) -> bool {
    ingress.from == Some(MetricsIngressFrom::AllowedPeers)
        || ingress.allowed_namespaces.as_ref().is_some_and(|names| !names.is_empty())
        || ingress.allowed_cidrs.as_ref().is_some_and(|cidrs| !cidrs.is_empty())
        || ingress.pod_selector.as_ref().is_some_and(|pods| *pods != LabelSelector::default())
}

/// Whether the application hands its metrics to the collector, or else why not. A plugin is turned
/// on only where it is there: an agent that looks for one in vain takes more than a minute longer to
/// start.
fn exporter(
    spec: &OpenClawInstanceSpec,
    document: &Map<String, Value>,
    version: Version,
) -> Result<(), String> {
    let at = |path: &[&str]| {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(document.get(*first)?, |value, key| value.get(key))
    };
    let is_off = |path: &[&str]| at(path).and_then(Value::as_bool) == Some(false);
    for path in [
        &["diagnostics", "enabled"][..],
        &["diagnostics", "otel", "enabled"],
        &["diagnostics", "otel", "metrics"],
        &["plugins", "enabled"],
        &["plugins", "entries", plugins::OTEL, "enabled"],
    ] {
        if is_off(path) {
            return Err(format!("the configuration turns `{}` off", path.join(".")));
        }
    }
    for key in ["endpoint", "metricsEndpoint"] {
        let endpoint = at(&["diagnostics", "otel", key]).filter(|value| !value.is_null());
        if endpoint.is_some_and(|endpoint| !is_collector(endpoint)) {
            return Err(format!(
                "`diagnostics.otel.{key}` of the configuration sends them elsewhere"
            ));
        }
    }
    let listed = |list: &str| {
        let list = at(&["plugins", list]).and_then(Value::as_array);
        list.map(|list| list.iter().any(|id| id == plugins::OTEL))
    };
    if listed("deny") == Some(true) || listed("allow") == Some(false) {
        return Err(format!(
            "`plugins.allow` or `plugins.deny` of the configuration keeps {:?} out",
            plugins::OTEL
        ));
    }
    let mut installed = spec.plugins.iter().flatten();
    let is_there = version.bundles_exporter()
        || at(&["plugins", "entries", plugins::OTEL, "enabled"]).is_some_and(|on| on == true)
        || installed.any(|plugin| is_exporter(plugin));
    if is_there {
        return Ok(());
    }
    Err(format!(
        "OpenClaw {version} does not bring the plugin that hands metrics out: list {:?} in \
         `spec.plugins`",
        plugins::OTEL_PACKAGE
    ))
}

/// Whether an entry of `spec.plugins` is the exporter, of whatever source and version.
fn is_exporter(plugin: &str) -> bool {
    let package = plugin.split_once(':').map_or(plugin, |(_, package)| package);
    package
        .strip_prefix(plugins::OTEL_PACKAGE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
}

/// Whether the user's own endpoint is the collector in the pod.
fn is_collector(endpoint: &Value) -> bool {
    let Some(address) = endpoint.as_str().and_then(|url| url.strip_prefix("http://")) else {
        return false;
    };
    let hosts = ["127.0.0.1", "localhost"];
    let place = address.split('/').next().unwrap_or_default();
    hosts.iter().any(|host| place == format!("{host}:{}", ports::OTLP))
}

fn port(metrics: &MetricsSpec, cx: &mut Resolving<'_>) -> i32 {
    let port = metrics.port.unwrap_or(PORT);
    let path = format!("{PATH}.port");
    if ports::OF_THE_POD.iter().any(|(number, _)| *number == port) {
        cx.error(path, format!("{port} is taken by another container of the pod"));
    }
    port
}

fn monitor(metrics: &MetricsSpec, cx: &mut Resolving<'_>) -> Option<Monitor> {
    let monitor = metrics.service_monitor.clone().filter(|each| each.enabled == Some(true))?;
    let path = format!("{PATH}.serviceMonitor");
    let interval = text(monitor.interval.as_ref()).unwrap_or(INTERVAL);
    if is_interval(interval) && !interval.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        cx.error(format!("{path}.interval"), "is no time at all: write for example `30s`");
    }
    let labels = users_labels(&format!("{path}.labels"), monitor.labels.unwrap_or_default(), cx);
    Some(Monitor { interval: interval.to_owned(), labels })
}

/// Returns who may reach the port. Where the user keeps the rest of the namespace out, so does this
/// unless he says otherwise.
fn scrapers(
    spec: &OpenClawInstanceSpec,
    ingress: &MetricsIngressSpec,
    cx: &mut Resolving<'_>,
) -> Scrapers {
    let namespaces = ingress.allowed_namespaces.clone().unwrap_or_default();
    let cidrs = ingress.allowed_cidrs.clone().unwrap_or_default();
    let cidrs = networks(&format!("{INGRESS}.allowedCIDRs"), cidrs, cx);
    let policy = spec.security.as_ref().and_then(|each| each.network_policy.as_ref());
    let is_closed = policy.is_some_and(|policy| policy.allow_same_namespace_ingress == Some(false));
    let default =
        if is_closed { MetricsIngressFrom::None } else { MetricsIngressFrom::SameNamespace };
    let from = ingress.from.unwrap_or(default);
    let lists_nobody = namespaces.is_empty() && cidrs.is_empty();
    if from == MetricsIngressFrom::AllowedPeers && lists_nobody {
        cx.ineffective(
            format!("{INGRESS}.from"),
            "lets nobody in: name peers in `allowedNamespaces` or `allowedCIDRs`",
        );
    }
    if from != MetricsIngressFrom::AllowedPeers && !lists_nobody {
        cx.ineffective(
            INGRESS,
            format!("names peers that do not count while `from` is {from}: write `AllowedPeers`"),
        );
    }
    let pods = ingress.pod_selector.clone();
    if from != MetricsIngressFrom::None {
        selectors::check(&format!("{INGRESS}.podSelector"), pods.as_ref(), cx);
    }
    match from {
        MetricsIngressFrom::None => Scrapers::default(),
        MetricsIngressFrom::SameNamespace => {
            Scrapers { same_namespace: true, pods, ..Scrapers::default() }
        }
        MetricsIngressFrom::AllowedPeers => {
            Scrapers { same_namespace: false, namespaces, cidrs, pods }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_collector, is_exporter, names_scrapers};

    #[test]
    fn who_names_nobody_asks_for_no_metrics() {
        let names = |ingress| names_scrapers(&serde_json::from_value(ingress).unwrap());
        for nobody in [
            json!({}),
            json!({"from": "SameNamespace"}),
            json!({"from": "None"}),
            json!({"allowedNamespaces": [], "podSelector": {}}),
        ] {
            assert!(!names(nobody.clone()), "{nobody}");
        }
        for somebody in [
            json!({"from": "AllowedPeers"}),
            json!({"allowedNamespaces": ["monitoring"]}),
            json!({"allowedCIDRs": ["10.0.0.0/8"]}),
            json!({"podSelector": {"matchLabels": {"a": "b"}}}),
        ] {
            assert!(names(somebody.clone()), "{somebody}");
        }
    }

    #[test]
    fn the_exporter_is_known_by_its_package() {
        for good in [
            "@openclaw/diagnostics-otel",
            "npm:@openclaw/diagnostics-otel@2026.9.6",
            "clawhub:@openclaw/diagnostics-otel",
        ] {
            assert!(is_exporter(good), "{good}");
        }
        for bad in ["diagnostics-otel", "@openclaw/diagnostics-otel-more", "npm:@a/b", ""] {
            assert!(!is_exporter(bad), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_of_the_users_may_be_our_collector() {
        assert!(is_collector(&json!("http://localhost:4318")));
        assert!(is_collector(&json!("http://127.0.0.1:4318/v1/metrics")));
        for bad in ["http://otel:4318", "http://localhost:4318.evil", "https://localhost:4318", "4"]
        {
            assert!(!is_collector(&json!(bad)), "{bad}");
        }
    }
}
