//! The HTTPRoute: which Gateways and hosts lead to the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::context::Resolving;
use super::defaults::text;
use super::{NetworkPolicy, Service};
use crate::api::{HttpRouteSpec, OpenClawInstanceSpec, ParentRef};

const PATH: &str = "spec.networking.httpRoute";
/// An HTTPRoute that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HttpRoute {
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) parents: Vec<RouteParent>,
    pub(crate) hostnames: Vec<String>,
    /// Port of the Service.
    pub(crate) port: i32,
}

/// A Gateway that leads to the gateway.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RouteParent {
    pub(crate) name: String,
    /// `None` for that of the instance.
    pub(crate) namespace: Option<String>,
    /// `None` for all of its listeners.
    pub(crate) section: Option<String>,
}

/// Returns the HTTPRoute that is asked for.
fn asked(spec: &OpenClawInstanceSpec) -> Option<&HttpRouteSpec> {
    let route = spec.networking.as_ref()?.http_route.as_ref()?;
    (route.enabled == Some(true)).then_some(route)
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    service: &Service,
    policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) -> Option<HttpRoute> {
    let route = asked(spec)?;
    let parents = parents(route, cx);
    if let Some(policy) = policy {
        check_peers(policy, &parents, cx);
    }
    let hostnames: Vec<String> =
        route.hostnames.iter().flatten().filter(|name| !name.is_empty()).cloned().collect();
    check_hostnames(&hostnames, cx);
    Some(HttpRoute {
        annotations: route.annotations.clone().unwrap_or_default(),
        parents,
        hostnames,
        port: port(route.port, service, cx),
    })
}

fn parents(route: &HttpRouteSpec, cx: &mut Resolving<'_>) -> Vec<RouteParent> {
    let given = route.parent_refs.as_deref().unwrap_or_default();
    let path = format!("{PATH}.parentRefs");
    if given.is_empty() {
        cx.ineffective(path.as_str(), "is empty, so no Gateway leads to the agent: name one");
    }
    let mut seen = BTreeSet::new();
    let mut whole = BTreeSet::new();
    let mut all = Vec::new();
    for (index, ParentRef { name, namespace, section_name }) in given.iter().enumerate() {
        let at = format!("{path}[{index}]");
        let namespace = text(namespace.as_ref()).map(str::to_owned);
        let section = text(section_name.as_ref()).map(str::to_owned);
        let gateway = (name.clone(), namespace.clone());
        let parent = RouteParent { name: name.clone(), namespace, section };
        let is_whole = parent.section.is_none();
        let is_known = seen
            .iter()
            .any(|it: &RouteParent| (&it.name, &it.namespace) == (&gateway.0, &gateway.1));
        if seen.contains(&parent) || whole.contains(&gateway) || (is_whole && is_known) {
            cx.error(
                at,
                "names a Gateway for the second time: leave it out, or give each a `sectionName` \
                 of its own",
            );
        }
        if is_whole {
            whole.insert(gateway);
        }
        seen.insert(parent.clone());
        all.push(parent);
    }
    all
}

/// The pods of a Gateway may run elsewhere than the Gateway is.
fn check_peers(policy: &NetworkPolicy, parents: &[RouteParent], cx: &mut Resolving<'_>) {
    let is_closed = policy.ingress_namespaces.is_empty() && policy.ingress_cidrs.is_empty();
    if is_closed && !parents.is_empty() {
        cx.ineffective(
            "spec.security.networkPolicy.allowedIngressNamespaces",
            "names nobody, so the HTTPRoute leads to the agent only if the pods of its Gateways run \
             in the Gateways' namespaces: name that of the pods, for example \
             `envoy-gateway-system`, or in `allowedIngressCIDRs` the networks that they send from",
        );
    }
}

fn check_hostnames(hostnames: &[String], cx: &mut Resolving<'_>) {
    let path = format!("{PATH}.hostnames");
    for (index, host) in hostnames.iter().enumerate() {
        if host.parse::<IpAddr>().is_ok() {
            cx.error(
                format!("{path}[{index}]"),
                format!("{host:?} is an address: write the name of a host"),
            );
        }
    }
}

fn port(given: Option<i32>, service: &Service, cx: &mut Resolving<'_>) -> i32 {
    let path = format!("{PATH}.port");
    match (given, service.gateway) {
        (Some(port), _) if service.has(port) => return port,
        (Some(port), _) => {
            cx.error(path, format!("the Service has no port {port}: it has {}", service.listed()));
        }
        (None, Some(gateway)) => return gateway,
        // Of a Service without ports it is said that it leads nowhere.
        (None, None) if service.leads_nowhere() => {}
        (None, None) => cx.error(
            path,
            format!(
                "is needed, since no port of the Service leads to the gateway: it has {}",
                service.listed()
            ),
        ),
    }
    given.unwrap_or_default()
}

/// Origins of browsers that come through the route, and whether there are others that nobody can
/// know: of any host, and of those that a wildcard means. A Gateway may encrypt or not.
pub(super) fn origins(spec: &OpenClawInstanceSpec) -> (Vec<String>, bool) {
    let Some(route) = asked(spec) else { return (Vec::new(), false) };
    let named: Vec<&String> =
        route.hostnames.iter().flatten().filter(|name| !name.is_empty()).collect();
    let unknown = named.is_empty() || named.iter().any(|name| name.starts_with('*'));
    let plain = named.into_iter().filter(|name| !name.starts_with('*'));
    (plain.map(|name| format!("https://{name}")).collect(), unknown)
}
