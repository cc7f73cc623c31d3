//! `OpenClawInstance`: one agent, as wanted and as found.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::quantity::empty_is_unset;
use super::{
    AutoUpdateSpec, AutoUpdateStatus, AvailabilitySpec, BackupSpec, ChromiumSpec, ConfigSpec,
    GatewaySpec, ImageSpec, MaintenanceWindow, NetworkingSpec, ObservabilitySpec, OllamaSpec,
    ProbesSpec, ResourcesSpec, RolloutSpec, RuntimeDepsSpec, SecuritySpec, SelfConfigureSpec,
    SkillPackUpdatePolicy, StorageSpec, TailscaleSpec, WebTerminalSpec, WorkspaceSpec,
};

/// The agent as it is wanted. Every field may be left out.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "openclaw.rocks",
    version = "v1alpha1",
    kind = "OpenClawInstance",
    plural = "openclawinstances",
    singular = "openclawinstance",
    namespaced,
    status = "OpenClawInstanceStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "OpenClawInstance is one OpenClaw agent: a StatefulSet with its volume, configuration, network and rights.",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(name = "Gateway", type_ = "string", json_path = ".status.gatewayEndpoint"),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[expect(clippy::duplicated_attributes, reason = "each printer column has a type of its own")]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct OpenClawInstanceSpec {
    /// Image of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Registry that takes the place of the host in the images of the operator's containers, for
    /// example `registry.example.com/mirror`; images without a host get it in front. Your own init
    /// containers and sidecars keep their images. Default: the registry of
    /// `OpenClawClusterDefaults`, else none. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The agent's openclaw.json.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigSpec>,
    /// Files and directories that the agent finds in its workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceSpec>,
    /// Skills that are installed before the agent starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "set"))]
    pub skills: Option<Vec<String>>,
    /// Plugins that are installed before the agent starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub plugins: Option<Vec<String>>,
    /// Secrets and ConfigMaps whose keys become environment variables of the agent container, such
    /// as the keys of model providers. Default: none. A change, also of the referenced content,
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_from: Option<Vec<EnvFromSource>>,
    /// Environment variables of the agent container. They win over the operator's, except `HOME`,
    /// `OPENCLAW_STATE_DIR`, `OPENCLAW_CONFIG_PATH`, `OPENCLAW_GATEWAY_TOKEN` and
    /// `OPENCLAW_GATEWAY_PORT`, and over those of `OpenClawClusterDefaults`. Default: none. A
    /// change, also of a referenced Secret, restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub env: Option<Vec<EnvVar>>,
    /// CPU and memory of the agent container. Defaults: requests `500m` CPU and `1Gi` memory,
    /// limits `2` CPU and `4Gi` memory. The heap of the agent is three quarters of the memory
    /// limit. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// What the agent may do: on its node, in the network, at the Kubernetes API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SecuritySpec>,
    /// The volume that holds the agent's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// A browser for the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chromium: Option<ChromiumSpec>,
    /// Access to the gateway through a tailnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tailscale: Option<TailscaleSpec>,
    /// Language models that run next to the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ollama: Option<OllamaSpec>,
    /// A terminal in the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_terminal: Option<WebTerminalSpec>,
    /// Your own init containers, run after the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub init_containers: Option<Vec<Container>>,
    /// Your own containers next to the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub sidecars: Option<Vec<Container>>,
    /// Volumes for your own containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub sidecar_volumes: Option<Vec<Volume>>,
    /// Further volumes of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub extra_volumes: Option<Vec<Volume>>,
    /// Further mounts of the agent container.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["mountPath"]))]
    pub extra_volume_mounts: Option<Vec<VolumeMount>>,
    /// How the gateway is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networking: Option<NetworkingSpec>,
    /// How the kubelet finds out whether the agent runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<ProbesSpec>,
    /// Metrics, alerts, dashboards and logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<ObservabilitySpec>,
    /// Where the pod runs, how many there are, and what may evict it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<AvailabilitySpec>,
    /// Whether the agent is put to sleep: no pod runs, volume and configuration stay. Default:
    /// false. It cannot be combined with `availability.autoScaling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// Backups of the agent's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupSpec>,
    /// Path of a backup that a new agent starts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<String>,
    /// Tools that are installed next to the agent before it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_deps: Option<RuntimeDepsSpec>,
    /// The gateway of the agent, its token, and the proxy in front of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewaySpec>,
    /// Automatic updates of the agent image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_update: Option<AutoUpdateSpec>,
    /// What the agent may change about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_configure: Option<SelfConfigureSpec>,
    /// Annotations of the pod. Those that the operator owns win. Default: none. A change restarts
    /// the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_annotations: Option<BTreeMap<String, String>>,
    /// Whether the containers of the pod see each other's processes. Default: false. With true,
    /// containers of the same user can read each other's environment, secrets included. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_process_namespace: Option<bool>,
    /// What happens to files of a skill pack that exist already.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SkillPackUpdatePolicy")]
    pub skill_pack_update_policy: Option<SkillPackUpdatePolicy>,
    /// What may restart the pod without an edit of this object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
    /// When held roll-outs and automatic updates may happen. Default: no windows, so that a held
    /// roll-out waits for an approval or an edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub maintenance_windows: Option<Vec<MaintenanceWindow>>,
}

