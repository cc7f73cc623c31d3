//! Security contexts and the pod's identity.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, PodSecurityContext, SeccompProfile, SecurityContext, Sysctl,
};
use k8s_openapi::api::rbac::v1::PolicyRule;

use super::Served;
use super::context::Resolving;
use super::defaults::text;
use super::extras::rights::check_added;
use crate::api::ConditionType::RBACReady;
use crate::api::{OpenClawInstanceSpec, RbacRule};
use crate::vocab::names::InstanceName;

/// User, group and volume group of the agent: user `node` of its image.
const USER: i64 = 1000;
/// The first port that every user may listen on, where nobody says otherwise.
const UNPRIVILEGED: i32 = 1024;
/// Capability set that drops every one.
const ALL: &str = "ALL";

/// Security contexts and identity.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Security {
    pub(crate) pod: PodSecurityContext,
    /// Whether the user chose who the pod runs as; then no sidecar has a user of its image's own.
    pub(crate) own_user: bool,
    /// Of the agent's container.
    pub(crate) agent: SecurityContext,
    /// Of every other container that we make, before its own user.
    pub(crate) helper: SecurityContext,
    pub(crate) service_account: ServiceAccount,
    /// Whether the agent's container gets the account's token.
    pub(crate) api_token: bool,
    /// What the agent may do beyond what the operator grants.
    pub(crate) rules: Vec<PolicyRule>,
}

impl Security {
    /// Returns the user of a sidecar whose image has one of its own: that, unless the user of the pod
    /// or of the agent was chosen.
    pub(crate) fn user_of_image(&self, user: i64) -> Option<i64> {
        if self.own_user { self.helper.run_as_user } else { self.helper.run_as_user.or(Some(user)) }
    }
}

/// The account that the pod runs as.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceAccount {
    pub(crate) name: String,
    /// Whether it is ours to make.
    pub(crate) create: bool,
    pub(crate) annotations: BTreeMap<String, String>,
}

pub(super) fn resolve(
    name: &InstanceName,
    spec: &OpenClawInstanceSpec,
    metrics: Option<&Served>,
    cx: &mut Resolving<'_>,
) -> Security {
    let sysctls = metrics.filter(|it| it.port < UNPRIVILEGED).map(|it| vec![open_to_all(it.port)]);
    let pod = PodSecurityContext { sysctls, ..pod(spec, cx) };
    let chosen = spec.security.as_ref().and_then(|each| each.pod_security_context.as_ref());
    let non_root = pod.run_as_non_root.unwrap_or(true);
    let agent = agent(spec, non_root, cx);
    Security {
        helper: SecurityContext {
            run_as_non_root: Some(non_root),
            // Who lays out the volume and who uses it must be the same user.
            run_as_user: agent.run_as_user,
            ..hardened()
        },
        agent,
        own_user: chosen.is_some_and(|context| context.run_as_user.is_some()),
        pod,
        api_token: api_token(spec),
        service_account: cx.about(RBACReady, |cx| service_account(name, spec, cx)),
        rules: cx.about(RBACReady, |cx| rules(spec, cx)),
    }
}

/// Lets whoever is in the pod listen on low ports from this one on: the collector is not root. The
/// setting is of the pod's network alone, and all Pod Security Standards admit it.
fn open_to_all(port: i32) -> Sysctl {
    Sysctl { name: "net.ipv4.ip_unprivileged_port_start".to_owned(), value: port.to_string() }
}

