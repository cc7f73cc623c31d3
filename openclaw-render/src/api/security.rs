//! What the agent may do: on its node, in the network, at the Kubernetes API.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::Capabilities;
use k8s_openapi::api::networking::v1::NetworkPolicyEgressRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::empty_is_unset;

/// What the agent may do. The defaults meet the Kubernetes Pod Security Standard `restricted`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySpec {
    /// User, group and volume ownership for all containers of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_security_context: Option<PodSecurityContextSpec>,
    /// Privileges of the agent container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_security_context: Option<ContainerSecurityContextSpec>,
    /// Which network connections reach and leave the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<NetworkPolicySpec>,
    /// The service account of the pod and its rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbac: Option<RbacSpec>,
    /// Certificate authorities that the agent trusts besides those of its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundleSpec>,
}

/// User, group and volume ownership for all containers of the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodSecurityContextSpec {
    /// Numeric user of all containers but the proxy; 0, which is root, is refused. Default: 1000,
    /// the user of the agent image. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub run_as_user: Option<i64>,
    /// Numeric primary group of the processes. Default: 1000. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_group: Option<i64>,
    /// Numeric group that owns the mounted volumes. Default: 1000. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_group: Option<i64>,
    /// When the kubelet changes the group of the files in the volumes: before every start
    /// (`Always`), or only if the root directory has another group (`OnRootMismatch`), which is
    /// faster for large volumes. Default: unset, which Kubernetes treats as `Always`. A change
    /// restarts the pod.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "FsGroupChangePolicy")]
    pub fs_group_change_policy: Option<FsGroupChangePolicy>,
    /// Whether the kubelet refuses to start a container as root. Default: true. A change restarts
    /// the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<bool>,
}

/// When the kubelet changes the group of the files in a volume.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum FsGroupChangePolicy {
    /// Only if the root directory of the volume has another group; faster for large volumes.
    #[default]
    OnRootMismatch,
    /// Before every start of the pod.
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

/// Privileges of the agent container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerSecurityContextSpec {
    /// Whether a process may gain more privileges than its parent. Default: false. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_privilege_escalation: Option<bool>,
    /// Whether the file system of the image is read-only; state, workspace, `/tmp` and `~/.cache`
    /// stay writable. Default: true. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_root_filesystem: Option<bool>,
    /// Linux capabilities that are added and dropped. All are dropped unless `drop` says otherwise;
    /// `add` gives single ones back. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Whether the kubelet refuses to start the agent container as root. Default: the value of
    /// `podSecurityContext.runAsNonRoot`. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<bool>,
    /// Numeric user of the agent container, which then also owns the agent's files; 0, which is
    /// root, is refused. Default: the value of `podSecurityContext.runAsUser`. A change restarts
    /// the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub run_as_user: Option<i64>,
}

/// Which network connections reach and leave the pod. Whatever is not allowed is refused, if the
/// network of the cluster enforces policies. Changes never restart the pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicySpec {
    /// Whether a NetworkPolicy is made. Default: true. With false everything may connect to the pod
    /// and the pod to everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Address ranges that may connect to the gateway, in CIDR notation of IPv4 or IPv6, for
    /// example `10.0.0.0/8`. Default: none.
    #[serde(rename = "allowedIngressCIDRs", skip_serializing_if = "Option::is_none")]
    #[schemars(inner(
        length(min = 1, max = 49),
        regex(
            pattern = r"^(([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/[0-9]{1,3})$"
        )
    ))]
    pub allowed_ingress_cidrs: Option<Vec<String>>,
    /// Names of namespaces whose pods may connect to the gateway. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_ingress_namespaces: Option<Vec<String>>,
    /// Address ranges that the pod may connect to on any port, in CIDR notation of IPv4 or IPv6.
    /// Default: none.
    #[serde(rename = "allowedEgressCIDRs", skip_serializing_if = "Option::is_none")]
    #[schemars(inner(
        length(min = 1, max = 49),
        regex(
            pattern = r"^(([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/[0-9]{1,3})$"
        )
    ))]
    pub allowed_egress_cidrs: Option<Vec<String>>,
    /// Whether the pod may resolve names: port 53 over UDP and TCP. Default: true.
    #[serde(rename = "allowDNS", skip_serializing_if = "Option::is_none")]
    pub allow_dns: Option<bool>,
    /// Whether the pod may connect to TCP port 443 of any address but those of cloud metadata
    /// services, as most model providers need it. Default: true.
    #[serde(rename = "allowHTTPS", skip_serializing_if = "Option::is_none")]
    pub allow_https: Option<bool>,
    /// Whether pods of the same namespace may connect to the gateway. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_same_namespace_ingress: Option<bool>,
    /// Further egress rules, appended to the others as they are. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_egress: Option<Vec<NetworkPolicyEgressRule>>,
}

/// The service account of the pod and its rights at the Kubernetes API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RbacSpec {
    /// Whether the operator manages a ServiceAccount, a Role and a RoleBinding for the pod.
    /// Default: true. With false `serviceAccountName` must name an account that exists, and rights
    /// are yours to grant. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_service_account: Option<bool>,
    /// Name of the ServiceAccount of the pod. Default: the name of the instance. A change restarts
    /// the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Annotations of the managed ServiceAccount, for example for a cloud provider's workload
    /// identity. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_annotations: Option<BTreeMap<String, String>>,
    /// Rules that are appended to the managed Role. Kubernetes refuses rights that the operator
    /// does not hold itself; condition `RBACReady` then says so. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_rules: Option<Vec<RbacRule>>,
}

/// One rule of a Role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RbacRule {
    /// API groups, where the empty string is the core group.
    pub api_groups: Vec<String>,
    /// Resource names in plural, for example `configmaps`.
    pub resources: Vec<String>,
    /// What may be done, for example `get` or `list`.
    pub verbs: Vec<String>,
}

/// Certificate authorities in PEM form, from a ConfigMap or a Secret; exactly one of the two names
/// must be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaBundleSpec {
    /// Name of a ConfigMap in the namespace of the instance that holds the certificates. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_name: Option<String>,
    /// Name of a Secret in the namespace of the instance that holds the certificates. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// Key that holds the certificates. Default: `ca-bundle.crt`; empty counts as unset. A change
    /// restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
