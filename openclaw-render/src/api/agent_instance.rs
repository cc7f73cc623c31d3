//! `AgentInstance`: an agent in a few fields, for those who need no more.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Phase, ResourcesSpec, empty_is_unset};

/// What an agent is to be, in a few fields. Everything else is at its default.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "openclaw.io",
    version = "v1",
    kind = "AgentInstance",
    plural = "agentinstances",
    singular = "agentinstance",
    namespaced,
    status = "AgentInstanceStatus",
    derive = "PartialEq",
    doc = "One OpenClaw agent in a few fields. It stands for an OpenClawInstance of the same name, which the operator makes, keeps as this says, and deletes with it.",
    printcolumn = r#"{"name":"Image","type":"string","jsonPath":".spec.image"}"#,
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct AgentInstanceSpec {
    /// Id of the agent in openclaw.json. At most 64 lower-case letters, digits, `_` and `-`. Defaults
    /// to `main`. A change goes live without a new pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Image of the agent, written `repository:tag` or `repository@sha256:…`. Defaults to that of
    /// OpenClawClusterDefaults, then to the operator's. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Where the agent's state is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<AgentWorkspace>,
    /// Which skills the agent may add by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<AgentSkills>,
    /// CPU and memory of the agent's container. Defaults to requests of 500m and 1Gi, limits of 2 and
    /// 4Gi. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Further replicas of the agent, by load. Reported as `Unsupported` by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<AgentAutoscaling>,
}

/// Where the agent's state is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentWorkspace {
    /// Name of a claim of your own to use. The agent's home directory is on it, not the workspace
    /// alone. Defaults to a claim of 10Gi that the operator makes. A change replaces the
    /// pod, which starts on that volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<String>,
}

/// Which skills the agent may add by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentSkills {
    /// Whether the agent may ask for skills by OpenClawSelfConfig. Defaults to false. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_install: Option<bool>,
    /// Sources of the skills that the agent may add. Written `host/owner/repository`, or only its
    /// beginning: `github.com/example`. At most 50. Defaults to every source. Counts only with
    /// `autoInstall`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_sources: Option<Vec<String>>,
}

/// Further replicas of the agent, each with a state of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentAutoscaling {
    /// Whether a HorizontalPodAutoscaler sets the number of replicas. Defaults to false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Fewest replicas, 1 or more, at most `maxReplicas`. Defaults to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<i32>,
    /// Most replicas, 1 or more. Defaults to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<i32>,
    /// CPU to aim at, in percent of the request, 1 to 100. Defaults to 80.
    #[serde(rename = "targetCPUUtilizationPercentage", skip_serializing_if = "Option::is_none")]
    pub target_cpu_utilization_percentage: Option<i32>,
}

/// What the operator last saw of the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentInstanceStatus {
    /// Phase of the OpenClawInstance that was made. `Provisioning`, then `Running`, or `Degraded` once
    /// it no longer is; `Failed`, `Suspended`, `Terminating`. `Pending`, `BackingUp`, `Restoring` and
    /// `Updating` are the Go operator's.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "Phase")]
    pub phase: Option<Phase>,
    /// What holds of the agent, one entry for each type. `Converted` is its own, the others are those
    /// of the OpenClawInstance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// The generation of the spec that this status describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}
