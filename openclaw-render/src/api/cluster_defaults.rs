//! `OpenClawClusterDefaults`: defaults of the cluster.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ImageSpec, RuntimeDepsSpec};

/// Defaults for all instances of the cluster. Only the object named `cluster` counts.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "openclaw.rocks",
    version = "v1alpha1",
    kind = "OpenClawClusterDefaults",
    plural = "openclawclusterdefaults",
    singular = "openclawclusterdefaults",
    shortname = "occd",
    status = "OpenClawClusterDefaultsStatus",
    derive = "PartialEq",
    doc = "Defaults for all instances of the cluster. Only the object named `cluster` counts.",
    printcolumn = r#"{"name":"Registry","type":"string","jsonPath":".spec.registry"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDefaultsSpec {
    /// Registry for instances that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Image for instances. The tag counts for those that set neither tag nor digest, the digest
    /// for those that set none of repository, tag and digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Environment variables for all agents; an instance's entry of the same name wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<EnvVar>>,
    /// Package managers, where an instance does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_deps: Option<RuntimeDepsSpec>,
}

/// What the operator last saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawClusterDefaultsStatus {
    /// What is and what is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// The generation of the spec that all this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}
