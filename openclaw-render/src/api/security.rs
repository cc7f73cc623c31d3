//! Security contexts, NetworkPolicy, RBAC, CA bundle.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::Capabilities;
use k8s_openapi::api::networking::v1::NetworkPolicyEgressRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::empty_is_unset;

/// When the kubelet changes the group of a volume's files.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum FsGroupChangePolicy {
    /// Only when the root of the volume has another group.
    #[default]
    OnRootMismatch,
    /// Whenever a pod starts.
    Always,
}

impl fmt::Display for FsGroupChangePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnRootMismatch => "OnRootMismatch",
            Self::Always => "Always",
        })
    }
}

/// Isolation of the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySpec {
    /// Users and groups of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_security_context: Option<PodSecurityContextSpec>,
    /// Rights of the agent's container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_security_context: Option<ContainerSecurityContextSpec>,
    /// Whom the agent can reach, and who can reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<NetworkPolicySpec>,
    /// The pod's identity and rights in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbac: Option<RbacSpec>,
    /// Certificates to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundleSpec>,
}

/// Users and groups of the pod. A change replaces the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodSecurityContextSpec {
    /// User of all containers but the proxy. Default 1000. Root is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<i64>,
    /// Their group. Default 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_group: Option<i64>,
    /// Group of the volumes' files. Default 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_group: Option<i64>,
    /// When the kubelet changes the group of a volume's files: whenever a pod starts (`Always`), or
    /// only when the root of the volume has another group (`OnRootMismatch`), which is faster for
    /// many files. Default: whenever a pod starts.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "FsGroupChangePolicy")]
    pub fs_group_change_policy: Option<FsGroupChangePolicy>,
    /// Whether the kubelet refuses to start a container as root. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<bool>,
}

/// Rights of the agent's container. A change replaces the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerSecurityContextSpec {
    /// Whether a process may gain rights. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_privilege_escalation: Option<bool>,
    /// Whether the image's files are read-only. Default true; home and `/tmp` are writable in any
    /// case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_root_filesystem: Option<bool>,
    /// Linux capabilities. All are dropped unless `drop` says otherwise; `add` gives single ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// As in the pod's context, for this container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<bool>,
    /// User of the agent, if not the pod's; the volume is laid out by the same user. Root is
    /// refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<i64>,
}

/// Whom the agent can reach, and who can reach it. Everything else is denied, where the cluster
/// enforces NetworkPolicies. A change never replaces the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicySpec {
    /// Whether there is a policy. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether every pod of the namespace may reach the gateway. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_same_namespace_ingress: Option<bool>,
    /// Namespaces whose pods may reach the gateway, for example that of the Ingress controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_ingress_namespaces: Option<Vec<String>>,
    /// Networks that may reach the gateway.
    #[serde(rename = "allowedIngressCIDRs", skip_serializing_if = "Option::is_none")]
    pub allowed_ingress_cidrs: Option<Vec<String>>,
    /// Networks that the agent may reach, on every port.
    #[serde(rename = "allowedEgressCIDRs", skip_serializing_if = "Option::is_none")]
    pub allowed_egress_cidrs: Option<Vec<String>>,
    /// Whether the agent may ask DNS servers. Default true.
    #[serde(rename = "allowDNS", skip_serializing_if = "Option::is_none")]
    pub allow_dns: Option<bool>,
    /// Whether the agent may reach port 443 everywhere but at the addresses of cloud metadata
    /// services. Default true.
    #[serde(rename = "allowHTTPS", skip_serializing_if = "Option::is_none")]
    pub allow_https: Option<bool>,
    /// Rules that are added as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_egress: Option<Vec<NetworkPolicyEgressRule>>,
}

/// The pod's identity and rights in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RbacSpec {
    /// Whether the operator makes the ServiceAccount. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_service_account: Option<bool>,
    /// Its name. Default the instance's. Required when the operator does not make it. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Its annotations, for a cloud provider's workload identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_annotations: Option<BTreeMap<String, String>>,
    /// Rules of the Role that is bound to it. The operator can only grant what it holds itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_rules: Option<Vec<RbacRule>>,
}

/// A rule of the Role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RbacRule {
    /// API groups; empty text is the core group.
    pub api_groups: Vec<String>,
    /// Resources.
    pub resources: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
}

/// Certificates to trust, in a ConfigMap or in a Secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaBundleSpec {
    /// The ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_name: Option<String>,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
