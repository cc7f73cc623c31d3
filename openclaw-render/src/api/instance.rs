//! `OpenClawInstance`: the kind, and the root of its spec.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, Volume, VolumeMount};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AutoUpdateSpec, AvailabilitySpec, BackupSpec, ChromiumSpec, ConfigSpec, GatewaySpec, ImageSpec,
    MaintenanceWindow, NetworkingSpec, ObservabilitySpec, OllamaSpec, OpenClawInstanceStatus,
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
