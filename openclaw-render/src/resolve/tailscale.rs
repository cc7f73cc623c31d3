//! The agent's place in a tailnet: name, key, and who comes through it.

use k8s_openapi::api::core::v1::{ResourceRequirements, SecretKeySelector};

use super::context::Resolving;
use super::defaults::text;
use super::{image, join_key, resources, security};
use crate::api::ConditionType::SecretsReady;
use crate::api::{OpenClawInstanceSpec, TailscaleMode};
use crate::vocab::images;
use crate::vocab::names::InstanceName;

/// Key of the auth key in its Secret by default.
const KEY: &str = "authkey";

/// The agent's place in a tailnet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tailscale {
    /// Full reference, registry override applied.
    pub(crate) image: String,
    pub(crate) mode: TailscaleMode,
    pub(crate) hostname: String,
    /// Whether members of the tailnet are signed in by who they are there.
    pub(crate) signs_in: bool,
    /// The key by which it joins.
    pub(crate) auth_key: Option<SecretKeySelector>,
    /// Hash of that key.
    pub(crate) inputs: Option<String>,
    pub(crate) resources: ResourceRequirements,
}

/// Returns the agent's place, if it is asked for.
pub(super) fn resolve(
    name: &InstanceName,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Option<Tailscale> {
    let tailscale = spec.tailscale.as_ref().filter(|each| each.enabled == Some(true))?;
    let path = "spec.tailscale";
    if spec.netbird.as_ref().and_then(|netbird| netbird.enabled) == Some(true) {
        cx.error("spec.netbird.enabled", "excludes `spec.tailscale`: turn one of the two off");
    }
    if security::api_token(spec) {
        cx.risk(
            path,
            "and a token of the Kubernetes API in the agent's container: a pod has one account, so \
             the agent can read its identity in the tailnet",
        );
    }
    let mode = tailscale.mode.unwrap_or_default();
    if mode == TailscaleMode::Funnel {
        cx.risk(
            format!("{path}.mode"),
            "`funnel` leads everyone on the internet to the gateway: what `gateway.auth` of \
             openclaw.json asks for alone keeps strangers out, a token by default",
        );
    }
    // Names of hosts know no capitals, and the tailnet shows them small.
    let hostname = text(tailscale.hostname.as_ref()).unwrap_or(name.as_str());
    let hostname = hostname.to_ascii_lowercase();
    check_ways(spec, &hostname, cx);
    let key = join_key::Asked {
        container: "tailscale",
        network: "tailnet",
        path: "spec.tailscale.authKeySecretRef",
        secret: tailscale.auth_key_secret_ref.as_ref(),
        key: tailscale.auth_key_secret_key.as_ref(),
        default_key: KEY,
    };
    let (auth_key, inputs) = cx.about(SecretsReady, |cx| join_key::resolve(&key, cx));
    let default = (images::TAILSCALE_REPOSITORY, images::TAILSCALE_TAG);
    let given = tailscale.resources.as_ref();
    Some(Tailscale {
        image: image::helper("spec.tailscale.image", tailscale.image.as_ref(), default, spec, cx),
        mode,
        hostname,
        signs_in: tailscale.auth_sso == Some(true),
        auth_key,
        inputs,
        resources: resources::requirements(
            "spec.tailscale.resources",
            given,
            &resources::TAILSCALE,
            cx,
        ),
    })
}

/// Says what keeps the tailnet from working without anybody being told.
fn check_ways(spec: &OpenClawInstanceSpec, hostname: &str, cx: &mut Resolving<'_>) {
    let origins = spec.gateway.as_ref().and_then(|gateway| gateway.control_ui_origins.as_deref());
    if !origins.unwrap_or_default().iter().any(|origin| origin.ends_with(".ts.net")) {
        cx.ineffective(
            "spec.gateway.controlUiOrigins",
            format!(
                "names no address in the tailnet, so the Control UI refuses who comes from there: \
                 add `https://{hostname}.<your tailnet>.ts.net`"
            ),
        );
    }
    let policy = spec.security.as_ref().and_then(|security| security.network_policy.as_ref());
    let keeps_https = policy
        .is_some_and(|policy| policy.enabled.unwrap_or(true) && policy.allow_https == Some(false));
    if keeps_https {
        cx.ineffective(
            "spec.security.networkPolicy.allowHTTPS",
            "keeps Tailscale from its servers, which it reaches on port 443: open them by \
             `additionalEgress`",
        );
    }
}
