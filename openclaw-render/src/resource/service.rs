//! `Service`: where clients find the gateway.
//!
//! - Present when: always.
//! - Reads: type, annotations, whether the proxy is on.
//! - Restarts pods: never.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::resolve::Resolved;
use crate::vocab::{labels, meta, ports};

pub(super) fn render(instance: &Resolved) -> Service {
    let mut metadata = meta::owned(instance, instance.name.to_string());
    metadata.annotations =
        Some(instance.service.annotations.clone()).filter(|each| !each.is_empty());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            ports: Some(vec![ServicePort {
                // Browsers and channels keep WebSockets open (KEP-3726).
                app_protocol: Some("kubernetes.io/ws".to_owned()),
                name: Some(ports::GATEWAY_NAME.to_owned()),
                port: ports::GATEWAY,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::Int(entrance(instance))),
                ..Default::default()
            }]),
            selector: Some(labels::selecting(&instance.name)),
            type_: Some(instance.service.service_type.to_string()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The pod's port that clients are led to.
pub(super) fn entrance(instance: &Resolved) -> i32 {
    if instance.proxy.is_some() { ports::PROXY } else { ports::GATEWAY }
}
