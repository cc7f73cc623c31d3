//! Browser, Tailscale, NetBird, local models, web terminal.

use std::fmt;

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{QuantityValue, ResourcesSpec, SidecarImage, empty_is_unset};

/// A headless browser in the agent's pod, for its browser tools.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChromiumSpec {
    /// Whether a browser runs in the agent's pod. The agent alone reaches it. Defaults to false. A
    /// change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Image of the browser. Defaults to `docker.io/chromedp/headless-shell:stable`, which takes the
    /// place of `ghcr.io/browserless/chromium`, too. One of another name is started by its own entry
    /// point and must answer on port 9222. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the browser. Defaults to requests of 250m and 512Mi, and limits of 1 and
    /// 2Gi. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// The volume of the browser's profile: cookies, logins, local storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<ChromiumPersistence>,
    /// Arguments of the browser, for example `--lang=de`. One that the operator sets too takes its
    /// place; `--disable-features` and `--disable-blink-features` are added to. Defaults to none. A
    /// change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_args: Option<Vec<String>>,
    /// Environment variables of the browser's container. Defaults to none. A change replaces the
    /// pod, also one of a Secret or ConfigMap that they refer to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_env: Option<Vec<EnvVar>>,
}

/// The volume of the browser's profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChromiumPersistence {
    /// Whether the browser's profile outlives the pod. Defaults to false. A change replaces the pod;
    /// the claim stays until the instance goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// StorageClass of the profile's claim. Empty text means no dynamic provisioning. Defaults to
    /// the cluster's default class. Once set it cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Size of the profile's claim, for example `2Gi`. A larger one expands the claim if its class
    /// allows that; a smaller one has no effect. Defaults to `1Gi`. A change leaves the running pod
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<QuantityValue>,
    /// Name of a claim of your own for the profile. Has no default: `<name>-chromium-data` is made,
    /// and goes with the instance. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
}

/// Who reaches the agent through Tailscale.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum TailscaleMode {
    /// Devices of the tailnet.
    #[serde(rename = "serve")]
    #[default]
    Serve,
    /// Everyone on the internet.
    #[serde(rename = "funnel")]
    Funnel,
}

impl fmt::Display for TailscaleMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serve => "serve",
            Self::Funnel => "funnel",
        })
    }
}

/// Access to the agent through a Tailscale network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TailscaleSpec {
    /// Whether the agent joins a tailnet. Excludes `netbird`. Defaults to false. A change replaces the
    /// pod; its identity stays in the Secret `<name>-ts-state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who reaches the agent through Tailscale. `serve`: devices of the tailnet; `funnel`: everyone
    /// on the internet. Defaults to `serve`. A change takes effect within a minute, without a new
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "TailscaleMode")]
    pub mode: Option<TailscaleMode>,
    /// Secret with the key with which the agent joins. Has no default; without it someone must
    /// admit the agent by hand. A change replaces the pod, also one of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_key_secret_ref: Option<LocalObjectReference>,
    /// Key in that Secret. Defaults to `authkey`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_key_secret_key: Option<String>,
    /// Name of the agent in the tailnet; capitals become small letters. Defaults to the instance's
    /// name. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Whether members of the tailnet are signed in by their identity there. Defaults to false.
    /// A change becomes part of openclaw.json, without a new pod.
    #[serde(rename = "authSSO", skip_serializing_if = "Option::is_none")]
    pub auth_sso: Option<bool>,
    /// Image of Tailscale. Defaults to `ghcr.io/tailscale/tailscale:latest`. A change replaces
    /// the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of Tailscale. Defaults to requests of 50m and 64Mi, and limits of 200m and
    /// 256Mi. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// Access to the agent through a NetBird network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetbirdSpec {
    /// Whether the agent joins a NetBird network, in user space. Its members reach every port that
    /// the pod has on loopback, as far as the network's policies let them. Excludes `tailscale`.
    /// Defaults to false. A change replaces the pod; its identity stays on the agent's volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Secret with the setup key with which the agent joins. Has no default; without it someone must
    /// admit the agent by hand. A change replaces the pod, also one of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_key_secret_ref: Option<LocalObjectReference>,
    /// Key in that Secret that holds the setup key. Defaults to `setupkey`. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_key_secret_key: Option<String>,
    /// Address of the management server, if it is your own. Example:
    /// `https://netbird.example.com`. Its port is opened in the NetworkPolicy. Defaults to that of
    /// NetBird. A change replaces the pod.
    #[serde(rename = "managementURL", skip_serializing_if = "Option::is_none")]
    pub management_url: Option<String>,
    /// Name of the agent in the network; capitals become small letters. Defaults to the instance's
    /// name. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Image of NetBird. Defaults to `docker.io/netbirdio/netbird:latest`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of NetBird. Defaults to requests of 50m and 64Mi, and limits of 200m and 256Mi.
    /// A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// A server for local models in the agent's pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OllamaSpec {
    /// Whether an Ollama server runs in the agent's pod. It runs as the pod's user, and listens for the
    /// pod alone, on port 11434. Defaults to false. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Image of Ollama. Defaults to `docker.io/ollama/ollama:latest`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// Models to fetch before the agent starts, for example `llama3.2:3b`. At most 10. What is there
    /// is not fetched again, and what cannot be fetched within half an hour does not keep the agent
    /// from starting. Defaults to none. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// CPU and memory of Ollama, which holds its models in memory. Defaults to requests of 500m and
    /// 1Gi, and limits of 2 and 4Gi. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// The volume that models are kept on. Defaults to an emptyDir of 20Gi, which goes with the
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<OllamaStorage>,
    /// Number of NVIDIA GPUs for Ollama, 0 or more, as `nvidia.com/gpu`. Defaults to 0. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<i32>,
}

/// The volume that models are kept on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OllamaStorage {
    /// Most space that models may take without a claim. A pod that takes more is evicted.
    /// Defaults to `20Gi`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<QuantityValue>,
    /// Name of a claim of your own for the models. The pod's user must be able to write to it. Has no
    /// default: they are in an emptyDir and go with the pod. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
}

/// A terminal on the agent's files, used from a browser.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebTerminalSpec {
    /// Whether a web terminal runs in the agent's pod, on port 7681. It has the agent's user and HOME,
    /// so who uses it has the agent. Defaults to false. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Image of the terminal, with a program `ttyd`. Defaults to `docker.io/tsl0922/ttyd:latest`. A
    /// change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the terminal. Defaults to requests of 50m and 64Mi, and limits of 200m and
    /// 128Mi. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Whether the terminal takes no input and cannot write files. Defaults to false. A change replaces
    /// the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Who may use the terminal. Has no default: without it the terminal listens for the pod alone,
    /// and is reached by `kubectl port-forward`. With it, those whom the NetworkPolicy lets in find it
    /// on port 7681 of the Service. A change replaces the pod, also one of the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<WebTerminalCredential>,
}

/// Who may use the terminal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebTerminalCredential {
    /// Secret with the keys `username` and `password`. Required.
    pub secret_ref: LocalObjectReference,
}
