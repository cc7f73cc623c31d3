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

/// Users, rights and network of the agent's pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySpec {
    /// Users and groups of the pod's containers and files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_security_context: Option<PodSecurityContextSpec>,
    /// Rights of the agent's own container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_security_context: Option<ContainerSecurityContextSpec>,
    /// Whom the agent can reach, and who can reach it. Everything else is denied, where the
    /// cluster's network enforces NetworkPolicies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<NetworkPolicySpec>,
    /// The pod's identity in the cluster, and what it may do there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbac: Option<RbacSpec>,
    /// Certificates that all containers of the pod trust. Exactly one of `configMapName` and
    /// `secretName` must be set. A change of the certificates replaces the pod, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundleSpec>,
}

/// Users and groups of the pod's containers and files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodSecurityContextSpec {
    /// User of the pod's containers, except the proxy's. 1 to 2147483647: root is refused. Defaults
    /// to 1000, the user of OpenClaw's image. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<i64>,
    /// Group of the pod's containers, 0 to 2147483647. Defaults to 1000. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_group: Option<i64>,
    /// Group that the files of the volumes get, 0 to 2147483647. Defaults to 1000. A change
    /// replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_group: Option<i64>,
    /// When the kubelet changes the group of a volume's files. `Always`: whenever a pod starts;
    /// `OnRootMismatch`: only if the root has another group, which is faster for many files.
    /// Defaults to `Always`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "FsGroupChangePolicy")]
    pub fs_group_change_policy: Option<FsGroupChangePolicy>,
    /// Whether the kubelet refuses to start containers as root. Defaults to true. A change replaces
    /// the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<bool>,
}

/// Rights of the agent's own container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerSecurityContextSpec {
    /// Whether the agent's processes may gain rights, as by setuid programs. Defaults to false. A
    /// change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_privilege_escalation: Option<bool>,
    /// Whether the image's files are read-only. Home and `/tmp` are writable in any case. Defaults
    /// to true. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_root_filesystem: Option<bool>,
    /// Linux capabilities of the agent's container. `add` gives single ones; `drop` takes the place
    /// of the default. Defaults to dropping `ALL`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Whether the kubelet refuses to start this container as root. Defaults to
    /// `podSecurityContext.runAsNonRoot`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<bool>,
    /// User of the agent and of the containers that share its files. 1 to 2147483647: root is
    /// refused. Defaults to `podSecurityContext.runAsUser`. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<i64>,
}

/// Whom the agent can reach, and who can reach it. Everything else is denied, where the cluster's
/// network enforces NetworkPolicies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicySpec {
    /// Whether the operator makes a NetworkPolicy. Without one every pod of the cluster reaches the
    /// agent, and the agent everything. Defaults to true. A change takes effect at once and leaves
    /// the pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether every pod of the namespace may reach the gateway. Defaults to true. A change takes
    /// effect at once and leaves the pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_same_namespace_ingress: Option<bool>,
    /// Namespaces whose pods may reach the gateway, for example `ingress-nginx`. Defaults to none.
    /// A change takes effect at once and leaves the pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_ingress_namespaces: Option<Vec<String>>,
    /// Networks that may reach the gateway, for example `10.0.0.0/8`. At most 100. Defaults to
    /// none. A change takes effect at once and leaves the pod alone.
    #[serde(rename = "allowedIngressCIDRs", skip_serializing_if = "Option::is_none")]
    pub allowed_ingress_cidrs: Option<Vec<String>>,
    /// Networks that the agent may reach, on every port. Example: `10.20.0.0/16`. At most 100.
    /// Defaults to none. A change takes effect at once and leaves the pod alone.
    #[serde(rename = "allowedEgressCIDRs", skip_serializing_if = "Option::is_none")]
    pub allowed_egress_cidrs: Option<Vec<String>>,
    /// Whether the agent may reach port 53 everywhere, for DNS. Defaults to true. A change takes
    /// effect at once and leaves the pod alone.
    #[serde(rename = "allowDNS", skip_serializing_if = "Option::is_none")]
    pub allow_dns: Option<bool>,
    /// Whether the agent may reach TCP port 443 everywhere. Addresses of cloud metadata services
    /// are left out. Defaults to true. A change takes effect at once and leaves the pod alone.
    #[serde(rename = "allowHTTPS", skip_serializing_if = "Option::is_none")]
    pub allow_https: Option<bool>,
    /// Rules for outgoing traffic that are added as they are. Example: `[{to: [{podSelector:
    /// {}}]}]`, every pod of the namespace. Defaults to none. A change takes effect at once and
    /// leaves the pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_egress: Option<Vec<NetworkPolicyEgressRule>>,
}

/// The pod's identity in the cluster, and what it may do there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RbacSpec {
    /// Whether the operator makes the pod's ServiceAccount. If not, `serviceAccountName` must name
    /// one. Defaults to true. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_service_account: Option<bool>,
    /// Name of the pod's ServiceAccount. Required if the operator does not make it. Defaults to the
    /// instance's name. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Annotations of the ServiceAccount that the operator makes, for workload identity. Example:
    /// `eks.amazonaws.com/role-arn: …`. Defaults to none. A change takes effect when the next pod
    /// starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_annotations: Option<BTreeMap<String, String>>,
    /// Whether the agent's container gets the ServiceAccount's token. With it come certificate and
    /// namespace at the usual path, and the way to port 6443; no other container has it. Defaults to
    /// whether `spec.selfConfigure` is on, which cannot do without. A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automount_service_account_token: Option<bool>,
    /// Rules of the Role that is bound to the pod's ServiceAccount. The operator can grant only
    /// what it holds itself. They count once `automountServiceAccountToken` is on. Defaults to none.
    /// A change takes effect at once and leaves the pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_rules: Option<Vec<RbacRule>>,
}

/// A rule of the agent's Role: which verbs it may use on which resources of its namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RbacRule {
    /// API groups of the resources; empty text is the core group. At least one. Required. A change
    /// takes effect at once and leaves the pod alone.
    pub api_groups: Vec<String>,
    /// Resources that the rule is about, for example `configmaps`. At least one. Required. A change
    /// takes effect at once and leaves the pod alone.
    pub resources: Vec<String>,
    /// What may be done with them, for example `get` and `list`. At least one. Required. A change
    /// takes effect at once and leaves the pod alone.
    pub verbs: Vec<String>,
}

/// Certificates that the pod's containers trust besides the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaBundleSpec {
    /// ConfigMap with the certificates, in PEM. Excludes `secretName`. Has no default.
    /// A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_name: Option<String>,
    /// Secret with the certificates, in PEM. Excludes `configMapName`. Has no default.
    /// A change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// Key in it that holds the certificates. Defaults to `ca-bundle.crt`. A change replaces the
    /// pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
