//! Whose word about a client counts: networks of proxies, and headers in which they name a user.
//!
//! Both end up in nginx.conf, and nothing of the user's text does: [`Network`] and [`HeaderName`]
//! are parsed, and print themselves in characters that mean nothing to nginx.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::address::{self, Network};
use super::context::Resolving;
use super::network_policy::NetworkPolicy;
use crate::version::Version;

/// Networks of proxies that nginx is given at most.
const MAX_NETWORKS: usize = 1000;
/// Headers that nginx is given at most.
const MAX_HEADERS: usize = 32;

/// The first version that was seen to refuse an identity that comes from loopback.
const LOOPBACK_REFUSED: Version = Version::new(2026, 3, 31);
/// The first version that was seen to have `allowLoopback`, which lets it in.
pub(super) const LOOPBACK_ALLOWED: Version = Version::new(2026, 4, 27);

/// Name of an HTTP header, in lower case: letters, digits and `-`. nginx drops what has others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeaderName(String);

impl HeaderName {
    pub(crate) const LONGEST: usize = 64;

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let right = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(allowed);
        right.then(|| Self(text.to_ascii_lowercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As nginx calls it in variables.
    pub(crate) fn variable(&self) -> String {
        self.0.replace('-', "_")
    }

    /// Whether the proxy writes it, or the connection needs it: it cannot name a user.
    pub(crate) fn is_of_the_connection(&self) -> bool {
        OF_THE_CONNECTION.contains(&self.as_str()) || self.0.starts_with("sec-websocket-")
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Removed by the proxy from whoever sends it.
pub(crate) const REMOVED: &str = "forwarded";

/// Headers that tell of a connection and not of a user.
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    REMOVED,
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-real-ip",
];

/// Peers whose word counts. Without our proxy the application reads the list itself, by its own
/// rules, and nothing is refused here.
pub(super) fn trusted_peers(
    path: &str,
    gateway: &Map<String, Value>,
    proxied: bool,
    cx: &mut Resolving<'_>,
) -> Vec<Network> {
    let path = format!("{path}.trustedProxies");
    let entries = gateway.get("trustedProxies").and_then(Value::as_array);
    let entries = entries.map(Vec::as_slice).unwrap_or_default();
    if proxied && entries.len() > MAX_NETWORKS {
        cx.error(
            path,
            format!(
                "{} networks are too many for the gateway proxy: name at most {MAX_NETWORKS}",
                entries.len()
            ),
        );
        return Vec::new();
    }
    let mut networks = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        // The application skips what is blank.
        if entry.as_str().is_some_and(|text| text.trim().is_empty()) {
            continue;
        }
        match entry.as_str().and_then(Network::parse) {
            Some(network) if network.is_loopback() => {}
            Some(network) => {
                networks.insert(network);
            }
            None if proxied => cx.error(
                format!("{path}[{index}]"),
                format!(
                    "{entry} is not an address or network: write for example `10.0.0.0/8` or \
                     `fd00::/8`; the gateway proxy takes neither host names nor variables"
                ),
            ),
            None => {}
        }
    }
    networks.into_iter().collect()
}

/// Headers that name a user, or prove that a proxy sends them.
pub(super) fn identity_headers(
    path: &str,
    gateway: &Map<String, Value>,
    proxied: bool,
    cx: &mut Resolving<'_>,
) -> Vec<HeaderName> {
    let settings = gateway.get("auth").and_then(|auth| auth.get("trustedProxy"));
    let field = |name: &str| settings.and_then(|settings| settings.get(name));
    let path = format!("{path}.auth.trustedProxy");
    let user = field("userHeader")
        .filter(|user| user.as_str().is_some_and(|user| !user.trim().is_empty()));
    if user.is_none() {
        cx.will_not_start(
            format!("{path}.userHeader"),
            "is required by mode `trusted-proxy`: name the header in which your proxy sends the \
             user",
        );
    }
    if !proxied {
        return Vec::new();
    }
    let mut headers = BTreeSet::new();
    let mut take = |path: String, value: &Value, names_user: bool| {
        let Some(header) = value.as_str().and_then(HeaderName::parse) else {
            cx.error(
                path,
                format!(
                    "{value} does not pass the gateway proxy: the name of a header has 1 to {} \
                     letters, digits and `-`",
                    HeaderName::LONGEST
                ),
            );
            return;
        };
        if header.as_str() == REMOVED || names_user && header.is_of_the_connection() {
            cx.error(
                path,
                format!(
                    "`{header}` tells of a connection, and the gateway proxy writes or removes \
                     it: use a header of your proxy's own"
                ),
            );
        } else if !header.is_of_the_connection() {
            headers.insert(header);
        }
    };
    if let Some(user) = user {
        take(format!("{path}.userHeader"), user, true);
    }
    let required = field("requiredHeaders").and_then(Value::as_array);
    let required = required.map(Vec::as_slice).unwrap_or_default();
    for (index, value) in required.iter().enumerate().take(MAX_HEADERS) {
        take(format!("{path}.requiredHeaders[{index}]"), value, false);
    }
    if required.len() > MAX_HEADERS {
        cx.error(
            format!("{path}.requiredHeaders"),
            format!(
                "{} headers are too many for the gateway proxy: name at most {MAX_HEADERS}",
                required.len()
            ),
        );
    }
    headers.into_iter().collect()
}

/// Who can sign in as anybody.
pub(super) fn check_trust(
    path: &str,
    peers: &[Network],
    policy: Option<&NetworkPolicy>,
    cx: &mut Resolving<'_>,
) {
    let path = format!("{path}.trustedProxies");
    if peers.is_empty() {
        cx.will_not_start(
            path,
            "nobody can sign in with mode `trusted-proxy`: name the addresses of the proxy that \
             authenticates; loopback does not count",
        );
        return;
    }
    if address::hold_everyone(peers) {
        cx.will_not_start(
            path,
            "with mode `trusted-proxy`, trust of everyone lets everyone sign in as anybody: name \
             the addresses of the proxy that authenticates",
        );
        return;
    }
    let anyone_near = policy.is_none_or(|policy| policy.same_namespace);
    let (wide, narrow): (Vec<_>, Vec<_>) =
        peers.iter().filter(|peer| !peer.is_single()).partition(|peer| peer.is_wide());
    let mut advise = |peers: &[&Network], who: &str| {
        cx.risk(
            path.as_str(),
            format!(
                "{} {who} can sign in as anybody: name the addresses of the proxy that \
                 authenticates, and let only its namespace in (`allowedIngressNamespaces`, \
                 `allowSameNamespaceIngress: false`)",
                first_of(peers)
            ),
        );
    };
    if !wide.is_empty() {
        advise(&wide, "is wide, and whoever has an address in it");
    }
    if anyone_near && !narrow.is_empty() {
        advise(&narrow, "may hold pods that `spec.security.networkPolicy` lets in; each of them");
    }
}

/// The first network, and how many there are besides.
fn first_of(networks: &[&Network]) -> String {
    match networks {
        [] => String::new(),
        [network] => network.to_string(),
        [network, rest @ ..] => format!("{network} (like {} more)", rest.len()),
    }
}

/// The gateway gets identities from our proxy, that is from loopback.
pub(super) fn check_loopback(
    path: &str,
    gateway: &Map<String, Value>,
    version: Version,
    cx: &mut Resolving<'_>,
) {
    if (LOOPBACK_REFUSED..LOOPBACK_ALLOWED).contains(&version) {
        cx.will_not_start(
            format!("{path}.auth.mode"),
            format!(
                "nobody can sign in: {version} takes no identity from loopback, where the gateway \
                 proxy is; upgrade to {LOOPBACK_ALLOWED}, or turn `spec.gateway.enabled` off"
            ),
        );
        return;
    }
    cx.risk(
        format!("{path}.auth.mode"),
        "what runs in the pod, the agent's own tools included, and whoever may port-forward to it \
         can sign in as anybody: the gateway takes identities from loopback, where the gateway \
         proxy is; without that proxy (`spec.gateway.enabled`) it takes them from yours alone",
    );
    let allow = gateway.get("auth").and_then(|auth| auth.pointer("/trustedProxy/allowLoopback"));
    if allow.is_some_and(|allow| *allow == Value::Bool(false)) {
        cx.ineffective(
            format!("{path}.auth.trustedProxy.allowLoopback"),
            "becomes true: the gateway proxy is on loopback, and only trusted peers pass an \
             identity through it",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderName;

    #[test]
    fn a_header_is_named_by_letters_digits_and_hyphens() {
        let longest = "x".repeat(64);
        for good in ["X-Auth-Request-User", "x", &longest, " Remote-User "] {
            assert!(HeaderName::parse(good).is_some(), "{good}");
        }
        let too_long = "x".repeat(65);
        for bad in ["", " ", "x_user", "x.user", "x user", "x;", "${USER}", "x\ny", "ä", &too_long]
        {
            assert_eq!(HeaderName::parse(bad), None, "{bad:?}");
        }
    }
}
