//! `NetworkPolicy`: nothing in, nothing out, then each opening with its reason.
//!
//! - Present when: `spec.security.networkPolicy` is on.
//! - Reads: its fields, the operator's namespace, whether the proxy is on.
//! - Restarts pods: never.

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::service::entrance;
use crate::resolve::{self, Resolved};
use crate::vocab::{labels, meta, ports};

/// Cloud providers answer with credentials of the node at these addresses, to anyone who asks.
const METADATA_V4: &str = "169.254.0.0/16";
const METADATA_V6: &str = "fd00:ec2::254/128";

pub(super) fn render(instance: &Resolved) -> Option<NetworkPolicy> {
    let policy = instance.network_policy.as_ref()?;
    Some(NetworkPolicy {
        metadata: meta::owned(instance, instance.name.to_string()),
        spec: Some(NetworkPolicySpec {
            egress: Some(egress(policy)),
            ingress: Some(ingress(instance, policy)),
            pod_selector: Some(labels::selector(&instance.name)),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        }),
    })
}

fn ingress(instance: &Resolved, policy: &resolve::NetworkPolicy) -> Vec<NetworkPolicyIngressRule> {
    let gateway = entrance(instance);
    let own_namespace =
        NetworkPolicyPeer { pod_selector: Some(LabelSelector::default()), ..Default::default() };
    let mut rules = Vec::new();
    if policy.same_namespace {
        rules.push(ingress_from(own_namespace, gateway));
    }
    for name in &policy.ingress_namespaces {
        rules.push(ingress_from(namespace(name), gateway));
    }
    for cidr in &policy.ingress_cidrs {
        rules.push(ingress_from(block(cidr, None), gateway));
    }
    // The operator asks config-sync which configuration the application runs.
    rules.push(ingress_from(namespace(&instance.operator_namespace), ports::CONFIG_SYNC));
    rules
}

fn egress(policy: &resolve::NetworkPolicy) -> Vec<NetworkPolicyEgressRule> {
    let mut rules = Vec::new();
    if policy.dns {
        // Anywhere: node-local resolvers have link-local addresses and no pod.
        rules.push(NetworkPolicyEgressRule {
            ports: Some(vec![port(ports::DNS, "UDP"), port(ports::DNS, "TCP")]),
            to: None,
        });
    }
    if policy.https {
        rules.push(NetworkPolicyEgressRule {
            ports: Some(vec![port(ports::HTTPS, "TCP")]),
            to: Some(vec![block("0.0.0.0/0", Some(METADATA_V4)), block("::/0", Some(METADATA_V6))]),
        });
    }
    for cidr in &policy.egress_cidrs {
        rules.push(NetworkPolicyEgressRule { ports: None, to: Some(vec![block(cidr, None)]) });
    }
    rules.extend(policy.additional_egress.iter().cloned());
    rules
}

fn ingress_from(peer: NetworkPolicyPeer, to: i32) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule { from: Some(vec![peer]), ports: Some(vec![port(to, "TCP")]) }
}

fn namespace(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer { namespace_selector: Some(labels::namespace(name)), ..Default::default() }
}

fn block(cidr: &str, except: Option<&str>) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: cidr.to_owned(),
            except: except.map(|except| vec![except.to_owned()]),
        }),
        ..Default::default()
    }
}

fn port(number: i32, protocol: &str) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(number)),
        protocol: Some(protocol.to_owned()),
        ..Default::default()
    }
}
