//! The gateway: where it listens, how clients prove who they are, and whose word about a client
//! counts.

use serde_json::{Map, Value};

use super::address::Network;
use super::context::Resolving;
use super::environment::users_token;
use super::network_policy::NetworkPolicy;
use super::trust::{self, HeaderName};
use super::{BaseConfig, address, image, open_doors};
use super::{http_route, ingress};
use crate::api::OpenClawInstanceSpec;
use crate::version::Version;
use crate::vocab::grammar::is_origin;
use crate::vocab::{env, images, ports};

const DISABLE_DEVICE_AUTH: &str = "dangerouslyDisableDeviceAuth";
/// From this version on, as far as was measured, every device needs an approval.
const DEVICE_AUTH_ALWAYS: Version = Version::new(2026, 8, 1);

/// What the user's `gateway` in openclaw.json means for the pod.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gateway {
    /// How clients prove who they are.
    pub(crate) auth: Auth,
    /// Whom our proxy asks who the client is, sorted; not those on loopback.
    pub(crate) trusted_peers: Vec<Network>,
    /// Headers that our proxy takes from no other peer, sorted.
    pub(crate) identity_headers: Vec<HeaderName>,
    /// Whether openclaw.json says that an identity may come from loopback, where our proxy is.
    pub(crate) identity_from_loopback: bool,
}

/// How clients of the gateway prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// By the token in the Secret, which the environment carries.
    SecretToken,
    /// By the token that the user's own entry puts into the environment.
    UsersToken,
    /// By headers of a proxy that authenticates; any token in the environment would contradict it.
    TrustedProxy,
    /// By what else the user's configuration says; the Secret's token would contradict it.
    Configured,
}

/// The proxy in front of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proxy {
    /// Full image reference, registry override applied.
    pub(crate) image: String,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    config: &BaseConfig,
    policy: Option<&NetworkPolicy>,
    version: Version,
    cx: &mut Resolving<'_>,
) -> Gateway {
    let path = format!("{}.gateway", config.path);
    let nothing = Map::new();
    let gateway = match config.document.get("gateway") {
        None | Some(Value::Null) => &nothing,
        Some(Value::Object(gateway)) => gateway,
        Some(_) => {
            cx.will_not_start(path.as_str(), "must be an object; the operator left it as it is");
            &nothing
        }
    };
    let proxied = proxied(spec);
    check_shape(&path, gateway, cx);
    check_bind(&path, gateway, proxied, cx);
    check_device_auth(&path, gateway, version, cx);
    let trusted_peers = trust::trusted_peers(&path, gateway, proxied, cx);
    let auth = auth(spec, &path, gateway, cx);
    open_doors::check(spec, &path, gateway, auth, cx);
    let mut identity_headers = Vec::new();
    if auth == Auth::TrustedProxy {
        identity_headers = trust::identity_headers(&path, gateway, proxied, cx);
        trust::check_trust(&path, &trusted_peers, policy, cx);
        if proxied {
            trust::check_loopback(&path, gateway, version, cx);
        }
    } else if address::hold_everyone(&trusted_peers) {
        cx.risk(
            format!("{path}.trustedProxies"),
            "trusts everyone: whoever reaches the agent chooses the address that it is known and \
             locked out under; list the networks of your own proxies",
        );
    }
    let identity_from_loopback =
        auth == Auth::TrustedProxy && proxied && version >= trust::LOOPBACK_ALLOWED;
    Gateway { auth, trusted_peers, identity_headers, identity_from_loopback }
}

/// Whether the gateway proxy stands in front of the gateway.
pub(super) fn proxied(spec: &OpenClawInstanceSpec) -> bool {
    spec.gateway.as_ref().and_then(|gateway| gateway.enabled).unwrap_or(true)
}

fn mode(gateway: &Map<String, Value>) -> Option<&str> {
    gateway.get("auth")?.get("mode")?.as_str()
}

