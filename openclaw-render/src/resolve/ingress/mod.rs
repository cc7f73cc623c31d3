//! The Ingress: which hosts and paths lead to the gateway, and what its controller is told.

mod controller;
mod encryption;
mod middlewares;

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::networking::v1::IngressTLS;

use super::context::Resolving;
use super::defaults::text;
use super::{BasicAuth, NetworkPolicy, Service, basic_auth};
use crate::api::{IngressHost, IngressPath, IngressSpec, OpenClawInstanceSpec, PathType};
use crate::vocab::names::InstanceName;
use crate::vocab::ports;
pub(super) use controller::Controller;
pub(super) use encryption::Origins;
pub(crate) use middlewares::{IngressGuard, Middleware, Standing};

const PATH: &str = "spec.networking.ingress";
/// Parts of a path of which the API server takes none, and ends that it does not take.
const UNCLEAR: [&str; 7] = ["//", "/./", "/../", "%2f", "%2F", "%5c", "%5C"];
const UNCLEAR_ENDS: [&str; 2] = ["/..", "/."];

/// An Ingress that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ingress {
    pub(crate) class: Option<String>,
    /// The user's, and what the controller is told besides.
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) rules: Vec<IngressRule>,
    pub(crate) tls: Vec<IngressTLS>,
    /// The name and password that it asks for.
    pub(crate) auth: Option<BasicAuth>,
    /// What Traefik is told besides.
    pub(crate) middlewares: Vec<Middleware>,
}

impl Ingress {
    /// Returns how the Middleware stands without which everyone would be let in.
    pub(crate) fn password(&self) -> Option<Standing> {
        let is_password = |each: &&Middleware| matches!(each.guard, IngressGuard::Password { .. });
        self.middlewares.iter().find(is_password).map(|each| each.standing)
    }
}

/// Paths of a host that lead to the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IngressRule {
    /// `None` means any.
    pub(crate) host: Option<String>,
    pub(crate) paths: Vec<IngressWay>,
}

/// A path, and where it leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IngressWay {
    pub(crate) path: String,
    pub(crate) path_type: PathType,
    /// Port of the Service.
    pub(crate) port: i32,
}

/// Returns the Ingress that is asked for.
fn asked(spec: &OpenClawInstanceSpec) -> Option<&IngressSpec> {
    let ingress = spec.networking.as_ref()?.ingress.as_ref()?;
    (ingress.enabled == Some(true)).then_some(ingress)
}

pub(super) fn resolve(
    name: &InstanceName,
    namespace: &str,
    spec: &OpenClawInstanceSpec,
    service: &Service,
    policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) -> Option<Ingress> {
    let ingress = asked(spec)?;
    let class = text(ingress.class_name.as_ref());
    if let Some(policy) = policy {
        check_peers(policy, cx);
    }
    let tls = certificates(ingress, cx);
    encryption::check(ingress, cx);
    let controller = Controller::of(ingress);
    let auth = basic_auth::resolve(name, ingress, controller, cx);
    let middlewares = controller::middlewares(controller, name, ingress, auth.as_ref(), cx);
    let told = controller::Told { auth: auth.as_ref(), middlewares: &middlewares, namespace };
    Some(Ingress {
        class: class.map(str::to_owned),
        annotations: controller::annotations(controller, ingress, &told, cx),
        rules: rules(ingress, service, cx),
        tls,
        auth,
        middlewares,
    })
}

/// Whom the Ingress's controller belongs to, nobody knows.
fn check_peers(policy: &NetworkPolicy, cx: &mut Resolving<'_>) {
    if policy.ingress_namespaces.is_empty() && policy.ingress_cidrs.is_empty() {
        cx.ineffective(
            "spec.security.networkPolicy.allowedIngressNamespaces",
            "names nobody, so the Ingress leads to the agent only if its controller runs in this \
             namespace: name that of the controller, for example `ingress-nginx`, or in \
             `allowedIngressCIDRs` the networks that it sends from",
        );
    }
}

