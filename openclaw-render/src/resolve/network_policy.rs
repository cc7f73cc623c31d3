//! What the NetworkPolicy lets in and out.

use k8s_openapi::api::networking::v1::{
    NetworkPolicyEgressRule, NetworkPolicyPeer, NetworkPolicyPort,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::address::Network;
use super::context::Resolving;
use super::selectors;
use crate::api::OpenClawInstanceSpec;
use crate::vocab::grammar::is_port_name;

/// What the NetworkPolicy opens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NetworkPolicy {
    pub(crate) same_namespace: bool,
    pub(crate) ingress_namespaces: Vec<String>,
    pub(crate) ingress_cidrs: Vec<String>,
    pub(crate) dns: bool,
    pub(crate) https: bool,
    pub(crate) egress_cidrs: Vec<String>,
    pub(crate) additional_egress: Vec<NetworkPolicyEgressRule>,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Option<NetworkPolicy> {
    let policy = spec.security.as_ref().and_then(|security| security.network_policy.clone());
    let policy = policy.unwrap_or_default();
    let path = "spec.security.networkPolicy";
    if policy.enabled == Some(false) {
        cx.risk(
            format!("{path}.enabled"),
            "leaves the agent open to every pod of the cluster and lets it reach everything",
        );
        return None;
    }
    let mut listed = |field, cidrs: Option<Vec<String>>| {
        networks(&format!("{path}.{field}"), cidrs.unwrap_or_default(), cx)
    };
    let ingress_cidrs = listed("allowedIngressCIDRs", policy.allowed_ingress_cidrs);
    let egress_cidrs = listed("allowedEgressCIDRs", policy.allowed_egress_cidrs);
    Some(NetworkPolicy {
        same_namespace: policy.allow_same_namespace_ingress.unwrap_or(true),
        ingress_namespaces: policy.allowed_ingress_namespaces.unwrap_or_default(),
        ingress_cidrs,
        dns: policy.allow_dns.unwrap_or(true),
        https: policy.allow_https.unwrap_or(true),
        egress_cidrs,
        additional_egress: additional(path, policy.additional_egress.unwrap_or_default(), cx),
    })
}

/// Returns networks as they are sent.
pub(super) fn networks(path: &str, cidrs: Vec<String>, cx: &mut Resolving<'_>) -> Vec<String> {
    let network = |(index, cidr)| network(&format!("{path}[{index}]"), cidr, cx);
    cidrs.into_iter().enumerate().map(network).collect()
}

fn network(path: &str, cidr: String, cx: &mut Resolving<'_>) -> String {
    let Some(network) = Network::from_cidr(&cidr) else {
        cx.error(path, not_a_network(&cidr));
        return cidr;
    };
    let sent = network.to_string();
    if sent != cidr {
        let message = format!("{cidr:?} is sent as `{sent}`: Kubernetes 1.36 takes no other form");
        cx.ineffective(path, message);
    }
    sent
}

fn additional(
    path: &str,
    rules: Vec<NetworkPolicyEgressRule>,
    cx: &mut Resolving<'_>,
) -> Vec<NetworkPolicyEgressRule> {
    let mut rules = rules;
    for (index, rule) in rules.iter_mut().enumerate() {
        let path = format!("{path}.additionalEgress[{index}]");
        for (index, peer) in rule.to.iter_mut().flatten().enumerate() {
            let path = format!("{path}.to[{index}]");
            check_peer(&path, peer, cx);
            if let Some(block) = &mut peer.ip_block {
                let cidr = std::mem::take(&mut block.cidr);
                block.cidr = network(&format!("{path}.ipBlock.cidr"), cidr, cx);
                let except = block.except.take();
                let path = format!("{path}.ipBlock.except");
                block.except = except.map(|cidrs| networks(&path, cidrs, cx));
            }
        }
        for (index, port) in rule.ports.iter().flatten().enumerate() {
            if let Err(reason) = check_port(port) {
                let path = format!("{path}.ports[{index}]");
                cx.error(path, reason);
            }
        }
    }
    rules
}

/// What the API server refuses of a rule; it would refuse the whole policy with it.
fn check_peer(path: &str, peer: &NetworkPolicyPeer, cx: &mut Resolving<'_>) {
    selectors::check(&format!("{path}.podSelector"), peer.pod_selector.as_ref(), cx);
    selectors::check(&format!("{path}.namespaceSelector"), peer.namespace_selector.as_ref(), cx);
    let mut refuse = |field: String, message: String| {
        cx.error(format!("{path}{field}"), message);
    };
    let selects = peer.pod_selector.is_some() || peer.namespace_selector.is_some();
    let Some(block) = &peer.ip_block else {
        if !selects {
            let message = "names nobody: write `podSelector`, `namespaceSelector` or `ipBlock`";
            refuse(String::new(), message.to_owned());
        }
        return;
    };
    if selects {
        refuse(String::new(), "has `ipBlock` and a selector: write two peers".to_owned());
    }
    let whole = Network::from_cidr(&block.cidr);
    for (index, except) in block.except.iter().flatten().enumerate() {
        let is_part = |part: Network| whole.is_some_and(|whole| part.is_part_of(whole));
        if Network::from_cidr(except).is_some_and(|part| !is_part(part)) {
            let message =
                format!("{except:?} is no part of {:?}, from which it is taken", block.cidr);
            refuse(format!(".ipBlock.except[{index}]"), message);
        }
    }
}

fn not_a_network(text: &str) -> String {
    format!("{text:?} is not a network: write for example `10.0.0.0/8` or `fd00::/8`")
}

fn check_port(port: &NetworkPolicyPort) -> Result<(), String> {
    const NUMBERS: std::ops::RangeInclusive<i32> = 1..=65_535;
    if let Some(protocol) = &port.protocol
        && !["TCP", "UDP", "SCTP"].contains(&protocol.as_str())
    {
        return Err(format!("{protocol:?} is not a protocol: use `TCP`, `UDP` or `SCTP`"));
    }
    match (&port.port, port.end_port) {
        (Some(IntOrString::Int(number)), _) if !NUMBERS.contains(number) => {
            Err(format!("{number} is not the number of a port: write 1 to 65535"))
        }
        (Some(IntOrString::String(name)), _) if !is_port_name(name) => {
            Err(format!("{name:?} is not the name of a port: write a number, without quotes"))
        }
        (Some(IntOrString::Int(first)), Some(last))
            if last < *first || !NUMBERS.contains(&last) =>
        {
            Err(format!("endPort {last} ends no range that begins with {first}"))
        }
        (None | Some(IntOrString::String(_)), Some(_)) => {
            Err("has `endPort` without the number of a first port: write both".to_owned())
        }
        (Some(_) | None, _) => Ok(()),
    }
}
