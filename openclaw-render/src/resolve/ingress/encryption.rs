//! Whether browsers reach the Ingress encrypted, as far as its class, annotations and `tls` tell.

use std::collections::BTreeMap;

use super::PATH;
use super::controller::class;
use crate::api::{IngressHost, IngressSpec};
use crate::resolve::context::Resolving;

/// What an annotation says where a certificate does not stand in `tls`. The chart's policy of advice
/// has the same list.
const CERTIFICATES: [(&str, &str); 6] = [
    (ALB_CERTIFICATE, ""),
    (ALB_LISTENERS, "HTTPS"),
    ("appgw.ingress.kubernetes.io/appgw-ssl-certificate", ""),
    ("ingress.gcp.kubernetes.io/pre-shared-cert", ""),
    ("networking.gke.io/managed-certificates", ""),
    (TRAEFIK_TLS, "true"),
];
const ALB_CERTIFICATE: &str = "alb.ingress.kubernetes.io/certificate-arn";
/// A list as JSON: `[{"HTTP": 80}, {"HTTPS": 443}]`.
const ALB_LISTENERS: &str = "alb.ingress.kubernetes.io/listen-ports";
const ALB_REDIRECT: &str = "alb.ingress.kubernetes.io/ssl-redirect";
/// The router takes encrypted requests alone.
const TRAEFIK_TLS: &str = "traefik.ingress.kubernetes.io/router.tls";
/// Domain of every tailnet.
const TAILNETS: &str = ".ts.net";

/// Whether Traefik asks for encryption by an annotation.
pub(super) fn is_router_encrypted(ingress: &IngressSpec) -> bool {
    ingress.annotations.as_ref().is_some_and(|all| says(all, TRAEFIK_TLS, "true"))
}

/// Whether there is a certificate that `tls` does not name.
pub(super) fn is_elsewhere(ingress: &IngressSpec) -> bool {
    let annotations = ingress.annotations.as_ref();
    is_tailscale(ingress)
        || annotations
            .is_some_and(|all| CERTIFICATES.iter().any(|(key, part)| says(all, key, part)))
}

fn says(annotations: &BTreeMap<String, String>, key: &str, part: &str) -> bool {
    annotations.get(key).is_some_and(|value| value.contains(part))
}

/// Tailscale's controller listens for HTTPS alone, with certificates of its own.
fn is_tailscale(ingress: &IngressSpec) -> bool {
    class(ingress).contains("tailscale")
}

/// What stands in front of the controller, nobody knows.
pub(super) fn check(ingress: &IngressSpec, cx: &mut Resolving<'_>) {
    let forced = ingress.security.as_ref().and_then(|security| security.force_https);
    if is_tailscale(ingress) {
        check_names_in_tailnet(ingress, cx);
    } else if is_elsewhere(ingress) {
        check_listeners(ingress, cx);
    } else if ingress.tls.as_ref().is_none_or(Vec::is_empty) {
        cx.risk(
            format!("{PATH}.tls"),
            "is empty, so tokens and passwords are sent in the clear: name a certificate; ignore \
             this if something in front of the controller encrypts",
        );
    } else if forced == Some(false) {
        cx.risk(
            format!("{PATH}.security.forceHTTPS"),
            "lets browsers send tokens and passwords in the clear: leave it out; ignore this if \
             something in front of the controller encrypts",
        );
    }
}

/// AWS' load balancer listens for HTTP beside HTTPS if it is told to.
fn check_listeners(ingress: &IngressSpec, cx: &mut Resolving<'_>) {
    let annotations = ingress.annotations.iter().flatten();
    let value = |name: &str| annotations.clone().find(|(key, _)| *key == name).map(|(_, it)| it);
    let Some(listeners) = value(ALB_LISTENERS) else { return };
    if listeners.contains("\"HTTP\"") && value(ALB_REDIRECT).is_none_or(String::is_empty) {
        cx.risk(
            format!("{PATH}.annotations[{ALB_LISTENERS:?}]"),
            format!(
                "has `HTTP` beside what is encrypted, so tokens and passwords may be sent in the \
                 clear: remove it, or add `{ALB_REDIRECT}: \"443\"`"
            ),
        );
    }
}

