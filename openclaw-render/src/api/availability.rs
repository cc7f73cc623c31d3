//! Suspension, disruption budget, scaling, placement, roll-outs.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::empty_is_unset;

/// On which nodes the agent runs, and what may interrupt it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilitySpec {
    /// How many of the instance's pods an eviction may take down. There is no budget while the
    /// agent is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_disruption_budget: Option<PodDisruptionBudgetSpec>,
    /// Further replicas by load, each with a state of its own. Only for an agent that had it from the
    /// beginning, see `enabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<AutoScalingSpec>,
    /// Labels that the agent's node must have, for example `disk: ssd`. Defaults to none. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Taints that the agent's pod tolerates. Defaults to none. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerations: Option<Vec<Toleration>>,
    /// Nodes and pods that the agent's pod seeks or avoids. Defaults to none. A change replaces the
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// How the pods are spread over nodes and zones. Defaults to none. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    /// RuntimeClass of the pod, for example `gvisor` for a sandbox. Defaults to the cluster's
    /// runtime. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class_name: Option<String>,
}

/// How many of the instance's pods an eviction may take down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodDisruptionBudgetSpec {
    /// Whether the operator makes a PodDisruptionBudget. Defaults to true. A change leaves the
    /// running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How many pods an eviction may take down. 0 or more; 0 keeps the node from being drained.
    /// Defaults to 1. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<i32>,
}

/// Further replicas of the agent, each with a state of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoScalingSpec {
    /// Whether a HorizontalPodAutoscaler sets the number of replicas. Excludes `suspended`. Each replica
    /// gets a claim of its own, from the beginning: with a claim that is there already, with
    /// `existingClaim`, `tailscale`, `netbird`, or a claim of `chromium` or `ollama` there is one replica, and condition
    /// `AutoscalingActive` says so. Turned off, the first replica stays. Defaults to false. A change
    /// leaves the first pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Fewest replicas, 1 or more, at most `maxReplicas`. Defaults to 1. A change leaves running pods
    /// alone that are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<i32>,
    /// Most replicas, 1 or more. Defaults to 5, or `minReplicas` if that is more. A change leaves
    /// running pods alone that are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<i32>,
    /// CPU to aim at, in percent of the request, 1 to 100. That of the agent's own container counts.
    /// Defaults to 80. A change leaves running pods alone that are wanted.
    #[serde(rename = "targetCPUUtilization", skip_serializing_if = "Option::is_none")]
    pub target_cpu_utilization: Option<i32>,
    /// Memory to aim at, in percent of the request, 1 to 100. That of the agent's own container
    /// counts. Has no default: memory does not count. A change leaves running pods alone that are
    /// wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_memory_utilization: Option<i32>,
}

/// What happens when only the operator's own change would replace the pod.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum OnOperatorUpgrade {
    /// The roll-out waits for approval, and condition `RolloutPending` says so.
    #[default]
    Hold,
    /// The roll-out happens without asking, in turn with those of other agents.
    Roll,
}

impl fmt::Display for OnOperatorUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hold => "Hold",
            Self::Roll => "Roll",
        })
    }
}

/// Whether the pod is replaced when only the operator changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutSpec {
    /// What happens when only the operator's own change would replace the pod. `Hold`: it waits for
    /// approval, see condition `RolloutPending`; `Roll`: it happens without asking, for a few agents
    /// at a time. Also for agents taken over from another operator. Defaults to the operator's `--rollout-on-upgrade`, which is
    /// `Hold` unless set. A change to `Roll` lets go of what is held.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "OnOperatorUpgrade")]
    pub on_operator_upgrade: Option<OnOperatorUpgrade>,
}

/// A time at which held roll-outs happen by themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceWindow {
    /// When the window opens, as a cron expression of five fields. Example: `0 3 * * 6` for
    /// Saturdays at three. At most 128 characters. Required. A change counts from the next look on.
    pub schedule: String,
    /// Time zone of the schedule, for example `Europe/Vienna`. Defaults to UTC. A change counts from
    /// the next look on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// How long the window is open, `5m` to `168h`, for example `2h`. What has begun by then goes
    /// on. Required. A change counts from the next look on.
    pub duration: String,
}
