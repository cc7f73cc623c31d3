//! Image, resources and probes.

use std::fmt;

use k8s_openapi::api::core::v1::LocalObjectReference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{QuantityValue, empty_is_unset};

/// When the kubelet pulls an image.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum PullPolicy {
    /// Only when the node does not have it.
    #[default]
    IfNotPresent,
    /// Whenever a container starts.
    Always,
    /// Never: the node must have it.
    Never,
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IfNotPresent => "IfNotPresent",
            Self::Always => "Always",
            Self::Never => "Never",
        })
    }
}

/// The agent's image. A change of it replaces the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageSpec {
    /// Repository without tag, for example `ghcr.io/openclaw/openclaw`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Tag, for example `2026.9.6`. Default `latest`, which brings whatever is newest at the next
    /// start: pin a release. Ignored when `digest` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Digest, `sha256:` and 64 hexadecimal digits. It wins over the tag and turns automatic
    /// updates off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When the kubelet pulls the image: when the node does not have it (`IfNotPresent`), whenever a
    /// container starts (`Always`), or not at all (`Never`). Default `IfNotPresent`.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "PullPolicy")]
    pub pull_policy: Option<PullPolicy>,
    /// Secrets of type `kubernetes.io/dockerconfigjson` for pulling this and the helper images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_secrets: Option<Vec<LocalObjectReference>>,
    /// Version that the image runs, `YYYY.M.P`, where tag and digest do not tell. The configuration
    /// is rendered for it. Default: the newest version that the operator knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Image of a helper container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SidecarImage {
    /// Repository without tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Tag. Ignored when `digest` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Digest, `sha256:` and 64 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Image and size of a helper container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SidecarSettings {
    /// Its image. Default: the one that the operator was tested with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// Its CPU and memory. Default: what it was measured to need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// CPU and memory of a container. Each of the four values has a default of its own; a default never
/// makes a request exceed a limit. A change replaces the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourcesSpec {
    /// What the scheduler sets aside. Default for the agent: 500m CPU, 1Gi memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<ResourceList>,
    /// What the container may use at most. Default for the agent: 2 CPU, 4Gi memory; three quarters
    /// of the memory become the bound of its heap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceList>,
}

/// An amount of CPU and one of memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceList {
    /// CPU in cores, for example `500m` or `2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<QuantityValue>,
    /// Memory in bytes, for example `4Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<QuantityValue>,
}

/// Package managers that are installed onto the data volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeDepsSpec {
    /// Whether pnpm is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pnpm: Option<bool>,
    /// Whether Python is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<bool>,
    /// Image of the container that installs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of that container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// How the kubelet finds out how the agent is. The probes run inside the pod and read the answer of
/// the gateway on loopback. A change replaces the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbesSpec {
    /// Restarts the agent when it no longer answers. Default: after 30 s, every 10 s, 5 s to
    /// answer, 3 failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<ProbeSpec>,
    /// Takes the agent out of the Service while it cannot work. Default: after 5 s, every 5 s, 3 s
    /// to answer, 3 failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<ProbeSpec>,
    /// Keeps the other two waiting until the agent has started. Default: after 5 s, every 5 s, 3 s
    /// to answer, 60 failures: five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<ProbeSpec>,
    /// Lets readiness look at the free space of a volume, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_readiness: Option<DiskReadinessSpec>,
}

/// When a probe runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbeSpec {
    /// Whether there is this probe. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Seconds between the start of the container and the first probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<i32>,
    /// Seconds between two probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<i32>,
    /// Seconds in which the answer must come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i32>,
    /// How many failures in a row count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<i32>,
}

/// A look at the free space of a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskReadinessSpec {
    /// Whether readiness looks at it. Default false. If so, a readiness probe gets at least 5 s to
    /// answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Absolute path in the agent's container. It must be writable. Default the state directory,
    /// `/home/openclaw/.openclaw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Free space below which the agent is not ready. Default `64Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_free: Option<QuantityValue>,
}
