//! placeholder
use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;
/// An object of any content.
pub(super) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}
/// All.
pub fn custom_resource_definitions() -> Vec<Value> {
    [super::OpenClawClusterDefaults::crd(), super::OpenClawInstance::crd()]
        .iter()
        .filter_map(|crd| serde_json::to_value(crd).ok())
        .collect()
}
