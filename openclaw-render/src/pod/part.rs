//! [`Part`]: what one container brings, into the pod and with it into other objects.
//!
//! A part is a value. What becomes of its pieces is written where they end up: `pod/mod.rs` for the
//! pod's template, `pod/seed_plan.rs` for directories, `resource/` for everything else.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, HostAlias, PersistentVolumeClaimSpec, ServicePort, Volume,
    VolumeMount,
};
use k8s_openapi::api::networking::v1::NetworkPolicyEgressRule;
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::seed::SeedDirectory;

/// Everything that belongs to one container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// The container, without its ports: those are below.
    pub(crate) container: Container,
    /// When it starts.
    pub(crate) start: Start,
    /// Volumes of the pod that are made for it.
    pub(crate) volumes: Vec<Volume>,
    /// Claims behind volumes that outlive the pod.
    pub(crate) claims: Vec<Claim>,
    /// What the agent's container gets of it.
    pub(crate) agent: AgentShare,
    /// Secrets that are made without content, once, and that it fills itself.
    pub(crate) secrets: Vec<String>,
    /// Files in `ConfigMap` `<name>-config`.
    pub(crate) files: Vec<File>,
    /// Directories that must be there before it starts.
    pub(crate) directories: Vec<SeedDirectory>,
    /// Ports on which it listens.
    pub(crate) ports: Vec<Port>,
    /// What it must reach.
    pub(crate) egress: Vec<NetworkPolicyEgressRule>,
    /// What it may do through the Kubernetes API.
    pub(crate) rules: Vec<PolicyRule>,
    /// Names that the pod resolves by itself.
    pub(crate) host_aliases: Vec<HostAlias>,
}

/// When a container starts, seen from the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Start {
    /// Before all others: it makes what they mount.
    First,
    /// In its turn, which is its place in the list of parts.
    #[default]
    InTurn,
    /// After every other init container, the user's included, just before the agent.
    Last,
    /// After all others: the agent itself.
    Agent,
    /// With the agent, which does not wait for it, and ends with it.
    Beside,
}

/// What the agent's container gets of a part.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AgentShare {
    /// Variables; the user's of the same name win.
    pub(crate) env: Vec<EnvVar>,
    /// Mounts.
    pub(crate) mounts: Vec<VolumeMount>,
    /// Directories with programs, which are looked into before those of the image.
    pub(crate) path: Vec<&'static str>,
}

/// A claim that is made once, then only made larger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) spec: PersistentVolumeClaimSpec,
    /// Whether it stays when the instance goes.
    pub(crate) outlives_instance: bool,
}

/// A file in `ConfigMap` `<name>-config`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    pub(crate) key: &'static str,
    pub(crate) content: String,
    pub(crate) on_change: OnChange,
}

/// What a change of a file does to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// Nothing: the container loads it again.
    Reloads,
    /// A new pod: nobody loads it again. This annotation of the pod carries the file's hash.
    RestartsPod(&'static str),
}

/// A port on which a container listens, by TCP.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub(crate) number: i32,
    pub(crate) name: &'static str,
    /// The Service's port that leads here, if one does.
    pub(crate) published: Option<Published>,
    pub(crate) open_to: OpenTo,
}

/// A port of the Service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Published {
    pub(crate) number: i32,
    pub(crate) name: &'static str,
    pub(crate) app_protocol: Option<&'static str>,
}

/// Who may connect to a port from outside the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenTo {
    /// Nobody: it listens for the pod itself.
    Nobody,
    /// Whom `spec.security.networkPolicy` lets in.
    Clients,
    /// The operator.
    Operator,
    /// Whom `spec.networking.metricsIngress` lets in.
    Scrapers,
}

impl Port {
    /// Returns the port as the container declares it.
    pub(super) fn of_container(&self) -> ContainerPort {
        ContainerPort {
            container_port: self.number,
            name: Some(self.name.to_owned()),
            protocol: Some("TCP".to_owned()),
            ..Default::default()
        }
    }

    /// Returns the port of the Service that leads here.
    pub(crate) fn of_service(&self) -> Option<ServicePort> {
        let Published { number, name, app_protocol } = self.published.as_ref()?;
        Some(ServicePort {
            app_protocol: app_protocol.map(str::to_owned),
            name: Some((*name).to_owned()),
            port: *number,
            protocol: Some("TCP".to_owned()),
            target_port: Some(IntOrString::Int(self.number)),
            ..Default::default()
        })
    }
}