/// The name of the machine is that of the first certificate, and rules of other names count for
/// nothing.
fn check_names_in_tailnet(ingress: &IngressSpec, cx: &mut Resolving<'_>) {
    let machine = machine(ingress);
    for (index, IngressHost { host, .. }) in ingress.hosts.iter().flatten().enumerate() {
        if host.is_empty() || Some(host) == machine {
            continue;
        }
        let label = host.split('.').next().unwrap_or_default();
        let name = machine.map_or(label, String::as_str);
        cx.ineffective(
            format!("{PATH}.hosts[{index}].host"),
            format!(
                "leads nowhere: Tailscale's controller passes over a host that is not the first of \
                 `tls`; write `host: \"\"` and `tls: [{{ hosts: [{name}] }}]`, which names the \
                 machine in the tailnet"
            ),
        );
    }
}

/// Returns how a machine in the tailnet is to be called, if that is said.
fn machine(ingress: &IngressSpec) -> Option<&String> {
    let first = ingress.tls.iter().flatten().next()?;
    first.hosts.iter().flatten().next().filter(|host| !host.is_empty())
}

/// Where browsers come from.
#[derive(Debug, Default)]
pub(in crate::resolve) struct Origins {
    pub(in crate::resolve) known: Vec<String>,
    /// What one looks like of which nobody can know the name: of any host, of those that a wildcard
    /// means, and of a tailnet.
    pub(in crate::resolve) unknown: Option<String>,
}

/// Returns the origins of browsers that come through the Ingress.
pub(super) fn origins(ingress: &IngressSpec) -> Origins {
    if is_tailscale(ingress) {
        return origins_in_tailnet(ingress);
    }
    let mut origins = Origins::default();
    for IngressHost { host, .. } in ingress.hosts.iter().flatten() {
        if host.is_empty() || host.starts_with('*') {
            origins.unknown = Some("https://ada.example.com".to_owned());
            continue;
        }
        origins.known.push(format!("https://{host}"));
        // Something in front of the controller may do what it does not.
        if !is_elsewhere(ingress) && !is_covered(ingress, host) {
            origins.known.push(format!("http://{host}"));
        }
    }
    origins
}

/// A machine's name ends with that of the tailnet, which the Ingress need not say.
fn origins_in_tailnet(ingress: &IngressSpec) -> Origins {
    let hosts = ingress.hosts.iter().flatten().map(|host| &host.host);
    let full = machine(ingress).into_iter().chain(hosts).find(|host| host.ends_with(TAILNETS));
    if let Some(host) = full {
        return Origins { known: vec![format!("https://{host}")], unknown: None };
    }
    let label = machine(ingress).and_then(|name| name.split('.').next());
    let example = format!("https://{}.<tailnet>{TAILNETS}", label.unwrap_or("<machine>"));
    Origins { known: Vec::new(), unknown: Some(example) }
}

/// Whether a certificate is for a host. One for no host in particular is for all.
fn is_covered(ingress: &IngressSpec, host: &str) -> bool {
    let parent = host.split_once('.').map(|(_, parent)| parent);
    let is_for = |name: &str| {
        name == host || name.strip_prefix("*.").is_some_and(|domain| Some(domain) == parent)
    };
    ingress.tls.iter().flatten().any(|tls| {
        let mut names = tls.hosts.iter().flatten().filter(|name| !name.is_empty()).peekable();
        names.peek().is_none() || names.any(|name| is_for(name))
    })
}

#[cfg(test)]
mod tests {
    use super::{ALB_CERTIFICATE, CERTIFICATES};

    #[test]
    fn the_policy_of_advice_knows_the_same_certificates() {
        let policy =
            include_str!("../../../../charts/openclaw-operator/files/policies/advice.yaml");
        let about = |rule: &&str| rule.contains(ALB_CERTIFICATE);
        let rules: Vec<&str> = policy.split("- expression:").filter(about).collect();
        assert_eq!(rules.len(), 3, "of no certificate, of HTTP that is allowed, of HTTP beside it");
        for (key, _) in CERTIFICATES {
            assert!(rules.iter().all(|rule| rule.contains(&format!("'{key}'"))), "{key}");
        }
    }
}
