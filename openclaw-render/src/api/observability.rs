//! Metrics, monitors, dashboards, logs.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ResourcesSpec, SidecarImage, empty_is_unset};

/// How much the agent logs.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum LoggingLevel {
    /// What happens.
    #[serde(rename = "info")]
    #[default]
    Info,
    /// Everything, for finding faults.
    #[serde(rename = "debug")]
    Debug,
    /// What deserves attention.
    #[serde(rename = "warn")]
    Warn,
    /// What failed.
    #[serde(rename = "error")]
    Error,
}

impl fmt::Display for LoggingLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// How the agent's log is written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum LoggingFormat {
    /// One JSON object a line, for programs.
    #[serde(rename = "json")]
    #[default]
    Json,
    /// Lines of text, for people.
    #[serde(rename = "text")]
    Text,
}

impl fmt::Display for LoggingFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
        })
    }
}

/// Metrics and logs of the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservabilitySpec {
    /// Metrics of the agent, and what is made of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsSpec>,
    /// What the agent logs. Keys below `logging` in openclaw.json win. A change goes live without a
    /// new pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<LoggingSpec>,
}

/// Metrics of the agent, and what is made of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsSpec {
    /// Whether the agent serves metrics. Defaults to true where `port`, `serviceMonitor`,
    /// `prometheusRule` or `networking.metricsIngress` is used, else to false. A collector joins the
    /// pod: a change replaces it. It needs the plugin `diagnostics-otel`, which OpenClaw brings until
    /// 2026.5.1; later versions need it in `plugins`, or in openclaw.json. Without it nothing is
    /// served, and condition `MonitoringReady` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Port of the pod and of the Service that serves `/metrics`. From 1 to 65535; defaults to
    /// 9090. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// A ServiceMonitor, by which the Prometheus operator finds the metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_monitor: Option<ServiceMonitorSpec>,
    /// A PrometheusRule with alerts about the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_rule: Option<PrometheusRuleSpec>,
    /// A ConfigMap with a dashboard of the agent, which Grafana's sidecar loads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard: Option<GrafanaDashboardSpec>,
    /// The OpenTelemetry collector that serves the metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector: Option<CollectorSpec>,
}

/// The OpenTelemetry collector that serves the metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CollectorSpec {
    /// Image of the collector. Defaults to `docker.io/otel/opentelemetry-collector:0.120.0`. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the collector. Defaults to requests of 25m and 32Mi, and limits of 100m and
    /// 128Mi. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// A ServiceMonitor of the Prometheus operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceMonitorSpec {
    /// Whether the operator makes a ServiceMonitor. Defaults to false. Where the cluster does not
    /// have the kind, condition `CompanionsReady` says so, and the agent runs. A change that turns
    /// metrics on replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Time from one scrape to the next, for example `1m`. Defaults to `30s`. A change
    /// does not touch the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Labels of the ServiceMonitor, by which a Prometheus selects it. They are added to those of
    /// every object. Defaults to none. A change does not touch the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// A PrometheusRule with alerts about the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusRuleSpec {
    /// Whether the operator makes a PrometheusRule. Defaults to false. Its alerts are about what the
    /// operator, kube-state-metrics and the kubelet say of the agent; Prometheus must read these.
    /// Where the cluster does not have the kind, condition `CompanionsReady` says so, and the agent
    /// runs. A change that turns metrics on replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Labels of the PrometheusRule, by which a Prometheus selects it. They are added to those of
    /// every object. Defaults to none. A change does not touch the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Address below which alerts find their runbooks. It is an `http` or `https` URL of at most 512
    /// characters, and each runbook has the name of its alert there. Defaults to the runbooks of this project, also where the Go
    /// operator stored its own default. A change does not touch the pod.
    #[serde(rename = "runbookBaseURL", skip_serializing_if = "Option::is_none")]
    pub runbook_base_url: Option<String>,
}

/// A ConfigMap with a dashboard of the agent, which Grafana's sidecar loads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaDashboardSpec {
    /// Whether the operator makes the dashboard. Defaults to false. That of the whole fleet comes
    /// with the operator's chart, once. A change does not touch the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Labels of the ConfigMap, by which Grafana's sidecar finds it. They are added to
    /// `grafana_dashboard: "1"`, which they may change, and to those of every object. Defaults to
    /// none. A change does not touch the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Folder of the dashboard in Grafana. It is written to annotation `grafana_folder` and has at most
    /// 255 bytes. Defaults to `OpenClaw`. A change does not touch the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// What the agent logs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoggingSpec {
    /// How much the agent logs: `debug`, `info`, `warn` or `error`. It holds for the console and for
    /// the file below `/tmp`. Defaults to what the application does, `info`. A change goes live without
    /// a new pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "LoggingLevel")]
    pub level: Option<LoggingLevel>,
    /// How the console's log is written: `json` for programs, `text` for people. Defaults to what
    /// the application does, `text`. A change goes live without a new pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "LoggingFormat")]
    pub format: Option<LoggingFormat>,
}
