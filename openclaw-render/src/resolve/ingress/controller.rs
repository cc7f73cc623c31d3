//! What the Ingress's controller is told by annotations, in its own words.

use std::collections::BTreeMap;

use super::PATH;
use super::encryption::{is_elsewhere, is_router_encrypted};
use super::middlewares::{IngressGuard, Middleware, Standing, standing};
use crate::api::IngressSpec;
use crate::resolve::BasicAuth;
use crate::resolve::context::Resolving;
use crate::vocab::names::InstanceName;

/// The class of an Ingress as it was written before there was a field for it.
const CLASS: &str = "kubernetes.io/ingress.class";
const NGINX: &str = "nginx.ingress.kubernetes.io";
const TRAEFIK: &str = "traefik.ingress.kubernetes.io";
/// Names the Middlewares of a router, with commas between them.
const CHAIN: &str = "traefik.ingress.kubernetes.io/router.middlewares";
/// Of another controller for nginx, which knows none of the annotations of ingress-nginx.
const OTHER_NGINX: [&str; 3] = ["appprotect.f5.com/", "nginx.com/", "nginx.org/"];
/// Longest time in seconds without a word that a connection is kept. A `WebSocket` may be silent.
const SILENCE: &str = "3600";
/// Requests per second of a client, unless a number is given.
const REQUESTS: i32 = 10;

/// Whose annotations an Ingress understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resolve) enum Controller {
    Nginx,
    Traefik,
    Other,
}

impl Controller {
    /// Told by the name of the class.
    pub(super) fn of(ingress: &IngressSpec) -> Self {
        let class = class(ingress);
        let is_other = ingress.annotations.as_ref().is_some_and(|all| {
            all.keys().any(|key| OTHER_NGINX.iter().any(|prefix| key.starts_with(prefix)))
        });
        if class.contains("nginx") && !is_other {
            Self::Nginx
        } else if class.contains("traefik") {
            Self::Traefik
        } else {
            Self::Other
        }
    }
}

/// Returns the name of the class in small letters, empty if there is none.
pub(super) fn class(ingress: &IngressSpec) -> String {
    let given = ingress.class_name.as_ref().filter(|class| !class.is_empty());
    let given = given.or_else(|| ingress.annotations.as_ref()?.get(CLASS));
    given.map(|class| class.to_lowercase()).unwrap_or_default()
}

/// What the controller is told that is decided elsewhere.
pub(super) struct Told<'a> {
    pub(super) auth: Option<&'a BasicAuth>,
    pub(super) middlewares: &'a [Middleware],
    /// That of the Middlewares.
    pub(super) namespace: &'a str,
}

/// Returns the Middlewares that Traefik needs, in the order in which requests pass them: whoever
/// tries passwords is slowed down.
pub(super) fn middlewares(
    controller: Controller,
    name: &InstanceName,
    ingress: &IngressSpec,
    auth: Option<&BasicAuth>,
    cx: &mut Resolving<'_>,
) -> Vec<Middleware> {
    if controller != Controller::Traefik {
        return Vec::new();
    }
    let security = ingress.security.clone().unwrap_or_default();
    let encrypted = has_certificate(ingress) || is_router_encrypted(ingress);
    let limit = requests_per_second(ingress).map(IngressGuard::Limit);
    let hsts = (encrypted && security.enable_hsts == Some(true)).then_some(IngressGuard::Hsts);
    let password = auth.map(|auth| IngressGuard::Password {
        secret: auth.secret.clone(),
        realm: auth.realm.clone(),
    });
    let wanted = [(name.hsts(), hsts), (name.rate_limit(), limit), (name.basic_auth(), password)];
    let wanted = wanted.into_iter().filter_map(|(name, guard)| Some((name, guard?)));
    wanted.map(|(name, guard)| Middleware { standing: standing(&name, cx), name, guard }).collect()
}

/// Returns how the annotation names them, ours before the user's. Traefik serves nothing where one
/// is missing: that is right for a password, and too much for the rest.
fn chain(told: &Told<'_>, users: Option<String>) -> Option<String> {
    let ours = told.middlewares.iter().filter(|each| {
        each.standing != Standing::Missing || matches!(each.guard, IngressGuard::Password { .. })
    });
    let ours = ours.map(|each| format!("{}-{}@kubernetescrd", told.namespace, each.name));
    let all: Vec<String> = ours.chain(users.filter(|users| !users.is_empty())).collect();
    (!all.is_empty()).then(|| all.join(","))
}

