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
    /// Further replicas of the agent, by load. Reported as `Unsupported` by this version.
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
    /// Whether a HorizontalPodAutoscaler sets the number of replicas. Excludes `suspended`.
    /// Defaults to false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Fewest replicas, 1 or more, at most `maxReplicas`. Defaults to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<i32>,
    /// Most replicas, 1 or more. Defaults to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<i32>,
    /// CPU to aim at, in percent of the request, 1 to 100. Defaults to 80.
    #[serde(rename = "targetCPUUtilization", skip_serializing_if = "Option::is_none")]
    pub target_cpu_utilization: Option<i32>,
    /// Memory to aim at, in percent of the request, 1 to 100. Has no default: memory does not
    /// count.
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
    /// The roll-out happens at once.
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
    /// approval, see condition `RolloutPending`; `Roll`: it happens at once. Also for agents taken
    /// over from another operator. Defaults to the operator's `--rollout-on-upgrade`, which is
    /// `Hold` unless set. A change to `Roll` lets go of what is held.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "OnOperatorUpgrade")]
    pub on_operator_upgrade: Option<OnOperatorUpgrade>,
}

/// A time at which held roll-outs and updates may happen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceWindow {
    /// When the window opens, as a cron expression. Example: `0 3 * * 6` for Saturdays at three.
    /// Required.
    pub schedule: String,
    /// Time zone of the schedule, for example `Europe/Vienna`. Defaults to UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// How long the window is open, for example `2h`. Required.
    pub duration: String,
}
