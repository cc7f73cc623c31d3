//! Ways in from outside the cluster: Ingress and HTTPRoute.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::empty_is_unset;

/// How a path is compared with that of a request.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum PathType {
    /// By its beginning, segment by segment.
    #[default]
    Prefix,
    /// As a whole.
    Exact,
    /// As the Ingress controller decides.
    ImplementationSpecific,
}

impl fmt::Display for PathType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "Prefix",
            Self::Exact => "Exact",
            Self::ImplementationSpecific => "ImplementationSpecific",
        })
    }
}

/// An Ingress that leads to the gateway. Its hosts become origins of the Control UI.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressSpec {
    /// Whether the operator makes an Ingress. Defaults to false. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// IngressClass that serves it, for example `traefik`. Its name tells which annotations are
    /// added: those of ingress-nginx if it contains `nginx`, of Traefik if it contains `traefik`.
    /// Defaults to the cluster's default class. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Annotations of the Ingress, for its controller and for certificates. They win over those that
    /// the operator adds, save what asks for a password. Defaults to none. A change leaves the
    /// running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Hosts that lead to the gateway. At least one and at most 20. They become origins of the
    /// Control UI: with `https` those that a certificate covers, others with `http`, too. Has no
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<IngressHost>>,
    /// Certificates of the hosts. At most 20. Defaults to none, which means plain HTTP, unless
    /// something in front of the controller does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Vec<IngressTls>>,
    /// HTTPS, rate limits and basic authentication, where the controller can do them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<IngressSecurity>,
}

/// A host name under which the agent is reached, and the paths that lead to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressHost {
    /// Name of the host, for example `ada.example.com`; empty text means any. Required. A change
    /// leaves the running pod alone.
    pub host: String,
    /// Paths of the host that lead to the gateway. Defaults to one path, `/`, by prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<IngressPath>>,
}

/// A path below a host name, and the port of the Service that it leads to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressPath {
    /// Path of requests that lead to the gateway. Defaults to `/`. A change leaves the running pod
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How `path` is compared with that of a request. `Prefix`: by its beginning; `Exact`: as a
    /// whole; `ImplementationSpecific`: as the controller decides. Defaults to `Prefix`. A change
    /// leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "PathType")]
    pub path_type: Option<PathType>,
    /// Port of the Service that the path leads to, 1 to 65535. Defaults to 18789, or to the first of
    /// `service.ports` that leads to the gateway. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
}

/// A certificate, and the host names that it is shown for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressTls {
    /// Hosts that the certificate is for. Defaults to none, which leaves them to the controller. A
    /// change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// Secret of type `kubernetes.io/tls` that holds the certificate. Has no default; some
    /// controllers bring their own. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
}

/// HTTPS, rate limits and basic authentication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressSecurity {
    /// Whether HTTPS is required, by ingress-nginx and Traefik. ingress-nginx redirects plain HTTP;
    /// Traefik answers on its entry point `websecure` alone. Defaults to true if `tls` is given. A
    /// change leaves the running pod alone.
    #[serde(rename = "forceHTTPS", skip_serializing_if = "Option::is_none")]
    pub force_https: Option<bool>,
    /// Whether browsers are told to use only HTTPS from now on. With Traefik by a Middleware, if it is
    /// true and `tls` is given. Without effect on ingress-nginx, which decides for all of its hosts at
    /// once. Defaults to what the controller does by itself. A change leaves the running pod alone.
    #[serde(rename = "enableHSTS", skip_serializing_if = "Option::is_none")]
    pub enable_hsts: Option<bool>,
    /// A limit on the requests of each client. Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limiting: Option<RateLimiting>,
    /// A user name and a password that the Ingress asks for. Only with ingress-nginx and Traefik.
    /// Defaults to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
}

/// A limit on the requests of each client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimiting {
    /// Whether the limit is in force, by ingress-nginx and Traefik. Defaults to true. A change leaves
    /// the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Requests per second that a client may send, at least 1. Defaults to 10. A change leaves the
    /// running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<i32>,
}

/// A user name and a password that the Ingress asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// Whether the Ingress asks for them. Only with ingress-nginx and Traefik: with another controller
    /// it is an error. There is no Ingress where Traefik's Middleware cannot be made. Defaults to false.
    /// A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// A Secret of yours with htpasswd lines under key `auth`. Traefik takes them under the only key, or
    /// type `kubernetes.io/basic-auth`. Defaults to one that the operator makes once,
    /// `<name>-basic-auth`, for Traefik `<name>-basic-auth-traefik`. A change leaves the running pod
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_secret: Option<String>,
    /// User name in the Secret that the operator makes. At most 64 characters, and no `:`. A change
    /// has no effect until that Secret is deleted. Defaults to `openclaw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Name that browsers show when they ask for the password. At most 64 letters, digits, ` `, `-`,
    /// `.`, `_`, `/`. Defaults to `OpenClaw`. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
}

/// An HTTPRoute of the Gateway API that leads to the gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteSpec {
    /// Whether the operator makes an HTTPRoute. Condition `HTTPRouteReady` says what its Gateways say.
    /// Where the cluster lacks the Gateway API, the agent runs without it. Defaults to false. A change
    /// leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Gateways that the route is attached to. At most 32. The NetworkPolicy lets their namespaces in.
    /// Defaults to none, with which it leads nowhere. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_refs: Option<Vec<ParentRef>>,
    /// Host names that lead to the gateway, for example `ada.example.com`. At most 16. With `https`
    /// they become origins of the Control UI. Defaults to all of the listener's. A change goes live
    /// without a new pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostnames: Option<Vec<String>>,
    /// Port of the Service that the route leads to, 1 to 65535. Defaults to 18789, or to the first of
    /// `service.ports` that leads to the gateway. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// Annotations of the HTTPRoute, for other tools. Defaults to none. A change leaves the running
    /// pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A Gateway that a route is attached to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Name of the Gateway that the route is attached to. Required. A change leaves the running pod
    /// alone.
    pub name: String,
    /// Namespace of the Gateway. Defaults to that of the instance. A change leaves the running pod
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Listener of the Gateway, by its name. Defaults to all of its listeners. A change leaves the
    /// running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}
