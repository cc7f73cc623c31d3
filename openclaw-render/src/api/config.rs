//! openclaw.json: inline or by reference, and what happens to the agent's own changes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ResourcesSpec;
use super::quantity::empty_is_unset;

/// Where openclaw.json comes from and how it reaches the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSpec {
    /// A key of a ConfigMap that holds openclaw.json. When it is set, `raw` is ignored. A change of
    /// its content is handed to the running agent and does not restart the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapKeyRef>,
    /// openclaw.json, written inline as an object. Default: an empty object. A change is handed to
    /// the running agent and does not restart the pod. Keys that the operator owns, such as the
    /// gateway's address and authentication, are added when it is rendered; where the user's value
    /// may win, it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::any_object")]
    pub raw: Option<Value>,
    /// What happens to changes that the agent made to its own openclaw.json: with `overwrite` they
    /// are replaced by the rendered file, with `merge` the rendered values are merged over the
    /// agent's file. Default: `overwrite`.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MergeMode")]
    pub merge_mode: Option<MergeMode>,
    /// How the text of `configMapRef` is to be read: `json`, or `json5` with comments, trailing
    /// commas and unquoted keys. `raw` is an object either way. Default: `json`.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ConfigFormat")]
    pub format: Option<ConfigFormat>,
    /// Paths in openclaw.json, such as `agents.defaults.model`, at which the rendered value wins
    /// over the agent's changes. Only allowed with `mergeMode: merge`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), inner(length(max = 253), regex(pattern = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")), extend("x-kubernetes-list-type" = "set"))]
    pub force_paths: Option<Vec<String>>,
    /// The sidecar that checks each new openclaw.json and hands it to the running agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<ConfigSyncSpec>,
}

/// One key of a ConfigMap in the namespace of the instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap. While it does not exist, condition `ConfigValid` is false and the
    /// running pod is left alone.
    pub name: String,
    /// Key that holds the text. Default: `openclaw.json`; empty counts as unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Size of the sidecar `config-sync`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSyncSpec {
    /// CPU and memory of the sidecar. Validating a file needs up to 210 MB for one or two seconds.
    /// Defaults: requests `10m` CPU and `32Mi` memory, limits `1` CPU and `320Mi` memory. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// What happens to changes that the agent made to its own openclaw.json.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum MergeMode {
    /// They are replaced by the rendered file.
    #[serde(rename = "overwrite")]
    #[default]
    Overwrite,
    /// They are kept; the rendered values are merged over the file.
    #[serde(rename = "merge")]
    Merge,
}

impl fmt::Display for MergeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overwrite => "overwrite",
            Self::Merge => "merge",
        })
    }
}

/// How the text of openclaw.json is read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum ConfigFormat {
    /// Strict JSON.
    #[serde(rename = "json")]
    #[default]
    Json,
    /// JSON5: comments, trailing commas and unquoted keys are allowed.
    #[serde(rename = "json5")]
    Json5,
}

impl fmt::Display for ConfigFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Json5 => "json5",
        })
    }
}
