//! openclaw.json: inline, by reference, merge mode.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ResourcesSpec, empty_is_unset};

/// How the rendered configuration meets the file on the volume.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum MergeMode {
    /// The rendered configuration is the file.
    #[serde(rename = "overwrite")]
    #[default]
    Overwrite,
    /// The rendered configuration is merged into the file, and what the agent wrote stays.
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

/// How the content of the ConfigMap is written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ConfigFormat {
    /// As JSON.
    #[serde(rename = "json")]
    #[default]
    Json,
    /// As JSON5: with comments, trailing commas and single quotes.
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

/// The agent's openclaw.json. The operator adds what a pod needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSpec {
    /// A ConfigMap that holds openclaw.json. It wins over `raw`. Has no default. A change, also of
    /// its content, goes live without a new pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapKeyRef>,
    /// The content of openclaw.json, as an object. Example: `{agents: {defaults: {model: {primary:
    /// anthropic/claude-opus-4}}}}`. Ignored beside `configMapRef`. Defaults to an empty object. A
    /// change goes live without a new pod.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(schema_with = "super::schema::any_object")]
    pub raw: Option<Value>,
    /// How the rendered file meets the one on the volume. `overwrite` takes its place; `merge`
    /// keeps what the agent wrote there, until the same key is changed here. Defaults to
    /// `overwrite`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "MergeMode")]
    pub merge_mode: Option<MergeMode>,
    /// How the content of `configMapRef` is written. `json5` also allows comments, trailing commas
    /// and single quotes. Defaults to `json`. A change goes live without a new pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "ConfigFormat")]
    pub format: Option<ConfigFormat>,
    /// Paths that `mergeMode: merge` takes from here, whatever the agent wrote. Keys with dots
    /// between them, for example `tools.exec`; at most 20. Defaults to none; `gateway.auth`, `bind`,
    /// `mode`, `port`, `tls` and `trustedProxies` of `gateway` are always among them. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_paths: Option<Vec<String>>,
    /// The sidecar that lets the application judge openclaw.json, then hands it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<ConfigSyncSpec>,
}

/// The sidecar that lets the application judge openclaw.json, then hands it over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSyncSpec {
    /// CPU and memory of this sidecar. Defaults to requests of 10m and 32Mi, and limits of 1 and
    /// 1Gi; one validation takes up to 210 MB, a migration of retired keys up to 600 MB. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// A key of a ConfigMap in the instance's namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap, in the instance's namespace. Required; while it is missing, nothing
    /// is changed and `ConfigValid` is False. A change goes live without a new pod.
    pub name: String,
    /// Key in the ConfigMap's `data` that holds the file. Defaults to `openclaw.json`. A change
    /// goes live without a new pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
