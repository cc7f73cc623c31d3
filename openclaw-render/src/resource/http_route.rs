//! `HTTPRoute`: leads clients from Gateways to the Service.
//!
//! - Present when: `spec.networking.httpRoute` is on.
//! - Reads: Gateways, host names, annotations, port of the Service.
//! - Restarts pods: never.

use super::meta;
use crate::gateway_api::{
    BackendReference, HTTPPathMatch, HTTPRoute, HTTPRouteMatch, HTTPRouteRule, HTTPRouteSpec,
    ParentReference,
};
use crate::resolve::{Resolved, RouteParent};

pub(super) fn render(instance: &Resolved) -> Option<HTTPRoute> {
    let route = instance.http_route.as_ref()?;
    let mut metadata = meta::with_owner(instance, instance.name.to_string());
    metadata.annotations = Some(route.annotations.clone()).filter(|each| !each.is_empty());
    let everything = HTTPPathMatch { type_: "PathPrefix".to_owned(), value: "/".to_owned() };
    Some(HTTPRoute {
        metadata,
        spec: HTTPRouteSpec {
            hostnames: route.hostnames.clone(),
            parent_refs: route.parents.iter().map(parent).collect(),
            rules: vec![HTTPRouteRule {
                backend_refs: vec![BackendReference {
                    group: String::new(),
                    kind: "Service".to_owned(),
                    name: instance.name.to_string(),
                    port: route.port,
                    weight: 1,
                }],
                matches: vec![HTTPRouteMatch { path: everything }],
            }],
        },
    })
}

fn parent(RouteParent { name, namespace, section }: &RouteParent) -> ParentReference {
    ParentReference {
        group: "gateway.networking.k8s.io".to_owned(),
        kind: "Gateway".to_owned(),
        name: name.clone(),
        namespace: namespace.clone(),
        section_name: section.clone(),
    }
}
