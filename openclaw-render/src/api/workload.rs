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
    /// When the node does not have it.
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

/// The agent's image and the version of OpenClaw in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageSpec {
    /// Repository of the image, without tag. Defaults to `ghcr.io/openclaw/openclaw`. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Tag of the image, for example `2026.9.6`. A digest may follow: `2026.9.6@sha256:…`. Defaults to
    /// `latest`, which may bring another version whenever a pod starts: pin a release. Beside
    /// `digest` it only tells the version. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Digest of the image, `sha256:` and 64 lower-case hexadecimal digits. It wins over `tag`. Has
    /// no default. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When the kubelet pulls the image. `IfNotPresent`: when the node does not have it; `Always`:
    /// whenever a container starts; `Never`: the node must have it. Defaults to `IfNotPresent`. A
    /// change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "PullPolicy")]
    pub pull_policy: Option<PullPolicy>,
    /// Secrets of type `kubernetes.io/dockerconfigjson` for every image of the pod. Defaults to
    /// none. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_secrets: Option<Vec<LocalObjectReference>>,
    /// Version of OpenClaw in the image, written `YYYY.M.P`. Needed where the tag does not tell, as
    /// beside a digest: configuration and probes are made for it. Defaults to the newest that the
    /// operator knows. A change replaces the pod only if that version has other probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Image of a helper container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SidecarImage {
    /// Repository of the image, without tag. Defaults to the one that `image` names. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Tag of the image, ignored beside `digest`. Defaults to the one that `image` names. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Digest of the image, `sha256:` and 64 lower-case hexadecimal digits. It wins over `tag`. Has
    /// no default. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// CPU and memory of a container. Each of the four values has a default of its own; a default never
/// makes a request exceed a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourcesSpec {
    /// What the scheduler sets aside for the container. An unset value takes the default that
    /// `resources` names, or the limit if that is lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<ResourceList>,
    /// What the container may use at most. An unset value takes the default that `resources` names,
    /// or the request if that is higher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceList>,
}

/// An amount of CPU and one of memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceList {
    /// CPU in cores, for example `500m` or `2`. 0 or more. Defaults to what `resources` names. A
    /// change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<QuantityValue>,
    /// Memory in bytes, for example `512Mi` or `4Gi`. 0 or more. Defaults to what `resources`
    /// names. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<QuantityValue>,
}

/// Package managers and languages that the agent finds on its volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeDepsSpec {
    /// Whether pnpm is installed for the agent. The image's npm puts it into `~/.local/bin`, once.
    /// An agent starts without it where that fails, and `RuntimeDepsReady` says why. Defaults to
    /// OpenClawClusterDefaults, then to false. A change replaces the pod; what is there stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pnpm: Option<bool>,
    /// Whether Python 3.12 and uv are installed for the agent. uv puts them into `~/.local/bin`,
    /// once; they need an image with glibc. An agent starts without them where that fails, and
    /// `RuntimeDepsReady` says why. Defaults to OpenClawClusterDefaults, then to false. A change
    /// replaces the pod; what is there stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<bool>,
    /// Image with uv, of the container that installs Python. Defaults to
    /// `ghcr.io/astral-sh/uv:0.6-bookworm-slim`. Counts only with `python`. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uv_image: Option<SidecarImage>,
    /// CPU and memory of each container that installs them. Defaults to requests of 50m and 128Mi,
    /// limits of 1 and 1Gi. Counts only with `pnpm` or `python`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// How skills and plugins are installed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsInstallSpec {
    /// CPU and memory of each container that installs them. Defaults to requests of 50m and 128Mi,
    /// limits of 1 and 2Gi. Counts only with `skills` or `plugins`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Seconds that each of those containers has. 30 to 3600. What is not installed by then is
    /// missing, and tried again by the next pod, which waits a minute for it. Defaults to 600.
    /// Counts only with `skills` or `plugins`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
}

/// How the kubelet finds out whether the agent is well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbesSpec {
    /// Restarts the agent's container when the gateway no longer answers. Defaults to the first
    /// probe after 30 s, one every 10 s, 5 s to answer, and 3 failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<ProbeSpec>,
    /// Takes the agent out of the Service while it cannot work. Defaults to the first probe after 5
    /// s, one every 5 s, 3 s to answer, and 3 failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<ProbeSpec>,
    /// Keeps the other two waiting until the agent has started. Defaults to the first probe after 5
    /// s, one every 5 s, 3 s to answer, and 60 failures: five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<ProbeSpec>,
    /// Makes readiness also depend on the free space of a volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_readiness: Option<DiskReadinessSpec>,
}

/// When a probe runs, and when it has failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbeSpec {
    /// Whether the kubelet runs this probe. Defaults to true. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Seconds from the container's start to the first probe. 0 or more. Defaults to 30 for
    /// liveness, 5 for the others. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<i32>,
    /// Seconds from one probe to the next. 1 or more. Defaults to 10 for liveness, 5 for the
    /// others. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<i32>,
    /// Seconds in which the answer must come. 1 or more; at least 5 count for a readiness with
    /// `diskReadiness`. Defaults to 5 for liveness, 3 for the others. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i32>,
    /// Failures in a row after which the kubelet acts. 1 or more. Defaults to 60 for startup, 3 for
    /// the others. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<i32>,
}

/// A look at the free space of a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskReadinessSpec {
    /// Whether readiness looks at the free space. Defaults to false. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Directory whose volume is looked at, an absolute path. It must be writable for the agent.
    /// Defaults to `/home/openclaw/.openclaw`, the state. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Free space below which the agent is not ready. In bytes, for example `1Gi`. Defaults to
    /// `64Mi`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_free: Option<QuantityValue>,
}
