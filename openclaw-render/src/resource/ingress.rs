//! `Ingress`: leads clients outside of the cluster to the Service.
//!
//! - Present when: `spec.networking.ingress` is on.
//! - Reads: class, annotations, hosts, certificates, ports of the Service.
//! - Restarts pods: never.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule,
    IngressServiceBackend, IngressSpec, ServiceBackendPort,
};

use super::meta;
use crate::resolve::{self, IngressWay, Resolved};

pub(super) fn render(instance: &Resolved) -> Option<Ingress> {
    let ingress = instance.ingress.as_ref()?;
    let mut metadata = meta::with_owner(instance, instance.name.to_string());
    metadata.annotations = Some(ingress.annotations.clone()).filter(|each| !each.is_empty());
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: ingress.class.clone(),
            rules: Some(ingress.rules.iter().map(|each| rule(instance, each)).collect()),
            tls: Some(ingress.tls.clone()).filter(|tls| !tls.is_empty()),
            ..Default::default()
        }),
        ..Default::default()
    })
}

fn rule(instance: &Resolved, rule: &resolve::IngressRule) -> IngressRule {
    let paths = rule.paths.iter().map(|way| path(instance, way)).collect();
    IngressRule { host: rule.host.clone(), http: Some(HTTPIngressRuleValue { paths }) }
}

fn path(instance: &Resolved, way: &IngressWay) -> HTTPIngressPath {
    HTTPIngressPath {
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: instance.name.to_string(),
                port: Some(ServiceBackendPort { name: None, number: Some(way.port) }),
            }),
            resource: None,
        },
        path: Some(way.path.clone()),
        path_type: way.path_type.to_string(),
    }
}
