//! How the agent is reached, and what it reaches.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::networking::v1::{
    NetworkPolicyEgressRule, NetworkPolicyPeer, NetworkPolicyPort,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::context::Resolving;
use super::defaults::{LOCAL_ORIGINS, text};
use super::gateway::proxied;
use super::image::{is_digest, is_repository, is_tag, with_override};
use crate::api::{NetworkPolicySpec, OpenClawInstanceSpec, ServiceType};
use crate::vocab::images;
use crate::vocab::names::is_label;

/// The proxy in front of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proxy {
    /// Full image reference, registry override applied.
    pub(crate) image: String,
}

/// What the Service is like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Service {
    pub(crate) service_type: ServiceType,
    pub(crate) annotations: BTreeMap<String, String>,
}

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

pub(super) fn proxy(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Option<Proxy> {
    if !proxied(spec) {
        return None;
    }
    let image = spec.gateway.as_ref().and_then(|gateway| gateway.image.clone()).unwrap_or_default();
    let repository = text(image.repository.as_ref()).unwrap_or(images::PROXY_REPOSITORY);
    let tag = text(image.tag.as_ref()).unwrap_or(images::PROXY_TAG);
    if !is_repository(repository) {
        cx.error(
            "spec.gateway.image.repository",
            format!("{repository:?} is not a repository: write `host/path/name` without tag"),
        );
    }
    if !is_tag(tag) {
        cx.error("spec.gateway.image.tag", format!("{tag:?} is not a tag"));
    }
    let digest = text(image.digest.as_ref());
    if digest.is_some_and(|digest| !is_digest(digest)) {
        cx.error(
            "spec.gateway.image.digest",
            "is not a digest of the proxy's image: write `sha256:` and 64 hexadecimal digits",
        );
    }
    let reference = images::reference(repository, tag, digest);
    Some(Proxy { image: with_override(spec, &reference) })
}

pub(super) fn service(spec: &OpenClawInstanceSpec) -> Service {
    let service = spec.networking.as_ref().and_then(|networking| networking.service.clone());
    let service = service.unwrap_or_default();
    Service {
        service_type: service.type_.unwrap_or(ServiceType::ClusterIP),
        annotations: service.annotations.unwrap_or_default(),
    }
}

/// Origins of the Control UI, sorted, each once.
pub(super) fn control_ui_origins(
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Vec<String> {
    let given = spec.gateway.as_ref().and_then(|gateway| gateway.control_ui_origins.as_deref());
    let mut origins: Vec<String> = LOCAL_ORIGINS.map(str::to_owned).to_vec();
    for (index, origin) in given.unwrap_or_default().iter().enumerate() {
        if origin.is_empty() {
            continue;
        }
        if !is_origin(origin) {
            cx.ineffective(
                format!("spec.gateway.controlUiOrigins[{index}]"),
                format!(
                    "{origin:?} never matches: a browser sends `scheme://host[:port]`, without \
                     path and wildcard"
                ),
            );
        }
        origins.push(origin.clone());
    }
    origins.sort();
    origins.dedup();
    origins
}

/// RFC 6454: scheme, host and port.
fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https")
            && !host.is_empty()
            && !host.contains(['/', '*', '?', '#', '@', ' '])
    })
}

