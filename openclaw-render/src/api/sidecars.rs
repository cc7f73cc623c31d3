//! Browser, tailnet, local models, web terminal.

use std::fmt;

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{QuantityValue, ResourcesSpec, SidecarImage, empty_is_unset};

/// A browser beside the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChromiumSpec {
    /// Whether there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// Its CPU and memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// The volume of its profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<ChromiumPersistence>,
    /// Arguments of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_args: Option<Vec<String>>,
    /// Environment of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_env: Option<Vec<EnvVar>>,
}

/// The volume of the browser's profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChromiumPersistence {
    /// Whether the profile outlives the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Class of the claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Size of the claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<QuantityValue>,
    /// A claim of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
}

/// Who reaches the agent through the tailnet.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum TailscaleMode {
    /// Devices of the tailnet.
    #[serde(rename = "serve")]
    #[default]
    Serve,
    /// Everyone.
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

/// Access through a tailnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TailscaleSpec {
    /// Whether the agent joins one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who reaches it.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "TailscaleMode")]
    pub mode: Option<TailscaleMode>,
    /// Secret with the key for joining.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_key_secret_ref: Option<LocalObjectReference>,
    /// Key in that Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_key_secret_key: Option<String>,
    /// Name in the tailnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Whether the identity in the tailnet signs in.
    #[serde(rename = "authSSO", skip_serializing_if = "Option::is_none")]
    pub auth_sso: Option<bool>,
    /// Image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// Local models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OllamaSpec {
    /// Whether there is a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// Models to fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Its CPU and memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Where models are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<OllamaStorage>,
    /// Number of GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<i32>,
}

/// Where models are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OllamaStorage {
    /// Limit of the pod's own storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<QuantityValue>,
    /// A claim of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
}

/// A terminal in the browser.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebTerminalSpec {
    /// Whether there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// Its CPU and memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Whether it only shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Who may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<WebTerminalCredential>,
}

/// Who may use the terminal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebTerminalCredential {
    /// Secret with the keys `username` and `password`.
    pub secret_ref: LocalObjectReference,
}