fn rules(ingress: &IngressSpec, service: &Service, cx: &mut Resolving<'_>) -> Vec<IngressRule> {
    let hosts = ingress.hosts.as_deref().unwrap_or_default();
    if hosts.is_empty() {
        cx.error(
            format!("{PATH}.hosts"),
            "is empty, and an Ingress without hosts cannot be made: name one, or write `host: \
             \"\"` for any",
        );
        return Vec::new();
    }
    // Of a Service without ports it is said that it leads nowhere; that nothing leads to it follows.
    if service.leads_nowhere() {
        return Vec::new();
    }
    let before = cx.errors();
    let mut rules = Vec::new();
    for (index, host) in hosts.iter().enumerate() {
        let path = format!("{PATH}.hosts[{index}]");
        check_host(&format!("{path}.host"), &host.host, cx);
        let paths = ways(&path, host, service, cx);
        if !paths.is_empty() {
            let host = Some(host.host.clone()).filter(|host| !host.is_empty());
            rules.push(IngressRule { host, paths });
        }
    }
    // Every path was left out with advice alone.
    if rules.is_empty() && cx.errors() == before {
        cx.error(format!("{PATH}.hosts"), "has no path that leads to a port of the Service");
    }
    rules
}

/// An address is written like a name.
fn check_host(path: &str, host: &str, cx: &mut Resolving<'_>) {
    if host.parse::<IpAddr>().is_ok() {
        cx.error(path, format!("{host:?} is an address: write the name of a host"));
    }
}

fn ways(
    path: &str,
    host: &IngressHost,
    service: &Service,
    cx: &mut Resolving<'_>,
) -> Vec<IngressWay> {
    let everything = [IngressPath::default()];
    let given = host.paths.as_deref().filter(|paths| !paths.is_empty());
    let mut ways = Vec::new();
    for (index, way) in given.unwrap_or(&everything).iter().enumerate() {
        let at = format!("{path}.paths[{index}]");
        let begins = text(way.path.as_ref()).unwrap_or("/");
        let path_type = way.path_type.unwrap_or_default();
        check_path(&format!("{at}.path"), begins, path_type, cx);
        if let Some(port) = port_of(&format!("{at}.port"), way.port, service, cx) {
            if begins != "/" && service.leads_to(port, ports::WEB_TERMINAL) {
                cx.ineffective(
                    format!("{at}.path"),
                    "leads to a page that does not work: the web terminal asks for what it needs below \
                     `/`; give it a host of its own",
                );
            }
            ways.push(IngressWay { path: begins.to_owned(), path_type, port });
        }
    }
    ways
}

/// Returns the port of the Service that a way in leads to, if it leads to one.
pub(super) fn port_of(
    path: &str,
    given: Option<i32>,
    service: &Service,
    cx: &mut Resolving<'_>,
) -> Option<i32> {
    match given {
        Some(port) if service.has(port) => return Some(port),
        Some(ports::CANVAS) => cx.ineffective(
            path,
            format!(
                "leaves the path out: nothing listens on {}, the canvas port of old versions",
                ports::CANVAS
            ),
        ),
        Some(port) => {
            cx.error(path, format!("the Service has no port {port}: it has {}", service.listed()));
        }
        None if service.gateway.is_some() => return service.gateway,
        None => cx.error(
            path,
            format!(
                "is needed, since no port of the Service leads to the gateway: it has {}",
                service.listed()
            ),
        ),
    }
    None
}

fn check_path(at: &str, path: &str, path_type: PathType, cx: &mut Resolving<'_>) {
    let unclear = path_type != PathType::ImplementationSpecific
        && (UNCLEAR.iter().any(|part| path.contains(part))
            || UNCLEAR_ENDS.iter().any(|end| path.ends_with(end)));
    if unclear {
        cx.error(
            at,
            format!(
                "{path:?} has `//`, `/./`, `/../` or a coded slash, which is taken with `pathType: \
                 ImplementationSpecific` alone"
            ),
        );
    }
}

fn certificates(ingress: &IngressSpec, cx: &mut Resolving<'_>) -> Vec<IngressTLS> {
    let given = ingress.tls.iter().flatten().enumerate();
    given
        .map(|(index, tls)| {
            let path = format!("{PATH}.tls[{index}]");
            let hosts = tls.hosts.iter().flatten().filter(|host| !host.is_empty());
            for (index, host) in hosts.clone().enumerate() {
                check_host(&format!("{path}.hosts[{index}]"), host, cx);
            }
            let secret = text(tls.secret_name.as_ref());
            let hosts: Vec<String> = hosts.cloned().collect();
            IngressTLS {
                hosts: (!hosts.is_empty()).then_some(hosts),
                secret_name: secret.map(str::to_owned),
            }
        })
        .collect()
}

/// Returns the origins of browsers that come through the Ingress.
pub(super) fn origins(spec: &OpenClawInstanceSpec) -> Origins {
    asked(spec).map(encryption::origins).unwrap_or_default()
}
