//! `OpenClawClusterDefaults`: defaults of the cluster.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct ClusterDefaultsSpec {
    /// Replaces the registry of every image that the operator brings. Counts for instances that
    /// name none; example: `mirror.example.com/team`. Has no default. A change replaces their pods, a few
    /// at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Image for instances that name none. The tag counts for those that set neither tag nor
    /// digest, the digest for those that set none of repository, tag and digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Environment variables of all agents. An instance's entry of the same name wins. At most 200.
    /// Defaults to none. A change replaces all pods, a few at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<EnvVar>>,
    /// Package managers and languages, where an instance does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_deps: Option<RuntimeDepsSpec>,
}

/// What the operator last saw of the defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenClawClusterDefaultsStatus {
    /// What holds of the defaults and what does not. Not written by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// The generation of the spec that this status describes. Not written by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// A spec that is there.
#[derive(Deserialize)]
#[serde(transparent)]
struct Present(#[serde(deserialize_with = "ClusterDefaultsSpec::deserialize")] ClusterDefaultsSpec);

/// An object without a spec has an empty one, as the schema allows.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::{ClusterDefaultsSpec, OpenClawClusterDefaults};

    #[test]
    fn defaults_without_a_spec_have_an_empty_one() {
        for object in [
            json!({"metadata": {"name": "cluster"}}),
            json!({"metadata": {"name": "cluster"}, "spec": null}),
        ] {
            let defaults: OpenClawClusterDefaults = serde_json::from_value(object).unwrap();
            assert_eq!(defaults.spec, ClusterDefaultsSpec::default());
        }
    }

    #[test]
    fn defaults_are_written_as_they_were_read() {
        let spec = json!({"image": {"tag": "2026.9.6"}, "runtimeDeps": {"pnpm": false}});
        let read: ClusterDefaultsSpec = serde_json::from_value(spec.clone()).unwrap();
        assert_eq!(json!(read), spec);
    }
}