/// The specification of an object that has one.
#[derive(Deserialize)]
#[serde(transparent)]
struct Present(
    #[serde(deserialize_with = "OpenClawInstanceSpec::deserialize")] OpenClawInstanceSpec,
);

/// An object without `spec` has an empty one, as the schema allows.
impl<'de> Deserialize<'de> for OpenClawInstanceSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Option::<Present>::deserialize(deserializer)?;
        Ok(spec.map(|Present(spec)| spec).unwrap_or_default())
    }
}

impl Serialize for OpenClawInstanceSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// The agent as it was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawInstanceStatus {
    /// Summary of the conditions in one word.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Phase")]
    pub phase: Option<Phase>,
    /// What holds and what does not, each with a reason and a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Option<Vec<Condition>>,
    /// Generation of the spec that the conditions speak of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When a new generation was last carried out in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reconcile_time: Option<Time>,
    /// Host and port of the gateway inside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_endpoint: Option<String>,
    /// Not written: nothing listens on the canvas port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canvas_endpoint: Option<String>,
    /// Which openclaw.json the agent runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,
    /// When the backup before deletion began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backing_up_since: Option<Time>,
    /// Name of the backup Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_job_name: Option<String>,
    /// Path of the last backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup_path: Option<String>,
    /// When the last backup ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup_time: Option<Time>,
    /// Name of the restore Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_job_name: Option<String>,
    /// Path of the backup that the agent was restored from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// What the updater has done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_update: Option<AutoUpdateStatus>,
    /// Names of the objects that belong to the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_resources: Option<ManagedResources>,
}

/// Summary of the conditions in one word.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum Phase {
    /// The instance has not been looked at yet.
    #[default]
    Pending,
    /// The pod is on its way.
    Provisioning,
    /// The newest pod is ready.
    Running,
    /// The pod runs, but something is wrong.
    Degraded,
    /// Something must be put right before a pod can run.
    Failed,
    /// The instance is being deleted.
    Terminating,
    /// A backup is being taken before deletion.
    BackingUp,
    /// A backup is being restored.
    Restoring,
    /// An update is being rolled out.
    Updating,
    /// No pod runs, as wanted.
    Suspended,
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

/// Which openclaw.json the agent runs with. Hashes are the first 16 hexadecimal digits of SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// Hash of the file that the operator rendered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_hash: Option<String>,
    /// Hash of the rendered file that the agent runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_hash: Option<String>,
    /// Hash of the rendered file that the application refused; unset while it accepts what is
    /// rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_hash: Option<String>,
    /// Why the application refused the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Names of the objects that belong to the instance; unset where there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedResources {
    /// Name of the StatefulSet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stateful_set: Option<String>,
    /// Name of a Deployment that an early operator made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Name of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Name of the ConfigMap that holds openclaw.json.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<String>,
    /// Name of the claim that holds the agent's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvc: Option<String>,
    /// Name of the claim that holds the browser's profile.
    #[serde(rename = "chromiumPVC", skip_serializing_if = "Option::is_none")]
    pub chromium_pvc: Option<String>,
    /// Name of the NetworkPolicy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<String>,
    /// Name of the PodDisruptionBudget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_disruption_budget: Option<String>,
    /// Name of the HorizontalPodAutoscaler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizontal_pod_autoscaler: Option<String>,
    /// Name of the route of the Gateway API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_route: Option<String>,
    /// Name of the ServiceAccount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Name of the Role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Name of the RoleBinding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_binding: Option<String>,
    /// Name of the Secret that holds the gateway token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_token_secret: Option<String>,
    /// Name of the Secret that holds the password of the Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth_secret: Option<String>,
    /// Name of the Secret that holds the state of the tailnet node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tailscale_state_secret: Option<String>,
    /// Name of the PrometheusRule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_rule: Option<String>,
    /// Name of the ConfigMap that holds the dashboard of the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard_operator: Option<String>,
    /// Name of the ConfigMap that holds the dashboard of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana_dashboard_instance: Option<String>,
    /// Name of the CronJob that takes backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_cron_job: Option<String>,
}
