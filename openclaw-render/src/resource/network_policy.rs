//! `NetworkPolicy`: nothing in, nothing out, then each opening with its reason.
//!
//! - Present when: `spec.security.networkPolicy` is on.
//! - Reads: its fields, `spec.networking.metricsIngress`, Gateways of the HTTPRoute, ports of the Service that were asked for, the operator's namespace, ports and egress of the pod's parts.
//! - Restarts pods: never.

use std::collections::BTreeSet;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{meta, service};
use crate::pod::egress::{self, block, port};
use crate::pod::part::{OpenTo, Part};
use crate::resolve::{self, Resolved, Scrapers};
use crate::vocab::{labels, ports};

/// HTTPS, HTTP within clusters, and what `MinIO` listens on.
const STORAGE_PORTS: [i32; 3] = [ports::HTTPS, 80, 9000];
/// Where clouds hand out the credentials of a pod's identity: EKS, and GKE with its two data planes.
const IDENTITY_ADDRESSES: [&str; 4] =
    ["169.254.170.23/32", "169.254.169.254/32", "169.254.169.252/32", "fd00:ec2::23/128"];
const IDENTITY_PORTS: [i32; 3] = [80, 987, 988];

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> Option<NetworkPolicy> {
    let policy = instance.network_policy.as_ref()?;
    Some(NetworkPolicy {
        metadata: meta::with_owner(instance, instance.name.to_string()),
        spec: Some(NetworkPolicySpec {
            egress: Some(outward(policy, parts)),
            ingress: Some(ingress(instance, policy, parts)),
            pod_selector: Some(labels::selector(&instance.name)),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        }),
    })
}

/// Returns the policy of the pods that make backups and restore them: nobody reaches them, and they reach names and
/// the storage. Its port is in a Secret: those of usual storages are open, and what the agent itself
/// may reach by rules of its user's.
pub(super) fn of_backups(instance: &Resolved) -> Option<NetworkPolicy> {
    let policy = instance.network_policy.as_ref()?;
    let means = instance.means_of_backups()?;
    let mut egress = vec![dns(), egress::anywhere(&STORAGE_PORTS.map(|port| (port, "TCP")))];
    if means.workload_identity {
        let to = IDENTITY_ADDRESSES.map(|address| block(address, None)).to_vec();
        let open = IDENTITY_PORTS.map(|number| port(number, "TCP")).to_vec();
        egress.push(NetworkPolicyEgressRule { ports: Some(open), to: Some(to) });
    }
    egress.extend(by_user(policy));
    Some(NetworkPolicy {
        metadata: meta::with_owner(instance, instance.name.backup()),
        spec: Some(NetworkPolicySpec {
            egress: Some(egress),
            ingress: None,
            pod_selector: Some(LabelSelector {
                match_labels: Some(labels::of_backups(&instance.name)),
                ..Default::default()
            }),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        }),
    })
}

fn ingress(
    instance: &Resolved,
    policy: &resolve::NetworkPolicy,
    parts: &[Part],
) -> Vec<NetworkPolicyIngressRule> {
    let own_namespace =
        NetworkPolicyPeer { pod_selector: Some(LabelSelector::default()), ..Default::default() };
    let same = policy.same_namespace.then_some(own_namespace);
    let namespaces = policy.ingress_namespaces.iter().map(|name| namespace(name));
    let cidrs = policy.ingress_cidrs.iter().map(|cidr| block(cidr, None));
    let clients = same.into_iter().chain(namespaces).chain(cidrs).collect();
    let operator = vec![namespace(&instance.operator_namespace)];
    let mut to_clients = ports_of(parts, OpenTo::Clients);
    to_clients.extend(chosen(instance, parts));
    let mut rules = opened(clients, &to_clients);
    rules.extend(opened(gateways(instance, policy), &routed(instance, parts)));
    rules.extend(opened(operator, &ports_of(parts, OpenTo::Operator)));
    let scrapers = instance.served_metrics().map(|served| scrapers(&served.open_to));
    rules.extend(opened(scrapers.unwrap_or_default(), &ports_of(parts, OpenTo::Scrapers)));
    rules
}

