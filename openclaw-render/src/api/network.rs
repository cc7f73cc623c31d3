//! How the gateway is reached: Service, Ingress, `HTTPRoute`, proxy, tailnet.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::api::networking::v1::NetworkPolicyPeer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::empty_is_unset;
use super::{ResourcesSpec, SidecarImage, SidecarSettings};

/// How the gateway is reached. Changes never restart the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkingSpec {
    /// The Service in front of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceSpec>,
    /// An Ingress in front of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,
    /// A route of the Gateway API in front of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRouteSpec>,
    /// Who may connect to the metrics port, as peers of a NetworkPolicy. It matters only while the
    /// NetworkPolicy is on. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_ingress: Option<Vec<NetworkPolicyPeer>>,
}

/// The Service in front of the pod. The gateway has port 18789.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Kind of Service: reachable inside the cluster (`ClusterIP`), on a port of every node
    /// (`NodePort`), or through a cloud provider's load balancer (`LoadBalancer`). Default:
    /// `ClusterIP`.
    #[serde(
        rename = "type",
        default,
        deserialize_with = "empty_is_unset",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "ServiceType")]
    pub type_: Option<ServiceType>,
    /// Annotations of the Service, for example for a cloud provider's load balancer. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Ports of the Service. A list that is not empty replaces the operator's ports as a whole.
    /// Default: the gateway and whatever else the spec turns on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub ports: Option<Vec<ServicePortSpec>>,
}

/// Kind of Service.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum ServiceType {
    /// Reachable inside the cluster.
    #[default]
    ClusterIP,
    /// Reachable through a load balancer of the cloud provider.
    LoadBalancer,
    /// Reachable on a port of every node.
    NodePort,
}

impl fmt::Display for ServiceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClusterIP => "ClusterIP",
            Self::LoadBalancer => "LoadBalancer",
            Self::NodePort => "NodePort",
        })
    }
}

/// One port of the Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServicePortSpec {
    /// Name of the port; it must be unique in the list.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Port of the Service. Together with the protocol it must be unique in the list.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// Port of the pod. Default: the same number as `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub target_port: Option<i32>,
    /// Protocol of the port. Default: `TCP`.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PortProtocol")]
    pub protocol: Option<PortProtocol>,
}

/// Protocol of a port.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum PortProtocol {
    /// Transmission Control Protocol.
    #[default]
    TCP,
    /// User Datagram Protocol.
    UDP,
    /// Stream Control Transmission Protocol.
    SCTP,
}

impl fmt::Display for PortProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TCP => "TCP",
            Self::UDP => "UDP",
            Self::SCTP => "SCTP",
        })
    }
}

/// An Ingress in front of the Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressSpec {
    /// Whether an Ingress is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Name of the `IngressClass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Annotations of the Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Host names and their paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<IngressHost>>,
    /// Certificates of the hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Vec<IngressTls>>,
    /// Redirects, rate limits and authentication at the Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<IngressSecurity>,
}

/// One host name of the Ingress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressHost {
    /// Host name that the paths are served under.
    pub host: String,
    /// Paths below the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<IngressPath>>,
}

/// One path of a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressPath {
    /// Path, starting with a slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How the path is compared.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PathType")]
    pub path_type: Option<PathType>,
    /// Port of the Service that serves the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
}

/// How a path is compared.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum PathType {
    /// Segment by segment from the start.
    #[default]
    Prefix,
    /// As a whole.
    Exact,
    /// As the ingress controller likes.
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

/// One certificate of the Ingress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressTls {
    /// Host names that the certificate is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// Name of the Secret that holds the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
}

/// Redirects, rate limits and authentication at the Ingress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressSecurity {
    /// Whether plain HTTP is redirected.
    #[serde(rename = "forceHTTPS", skip_serializing_if = "Option::is_none")]
    pub force_https: Option<bool>,
    /// Whether browsers are told to use HTTPS alone.
    #[serde(rename = "enableHSTS", skip_serializing_if = "Option::is_none")]
    pub enable_hsts: Option<bool>,
    /// Limit of requests for each client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limiting: Option<RateLimiting>,
    /// Password at the Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
}

/// Limit of requests for each client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimiting {
    /// Whether requests are limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Requests for each client and second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<i32>,
}

/// Password at the Ingress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// Whether a password is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Name of a Secret with an htpasswd text under key `auth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_secret: Option<String>,
    /// User name of the generated password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub username: Option<String>,
    /// Name that browsers show when they ask for the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
}

/// A route of the Gateway API in front of the Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteSpec {
    /// Whether a route is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Gateways that the route attaches to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_refs: Option<Vec<ParentRef>>,
    /// Host names of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostnames: Option<Vec<String>>,
    /// Port of the Service that serves the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Annotations of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// One gateway that the route attaches to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Name of the Gateway.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Namespace of the Gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Listener of the Gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

/// The gateway of the agent and the proxy in front of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// Whether the proxy sidecar stands in front of the gateway, which then listens on the loopback
    /// address alone. Default: true. With false the gateway itself listens on the pod's address. A
    /// change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Name of a Secret in the namespace of the instance that holds the gateway token under key
    /// `token`. Default: the operator makes `<name>-gateway-token` once and never overwrites it. A
    /// change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_secret: Option<String>,
    /// Web origins, such as `https://agent.example.com`, from which browsers may open the control
    /// interface. They are added to `localhost:18789`. Empty items are skipped. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub control_ui_origins: Option<Vec<String>>,
    /// Image and size of the proxy sidecar. Default: the image that this version of the operator
    /// pins; requests `10m` CPU and `16Mi` memory, limits `100m` and `64Mi`. A change restarts the
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<SidecarSettings>,
}

/// Access to the gateway through a tailnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TailscaleSpec {
    /// Whether the agent joins a tailnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who may reach the gateway through the tailnet.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TailscaleMode")]
    pub mode: Option<TailscaleMode>,
    /// Image of the sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// Secret that holds the authentication key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_key_secret_ref: Option<LocalObjectReference>,
    /// Key of the Secret that holds the authentication key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_key_secret_key: Option<String>,
    /// Host name in the tailnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Whether the tailnet's identity opens the control interface.
    #[serde(rename = "authSSO", skip_serializing_if = "Option::is_none")]
    pub auth_sso: Option<bool>,
    /// CPU and memory of the sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}

/// Who may reach the gateway through the tailnet.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum TailscaleMode {
    /// Members of the tailnet.
    #[serde(rename = "serve")]
    #[default]
    Serve,
    /// Everyone on the internet.
    #[serde(rename = "funnel")]
    Funnel,
}

impl fmt::Display for TailscaleMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serve => "serve",
            Self::Funnel => "funnel",
        })
    }
}
