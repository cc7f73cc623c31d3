//! `Service`: where clients find the gateway.
//!
//! - Present when: always.
//! - Reads: type, annotations, ports that were asked for, published ports of the pod's parts.
//! - Restarts pods: never.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::meta;
use crate::pod::part::{OpenTo, Part, Port};
use crate::resolve::{ChosenPort, Resolved};
use crate::vocab::labels;

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> Service {
    let mut metadata = meta::with_owner(instance, instance.name.to_string());
    metadata.annotations =
        Some(instance.service.annotations.clone()).filter(|each| !each.is_empty());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            ports: Some(ports(instance, parts)),
            selector: Some(labels::selecting(&instance.name)),
            // Each replica knows only its own conversations.
            session_affinity: instance.scaled().map(|_| "ClientIP".to_owned()),
            type_: Some(instance.service.reach.to_string()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Those that were asked for, and what is scraped; else those of the pod's containers.
pub(super) fn ports(instance: &Resolved, parts: &[Part]) -> Vec<ServicePort> {
    let listening = parts.iter().flat_map(|part| &part.ports);
    let chosen = &instance.service.ports;
    if chosen.is_empty() {
        return listening.filter_map(Port::of_service).collect();
    }
    let scraped = listening.filter(|port| port.open_to == OpenTo::Scrapers);
    let is_free = |port: &ServicePort| {
        let takes =
            |it: &ChosenPort| it.number == port.port || Some(&it.name) == port.name.as_ref();
        !chosen.iter().any(takes)
    };
    let scraped = scraped.filter_map(Port::of_service).filter(is_free);
    chosen.iter().map(|chosen| port(chosen, parts)).chain(scraped).collect()
}

fn port(chosen: &ChosenPort, parts: &[Part]) -> ServicePort {
    let mut listening = parts.iter().flat_map(|part| &part.ports);
    let behind = listening.find(|port| port.number == chosen.target);
    ServicePort {
        app_protocol: behind.and_then(|port| port.of_service()?.app_protocol),
        name: Some(chosen.name.clone()),
        node_port: chosen.node_port,
        port: chosen.number,
        protocol: Some(chosen.protocol.to_string()),
        target_port: Some(IntOrString::Int(chosen.target)),
    }
}
