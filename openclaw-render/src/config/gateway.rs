//! `gateway`: mode, bind, authentication, trusted proxies.

use serde_json::{Map, Value, json};

use super::object_at;
use crate::resolve::gateway::is_token_of_environment;
use crate::resolve::{Auth, Resolved};
use crate::vocab::ports;

/// The proxy in the pod reaches the gateway from one of these.
const LOOPBACK_NETWORKS: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Without it the application exits 78; another value has no meaning in a pod.
pub(super) fn mode(document: &mut Map<String, Value>, _: &Resolved) {
    if let Some(gateway) = object_at(document, "gateway") {
        gateway.insert("mode".to_owned(), json!("local"));
    }
}

/// Behind the proxy only loopback needs to be reachable. Never an address: versions since 2026.2
/// accept names only.
pub(super) fn bind(document: &mut Map<String, Value>, instance: &Resolved) {
    let Some(gateway) = object_at(document, "gateway") else { return };
    let given = gateway.get("bind").and_then(Value::as_str);
    let loopback = given.map_or(instance.proxy.is_some(), |bind| bind == "loopback");
    gateway.insert("bind".to_owned(), json!(if loopback { "loopback" } else { "lan" }));
}

/// Service, proxy and probes count on one port.
pub(super) fn port(document: &mut Map<String, Value>, _: &Resolved) {
    if let Some(gateway) = object_at(document, "gateway")
        && gateway.contains_key("port")
    {
        gateway.insert("port".to_owned(), json!(ports::GATEWAY));
    }
}

/// The token is in the environment, never in a ConfigMap, and a reference to it says nothing more.
pub(super) fn auth(document: &mut Map<String, Value>, instance: &Resolved) {
    let Some(gateway) = object_at(document, "gateway") else { return };
    let by_token = matches!(instance.gateway.auth, Auth::SecretToken | Auth::UsersToken);
    if !by_token && !gateway.contains_key("auth") {
        return;
    }
    let Some(auth) = object_at(gateway, "auth") else { return };
    auth.retain(|key, value| {
        !(value.is_null() || key == "token" && is_token_of_environment(value))
    });
    if by_token {
        auth.entry("mode").or_insert_with(|| json!("token"));
    }
    if instance.gateway.identity_from_loopback
        && let Some(settings) = object_at(auth, "trustedProxy")
    {
        settings.insert("allowLoopback".to_owned(), json!(true));
    }
}

/// Our proxy tells the gateway who the client is, and nobody else does: whom the user trusts, the
/// proxy asks. Without it the list is the user's alone;
/// Tailscale connects from loopback, too, and says who comes.
pub(super) fn trusted_proxies(document: &mut Map<String, Value>, instance: &Resolved) {
    let Some(gateway) = object_at(document, "gateway") else { return };
    if instance.proxy.is_none() {
        if instance.tailscale.is_some() {
            gateway.entry("trustedProxies").or_insert_with(|| json!(LOOPBACK_NETWORKS));
        }
        return;
    }
    let proxies = gateway.entry("trustedProxies").or_insert(Value::Null);
    if proxies.is_null() || proxies.is_array() {
        *proxies = json!(LOOPBACK_NETWORKS);
    }
}

/// Members of the tailnet sign in by who they are there, which the gateway asks Tailscale for.
pub(super) fn tailnet_identity(document: &mut Map<String, Value>, instance: &Resolved) {
    if !instance.tailscale.as_ref().is_some_and(|tailscale| tailscale.signs_in) {
        return;
    }
    let Some(gateway) = object_at(document, "gateway") else { return };
    let Some(auth) = object_at(gateway, "auth") else { return };
    auth.entry("allowTailscale").or_insert(json!(true));
}
