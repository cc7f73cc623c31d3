//! Service and gateway, and the list of ways in.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HttpRouteSpec, IngressSpec, ResourcesSpec, SidecarImage, empty_is_unset};

/// How far a Service reaches.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ServiceType {
    /// Inside the cluster.
    #[default]
    ClusterIP,
    /// Through the provider's load balancer.
    LoadBalancer,
    /// On every node.
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

/// How clients outside the pod reach the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkingSpec {
    /// The Service in front of the gateway. It listens on port 18789.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceSpec>,
    /// An Ingress that leads to the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,
    /// An HTTPRoute of the Gateway API that leads to the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRouteSpec>,
    /// Who may reach the metrics port. Defaults to pods of the namespace, and to nobody where
    /// `security.networkPolicy.allowSameNamespaceIngress` is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_ingress: Option<MetricsIngressSpec>,
}

/// From where the metrics port may be reached.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum MetricsIngressFrom {
    /// From pods of the instance's namespace.
    #[default]
    SameNamespace,
    /// From the namespaces and networks that are listed.
    AllowedPeers,
    /// From nowhere.
    None,
}

impl fmt::Display for MetricsIngressFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameNamespace => "SameNamespace",
            Self::AllowedPeers => "AllowedPeers",
            Self::None => "None",
        })
    }
}

/// Who may reach the metrics port.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsIngressSpec {
    /// From where the metrics port may be reached. `SameNamespace`: from pods of the namespace;
    /// `AllowedPeers`: from what the two lists name; `None`: from nowhere. Defaults to
    /// `SameNamespace`, and to `None` where `security.networkPolicy.allowSameNamespaceIngress` is
    /// false. A change applies to the running pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "MetricsIngressFrom")]
    pub from: Option<MetricsIngressFrom>,
    /// Namespaces whose pods may scrape, for example `monitoring`. They count with `AllowedPeers`.
    /// Defaults to none. A change applies to the running pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<Vec<String>>,
    /// Networks that may scrape, for example `10.0.0.0/8`. They count with `AllowedPeers`. Defaults
    /// to none. A change applies to the running pod.
    #[serde(rename = "allowedCIDRs", skip_serializing_if = "Option::is_none")]
    pub allowed_cidrs: Option<Vec<String>>,
    /// Labels of the pods that may scrape. It narrows those namespaces and the instance's own, and
    /// no networks. Defaults to all pods. A change applies to the running pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,
}

/// The Service in front of the gateway. It listens on port 18789.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// How far the Service reaches. `ClusterIP`: inside the cluster; `NodePort`: every node, too;
    /// `LoadBalancer`: the provider's load balancer, too. Defaults to `ClusterIP`. A change leaves
    /// the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "ServiceType")]
    pub type_: Option<ServiceType>,
    /// Annotations of the Service, for example for a load balancer. Defaults to none. A change
    /// leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Ports of the Service, instead of 18789. At most 20, and no two of the same number and
    /// protocol. The port of served metrics is added. Defaults to the gateway's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<ServicePortSpec>>,
}

/// A port of the Service, and where in the pod it leads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServicePortSpec {
    /// Name of the port, different from the others'. Required. A change leaves the running pod
    /// alone.
    pub name: String,
    /// Number of the port on the Service, 1 to 65535. Required. A change leaves the running pod
    /// alone.
    pub port: i32,
    /// Port of the pod that it leads to, 1 to 65535. 18789 is the gateway, with and without the
    /// proxy. The NetworkPolicy opens it to its peers. Defaults to `port`. A change leaves the
    /// running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_port: Option<i32>,
    /// Port of every node that leads to it. It needs type `NodePort` or `LoadBalancer`, and must be in
    /// the cluster's range, which is 30000 to 32767 unless it was set up otherwise. Defaults to one
    /// that Kubernetes chooses. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_port: Option<i32>,
    /// Protocol of the port: `TCP`, `UDP` or `SCTP`. Defaults to `TCP`. A change leaves the running
    /// pod alone.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "PortProtocol")]
    pub protocol: Option<PortProtocol>,
}

/// How clients reach the gateway, and how they prove who they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// Whether a proxy stands between the pod's network and the gateway. Without it the gateway
    /// itself listens on all addresses of the pod. Defaults to true. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// A Secret of yours with the gateway's token under key `token`. Defaults to one that the
    /// operator makes once, `<name>-gateway-token`. A change, also of the token, replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_secret: Option<String>,
    /// Origins from which browsers may use the Control UI, besides localhost. Written
    /// `https://host[:port]`, without path and wildcard; at most 20. Ignored if openclaw.json lists
    /// its own. Defaults to none. A change goes live without a new pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_ui_origins: Option<Vec<String>>,
    /// Image of the proxy in front of the gateway. Defaults to
    /// `docker.io/library/nginx:1.27-alpine`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SidecarImage>,
    /// CPU and memory of the proxy. Defaults to requests of 10m and 16Mi, and limits of 100m and
    /// 64Mi. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
}
