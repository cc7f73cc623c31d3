//! Combinations of ways in and proofs of who somebody is that let strangers in, or nobody.

use serde_json::{Map, Value};

use super::Auth;
use super::context::Resolving;
use crate::api::{OpenClawInstanceSpec, TailscaleMode};
use crate::vocab::env;

/// What `*` means in a list of origins.
pub(super) const EVERY_ORIGIN: &str = "admits every origin: any page that a signed-in browser visits \
     can speak to the gateway; list the addresses under which the Control UI is opened";
const ORIGIN_FROM_HOST: &str = "dangerouslyAllowHostHeaderOriginFallback";

/// Looks at `gateway` of openclaw.json, which stands at that path.
pub(super) fn check(
    spec: &OpenClawInstanceSpec,
    path: &str,
    gateway: &Map<String, Value>,
    auth: Auth,
    cx: &mut Resolving<'_>,
) {
    let mode = gateway.get("auth").and_then(|auth| auth.get("mode")).and_then(Value::as_str);
    check_tailnet(spec, path, mode, auth, cx);
    check_tls(path, gateway, cx);
    check_origins(path, gateway, cx);
    if mode == Some("password") {
        check_password(spec, path, gateway, cx);
    }
}

/// Tailscale's own proxy leads to the gateway by loopback, past the proxy that takes headers with an
/// identity from strangers. Measured with OpenClaw 2026.9.6: whoever comes that way and sends the header
/// is signed in.
fn check_tailnet(
    spec: &OpenClawInstanceSpec,
    path: &str,
    mode: Option<&str>,
    auth: Auth,
    cx: &mut Resolving<'_>,
) {
    let tailscale = spec.tailscale.as_ref().filter(|tailscale| tailscale.enabled == Some(true));
    let Some(tailscale) = tailscale else { return };
    let is_public = tailscale.mode == Some(TailscaleMode::Funnel);
    let path = format!("{path}.auth.mode");
    if auth == Auth::TrustedProxy {
        cx.will_not_start(
            path,
            "lets everyone who comes through Tailscale sign in as anybody, for who they are is \
             a header of theirs: use `token`, or turn `spec.tailscale` off",
        );
    } else if mode == Some("none") && is_public {
        cx.will_not_start(
            path,
            "lets everyone on the internet command the agent, with `spec.tailscale.mode: funnel`: \
             use `token`, or mode `serve`",
        );
    } else if mode == Some("none") {
        cx.risk(
            "spec.tailscale.enabled",
            "lets every member of the tailnet command the agent: use `gateway.auth.mode: token`",
        );
    }
}

/// Everything in the pod that speaks to the gateway speaks plain HTTP.
fn check_tls(path: &str, gateway: &Map<String, Value>, cx: &mut Resolving<'_>) {
    let enabled = gateway.get("tls").and_then(|tls| tls.get("enabled"));
    if enabled == Some(&Value::Bool(true)) {
        cx.will_not_start(
            format!("{path}.tls.enabled"),
            "keeps the pod from being ready: probes, gateway proxy and Tailscale speak plain HTTP \
             in it; have TLS end at the Ingress or HTTPRoute",
        );
    }
}

/// Who may speak to the gateway out of a browser that is signed in.
fn check_origins(path: &str, gateway: &Map<String, Value>, cx: &mut Resolving<'_>) {
    let Some(control_ui) = gateway.get("controlUi") else { return };
    let origins = control_ui.get("allowedOrigins").and_then(Value::as_array);
    if origins.is_some_and(|origins| origins.iter().any(|origin| origin == "*")) {
        cx.risk(format!("{path}.controlUi.allowedOrigins"), EVERY_ORIGIN);
    }
    if control_ui.get(ORIGIN_FROM_HOST) == Some(&Value::Bool(true)) {
        cx.risk(
            format!("{path}.controlUi.{ORIGIN_FROM_HOST}"),
            "takes the name of the host that a request brings for an origin, so a page on any name \
             that leads here can speak to the gateway: list the addresses in \
             `spec.gateway.controlUiOrigins`",
        );
    }
}

/// Measured: the application exits without one.
fn check_password(
    spec: &OpenClawInstanceSpec,
    path: &str,
    gateway: &Map<String, Value>,
    cx: &mut Resolving<'_>,
) {
    let password = gateway.get("auth").and_then(|auth| auth.get("password"));
    let is_given = match password {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    let names = spec.env.iter().flatten().map(|variable| variable.name.as_str());
    let in_environment = names.into_iter().any(|name| name == env::GATEWAY_PASSWORD);
    // What is in there may have it.
    let may_be_there = spec.env_from.as_ref().is_some_and(|sources| !sources.is_empty());
    if !is_given && !in_environment && !may_be_there {
        cx.will_not_start(
            format!("{path}.auth.password"),
            format!(
                "is not set, and the application does not start without one: set it, or {} in \
                 `spec.env`",
                env::GATEWAY_PASSWORD
            ),
        );
    }
}