/// Returns the user's annotations, and under them what the spec asks of the controller; over them,
/// what asks for a password.
pub(super) fn annotations(
    controller: Controller,
    ingress: &IngressSpec,
    told: &Told<'_>,
    cx: &mut Resolving<'_>,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let security = ingress.security.clone().unwrap_or_default();
    let encrypted = has_certificate(ingress);
    let forced = security.force_https.unwrap_or(encrypted);
    match controller {
        Controller::Nginx => {
            let limit = requests_per_second(ingress);
            let mut set = |key: &str, value: &str| {
                all.insert(format!("{NGINX}/{key}"), value.to_owned());
            };
            set("proxy-read-timeout", SILENCE);
            set("proxy-send-timeout", SILENCE);
            if forced {
                set("ssl-redirect", "true");
                set("force-ssl-redirect", "true");
            } else if encrypted {
                // Where there is a certificate, it redirects by itself.
                set("ssl-redirect", "false");
            }
            if let Some(limit) = limit {
                set("limit-rps", &limit.to_string());
            }
            if encrypted && security.enable_hsts == Some(false) {
                cx.ineffective(
                    format!("{PATH}.security.enableHSTS"),
                    "has no effect: ingress-nginx sends HSTS for all of its hosts or for none, as \
                     `hsts` in its ConfigMap says",
                );
            }
        }
        Controller::Traefik => {
            if forced {
                all.insert(format!("{TRAEFIK}/router.entrypoints"), "websecure".to_owned());
            }
        }
        Controller::Other => {}
    }
    let is_known = controller != Controller::Other || is_elsewhere(ingress);
    if security.force_https == Some(true) && !is_known {
        cx.ineffective(
            format!("{PATH}.security.forceHTTPS"),
            "has no effect: only for ingress-nginx and Traefik is it known how, and `className` \
             names another; use `annotations`",
        );
    }
    if security.enable_hsts == Some(true) && controller == Controller::Other {
        cx.ineffective(
            format!("{PATH}.security.enableHSTS"),
            "has no effect: only ingress-nginx and Traefik send HSTS, and `className` names another",
        );
    }
    if security.enable_hsts == Some(true)
        && controller == Controller::Traefik
        && !encrypted
        && !is_router_encrypted(ingress)
    {
        cx.ineffective(
            format!("{PATH}.security.enableHSTS"),
            "has no effect without `tls`: browsers take it from encrypted answers alone",
        );
    }
    if controller == Controller::Other && requests_per_second(ingress).is_some() {
        cx.ineffective(
            format!("{PATH}.security.rateLimiting"),
            "has no effect: only for ingress-nginx and Traefik is it known how, and `className` \
             names another; use `annotations`",
        );
    }
    let mut users = ingress.annotations.clone().unwrap_or_default();
    if ingress.class_name.as_ref().is_some_and(|class| !class.is_empty())
        && users.remove(CLASS).is_some()
    {
        cx.ineffective(
            format!("{PATH}.annotations[{CLASS:?}]"),
            "is left out: the API server takes either it or `className`",
        );
    }
    if told.auth.is_some() {
        check_back_doors(&users, cx);
    }
    let of_users = users.get(CHAIN).cloned();
    all.extend(users);
    if let Some(chain) = chain(told, of_users).filter(|_| controller == Controller::Traefik) {
        all.insert(CHAIN.to_owned(), chain);
    }
    // Without these the agent would be open to those who are kept out: nobody's wish wins.
    if let Some(BasicAuth { secret, realm, .. }) =
        told.auth.filter(|_| controller == Controller::Nginx)
    {
        for (key, value) in [
            ("auth-type", "basic"),
            ("auth-secret", secret),
            ("auth-secret-type", "auth-file"),
            ("auth-realm", realm),
        ] {
            all.insert(format!("{NGINX}/{key}"), value.to_owned());
        }
    }
    all
}

/// Refuses what would lead somebody past the password.
fn check_back_doors(users: &BTreeMap<String, String>, cx: &mut Resolving<'_>) {
    let is_one =
        |key: &str| key == "satisfy" || key.ends_with("-snippet") || key.starts_with("canary");
    for key in users.keys() {
        let name = key.strip_prefix(NGINX).and_then(|rest| rest.strip_prefix('/'));
        if name.is_some_and(is_one) {
            cx.error(
                format!("{PATH}.annotations[{key:?}]"),
                "can lead past the password: remove it, or turn `security.basicAuth` off",
            );
        }
    }
}

fn has_certificate(ingress: &IngressSpec) -> bool {
    ingress.tls.as_ref().is_some_and(|tls| !tls.is_empty())
}

/// Returns the limit that is asked for.
fn requests_per_second(ingress: &IngressSpec) -> Option<i32> {
    let limit = ingress.security.as_ref()?.rate_limiting.as_ref()?;
    let number = limit.requests_per_second.unwrap_or(REQUESTS);
    if limit.enabled == Some(false) {
        return None;
    }
    Some(number)
}
