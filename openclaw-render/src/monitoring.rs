//! Kinds of the Prometheus Operator, as far as we render them: [`ServiceMonitor`] and
//! [`PrometheusRule`] of `monitoring.coreos.com/v1`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::{Deserialize, Serialize};

/// What Prometheus scrapes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceMonitor {
    /// Name, namespace, labels and owner.
    pub metadata: ObjectMeta,
    /// What is scraped, and how.
    pub spec: ServiceMonitorSpec,
}

/// What is scraped, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceMonitorSpec {
    /// Ports and paths of the Services.
    pub endpoints: Vec<Endpoint>,
    /// Namespaces of the Services.
    pub namespace_selector: NamespaceSelector,
    /// Labels of the Services.
    pub selector: LabelSelector,
}

/// Namespaces, by their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Each of them.
    pub match_names: Vec<String>,
}

/// A port that is scraped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Name of the Service's port.
    pub port: String,
    /// Path of the metrics.
    pub path: String,
    /// Time from one scrape to the next.
    pub interval: String,
    /// Whether labels of the metrics win over those of the target.
    pub honor_labels: bool,
}

/// Alerts that Prometheus evaluates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PrometheusRule {
    /// Name, namespace, labels and owner.
    pub metadata: ObjectMeta,
    /// The alerts.
    pub spec: PrometheusRuleSpec,
}

/// Groups of alerts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PrometheusRuleSpec {
    /// Each is evaluated in order.
    pub groups: Vec<RuleGroup>,
}

/// Alerts that are evaluated together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleGroup {
    /// Its name, unique in the object.
    pub name: String,
    /// The alerts.
    pub rules: Vec<Alert>,
}

/// An alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its name.
    pub alert: String,
    /// An expression that yields a series for each that is in trouble.
    pub expr: String,
    /// How long the trouble lasts before anyone is told.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// Labels, for routing.
    pub labels: BTreeMap<String, String>,
    /// Texts for people.
    pub annotations: BTreeMap<String, String>,
}
