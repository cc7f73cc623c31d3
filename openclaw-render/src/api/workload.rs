//! What runs and how much of the node it may use: image, resources, probes, roll-outs.

use std::fmt;

use k8s_openapi::api::core::v1::LocalObjectReference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::QuantityValue;
use super::quantity::empty_is_unset;

/// The image of the agent container and of the init containers that need its programs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageSpec {
    /// Repository without tag or digest. Default: the repository of `OpenClawClusterDefaults`, else
    /// `ghcr.io/openclaw/openclaw`. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Tag of the image, for example `2026.9.6`. Ignored when `digest` is set. Empty counts as
    /// unset. Default: the tag of `OpenClawClusterDefaults`, else `latest`; pin a release, because
    /// `latest` gives another version whenever a node pulls it. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Digest of the image in the form `sha256:` and 64 hexadecimal digits. It wins over `tag` and
    /// turns automatic updates off. Empty counts as unset. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71), regex(pattern = r"^$|^sha256:[a-f0-9]{64}$"))]
    pub digest: Option<String>,
    /// OpenClaw version inside the image, as `YYYY.M.P`. It decides which keys openclaw.json may
    /// have. Default: read from `tag`; needed only when neither tag nor digest tell, else the
    /// newest version known to the operator is assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^$|^[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,4}$"))]
    pub version: Option<String>,
    /// When the kubelet pulls the image: before every start (`Always`), only if the node has no
    /// copy (`IfNotPresent`), or not at all (`Never`). Default: the policy of
    /// `OpenClawClusterDefaults`, else `IfNotPresent`. Holds for every container that runs the
    /// agent image. A change restarts the pod.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PullPolicy")]
    pub pull_policy: Option<PullPolicy>,
    /// Secrets in the namespace of the instance that hold registry credentials, in order of use. An
    /// empty list inherits the whole list of `OpenClawClusterDefaults`. Default: none. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_secrets: Option<Vec<LocalObjectReference>>,
}

/// When the kubelet pulls an image.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum PullPolicy {
    /// Before every start of the container.
    #[default]
    Always,
    /// Only if the node has no copy.
    IfNotPresent,
    /// Never; the node must have a copy.
    Never,
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        })
    }
}

/// The image of a helper container. A digest wins over a tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SidecarImage {
    /// Repository without tag or digest. Default: the operator's choice for this container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Tag of the image. Ignored when `digest` is set. Default: the operator's choice for this
    /// container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Digest of the image in the form `sha256:` and 64 hexadecimal digits. It wins over `tag`.
    /// Empty counts as unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71), regex(pattern = r"^$|^sha256:[a-f0-9]{64}$"))]
    pub digest: Option<String>,
}

/// Image and size of a helper container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SidecarSettings {
    /// Image of the container. Default: the one that this version of the operator pins. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the container. Each value that is left out takes the operator's default
    /// for this container. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// CPU and memory of a container. Each of the four values has its own default; a default never
/// makes a request exceed a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourcesSpec {
    /// What the scheduler reserves on the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<ResourceList>,
    /// What the container may not exceed: more CPU is throttled, more memory ends the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceList>,
}

/// One amount of CPU and one of memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceList {
    /// CPU time in cores, for example `2` or `500m`. Empty counts as unset. A change restarts the
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<QuantityValue>,
    /// Memory in bytes, for example `4Gi`. Empty counts as unset. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<QuantityValue>,
}

/// How the kubelet finds out whether the agent runs. The checks themselves are the operator's;
/// timing and the choice whether to check are yours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbesSpec {
    /// Restarts the agent container when the gateway no longer answers. Defaults: first check after
    /// 30 s, every 10 s, 5 s timeout, 3 failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<ProbeSpec>,
    /// Takes the pod out of the Service while the gateway is not ready. Defaults: first check after
    /// 5 s, every 5 s, 3 s timeout, 3 failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<ProbeSpec>,
    /// Holds the other two probes back until the gateway has started. Defaults: first check after 5
    /// s, every 5 s, 3 s timeout, 60 failures, which allows 5 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<ProbeSpec>,
    /// Lets the readiness probe also watch the free space of the state directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_readiness: Option<DiskReadinessSpec>,
}

/// Timing of one probe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbeSpec {
    /// Whether the probe exists. Default: true. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Seconds between the start of the container and the first check. 0 checks at once. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub initial_delay_seconds: Option<i32>,
    /// Seconds between two checks. 0 counts as unset. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub period_seconds: Option<i32>,
    /// Seconds after which a check without an answer has failed. 0 counts as unset. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub timeout_seconds: Option<i32>,
    /// How many checks in a row must fail before the kubelet acts. 0 counts as unset. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub failure_threshold: Option<i32>,
}

/// A readiness check of the free space of a directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskReadinessSpec {
    /// Whether the readiness probe also checks the disk. Default: false. It needs the readiness
    /// probe to be on, which then gets at least 5 s to answer. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Absolute path of the directory to check in the agent container; it must be writable.
    /// Default: `/home/openclaw/.openclaw`. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Free space in bytes below which the pod is not ready. Default: `64Mi`. A change restarts the
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_free: Option<QuantityValue>,
}

/// What may restart the pod without an edit by the user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutSpec {
    /// What happens when the operator alone would change the pod: a new version of it, or the first
    /// one after another operator was replaced. Default: the operator's flag
    /// `--rollout-on-upgrade`, which is `Hold` unless set. `Hold` leaves the pod as it is, `Roll`
    /// restarts it at once. A held change is listed in condition `RolloutPending`; it is applied
    /// with the next edit of the spec, in a maintenance window, or when the annotation
    /// `openclaw.rocks/approve-rollout` approves it.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OnOperatorUpgrade")]
    pub on_operator_upgrade: Option<OnOperatorUpgrade>,
}

/// What happens when only the operator has changed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum OnOperatorUpgrade {
    /// The pod stays as it is until the change is approved.
    #[default]
    Hold,
    /// The pod is restarted at once.
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

/// A repeated span of time in which held roll-outs and updates may happen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceWindow {
    /// When the window opens, as a cron expression with five fields: minute, hour, day of month,
    /// month, day of week.
    #[schemars(length(min = 1, max = 128))]
    pub schedule: String,
    /// IANA name of the time zone of `schedule`, for example `Europe/Berlin`. Default: `Etc/UTC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub time_zone: Option<String>,
    /// How long the window stays open, for example `2h` or `1h30m`. Units: `h`, `m`, `s`, `ms`.
    #[schemars(length(max = 32), regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub duration: String,
}
