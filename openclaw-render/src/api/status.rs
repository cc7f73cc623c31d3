//! What the operator reports of an instance: phase, conditions, names of objects.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AutoUpdateStatus, empty_is_unset};

/// A summary of the conditions.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Phase {
    /// Nothing was made yet.
    #[default]
    Pending,
    /// Objects are there, the agent has never been ready.
    Provisioning,
    /// The agent is ready.
    Running,
    /// The agent is not ready any more, or runs without the newest configuration.
    Degraded,
    /// The spec cannot be carried out.
    Failed,
    /// It is being deleted.
    Terminating,
    /// A backup is made.
    BackingUp,
    /// A backup is restored.
    Restoring,
    /// A new version is rolled out.
    Updating,
    /// It is off.
    Suspended,
}

impl Phase {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Pending,
        Self::Provisioning,
        Self::Running,
        Self::Degraded,
        Self::Failed,
        Self::Terminating,
        Self::BackingUp,
        Self::Restoring,
        Self::Updating,
        Self::Suspended,
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "Pending",
            Self::Provisioning => "Provisioning",
            Self::Running => "Running",
            Self::Degraded => "Degraded",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::BackingUp => "BackingUp",
            Self::Restoring => "Restoring",
            Self::Updating => "Updating",
            Self::Suspended => "Suspended",
        })
    }
}

/// What the operator last saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawInstanceStatus {
    /// A summary of the conditions.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "Phase")]
    pub phase: Option<Phase>,
    /// What is and what is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// The generation of the spec that all this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When this generation was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reconcile_time: Option<Time>,
    /// Where the gateway is reached inside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_endpoint: Option<String>,
    /// Not written: nothing listens on the canvas port of old versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canvas_endpoint: Option<String>,
    /// The configuration on its way to the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,
    /// Since when a backup before deletion is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backing_up_since: Option<Time>,
    /// The job that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_job_name: Option<String>,
    /// Where the last backup is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup_path: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup_time: Option<Time>,
    /// The job that restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_job_name: Option<String>,
    /// The backup that was restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// What the updater did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_update: Option<AutoUpdateStatus>,
    /// Names of the objects that belong to the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_resources: Option<ManagedResources>,
}

/// The configuration on its way to the application. Hashes are the first 16 digits of SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// The file that the operator rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_hash: Option<String>,
    /// The file that the application reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_hash: Option<String>,
    /// The file that the application's validator refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_hash: Option<String>,
    /// Why it was refused, or why the newest one is not in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Names of the objects that belong to the instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedResources {
    /// The StatefulSet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stateful_set: Option<String>,
    /// Never written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The ConfigMap with openclaw.json.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<String>,
    /// The claim of the agent's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvc: Option<String>,
    /// The claim of the browser's profile.
    #[serde(rename = "chromiumPVC", skip_serializing_if = "Option::is_none")]
    pub chromium_pvc: Option<String>,
    /// The NetworkPolicy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<String>,
    /// The PodDisruptionBudget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_disruption_budget: Option<String>,
    /// The HorizontalPodAutoscaler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizontal_pod_autoscaler: Option<String>,
    /// The ServiceAccount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// The Role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The RoleBinding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_binding: Option<String>,
    /// The Secret with the gateway's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_token_secret: Option<String>,
    /// The Secret of basic authentication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth_secret: Option<String>,
    /// The Secret with the tailnet's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tailscale_state_secret: Option<String>,
    /// The PrometheusRule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_rule: Option<String>,
    /// The dashboard of the fleet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard_operator: Option<String>,
    /// The dashboard of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard_instance: Option<String>,
    /// The CronJob of backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_cron_job: Option<String>,
    /// The HTTPRoute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_route: Option<String>,
}
