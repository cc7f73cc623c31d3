//! What the operator reports of an instance: phase, conditions, names of objects.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AutoUpdateStatus, BackupStatus, FileUpdatePolicy, RestoreStatus, empty_is_unset};

/// A summary of the conditions in one word.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Phase {
    /// The Go operator has not looked at it yet.
    #[default]
    Pending,
    /// Objects are there, and the agent has never been ready.
    Provisioning,
    /// The pod of the newest revision is ready.
    Running,
    /// The agent is not ready any more, or runs without something that was asked for.
    Degraded,
    /// The spec cannot be carried out, or an object of another owner is in the way.
    Failed,
    /// The instance is being deleted.
    Terminating,
    /// The last backup is being made before the instance is deleted.
    BackingUp,
    /// A backup is being restored.
    Restoring,
    /// A new version is being rolled out.
    Updating,
    /// The agent is switched off, and no pod runs.
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

/// What the operator last saw of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawInstanceStatus {
    /// A summary of the conditions in one word. `Provisioning`, then `Running`, or `Degraded` once
    /// it no longer is; `Restoring`, `Updating`, `Failed`, `Suspended`, `BackingUp` before it is
    /// deleted, `Terminating`. `Pending` is not used by this version.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "Phase")]
    pub phase: Option<Phase>,
    /// What holds of the instance, one entry for each type. `Ready` sums them up: True while the
    /// pod of the newest revision is ready. `reason` and `message` say what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// The generation of the spec that this status describes. While it is lower than
    /// `metadata.generation`, the newest spec was not looked at yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many pods the agent has now, for `kubectl scale` and autoscalers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Labels that select the agent's pods, for `kubectl scale` and autoscalers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// When the spec of this generation was first carried out. The newest pod was ready then with
    /// the newest openclaw.json, or the agent was off. Absent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reconcile_time: Option<Time>,
    /// Where the gateway is reached inside the cluster. Example: `ada.agents.svc:18789`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_endpoint: Option<String>,
    /// Never written, since nothing listens on the canvas port of old versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canvas_endpoint: Option<String>,
    /// How far the newest openclaw.json has come. A hash is the first 16 digits of the SHA-256 of
    /// the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,
    /// What was last ready on the agent's volume. An older version is not started there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeStatus>,
    /// What the spec once had installed on the agent's volume. What has left the spec since is
    /// removed there when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<InstalledStatus>,
    /// When the backup before deletion began. From then on its time is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backing_up_since: Option<Time>,
    /// The Job that makes the backup before deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_job_name: Option<String>,
    /// Where the last good backup is, as a path in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup_path: Option<String>,
    /// When the last good backup was finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup_time: Option<Time>,
    /// The last ten backups that ended, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backups: Option<Vec<BackupStatus>>,
    /// The Job that restores `spec.restoreFrom`, or restored it last. Each attempt has another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_job_name: Option<String>,
    /// The backup that the agent's state was restored from. As `spec.restoreFrom` had it, and it is
    /// not restored once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// A restore that is under way or failed. Also what the last one left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore: Option<RestoreStatus>,
    /// What automatic updates found and did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_update: Option<AutoUpdateStatus>,
    /// Names of the objects that belong to the instance. One that is not there yet is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_resources: Option<ManagedResources>,
}

/// How far the newest openclaw.json has come. Hashes are the first 16 digits of SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// Hash of the openclaw.json that the operator rendered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_hash: Option<String>,
    /// Hash of the openclaw.json that the application reads. If that was migrated, of what it was
    /// migrated from; in `mergeMode: merge`, of what was merged into it. Equal to `renderedHash` once the newest one is in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_hash: Option<String>,
    /// Changes that the application's own migration made to it. They are due to keys that the
    /// version has retired. Paths, such as `removed cron.retry`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrated: Vec<String>,
    /// Hash of the openclaw.json that the application's validator refused. Absent while none is
    /// refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_hash: Option<String>,
    /// What the agent wrote that could not be used. In `mergeMode: merge`: where a copy of it is
    /// kept, and why. Told with the next answer of config-sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// Why the newest openclaw.json was refused, or is not in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What was last ready on the agent's volume. An older version is not started there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeStatus {
    /// Name of the claim that the ready pod used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// uid of the claim. One that was made anew under the same name is another volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Version of OpenClaw that was ready there, `YYYY.M.P`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What the spec once had installed on the agent's volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstalledStatus {
    /// Whether the spec ever asked for a skill from ClawHub or npm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<bool>,
    /// Whether the spec ever asked for a plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<bool>,
}

/// Names of the objects that belong to the instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedResources {
    /// Name of the StatefulSet that keeps the agent's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stateful_set: Option<String>,
    /// Never written. The Go operator once had a Deployment here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Name of the Service in front of the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Name of the ConfigMap with openclaw.json and the proxy's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<String>,
    /// Name of the claim of the agent's state, yours or the operator's. Absent without persistence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvc: Option<String>,
    /// Name of the claim of the browser's profile. Not written by this version.
    #[serde(rename = "chromiumPVC", skip_serializing_if = "Option::is_none")]
    pub chromium_pvc: Option<String>,
    /// Name of the NetworkPolicy of the agent's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<String>,
    /// Name of the PodDisruptionBudget of the agent's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_disruption_budget: Option<String>,
    /// Name of the HorizontalPodAutoscaler. Not written by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizontal_pod_autoscaler: Option<String>,
    /// Name of the ServiceAccount that the operator made for the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Name of the Role of the pod's ServiceAccount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Name of the RoleBinding of the pod's ServiceAccount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_binding: Option<String>,
    /// Name of the Secret with the gateway's token, yours or the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_token_secret: Option<String>,
    /// Name of the Secret of basic authentication, also of one of yours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth_secret: Option<String>,
    /// Name of the Secret with Tailscale's state. Not written by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tailscale_state_secret: Option<String>,
    /// Name of the PrometheusRule with the alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_rule: Option<String>,
    /// Name of the ServiceMonitor of the agent's metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_monitor: Option<String>,
    /// Name of the ConfigMap with the fleet's dashboard. Not written: the chart of the operator
    /// brings that dashboard, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard_operator: Option<String>,
    /// Name of the ConfigMap with the agent's dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard_instance: Option<String>,
    /// Name of the CronJob of scheduled backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_cron_job: Option<String>,
    /// Name of the HTTPRoute that leads to the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_route: Option<String>,
    /// Files of workspaces that follow `Replace`. At most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_files: Option<Vec<WorkspaceFileStatus>>,
}

/// A file of a workspace, and what it was made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceFileStatus {
    /// Path of the file below its workspace.
    pub path: String,
    /// Name of the additional workspace. Absent for the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// What happens to the file when its source changes: `CreateOnly` or `Replace`.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "FileUpdatePolicy")]
    pub update_policy: Option<FileUpdatePolicy>,
    /// Hash of the content that the file was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_hash: Option<String>,
}
