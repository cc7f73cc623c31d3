//! Advice where openclaw.json names an address to which the NetworkPolicy lets nothing out.

use std::net::IpAddr;

use k8s_openapi::api::networking::v1::NetworkPolicyPort;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Map, Value};

use super::context::Resolving;
use super::{BaseConfig, NetworkPolicy};
use crate::vocab::ports::HTTPS;

/// Keys of openclaw.json that hold an address; `*` is any name.
const ADDRESSES: &[&[&str]] = &[
    &["diagnostics", "otel", "endpoint"],
    &["mcp", "servers", "*", "url"],
    &["models", "providers", "*", "baseUrl"],
];

pub(super) fn check(config: &BaseConfig, policy: Option<&NetworkPolicy>, cx: &mut Resolving<'_>) {
    let Some(policy) = policy else { return };
    for keys in ADDRESSES {
        for (path, address) in found(&config.path, &config.document, keys) {
            let Some(to) = outside(address).filter(|to| !lets_out(policy, to)) else { continue };
            cx.ineffective(
                path,
                format!(
                    "leads to port {}, to which the NetworkPolicy lets nothing out: add a rule to \
                     `spec.security.networkPolicy.additionalEgress`, with this port, or of a Service \
                     with the port of its pods",
                    to.port,
                ),
            );
        }
    }
}

/// Returns the texts at these keys, with their paths.
fn found<'a>(
    path: &str,
    document: &'a Map<String, Value>,
    keys: &[&str],
) -> Vec<(String, &'a str)> {
    let Some((first, rest)) = keys.split_first() else { return Vec::new() };
    let entries = document.iter().filter(|(key, _)| *first == "*" || key == first);
    let below = entries.flat_map(|(key, value)| {
        let path = format!("{path}.{key}");
        match (value, rest.is_empty()) {
            (Value::String(text), true) => vec![(path, text.as_str())],
            (Value::Object(object), false) => found(&path, object, rest),
            _ => Vec::new(),
        }
    });
    below.collect()
}

/// A host outside of the pod, and its port.
#[derive(Debug, PartialEq, Eq)]
struct Outside<'a> {
    host: &'a str,
    port: u16,
}

/// Returns where an address leads outside of the pod; nothing if it cannot be told.
fn outside(address: &str) -> Option<Outside<'_>> {
    let (scheme, rest) = address.split_once("://")?;
    let default = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    // An address of IPv6 has colons of its own.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    };
    let host = host.trim_matches(['[', ']']);
    let is_in_pod = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_in_pod || host.is_empty() || host.contains('$') {
        return None;
    }
    let port = port.map_or(Some(default), |port| port.parse().ok())?;
    Some(Outside { host, port })
}

/// Whether a rule lets the pod out to it. Which addresses a network holds is not known of names; and the
/// port of a rule is that of the pods behind a Service, which is not known either.
fn lets_out(policy: &NetworkPolicy, to: &Outside<'_>) -> bool {
    let port = i32::from(to.port);
    (policy.https && port == HTTPS)
        || !policy.egress_cidrs.is_empty()
        || policy.additional_egress.iter().any(|rule| {
            let ports = rule.ports.as_deref().unwrap_or_default();
            let selects = rule.to.iter().flatten().any(|peer| peer.ip_block.is_none());
            ports.is_empty()
                || ports.iter().any(|each| holds(each, port))
                || (selects && may_be_service(to.host))
        })
}

/// Names of Services have no dot, or `svc` behind those of Service and namespace.
fn may_be_service(host: &str) -> bool {
    let mut labels = host.split('.');
    let is_address = host.parse::<IpAddr>().is_ok();
    !is_address && (labels.clone().count() <= 2 || labels.nth(2) == Some("svc"))
}

fn holds(of_rule: &NetworkPolicyPort, port: i32) -> bool {
    if of_rule.protocol.as_deref().is_some_and(|protocol| protocol != "TCP") {
        return false;
    }
    match &of_rule.port {
        Some(IntOrString::Int(first)) => {
            (*first..=of_rule.end_port.unwrap_or(*first)).contains(&port)
        }
        // The port of that name is another pod's, whose number is not known.
        Some(IntOrString::String(_)) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_an_address_outside_of_the_pod_is_told() {
        for (address, port) in [
            ("http://llm.models.svc:8000/v1", Some(8000)),
            ("http://llm", Some(80)),
            ("https://api.example.com/v1", Some(443)),
            ("https://user:word@api.example.com:8443", Some(8443)),
            ("wss://mcp.example.com?a=b:1", Some(443)),
            ("http://[2001:db8::1]:9000/", Some(9000)),
            ("http://[2001:db8::1]/", Some(80)),
            ("http://127.0.0.1:11434", None),
            ("http://[::1]:4318", None),
            ("http://localhost:4318", None),
            ("http://${HOST}:8000", None),
            ("http://llm:${PORT}", None),
            ("http://:8000", None),
            ("llm:8000", None),
            ("unix:///run/llm", None),
            ("", None),
        ] {
            assert_eq!(outside(address).map(|to| to.port), port, "{address}");
        }
    }

    #[test]
    fn names_of_services_are_told_from_others() {
        for (host, expected) in [
            ("llm", true),
            ("llm.models", true),
            ("llm.models.svc", true),
            ("llm.models.svc.cluster.local", true),
            ("api.example.com", false),
            ("10.9.0.5", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(may_be_service(host), expected, "{host}");
        }
    }
}