/// Namespaces of the route's Gateways that are not let in already.
fn gateways(instance: &Resolved, policy: &resolve::NetworkPolicy) -> Vec<NetworkPolicyPeer> {
    let parents = instance.http_route.iter().flat_map(|route| &route.parents);
    let named = parents.map(|parent| parent.namespace.as_ref().unwrap_or(&instance.namespace));
    let is_new = |name: &&String| {
        let is_own = **name == instance.namespace && policy.same_namespace;
        !is_own && !policy.ingress_namespaces.contains(name)
    };
    let new: BTreeSet<&String> = named.filter(is_new).collect();
    new.into_iter().map(|name| namespace(name)).collect()
}

/// The one port of the pod to which the route leads.
fn routed(instance: &Resolved, parts: &[Part]) -> Vec<NetworkPolicyPort> {
    let Some(route) = &instance.http_route else { return Vec::new() };
    let mut behind = service::ports(instance, parts).into_iter().filter(|each| {
        each.port == route.port && each.protocol.as_deref().is_none_or(|it| it == "TCP")
    });
    let target = behind.find_map(|each| match each.target_port {
        Some(IntOrString::Int(number)) => Some(number),
        _ => None,
    });
    target.map(|number| port(number, "TCP")).into_iter().collect()
}

/// Who may scrape. A selector narrows pods, not networks.
fn scrapers(open_to: &Scrapers) -> Vec<NetworkPolicyPeer> {
    let Scrapers { same_namespace, namespaces, cidrs, pods } = open_to;
    let own = same_namespace.then(|| NetworkPolicyPeer {
        pod_selector: Some(pods.clone().unwrap_or_default()),
        ..Default::default()
    });
    let others = namespaces
        .iter()
        .map(|name| NetworkPolicyPeer { pod_selector: pods.clone(), ..namespace(name) });
    own.into_iter().chain(others).chain(cidrs.iter().map(|cidr| block(cidr, None))).collect()
}

fn ports_of(parts: &[Part], to: OpenTo) -> Vec<NetworkPolicyPort> {
    let open = parts.iter().flat_map(|part| &part.ports).filter(|port| port.open_to == to);
    open.map(|open| port(open.number, "TCP")).collect()
}

/// Where ports of the Service lead that were asked for. What is open to others, such as metrics,
/// stays theirs.
fn chosen(instance: &Resolved, parts: &[Part]) -> Vec<NetworkPolicyPort> {
    let mut found: Vec<NetworkPolicyPort> = Vec::new();
    for chosen in &instance.service.ports {
        let protocol = chosen.protocol.to_string();
        let opened = port(chosen.target, &protocol);
        let mut listened = parts.iter().flat_map(|part| &part.ports);
        let is_a_parts = protocol == "TCP" && listened.any(|port| port.number == chosen.target);
        if !is_a_parts && !found.contains(&opened) {
            found.push(opened);
        }
    }
    found
}

/// A rule for each peer, with all ports that are open to it. One without ports would open all.
fn opened(
    peers: Vec<NetworkPolicyPeer>,
    open: &[NetworkPolicyPort],
) -> Vec<NetworkPolicyIngressRule> {
    if open.is_empty() {
        return Vec::new();
    }
    let rule =
        |peer| NetworkPolicyIngressRule { from: Some(vec![peer]), ports: Some(open.to_vec()) };
    peers.into_iter().map(rule).collect()
}

fn outward(policy: &resolve::NetworkPolicy, parts: &[Part]) -> Vec<NetworkPolicyEgressRule> {
    let mut rules = Vec::new();
    if policy.dns {
        rules.push(dns());
    }
    if policy.https {
        rules.push(egress::anywhere(&[(ports::HTTPS, "TCP")]));
    }
    rules.extend(by_user(policy));
    rules.extend(parts.iter().flat_map(|part| part.egress.iter().cloned()));
    rules
}

/// Anywhere: node-local resolvers have link-local addresses and no pod.
fn dns() -> NetworkPolicyEgressRule {
    NetworkPolicyEgressRule {
        ports: Some(vec![port(ports::DNS, "UDP"), port(ports::DNS, "TCP")]),
        to: None,
    }
}

/// What the user opens.
fn by_user(policy: &resolve::NetworkPolicy) -> impl Iterator<Item = NetworkPolicyEgressRule> {
    let whole =
        |cidr: &String| NetworkPolicyEgressRule { ports: None, to: Some(vec![block(cidr, None)]) };
    policy.egress_cidrs.iter().map(whole).chain(policy.additional_egress.iter().cloned())
}

fn namespace(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer { namespace_selector: Some(labels::namespace(name)), ..Default::default() }
}