/// Whether a `gateway.auth.token` leaves the token to [`env::GATEWAY_TOKEN`]: nothing, or any form
/// of a reference to it. Then openclaw.json needs none.
pub(crate) fn is_token_of_environment(token: &Value) -> bool {
    match token {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty() || referred(text) == Some(env::GATEWAY_TOKEN),
        Value::Object(reference) => {
            let is = |key: &str, value| reference.get(key).and_then(Value::as_str) == Some(value);
            is("source", "env") && is("id", env::GATEWAY_TOKEN)
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}

/// The variable that a text stands for, `${NAME}` or `$NAME`.
fn referred(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix('$')?;
    let name = name.strip_prefix('{').map_or(Some(name), |name| name.strip_suffix('}'))?;
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (!name.is_empty() && name.bytes().all(allowed)).then_some(name)
}

/// Combinations that the application's validator accepts and its start refuses, doors that stand
/// open, and a token where everyone with access to ConfigMaps can read it.
fn auth(
    spec: &OpenClawInstanceSpec,
    path: &str,
    gateway: &Map<String, Value>,
    cx: &mut Resolving<'_>,
) -> Auth {
    let mode = mode(gateway);
    if mode.is_some_and(|mode| mode.contains('$')) {
        cx.error(
            format!("{path}.auth.mode"),
            "must be written out: what the pod needs and what the gateway proxy lets through \
             depend on it",
        );
    }
    let token = gateway.get("auth").and_then(|auth| auth.get("token"));
    let token = token.filter(|token| !is_token_of_environment(token));
    if token.and_then(Value::as_str).is_some_and(|token| referred(token).is_none()) {
        cx.risk(
            format!("{path}.auth.token"),
            "whoever may read ConfigMaps can read this token: put it into a Secret under the key \
             `token` and name that in `spec.gateway.existingSecret`",
        );
    }
    match (mode, token) {
        (Some("trusted-proxy"), given) => {
            if given.is_some() {
                cx.will_not_start(
                    format!("{path}.auth.token"),
                    "a token and mode `trusted-proxy` exclude each other: remove the token",
                );
            }
            Auth::TrustedProxy
        }
        (Some("password" | "none"), None) | (_, Some(_)) => Auth::Configured,
        (_, None) if users_token(spec) => Auth::UsersToken,
        (_, None) => Auth::SecretToken,
    }
}

fn check_shape(path: &str, gateway: &Map<String, Value>, cx: &mut Resolving<'_>) {
    for name in ["auth", "controlUi"] {
        if gateway.get(name).is_some_and(|value| !value.is_object() && !value.is_null()) {
            cx.will_not_start(
                format!("{path}.{name}"),
                "must be an object; the operator left it as it is",
            );
        }
    }
    let proxies = gateway.get("trustedProxies");
    if proxies.is_some_and(|value| !value.is_array() && !value.is_null()) {
        cx.will_not_start(
            format!("{path}.trustedProxies"),
            "must be a list of addresses and networks; the operator left it as it is",
        );
    }
    if let Some(mode) = gateway.get("mode").filter(|mode| mode.as_str() != Some("local")) {
        cx.ineffective(
            format!("{path}.mode"),
            format!("{mode} has no effect: a gateway in a pod always runs in mode `local`"),
        );
    }
    if gateway.get("port").is_some_and(|port| port.as_i64() != Some(i64::from(ports::GATEWAY))) {
        cx.ineffective(
            format!("{path}.port"),
            format!(
                "has no effect: the gateway listens on {} in the pod ({}); the Service's port is \
                 `spec.networking.service.ports`",
                ports::GATEWAY,
                env::GATEWAY_PORT
            ),
        );
    }
}

fn check_bind(path: &str, gateway: &Map<String, Value>, proxied: bool, cx: &mut Resolving<'_>) {
    let bind = gateway.get("bind").filter(|bind| !bind.is_null());
    let bind = bind.map(|bind| bind.as_str().unwrap_or_default());
    let path_of_bind = format!("{path}.bind");
    match bind {
        Some("loopback") if !proxied => cx.ineffective(
            path_of_bind,
            "without the gateway proxy nothing outside the pod reaches a gateway on `loopback`: \
             use `lan`, or turn `spec.gateway.enabled` on",
        ),
        None | Some("loopback" | "lan") => {}
        Some("auto" | "0.0.0.0") => cx.ineffective(
            path_of_bind,
            "becomes `lan`, which means the same in a pod and is valid in every version",
        ),
        Some(_) => cx.error(
            path_of_bind,
            "must be `loopback` or `lan`: the addresses of a pod are not known beforehand",
        ),
    }
    if mode(gateway) != Some("none") {
        return;
    }
    let path_of_mode = format!("{path}.auth.mode");
    if bind.map_or(!proxied, |bind| bind != "loopback") {
        cx.will_not_start(
            path_of_mode,
            "the application refuses to listen on `lan` without authentication: use `token`, or \
             leave `gateway.bind` and `spec.gateway.enabled` at their defaults",
        );
    } else if proxied {
        cx.risk(
            path_of_mode,
            "whoever reaches the Service commands the agent, with its tools, files and keys: use \
             `token`, the default",
        );
    }
}

/// Says what becomes of the switch that lets unknown devices in.
fn check_device_auth(
    path: &str,
    gateway: &Map<String, Value>,
    version: Version,
    cx: &mut Resolving<'_>,
) {
    let path = format!("{path}.controlUi.{DISABLE_DEVICE_AUTH}");
    let switch = gateway.get("controlUi").and_then(|ui| ui.get(DISABLE_DEVICE_AUTH));
    if switch != Some(&Value::Bool(true)) {
        return;
    }
    if version >= DEVICE_AUTH_ALWAYS {
        cx.ineffective(
            path,
            format!(
                "has no effect since {DEVICE_AUTH_ALWAYS}: remove it, and approve each browser by \
                 `openclaw devices approve`"
            ),
        );
    } else {
        cx.risk(path, "lets in every device that has the token: remove it, and approve devices");
    }
}

/// Returns the proxy, unless the gateway goes without.
pub(super) fn proxy(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Option<Proxy> {
    let image = spec.gateway.as_ref().and_then(|gateway| gateway.image.as_ref());
    let default = (images::PROXY_REPOSITORY, images::PROXY_TAG);
    proxied(spec)
        .then(|| Proxy { image: image::helper("spec.gateway.image", image, default, spec, cx) })
}

/// Origins of the Control UI, sorted, each once.
pub(super) fn control_ui_origins(
    spec: &OpenClawInstanceSpec,
    document: &Map<String, Value>,
    cx: &mut Resolving<'_>,
) -> Vec<String> {
    let of_ingress = ingress::origins(spec);
    let (of_route, has_more) = http_route::origins(spec);
    let example = "https://ada.example.com".to_owned();
    let unknown = of_ingress.unknown.or_else(|| has_more.then_some(example));
    let given = spec.gateway.as_ref().and_then(|gateway| gateway.control_ui_origins.as_deref());
    // Through `kubectl port-forward` it is always reachable.
    let local = |host| format!("http://{host}:{}", ports::GATEWAY);
    let mut origins = ["localhost", "127.0.0.1"].map(local).to_vec();
    origins.extend(of_ingress.known);
    origins.extend(of_route);
    let control_ui = document.get("gateway").and_then(|gateway| gateway.get("controlUi"));
    let users = control_ui.and_then(|control_ui| control_ui.get("allowedOrigins"));
    if let Some(example) = unknown
        && given.is_none_or(<[String]>::is_empty)
        && users.is_none()
    {
        cx.ineffective(
            "spec.gateway.controlUiOrigins",
            format!(
                "is empty, and nobody knows which names of hosts lead through the Ingress or \
                 HTTPRoute, so the Control UI refuses who comes from there: add what a browser \
                 shows, for example `{example}`"
            ),
        );
    }
    for (index, origin) in given.unwrap_or_default().iter().enumerate() {
        if origin.is_empty() {
            continue;
        }
        let path = format!("spec.gateway.controlUiOrigins[{index}]");
        if origin == "*" {
            cx.risk(path, open_doors::EVERY_ORIGIN);
        } else if !is_origin(origin) {
            cx.ineffective(
                path,
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
