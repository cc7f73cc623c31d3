//! `OpenClawInstance`: root of spec and status.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AutoUpdateSpec, AutoUpdateStatus, AvailabilitySpec, BackupSpec, ChromiumSpec, ConfigSpec,
    GatewaySpec, ImageSpec, MaintenanceWindow, NetworkingSpec, ObservabilitySpec, OllamaSpec,
    ProbesSpec, ResourcesSpec, RolloutSpec, RuntimeDepsSpec, SecuritySpec, SelfConfigureSpec,
    SkillPackUpdatePolicy, StorageSpec, TailscaleSpec, WebTerminalSpec, WorkspaceSpec,
    empty_is_unset,
};

/// The desired state of one agent.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "openclaw.rocks",
    version = "v1alpha1",
    kind = "OpenClawInstance",
    plural = "openclawinstances",
    singular = "openclawinstance",
    namespaced,
    status = "OpenClawInstanceStatus",
    derive = "PartialEq",
    doc = "One OpenClaw agent: a gateway with its state, configuration and network.",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Gateway","type":"string","jsonPath":".status.gatewayEndpoint"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawInstanceSpec {
    /// Registry that takes the place of the one in every image of the operator, for example a
    /// mirror: `mirror.example.com/team`. Not applied to your own containers. A change replaces the
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The agent's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// The agent's openclaw.json.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigSpec>,
    /// What the agent's workspace begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceSpec>,
    /// Skills to install.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<String>>,
    /// Plugins to install.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Vec<String>>,
    /// ConfigMaps and Secrets whose keys become environment variables of the agent. Another content
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_from: Option<Vec<EnvFromSource>>,
    /// Environment variables of the agent, for example keys of model providers. `HOME`,
    /// `OPENCLAW_STATE_DIR`, `OPENCLAW_CONFIG_PATH`, `OPENCLAW_GATEWAY_TOKEN` and
    /// `OPENCLAW_GATEWAY_PORT` belong to the operator. A change, also of a referenced Secret,
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<EnvVar>>,
    /// CPU and memory of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Isolation of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SecuritySpec>,
    /// Where the agent keeps its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// A browser beside the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chromium: Option<ChromiumSpec>,
    /// Access through a tailnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tailscale: Option<TailscaleSpec>,
    /// Local models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ollama: Option<OllamaSpec>,
    /// A terminal in the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_terminal: Option<WebTerminalSpec>,
    /// Init containers of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_containers: Option<Vec<Container>>,
    /// Containers of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<Vec<Container>>,
    /// Volumes for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar_volumes: Option<Vec<Volume>>,
    /// Volumes for the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_volumes: Option<Vec<Volume>>,
    /// Where they are mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_volume_mounts: Option<Vec<VolumeMount>>,
    /// How the agent is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networking: Option<NetworkingSpec>,
    /// How the kubelet finds out how the agent is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<ProbesSpec>,
    /// Metrics and logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<ObservabilitySpec>,
    /// Where and how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<AvailabilitySpec>,
    /// Whether the agent is off: no pod, everything else stays. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// Backups of the agent's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupSpec>,
    /// A backup to begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<String>,
    /// Package managers that are installed onto the data volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_deps: Option<RuntimeDepsSpec>,
    /// The way to the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewaySpec>,
    /// Automatic updates of the image tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_update: Option<AutoUpdateSpec>,
    /// What the agent may change about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_configure: Option<SelfConfigureSpec>,
    /// Annotations of the pod, for other tools. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_annotations: Option<BTreeMap<String, String>>,
    /// Whether the pod's containers see each other's processes. Default false: who sees a process
    /// of the same user can read its environment. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_process_namespace: Option<bool>,
    /// What happens to files of a skill pack that changed.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "SkillPackUpdatePolicy")]
    pub skill_pack_update_policy: Option<SkillPackUpdatePolicy>,
    /// When the pod is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
    /// Times at which held roll-outs and updates may happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance_windows: Option<Vec<MaintenanceWindow>>,
}

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
    /// The file that the application reads, or the one that it was migrated from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_hash: Option<String>,
    /// How the application's own migration changed that file in the pod, because of keys that it
    /// has retired: paths, such as `removed cron.retry`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrated: Vec<String>,
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
