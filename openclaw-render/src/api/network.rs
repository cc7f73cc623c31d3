//! Service and gateway, and the list of ways in.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::networking::v1::NetworkPolicyPeer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HttpRouteSpec, IngressSpec, SidecarSettings, empty_is_unset};

/// Type of a Service.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ServiceType {
    /// Reachable inside the cluster.
    #[default]
    ClusterIP,
    /// Reachable through the provider's load balancer.
    LoadBalancer,
    /// Reachable on every node.
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

/// Protocol of a port.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum PortProtocol {
    /// TCP.
    #[default]
    TCP,
    /// UDP.
    UDP,
    /// SCTP.
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

/// How the agent is reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkingSpec {
    /// The Service in front of the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceSpec>,
    /// An Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,
    /// An HTTPRoute of the Gateway API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRouteSpec>,
    /// Who may reach the metrics port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_ingress: Option<Vec<NetworkPolicyPeer>>,
}

/// The Service in front of the gateway. It listens on port 18789.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Its type: reachable inside the cluster (`ClusterIP`), on every node (`NodePort`), or through
    /// the provider's load balancer (`LoadBalancer`). Default `ClusterIP`.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "ServiceType")]
    pub type_: Option<ServiceType>,
    /// Its annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Ports instead of the default ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<ServicePortSpec>>,
}

/// A port of the Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServicePortSpec {
    /// Its name.
    pub name: String,
    /// Its number.
    pub port: i32,
    /// The pod's port. Default the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_port: Option<i32>,
    /// Its protocol. Default `TCP`. Two ports of one protocol must have different numbers.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "PortProtocol")]
    pub protocol: Option<PortProtocol>,
}

/// The way to the gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// Whether a proxy stands between the pod network and the gateway's loopback port. Default
    /// true. Without it the gateway listens on all addresses of the pod. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// A Secret of your own with the gateway's token under the key `token`. Default: the operator
    /// makes one, `<name>-gateway-token`. Another token replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_secret: Option<String>,
    /// Origins, `scheme://host[:port]`, from which browsers may use the Control UI, besides
    /// localhost:18789.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_ui_origins: Option<Vec<String>>,
    /// Image and size of the proxy. Default: nginx 1.27, 10m and 16Mi requested, 100m and 64Mi at
    /// most. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<SidecarSettings>,
}
