//! `OpenClawInstance`: the kind, and the root of its spec.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, Volume, VolumeMount};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AutoUpdateSpec, AvailabilitySpec, BackupSpec, ChromiumSpec, ConfigSpec, GatewaySpec, ImageSpec,
    MaintenanceWindow, NetbirdSpec, NetworkingSpec, ObservabilitySpec, OllamaSpec,
    OpenClawInstanceStatus, ProbesSpec, ResourcesSpec, RolloutSpec, RuntimeDepsSpec, SecuritySpec,
    SelfConfigureSpec, SkillPackUpdatePolicy, SkillsInstallSpec, StorageSpec, TailscaleSpec,
    WebTerminalSpec, WorkspaceSpec, empty_is_unset,
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
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
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
    /// Replaces the registry of every image that the operator brings. Images without one get it in
    /// front; your own containers keep theirs. Example: `mirror.example.com/team`. Defaults to that
    /// of OpenClawClusterDefaults, if any. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The agent's image and the version of OpenClaw in it. What is unset comes from
    /// OpenClawClusterDefaults, then from the operator. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// The agent's openclaw.json; the operator adds what a pod needs. A change goes live without a
    /// new pod: the gateway loads it, or restarts inside its process. Only a change of
    /// `gateway.auth` that the environment or the proxy must know of, or of
    /// `gateway.trustedProxies`, replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigSpec>,
    /// What the agent's workspace, `~/.openclaw/workspace`, begins with. Files are written when a
    /// pod starts and only where none is: from then on they are the agent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceSpec>,
    /// Skills to install for the agent, once. An entry is `@owner/name` or `name` on ClawHub, or
    /// `npm:package` for the programs of a package, with `@version` at its end if one is meant. An
    /// agent starts without what cannot be installed, and `SkillsReady` says why. At most 20, each
    /// of 1 to 128 characters. Defaults to none. A change replaces the pod; what is there stays.
    /// `pack:owner/repository/path@ref` is a folder of a repository on GitHub, whose files become files
    /// of the workspace when the next pod starts; a branch is looked up again every quarter of an hour.
    /// What was fetched last stays while it cannot be fetched, and `SkillPacksReady` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<String>>,
    /// Plugins to install for the agent, once for each version of OpenClaw. An entry is a package on
    /// ClawHub, or `npm:package` on npm, with `@version` at its end if one is meant. It is turned on
    /// with the capabilities that it declares. An agent starts without what cannot be installed, and
    /// `PluginsReady` says why. At most 20, each of 1 to 128 characters. Defaults to none. A change
    /// replaces the pod; what is there stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Vec<String>>,
    /// How skills and plugins are installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills_install: Option<SkillsInstallSpec>,
    /// ConfigMaps and Secrets whose keys become environment variables of the agent. One that is
    /// missing and not `optional` keeps a pod from starting. Defaults to none. A change, also of
    /// their content, replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_from: Option<Vec<EnvFromSource>>,
    /// Environment variables of the agent, for example keys of model providers. `HOME`,
    /// `OPENCLAW_STATE_DIR`, `OPENCLAW_CONFIG_PATH` and `OPENCLAW_GATEWAY_PORT` belong to the
    /// operator. At most 200. Defaults to none; those of OpenClawClusterDefaults are added. A
    /// change, also of what they refer to, replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<EnvVar>>,
    /// CPU and memory of the agent's container. Defaults to requests of 500m and 1Gi, and limits of
    /// 2 and 4Gi; three quarters of the memory limit bound the heap. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Users, rights and network of the agent's pod. The defaults meet the restricted Pod Security
    /// Standard and deny all traffic but what the agent needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SecuritySpec>,
    /// Where the agent's home directory is kept. Defaults to a claim `<name>-data` of 10Gi that
    /// outlives the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// A headless browser in the agent's pod, for its browser tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chromium: Option<ChromiumSpec>,
    /// Access to the agent through a Tailscale network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tailscale: Option<TailscaleSpec>,
    /// Access to the agent through a NetBird network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netbird: Option<NetbirdSpec>,
    /// A server for local models in the agent's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ollama: Option<OllamaSpec>,
    /// A terminal on the agent's files, used from a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_terminal: Option<WebTerminalSpec>,
    /// Init containers of your own, in order, after those of the operator. For example
    /// `{name: tools, image: busybox, command: [sh, -c, "cp …"]}`. They are rendered as they are
    /// written and get nothing of the operator's. A mount of volume `data` is the agent's state
    /// directory, with openclaw.json and the workspace in it. One that fails keeps the agent from
    /// starting. At most 10. Defaults to none. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_containers: Option<Vec<Container>>,
    /// Containers of your own beside the agent. They are rendered as they are written, share the
    /// pod's ports and its NetworkPolicy, and get nothing of the operator's. A mount of volume
    /// `data` is the agent's state directory. A change, also of a Secret or ConfigMap in their
    /// environment, replaces the pod. At most 10. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<Vec<Container>>,
    /// Volumes of the pod for `sidecars` and `initContainers`. One list with `extraVolumes`: each
    /// container can mount what either declares. At most 20. Defaults to none. A change replaces
    /// the pod; a changed content of a mounted Secret or ConfigMap reaches the files in about a
    /// minute, except under a `subPath`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar_volumes: Option<Vec<Volume>>,
    /// Volumes of the pod, for `extraVolumeMounts` and for containers of your own. For example
    /// `{name: tools, emptyDir: {}}`. What nothing mounts is left out. At most 10. Defaults to none.
    /// A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_volumes: Option<Vec<Volume>>,
    /// Where the agent's container sees volumes of yours. For example
    /// `{name: tools, mountPath: /tools}`. A volume mounted at `/home/openclaw` becomes the agent's
    /// HOME; its state stays on the claim. Directories above a mount in HOME belong to the agent.
    /// The state directory and openclaw.json themselves cannot be covered. At most 10. Defaults to
    /// none. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_volume_mounts: Option<Vec<VolumeMount>>,
    /// How clients outside the pod reach the agent. Defaults to a Service of type `ClusterIP` with
    /// port 18789.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networking: Option<NetworkingSpec>,
    /// How the kubelet finds out whether the agent is well. The probes run inside the pod and read
    /// the gateway's answer on loopback. `null` means unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<ProbesSpec>,
    /// Metrics and logs of the agent, and what is made of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<ObservabilitySpec>,
    /// On which nodes the agent runs, and what may interrupt it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<AvailabilitySpec>,
    /// Whether the agent is switched off. A change to true ends the pod within six minutes and
    /// keeps the data; a change to false starts one. Excludes `availability.autoScaling`. Defaults
    /// to false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// How many pods the agent has, 0 or 1. `kubectl scale` and autoscalers set it. 0 switches the
    /// agent off as `suspended` does, which wins; a change back to 1 starts it. Ignored beside
    /// `availability.autoScaling`. Defaults to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Backups of the agent's state to object storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupSpec>,
    /// The backup that the agent begins with. A path in the bucket of `backup.storage`, for example
    /// `backups/team/ada/2026-11-01T03-00-00Z`, or `s3://bucket/path`: a backup, a directory of the Go
    /// operator's, or a `.tar.gz` of a state directory. Has no default. A new agent starts once it is
    /// restored; a change stops no agent, and counts once the agent is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<String>,
    /// Package managers and languages that the agent finds on its volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_deps: Option<RuntimeDepsSpec>,
    /// How clients reach the gateway, and how they prove who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewaySpec>,
    /// Updates of the agent to the newest stable release. They replace the pod, and stay with its
    /// kind of image. What is decided is in `status.autoUpdate`; the spec is never written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_update: Option<AutoUpdateSpec>,
    /// What the agent may ask to have changed about itself, by OpenClawSelfConfig. Requests are kept
    /// and not carried out by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_configure: Option<SelfConfigureSpec>,
    /// Annotations of the agent's pod, for other tools. Keys below `openclaw.rocks/` are ignored:
    /// they belong to the operator. Defaults to none. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_annotations: Option<BTreeMap<String, String>>,
    /// Whether the pod's containers see each other's processes. Whoever sees a process of the same
    /// user can read its environment. Defaults to false. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_process_namespace: Option<bool>,
    /// What happens to files of a skill pack that changed. `Replace` replaces them; `CreateOnly`
    /// leaves them as they are. What the agent has changed stays until the pack changes, too. Defaults
    /// to `Replace`. Takes effect when the next pod starts.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "SkillPackUpdatePolicy")]
    pub skill_pack_update_policy: Option<SkillPackUpdatePolicy>,
    /// Whether the pod is replaced when only the operator changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
    /// Times at which held roll-outs happen by themselves. Without any, a held roll-out waits for
    /// approval. At most 20. Defaults to none. A change replaces no pod, unless a roll-out is held
    /// and a window is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance_windows: Option<Vec<MaintenanceWindow>>,
}
