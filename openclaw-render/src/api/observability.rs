//! Metrics, alerts, dashboards and logs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SidecarImageAndResources;
use super::quantity::unset_if_empty;

/// Metrics, alerts, dashboards and logs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservabilitySpec {
    /// Metrics of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsSpec>,
    /// Logs of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<LoggingSpec>,
}

/// Metrics of the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsSpec {
    /// Whether metrics are collected and served. Unset, they are if anything else under `metrics`
    /// is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Port that serves the metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// Image and size of the sidecar that collects metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector: Option<SidecarImageAndResources>,
    /// A ServiceMonitor for the Prometheus operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_monitor: Option<ServiceMonitorSpec>,
    /// Alerts for the Prometheus operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_rule: Option<PrometheusRuleSpec>,
    /// Dashboards for Grafana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard: Option<GrafanaDashboardSpec>,
}

/// A ServiceMonitor for the Prometheus operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceMonitorSpec {
    /// Whether a ServiceMonitor is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Time between two scrapes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Further labels of the ServiceMonitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// Alerts for the Prometheus operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusRuleSpec {
    /// Whether alerts are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Further labels of the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Address below which the alerts' instructions are found.
    #[serde(rename = "runbookBaseURL", skip_serializing_if = "Option::is_none")]
    pub runbook_base_url: Option<String>,
}

/// Dashboards for Grafana.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaDashboardSpec {
    /// Whether dashboards are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Further labels of the dashboards' ConfigMaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Folder of the dashboards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// Logs of the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoggingSpec {
    /// Least severity that is logged.
    #[serde(default, deserialize_with = "unset_if_empty", skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// Form of a log line.
    #[serde(default, deserialize_with = "unset_if_empty", skip_serializing_if = "Option::is_none")]
    pub format: Option<LogFormat>,
}

/// Least severity that is logged.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum LogLevel {
    /// Everything.
    #[serde(rename = "debug")]
    Debug,
    /// What happens.
    #[serde(rename = "info")]
    Info,
    /// What deserves attention.
    #[serde(rename = "warn")]
    Warn,
    /// What has failed.
    #[serde(rename = "error")]
    Error,
}

/// Form of a log line.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum LogFormat {
    /// One JSON object a line.
    #[serde(rename = "json")]
    Json,
    /// Text for people.
    #[serde(rename = "text")]
    Text,
}
