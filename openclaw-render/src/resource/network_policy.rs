//! `NetworkPolicy`: nothing in, nothing out, then each opening with its reason.
//!
//! - Present when: `spec.security.networkPolicy` is on.
//! - Reads: its fields, `spec.networking.metricsIngress`, ports of the Service that were asked for, the operator's namespace, ports and egress of the pod's parts.
//! - Restarts pods: never.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::meta;
use crate::pod::egress::{self, block, port};
use crate::pod::part::{OpenTo, Part};
use crate::resolve::{self, Resolved, Scrapers};
use crate::vocab::{labels, ports};

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
    rules.extend(opened(operator, &ports_of(parts, OpenTo::Operator)));
    let scrapers = instance.served_metrics().map(|served| scrapers(&served.open_to));
    rules.extend(opened(scrapers.unwrap_or_default(), &ports_of(parts, OpenTo::Scrapers)));
    rules
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
        // Anywhere: node-local resolvers have link-local addresses and no pod.
        rules.push(NetworkPolicyEgressRule {
            ports: Some(vec![port(ports::DNS, "UDP"), port(ports::DNS, "TCP")]),
            to: None,
        });
    }
    if policy.https {
        rules.push(egress::anywhere(&[(ports::HTTPS, "TCP")]));
    }
    for cidr in &policy.egress_cidrs {
        rules.push(NetworkPolicyEgressRule { ports: None, to: Some(vec![block(cidr, None)]) });
    }
    rules.extend(policy.additional_egress.iter().cloned());
    rules.extend(parts.iter().flat_map(|part| part.egress.iter().cloned()));
    rules
}

fn namespace(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer { namespace_selector: Some(labels::namespace(name)), ..Default::default() }
}
