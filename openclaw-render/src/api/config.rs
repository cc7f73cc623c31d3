//! openclaw.json: inline, by reference, merge mode.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ResourcesSpec, empty_is_unset};

/// How the rendered configuration and the file on the volume become one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum MergeMode {
    /// The rendered configuration is the file.
    #[serde(rename = "overwrite")]
    #[default]
    Overwrite,
    /// The rendered configuration is merged into the file.
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

/// How the configuration is written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ConfigFormat {
    /// JSON.
    #[serde(rename = "json")]
    #[default]
    Json,
    /// JSON5: JSON with comments, trailing commas and single quotes.
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

/// The agent's openclaw.json. The operator adds what a pod needs and hands the result to the
/// running gateway: a change does not replace the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSpec {
    /// A ConfigMap that holds the configuration. It wins over `raw`; a change of its content is
    /// picked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapKeyRef>,
    /// The configuration itself, an object.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(schema_with = "super::schema::any_object")]
    pub raw: Option<Value>,
    /// How the rendered configuration and the file on the volume become one: with `overwrite` the
    /// former is the file, with `merge` it is merged into the file. Default `overwrite`.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "MergeMode")]
    pub merge_mode: Option<MergeMode>,
    /// How the content of `configMapRef` is written: `json`, or `json5` with comments, trailing
    /// commas and single quotes. Default `json`.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "ConfigFormat")]
    pub format: Option<ConfigFormat>,
    /// Dot-separated paths that `merge` takes from here even if the agent changed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_paths: Option<Vec<String>>,
    /// The sidecar that validates and writes openclaw.json.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<ConfigSyncSpec>,
}

/// The sidecar that validates and writes openclaw.json.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSyncSpec {
    /// Its CPU and memory. Default: 10m and 32Mi requested, 1 and 1Gi at most; one validation takes
    /// up to 210 MB, a migration of retired keys up to 600 MB. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// A key of a ConfigMap in the instance's namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap.
    pub name: String,
    /// Key in its `data`. Default `openclaw.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
