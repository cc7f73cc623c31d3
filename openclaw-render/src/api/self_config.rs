//! `OpenClawSelfConfig`: a change that an agent asks for.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A change that an agent asks for. The operator carries it out, if the instance allows it, and deletes it an hour later.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "openclaw.rocks",
    version = "v1alpha1",
    kind = "OpenClawSelfConfig",
    plural = "openclawselfconfigs",
    singular = "openclawselfconfig",
    shortname = "ocsc",
    namespaced,
    status = "OpenClawSelfConfigStatus",
    derive = "PartialEq",
    doc = "A change that an agent asks for. The operator carries it out, if the instance allows it, and deletes it an hour later.",
    printcolumn = r#"{"name":"Instance","type":"string","jsonPath":".spec.instanceRef"}"#,
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct SelfConfigSpec {
    /// Name of the instance that is to change, in the request's namespace. Required.
    pub instance_ref: String,
    /// Skills to add to the instance's. At most 10. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_skills: Option<Vec<String>>,
    /// Skills to remove that an earlier request added. At most 10. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_skills: Option<Vec<String>>,
    /// Keys of openclaw.json to set. Objects are merged, `null` removes a key that a request set,
    /// everything else is replaced. `gateway`, `env`, `secrets` and `$include` are protected. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(schema_with = "super::schema::any_object")]
    pub config_patch: Option<Value>,
    /// Files to write into the workspace, content by name. At most 10. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_workspace_files: Option<BTreeMap<String, String>>,
    /// Files to remove that an earlier request added. At most 10. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_workspace_files: Option<Vec<String>>,
    /// Environment variables to set. At most 10. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_env_vars: Option<Vec<SelfConfigEnvVar>>,
    /// Names of variables to remove that an earlier request added. At most 10. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_env_vars: Option<Vec<String>>,
}

/// An environment variable with a plain value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SelfConfigEnvVar {
    /// Name of the variable. Required.
    pub name: String,
    /// Text of the variable. Never a secret: who may read requests can read it. Required.
    pub value: String,
}

/// What became of a request.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum SelfConfigPhase {
    /// Nothing yet.
    Pending,
    /// It is in the instance's spec.
    Applied,
    /// It could not be carried out.
    Failed,
    /// The instance does not allow it.
    Denied,
}

/// What became of a request, why, and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawSelfConfigStatus {
    /// How far the request has come: `Pending`, `Applied`, `Failed` or `Denied`. Without one,
    /// nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "SelfConfigPhase")]
    pub phase: Option<SelfConfigPhase>,
    /// Why it was denied or failed, or what was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was carried out or given up. The request is deleted an hour later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
}
