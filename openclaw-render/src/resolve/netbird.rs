//! The agent's place in a NetBird network: name, key, and what else its members reach.

use k8s_openapi::api::core::v1::{ResourceRequirements, SecretKeySelector};

use super::context::Resolving;
use super::defaults::text;
use super::{NetworkPolicy, image, join_key, resources};
use crate::api::ConditionType::SecretsReady;
use crate::api::OpenClawInstanceSpec;
use crate::vocab::names::InstanceName;
use crate::vocab::{grammar, images, ports};

const PATH: &str = "spec.netbird";
/// Key of the setup key in its Secret by default.
const KEY: &str = "setupkey";

/// The agent's place in a NetBird network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Netbird {
    /// Full reference, registry override applied.
    pub(crate) image: String,
    pub(crate) hostname: String,
    /// Address of a management server of the user's.
    pub(crate) management_url: Option<String>,
    /// Port of that server, if it is not that of HTTPS.
    pub(crate) management_port: Option<i32>,
    /// The key by which it joins.
    pub(crate) setup_key: Option<SecretKeySelector>,
    /// Hash of that key.
    pub(crate) inputs: Option<String>,
    pub(crate) resources: ResourceRequirements,
}

/// Returns the agent's place, if it is asked for. Tailscale beside it is refused there.
pub(super) fn resolve(
    name: &InstanceName,
    spec: &OpenClawInstanceSpec,
    network_policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) -> Option<Netbird> {
    let netbird = spec.netbird.as_ref().filter(|each| each.enabled == Some(true))?;
    // Names of hosts know no capitals.
    let hostname = text(netbird.hostname.as_ref()).unwrap_or(name.as_str()).to_ascii_lowercase();
    check_reach(spec, cx);
    check_ways(spec, &hostname, network_policy, cx);
    let asked = netbird.image.clone().unwrap_or_default();
    let pins = (text(asked.tag.as_ref()), text(asked.digest.as_ref()));
    image::check_pinned(
        &format!("{PATH}.image"),
        pins,
        images::NETBIRD_TAG,
        ("client", "version"),
        cx,
    );
    let management_url = text(netbird.management_url.as_ref()).map(str::to_owned);
    let key = join_key::Asked {
        container: "netbird",
        network: "network",
        path: "spec.netbird.setupKeySecretRef",
        secret: netbird.setup_key_secret_ref.as_ref(),
        key: netbird.setup_key_secret_key.as_ref(),
        default_key: KEY,
    };
    let (setup_key, inputs) = cx.about(SecretsReady, |cx| join_key::resolve(&key, cx));
    let default = (images::NETBIRD_REPOSITORY, images::NETBIRD_TAG);
    let given = netbird.resources.as_ref();
    Some(Netbird {
        image: image::helper(&format!("{PATH}.image"), Some(&asked), default, spec, cx),
        hostname,
        management_port: management_url.as_deref().and_then(grammar::port_of_url),
        management_url,
        setup_key,
        inputs,
        resources: resources::requirements(
            &format!("{PATH}.resources"),
            given,
            &resources::NETBIRD,
            cx,
        ),
    })
}

/// Says what the network's members reach besides the gateway: the client leads them to every port on
/// loopback, and only the network's own policies tell ports apart.
fn check_reach(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    let is_on = |enabled: Option<Option<bool>>| enabled.flatten() == Some(true);
    let terminal = spec.web_terminal.as_ref();
    let others = [
        (is_on(spec.chromium.as_ref().map(|each| each.enabled)), "the browser", ports::CDP),
        (is_on(spec.ollama.as_ref().map(|each| each.enabled)), "local models", ports::OLLAMA),
        (
            is_on(terminal.map(|each| each.enabled))
                && terminal.is_some_and(|each| each.credential.is_none()),
            "the web terminal",
            ports::WEB_TERMINAL,
        ),
    ];
    let others: Vec<String> = others
        .into_iter()
        .filter(|(is_on, ..)| *is_on)
        .map(|(_, what, port)| format!("{what} ({port})"))
        .collect();
    let besides = if others.is_empty() {
        String::new()
    } else {
        format!(", and {}, which ask nobody who they are", others.join(", "))
    };
    cx.risk(
        PATH,
        format!(
            "members of the network reach every port that the pod has on loopback: the gateway \
             ({}), which takes them for local{besides}; let the network's access policies open \
             only TCP {}",
            ports::GATEWAY,
            ports::PROXY
        ),
    );
}

/// Says what keeps the network from working without anybody being told.
fn check_ways(
    spec: &OpenClawInstanceSpec,
    hostname: &str,
    network_policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) {
    let origins = spec.gateway.as_ref().and_then(|gateway| gateway.control_ui_origins.as_deref());
    let is_ours = |origin: &String| {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        host.strip_prefix(hostname).is_some_and(|rest| rest.starts_with(['.', ':']))
    };
    if !origins.unwrap_or_default().iter().any(is_ours) {
        cx.ineffective(
            "spec.gateway.controlUiOrigins",
            format!(
                "names no address in the NetBird network, so the Control UI refuses who comes from \
                 there: add `http://{hostname}.<your domain>:{}`",
                ports::PROXY
            ),
        );
    }
    if network_policy.is_some_and(|policy| !policy.https) {
        cx.ineffective(
            "spec.security.networkPolicy.allowHTTPS",
            "keeps NetBird from its servers, which it reaches on port 443: open them by \
             `additionalEgress`",
        );
    }
}
