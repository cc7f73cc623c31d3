//! The finished `CustomResourceDefinition`s.

use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{OpenClawClusterDefaults, OpenClawInstance};

/// Schema of an object whose fields are not ours to name.
pub(super) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// All custom resource definitions, sorted by name.
#[must_use]
pub fn custom_resource_definitions() -> Vec<Value> {
    [OpenClawClusterDefaults::crd(), OpenClawInstance::crd()]
        .iter()
        .filter_map(|crd| serde_json::to_value(crd).ok())
        .collect()
}
