//! `OpenClawClusterDefaults`: what instances inherit that leave a field out.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ImageSpec, RuntimeDepsSpec};

/// What instances inherit that leave a field out.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "openclaw.rocks",
    version = "v1alpha1",
    kind = "OpenClawClusterDefaults",
    plural = "openclawclusterdefaults",
    singular = "openclawclusterdefaults",
    shortname = "occd",
    status = "OpenClawClusterDefaultsStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "OpenClawClusterDefaults holds what all instances of the cluster inherit where they leave a field out. Only the object named `cluster` counts, and no other name is accepted.",
    printcolumn(name = "Registry", type_ = "string", json_path = ".spec.registry"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct ClusterDefaultsSpec {
    /// Registry that takes the place of the host in the images of the operator's containers, for
    /// example `registry.example.com/mirror`. Instances that set `spec.registry` keep theirs.
    /// Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Image of the agent for instances that leave it out. Repository, tag and digest are one
    /// reference: the digest is inherited only by instances that set neither repository, tag nor
    /// digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Environment variables of every agent. A variable of the same name in an instance wins as a
    /// whole. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub env: Option<Vec<EnvVar>>,
    /// Tools that are installed next to the agent, for instances that leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_deps: Option<RuntimeDepsSpec>,
}

/// The specification of an object that has one.
#[derive(Deserialize)]
#[serde(transparent)]
struct Present(#[serde(deserialize_with = "ClusterDefaultsSpec::deserialize")] ClusterDefaultsSpec);

/// An object without `spec` has an empty one, as the schema allows.
impl<'de> Deserialize<'de> for ClusterDefaultsSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Option::<Present>::deserialize(deserializer)?;
        Ok(spec.map(|Present(spec)| spec).unwrap_or_default())
    }
}

impl Serialize for ClusterDefaultsSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// What the operator reports about the defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawClusterDefaultsStatus {
    /// Whether the defaults are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Option<Vec<Condition>>,
    /// Generation of the spec that the conditions speak of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}