pub(super) fn policy(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Option<NetworkPolicy> {
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
    check(path, &policy, cx);
    Some(NetworkPolicy {
        same_namespace: policy.allow_same_namespace_ingress.unwrap_or(true),
        ingress_namespaces: policy.allowed_ingress_namespaces.unwrap_or_default(),
        ingress_cidrs: policy.allowed_ingress_cidrs.unwrap_or_default(),
        dns: policy.allow_dns.unwrap_or(true),
        https: policy.allow_https.unwrap_or(true),
        egress_cidrs: policy.allowed_egress_cidrs.unwrap_or_default(),
        additional_egress: policy.additional_egress.unwrap_or_default(),
    })
}

fn check(path: &str, policy: &NetworkPolicySpec, cx: &mut Resolving<'_>) {
    for (field, cidrs) in [
        ("allowedIngressCIDRs", &policy.allowed_ingress_cidrs),
        ("allowedEgressCIDRs", &policy.allowed_egress_cidrs),
    ] {
        for (index, cidr) in cidrs.iter().flatten().enumerate() {
            if let Err(reason) = check_cidr(cidr) {
                cx.error(format!("{path}.{field}[{index}]"), format!("{cidr:?} {reason}"));
            }
        }
    }
    for (index, namespace) in policy.allowed_ingress_namespaces.iter().flatten().enumerate() {
        if !is_label(namespace) {
            cx.error(
                format!("{path}.allowedIngressNamespaces[{index}]"),
                format!("{namespace:?} is not the name of a namespace"),
            );
        }
    }
    for (index, rule) in policy.additional_egress.iter().flatten().enumerate() {
        let path = format!("{path}.additionalEgress[{index}]");
        for (index, peer) in rule.to.iter().flatten().enumerate() {
            check_peer(&format!("{path}.to[{index}]"), peer, cx);
        }
        for (index, port) in rule.ports.iter().flatten().enumerate() {
            if let Err(reason) = check_port(port) {
                let path = format!("{path}.ports[{index}]");
                cx.error(path, reason);
            }
        }
    }
}

/// What the API server refuses of a rule; it would refuse the whole policy with it.
fn check_peer(path: &str, peer: &NetworkPolicyPeer, cx: &mut Resolving<'_>) {
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
    if let Err(reason) = check_cidr(&block.cidr) {
        refuse(".ipBlock.cidr".to_owned(), format!("{:?} {reason}", block.cidr));
    }
    for (index, except) in block.except.iter().flatten().enumerate() {
        let reason = match check_cidr(except) {
            Err(reason) => reason,
            Ok(()) if is_inside(except, &block.cidr) => continue,
            Ok(()) => format!("is no part of {:?}, from which it is taken", block.cidr),
        };
        refuse(format!(".ipBlock.except[{index}]"), format!("{except:?} {reason}"));
    }
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

/// RFC 6335, section 5.1.
fn is_port_name(name: &str) -> bool {
    is_label(name)
        && name.len() <= 15
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && !name.contains("--")
}

/// RFC 4632 and RFC 4291, as the API server reads them.
fn check_cidr(text: &str) -> Result<(), String> {
    let written = "is not a network: write for example `10.0.0.0/8` or `fd00::/8`";
    let (address, length) = text.split_once('/').ok_or(written)?;
    let address: IpAddr = address.parse().map_err(|_| written)?;
    let digits = length.bytes().all(|byte| byte.is_ascii_digit()) && !length.is_empty();
    let canonical = length == "0" || !length.starts_with('0');
    let length: u8 = length.parse().map_err(|_| written)?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    if digits && canonical && length <= longest { Ok(()) } else { Err(written.to_owned()) }
}

/// Whether one network is a part of another one, and not all of it. Both have passed [`check_cidr`].
fn is_inside(inner: &str, outer: &str) -> bool {
    let read = |text: &str| {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        // As if all were of IPv6: the family is compared besides.
        Some(match address.parse().ok()? {
            IpAddr::V4(address) => (true, u128::from(u32::from(address)) << 96, length),
            IpAddr::V6(address) => (false, u128::from(address), length),
        })
    };
    let (Some(inner), Some(outer)) = (read(inner), read(outer)) else { return false };
    let rest = 128_u32.saturating_sub(outer.2);
    let prefix = |bits: u128| bits.checked_shr(rest).unwrap_or_default();
    inner.0 == outer.0 && inner.2 > outer.2 && prefix(inner.1) == prefix(outer.1)
}

#[cfg(test)]
mod tests {
    use super::{check_cidr, is_inside, is_origin};

    #[test]
    fn a_network_is_a_part_of_a_larger_one_of_its_family() {
        for (inner, outer) in [
            ("10.1.0.0/16", "10.0.0.0/8"),
            ("10.0.0.0/9", "10.0.0.0/8"),
            ("1.2.3.4/32", "0.0.0.0/0"),
            ("fd00:1::/32", "fd00::/8"),
            ("::/1", "::/0"),
        ] {
            assert!(is_inside(inner, outer), "{inner} {outer}");
        }
        for (inner, outer) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("11.0.0.0/16", "10.0.0.0/8"),
            ("10.0.0.0/8", "10.0.0.0/16"),
            ("10.0.0.0/16", "::/0"),
            ("fd00::/16", "0.0.0.0/0"),
        ] {
            assert!(!is_inside(inner, outer), "{inner} {outer}");
        }
    }

    #[test]
    fn networks_are_read_as_the_api_server_reads_them() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "192.168.1.1/32"] {
            assert_eq!(check_cidr(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/-1",
            "::/129",
            "a/8",
            "10.0.0.0/08",
            "010.0.0.0/8",
        ] {
            assert!(check_cidr(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        assert!(is_origin("https://claw.example.com:8443"));
        for bad in [
            "claw.example.com",
            "https://claw.example.com/",
            "*",
            "https://*.example.com",
            "ftp://a",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
