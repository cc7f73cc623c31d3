//! What users put into the pod themselves: containers, volumes, and mounts of the agent.
//!
//! All of it is rendered as it is written. What the API server would refuse of it is a problem here,
//! since it would refuse the whole StatefulSet.

mod amounts;
mod containers;
mod handlers;
mod mounts;
mod projections;
pub(super) mod rights;
mod volumes;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, Volume, VolumeMount};

use super::Served;
use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;
use crate::vocab::grammar::is_label;
use crate::vocab::names;

/// Containers, volumes and mounts of the user's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Extras {
    /// Volumes that something mounts, each name once.
    pub(crate) volumes: Vec<Volume>,
    /// Mounts of the agent.
    pub(crate) mounts: Vec<VolumeMount>,
    /// Init containers, in their order.
    pub(crate) init_containers: Vec<Container>,
    /// Containers beside the agent.
    pub(crate) sidecars: Vec<Container>,
    /// Hash of everything that the environments of the sidecars refer to; `None` when nothing of it
    /// is known.
    pub(crate) environment_hash: Option<String>,
}

/// The metrics' port is the operator's, if they are served.
pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    metrics: Option<&Served>,
    cx: &mut Resolving<'_>,
) -> Extras {
    let mut volumes = volumes::resolve(spec, cx);
    let known: BTreeSet<&str> =
        volumes.iter().map(|volume| volume.name.as_str()).chain([names::DATA_VOLUME]).collect();
    let mounts = spec.extra_volume_mounts.clone().unwrap_or_default();
    mounts::check("spec.extraVolumeMounts", &mounts, &known, false, cx);
    mounts::check_of_agent(spec, cx);
    let init_containers = spec.init_containers.clone().unwrap_or_default();
    let sidecars = spec.sidecars.clone().unwrap_or_default();
    let metrics_port = metrics.map(|served| served.port);
    containers::check(&init_containers, &sidecars, &known, metrics_port, cx);
    let environment_hash = containers::environment_hash(&init_containers, &sidecars, cx);

    let containers = init_containers.iter().chain(&sidecars);
    let mounted: BTreeSet<String> = containers
        .flat_map(mounts::volumes_of)
        .chain(mounts.iter().map(|mount| mount.name.as_str()))
        .map(str::to_owned)
        .collect();
    volumes.retain(|volume| mounted.contains(&volume.name));
    Extras { volumes, mounts, init_containers, sidecars, environment_hash }
}

/// Checks that something in the pod can be called so.
fn check_label(path: &str, what: &str, name: &str, cx: &mut Resolving<'_>) {
    if !is_label(name) {
        cx.error(
            format!("{path}.name"),
            format!(
                "{name:?} cannot name a {what}: write at most 63 lower-case letters, digits and \
                 `-`, a letter or digit first and last"
            ),
        );
    }
}
