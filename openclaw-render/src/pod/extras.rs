//! What users put into the pod themselves, among what the operator puts there.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, Volume, VolumeMount};

use super::home;
use super::part::Part;
use crate::resolve::{Extras, Layout, Resolved};
use crate::vocab::names;
use crate::vocab::paths::normalised;

/// Returns the init containers.
pub(super) fn init_containers(instance: &Resolved) -> impl Iterator<Item = Container> {
    with_state(&instance.extras.init_containers, instance.storage.layout)
}

/// Returns the containers beside the agent.
pub(super) fn sidecars(instance: &Resolved) -> impl Iterator<Item = Container> {
    with_state(&instance.extras.sidecars, instance.storage.layout)
}

/// Returns the agent's mounts: those of the operator, less what the user mounts in their place, and
/// the user's. What another mount lies in comes before that.
pub(super) fn agent_mounts(
    given: impl Iterator<Item = VolumeMount>,
    instance: &Resolved,
) -> Vec<VolumeMount> {
    let users = &instance.extras.mounts;
    let taken: BTreeSet<String> = users.iter().map(|mount| normalised(&mount.mount_path)).collect();
    let layout = instance.storage.layout;
    let given: Vec<_> = given.filter(|mount| !taken.contains(&mount.mount_path)).collect();
    let users = users.iter().map(|mount| to_state(mount, layout));
    let (around, others): (Vec<_>, Vec<_>) =
        users.partition(|mount| given.iter().any(|inner| is_around(mount, inner)));
    around.into_iter().chain(given).chain(others).collect()
}

fn is_around(outer: &VolumeMount, inner: &VolumeMount) -> bool {
    let rest = inner.mount_path.strip_prefix(&normalised(&outer.mount_path));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

fn with_state(containers: &[Container], layout: Layout) -> impl Iterator<Item = Container> {
    containers.iter().cloned().map(move |mut container| {
        for mount in container.volume_mounts.iter_mut().flatten() {
            *mount = to_state(mount, layout);
        }
        container
    })
}

/// Whoever mounts the volume `data` means the state, which was the volume's root in the Go operator.
fn to_state(mount: &VolumeMount, layout: Layout) -> VolumeMount {
    let mut mount = mount.clone();
    let Some(state) = home::state(layout).filter(|_| mount.name == names::DATA_VOLUME) else {
        return mount;
    };
    let below = |inner: Option<String>| match inner.as_deref().filter(|inner| !inner.is_empty()) {
        Some(inner) => format!("{state}/{inner}"),
        None => state.clone(),
    };
    if mount.sub_path_expr.as_deref().is_some_and(|expression| !expression.is_empty()) {
        mount.sub_path_expr = Some(below(mount.sub_path_expr));
    } else {
        mount.sub_path = Some(below(mount.sub_path));
    }
    mount
}

/// Returns the parts with other names for those of their volumes that the user has taken.
pub(super) fn giving_way(mut parts: Vec<Part>, extras: &Extras) -> Vec<Part> {
    let users: BTreeSet<&str> = extras.volumes.iter().map(|volume| volume.name.as_str()).collect();
    let ours: BTreeSet<String> =
        parts.iter().flat_map(|part| &part.volumes).map(|volume| volume.name.clone()).collect();
    let is_free = |name: &str| !users.contains(name) && !ours.contains(name);
    for name in ours.iter().filter(|name| users.contains(name.as_str())) {
        // One of so many names is free.
        let mut others = (2..users.len() + ours.len() + 3).map(|turn| format!("{name}-{turn}"));
        if let Some(other) = others.find(|other| is_free(other)) {
            for part in &mut parts {
                rename(part, name, &other);
            }
        }
    }
    parts
}

fn rename(part: &mut Part, from: &str, to: &str) {
    let volumes = part.volumes.iter_mut().map(|Volume { name, .. }| name);
    let mounts = part.container.volume_mounts.iter_mut().flatten().chain(&mut part.agent.mounts);
    let mounts = mounts.map(|VolumeMount { name, .. }| name);
    for name in volumes.chain(mounts).filter(|name| *name == from) {
        to.clone_into(name);
    }
}
