//! Pieces of what the pod may reach, for the rules of the policy and of parts.

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicyEgressRule, NetworkPolicyPeer, NetworkPolicyPort,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Cloud providers answer with credentials of the node at these addresses, to anyone who asks.
const METADATA_V4: &str = "169.254.0.0/16";
const METADATA_V6: &str = "fd00:ec2::254/128";

/// Opens ports of all addresses but those of the node's credentials.
pub(crate) fn anywhere(ports: &[(i32, &str)]) -> NetworkPolicyEgressRule {
    NetworkPolicyEgressRule {
        ports: Some(ports.iter().map(|(number, protocol)| port(*number, protocol)).collect()),
        to: Some(vec![block("0.0.0.0/0", Some(METADATA_V4)), block("::/0", Some(METADATA_V6))]),
    }
}

/// Returns the addresses of a network, but for a part of them.
pub(crate) fn block(cidr: &str, except: Option<&str>) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: cidr.to_owned(),
            except: except.map(|except| vec![except.to_owned()]),
        }),
        ..Default::default()
    }
}

/// Returns a port.
pub(crate) fn port(number: i32, protocol: &str) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(number)),
        protocol: Some(protocol.to_owned()),
        ..Default::default()
    }
}
