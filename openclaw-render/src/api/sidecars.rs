//! Helper containers: a browser, local models, a web terminal.

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{QuantityValue, ResourcesSpec, SidecarImage};

/// A browser for the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChromiumSpec {
    /// Whether the browser runs next to the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Image of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Volume of the browser's profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<ChromiumPersistence>,
    /// Further command line flags of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_args: Option<Vec<String>>,
    /// Further environment variables of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_env: Option<Vec<EnvVar>>,
}

/// Volume of the browser's profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChromiumPersistence {
    /// Whether the profile outlives the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// StorageClass of the claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Size of the claim in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<QuantityValue>,
    /// Name of a claim to use instead of making one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
}

/// Language models that run next to the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OllamaSpec {
    /// Whether the model server runs next to the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Image of the model server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// Models that are fetched before the agent starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    pub models: Option<Vec<String>>,
    /// CPU and memory of the model server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Volume of the models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<OllamaStorage>,
    /// Number of NVIDIA GPUs of the model server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub gpu: Option<i32>,
}

/// Volume of the models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OllamaStorage {
    /// Greatest size of the temporary volume in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<QuantityValue>,
    /// Name of a claim to use instead of a temporary volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
}

/// A terminal in the browser.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebTerminalSpec {
    /// Whether the terminal runs next to the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Image of the terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Whether the terminal only shows and takes no input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Who may open the terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<WebTerminalCredential>,
}

/// User name and password of the terminal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebTerminalCredential {
    /// Secret with keys `username` and `password`.
    pub secret_ref: LocalObjectReference,
}