/// Pod Security Standards, profile `restricted`, and a read-only root.
fn hardened() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec![ALL.to_owned()]), add: None }),
        read_only_root_filesystem: Some(true),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn pod(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> PodSecurityContext {
    let context = spec.security.as_ref().and_then(|security| security.pod_security_context.clone());
    let context = context.unwrap_or_default();
    let path = "spec.security.podSecurityContext";
    if context.run_as_non_root == Some(false) {
        cx.risk(
            format!("{path}.runAsNonRoot"),
            "allows containers to run as root: a namespace that enforces the restricted Pod \
             Security Standard refuses the pod",
        );
    }
    PodSecurityContext {
        fs_group: Some(context.fs_group.unwrap_or(USER)),
        fs_group_change_policy: context.fs_group_change_policy.map(|policy| policy.to_string()),
        run_as_group: Some(context.run_as_group.unwrap_or(USER)),
        run_as_non_root: Some(context.run_as_non_root.unwrap_or(true)),
        run_as_user: Some(context.run_as_user.unwrap_or(USER)),
        seccomp_profile: hardened().seccomp_profile,
        ..Default::default()
    }
}

fn agent(spec: &OpenClawInstanceSpec, non_root: bool, cx: &mut Resolving<'_>) -> SecurityContext {
    let context =
        spec.security.as_ref().and_then(|security| security.container_security_context.clone());
    let context = context.unwrap_or_default();
    let path = "spec.security.containerSecurityContext";
    if context.allow_privilege_escalation == Some(true) {
        cx.risk(
            format!("{path}.allowPrivilegeEscalation"),
            "lets the agent gain rights, for example through setuid programs",
        );
    }
    if context.run_as_non_root == Some(false) {
        cx.risk(
            format!("{path}.runAsNonRoot"),
            "allows the agent to run as root, if its image says so: a namespace that enforces the \
             restricted Pod Security Standard refuses the pod",
        );
    }
    if context.read_only_root_filesystem == Some(false) {
        cx.risk(
            format!("{path}.readOnlyRootFilesystem"),
            "lets the agent change its own program until the next restart",
        );
    }
    let gains = context.allow_privilege_escalation.unwrap_or(false);
    if !gains {
        let added = context.capabilities.as_ref().and_then(|it| it.add.as_deref());
        check_added(path, added.unwrap_or_default(), cx);
    }
    SecurityContext {
        allow_privilege_escalation: Some(gains),
        capabilities: Some(capabilities(path, context.capabilities, cx)),
        read_only_root_filesystem: Some(context.read_only_root_filesystem.unwrap_or(true)),
        run_as_non_root: Some(context.run_as_non_root.unwrap_or(non_root)),
        run_as_user: context.run_as_user,
        ..hardened()
    }
}

/// Adding one capability does not give back all the others: `ALL` stays dropped unless the user
/// names what to drop.
fn capabilities(path: &str, own: Option<Capabilities>, cx: &mut Resolving<'_>) -> Capabilities {
    let own = own.unwrap_or_default();
    let add = own.add.filter(|add| !add.is_empty());
    let drop = own.drop.filter(|drop| !drop.is_empty());
    // The restricted Pod Security Standard allows this one.
    let risky = add.iter().flatten().filter(|capability| *capability != "NET_BIND_SERVICE");
    let risky: Vec<&str> = risky.map(String::as_str).collect();
    if !risky.is_empty() {
        cx.risk(
            format!("{path}.capabilities.add"),
            format!("gives the agent rights over its node or network: {}", risky.join(", ")),
        );
    }
    if drop.as_ref().is_some_and(|drop| !drop.iter().any(|capability| capability == ALL)) {
        cx.risk(
            format!("{path}.capabilities.drop"),
            "keeps every capability that it does not name: drop `ALL` and add what is needed",
        );
    }
    Capabilities { add, drop: drop.or_else(|| Some(vec![ALL.to_owned()])) }
}

/// Only who asks for it: whoever has the token acts as the agent.
pub(super) fn api_token(spec: &OpenClawInstanceSpec) -> bool {
    let rbac = spec.security.as_ref().and_then(|security| security.rbac.as_ref());
    let asked = rbac.and_then(|rbac| rbac.automount_service_account_token);
    let self_configure = spec.self_configure.as_ref().and_then(|each| each.enabled);
    asked.unwrap_or(false) || self_configure.unwrap_or(false)
}

fn service_account(
    name: &InstanceName,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> ServiceAccount {
    let rbac =
        spec.security.as_ref().and_then(|security| security.rbac.clone()).unwrap_or_default();
    let create = rbac.create_service_account.unwrap_or(true);
    let given = text(rbac.service_account_name.as_ref());
    if !create && given.is_none() {
        cx.error(
            "spec.security.rbac.serviceAccountName",
            "is required when `createServiceAccount` is false: name the account that the pod \
             should run as",
        );
    }
    ServiceAccount {
        name: given.unwrap_or(name.as_str()).to_owned(),
        create,
        annotations: rbac.service_account_annotations.unwrap_or_default(),
    }
}

fn rules(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Vec<PolicyRule> {
    let rbac = spec.security.as_ref().and_then(|security| security.rbac.as_ref());
    let rules = rbac.and_then(|rbac| rbac.additional_rules.as_deref()).unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let path = format!("spec.security.rbac.additionalRules[{index}]");
        if let Some(risk) = risk(rule) {
            cx.risk(path, format!("{risk}: the agent acts on text that strangers send to it"));
        }
    }
    rules
        .iter()
        .map(|rule| PolicyRule {
            api_groups: Some(rule.api_groups.clone()),
            resources: Some(rule.resources.clone()),
            verbs: rule.verbs.clone(),
            ..Default::default()
        })
        .collect()
}

/// What pods are made of.
const MAKES_PODS: [&str; 9] = [
    "cronjobs",
    "daemonsets",
    "deployments",
    "jobs",
    "openclawinstances",
    "pods",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
];

/// The chart's policy `agent-rights` refuses the same rules to those who may not `escalate` Roles.
fn risk(rule: &RbacRule) -> Option<&'static str> {
    let names =
        |names: &[&str]| rule.resources.iter().any(|resource| names.contains(&resource.as_str()));
    let does = |verbs: &[&str]| rule.verbs.iter().any(|verb| verbs.contains(&verb.as_str()));
    let mut words = rule.api_groups.iter().chain(&rule.resources).chain(&rule.verbs);
    if words.any(|word| word.contains('*')) {
        Some("a wildcard grants more than anyone can list")
    } else if names(&["secrets"]) {
        Some("grants every Secret of the namespace")
    } else if names(&["pods/exec", "pods/attach", "pods/ephemeralcontainers"]) {
        Some("grants a shell in other pods")
    } else if names(&["serviceaccounts/token"]) {
        Some("lets the agent act as any account of the namespace")
    } else if rule.api_groups.iter().any(|group| group == "rbac.authorization.k8s.io") {
        Some("lets the agent grant rights")
    } else if does(&["bind", "escalate", "impersonate"]) {
        Some("lets the agent take rights that are not its own")
    } else if names(&MAKES_PODS) && does(&["create", "update", "patch"]) {
        Some("lets the agent start pods, which read any Secret of the namespace")
    } else {
        None
    }
}
