//! `Service`: where clients find the gateway.
//!
//! - Present when: always.
//! - Reads: type, annotations, published ports of the pod's parts.
//! - Restarts pods: never.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::meta;
use crate::pod::part::{Part, Port};
use crate::resolve::Resolved;
use crate::vocab::labels;

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> Service {
    let listening = parts.iter().flat_map(|part| &part.ports);
    let mut metadata = meta::with_owner(instance, instance.name.to_string());
    metadata.annotations =
        Some(instance.service.annotations.clone()).filter(|each| !each.is_empty());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            ports: Some(listening.filter_map(Port::of_service).collect()),
            selector: Some(labels::selecting(&instance.name)),
            type_: Some(instance.service.service_type.to_string()),
            ..Default::default()
        }),
        ..Default::default()
    }
}
