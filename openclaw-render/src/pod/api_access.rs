//! The agent's way to the Kubernetes API: token, certificate and namespace at the usual place of its
//! own container alone, the port of the API server, and what it may do there.

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath,
    ObjectFieldSelector, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume, VolumeMount,
    VolumeProjection,
};
use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyPort};
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::volumes;
use crate::resolve::Resolved;
use crate::vocab::{GROUP, paths, ports};

const VOLUME: &str = "api-access";
/// As the kubelet mounts it by itself: renewed well before an hour is over.
const TOKEN_SECONDS: i64 = 3607;
/// Made by Kubernetes in every namespace.
const ROOT_CERTIFICATE: &str = "kube-root-ca.crt";

pub(super) fn volume(instance: &Resolved) -> Option<Volume> {
    instance.security.api_token.then(|| account(VOLUME))
}

/// Returns a volume with what the kubelet usually gives to all containers of a pod.
pub(super) fn account(name: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        projected: Some(ProjectedVolumeSource {
            default_mode: None,
            sources: Some(vec![token(), certificate(), namespace()]),
        }),
        ..Default::default()
    }
}

pub(super) fn mount(instance: &Resolved) -> Option<VolumeMount> {
    instance.security.api_token.then(|| volumes::read_only(VOLUME, paths::SERVICE_ACCOUNT))
}

/// API servers that are translated to before a policy is looked at: 443 is among what every agent
/// may reach.
pub(super) fn egress(instance: &Resolved) -> Option<NetworkPolicyEgressRule> {
    instance.security.api_token.then(|| NetworkPolicyEgressRule {
        ports: Some(vec![NetworkPolicyPort {
            port: Some(IntOrString::Int(ports::API_SERVER)),
            protocol: Some("TCP".to_owned()),
            ..Default::default()
        }]),
        to: None,
    })
}

/// Its own instance and configuration, and its requests. Those of other agents it cannot list. No
/// Secret can be read, save that of the tailnet where the pod is in one: a pod has one account.
pub(super) fn rules(instance: &Resolved) -> Vec<PolicyRule> {
    if instance.self_configure.is_none() {
        return Vec::new();
    }
    let rule = |group: &str, resource: &str, name: Option<String>, verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resource_names: name.map(|name| vec![name]),
        resources: Some(vec![resource.to_owned()]),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..Default::default()
    };
    vec![
        rule("", "configmaps", Some(instance.name.config()), &["get"]),
        rule(GROUP, "openclawinstances", Some(instance.name.to_string()), &["get"]),
        rule(GROUP, "openclawselfconfigs", None, &["create", "get"]),
    ]
}

fn token() -> VolumeProjection {
    VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            audience: None,
            expiration_seconds: Some(TOKEN_SECONDS),
            path: "token".to_owned(),
        }),
        ..Default::default()
    }
}

fn certificate() -> VolumeProjection {
    let key = "ca.crt".to_owned();
    VolumeProjection {
        config_map: Some(ConfigMapProjection {
            items: Some(vec![KeyToPath { path: key.clone(), key, mode: None }]),
            name: ROOT_CERTIFICATE.to_owned(),
            optional: None,
        }),
        ..Default::default()
    }
}

fn namespace() -> VolumeProjection {
    VolumeProjection {
        downward_api: Some(DownwardAPIProjection {
            items: Some(vec![DownwardAPIVolumeFile {
                field_ref: Some(ObjectFieldSelector {
                    api_version: Some("v1".to_owned()),
                    field_path: "metadata.namespace".to_owned(),
                }),
                path: "namespace".to_owned(),
                ..Default::default()
            }]),
        }),
        ..Default::default()
    }
}
