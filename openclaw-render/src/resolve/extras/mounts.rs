//! Mounts of the user's: of a volume that is there, at a place that is free.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, VolumeMount};

use crate::api::OpenClawInstanceSpec;
use crate::resolve::context::Resolving;
use crate::vocab::names;
use crate::vocab::paths::{self, normalised};

/// Ways in which mounts within a mount are seen elsewhere.
const PROPAGATIONS: [&str; 3] = [NO_PROPAGATION, "HostToContainer", BIDIRECTIONAL];
const NO_PROPAGATION: &str = "None";
const BIDIRECTIONAL: &str = "Bidirectional";

/// Checks the mounts of one container.
pub(super) fn check(
    path: &str,
    mounts: &[VolumeMount],
    known: &BTreeSet<&str>,
    is_privileged: bool,
    cx: &mut Resolving<'_>,
) {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for (index, mount) in mounts.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if !known.contains(mount.name.as_str()) {
            cx.error(
                format!("{path}.name"),
                format!(
                    "{:?} is no volume of this spec: declare it in `spec.extraVolumes`; of the \
                     operator's own, `{}` can be mounted",
                    mount.name,
                    names::DATA_VOLUME
                ),
            );
        }
        check_place(&path, mount, cx);
        check_propagation(&path, mount, is_privileged, cx);
        if let Some(first) = taken.insert(normalised(&mount.mount_path), index) {
            cx.error(
                format!("{path}.mountPath"),
                format!("{:?} is taken by item {first}: remove one", mount.mount_path),
            );
        }
    }
}

fn check_place(path: &str, mount: &VolumeMount, cx: &mut Resolving<'_>) {
    let place = &mount.mount_path;
    let leaves = |path: &str| path.split('/').any(|segment| segment == "..");
    if !place.starts_with('/')
        || place.contains(':')
        || leaves(place)
        || place.chars().any(char::is_control)
        || normalised(place) == "/"
    {
        cx.error(
            format!("{path}.mountPath"),
            format!(
                "{place:?} is no place to mount at: write an absolute path without `..` and `:`"
            ),
        );
    }
    let (inner, expression) = (mount.sub_path.as_deref(), mount.sub_path_expr.as_deref());
    let inside = [("subPath", inner), ("subPathExpr", expression)];
    let given: Vec<_> =
        inside.into_iter().filter_map(|(field, text)| Some((field, text?))).collect();
    for (field, text) in &given {
        if text.starts_with('/') || leaves(text) {
            cx.error(
                format!("{path}.{field}"),
                format!("{text:?} leaves the volume: write a relative path without `..`"),
            );
        }
    }
    if given.iter().filter(|(_, text)| !text.is_empty()).count() > 1 {
        cx.error(path, "has `subPath` and `subPathExpr`: remove one of the two");
    }
}

fn check_propagation(path: &str, mount: &VolumeMount, is_privileged: bool, cx: &mut Resolving<'_>) {
    let propagation = mount.mount_propagation.as_deref();
    let field = format!("{path}.mountPropagation");
    match propagation {
        Some(other) if !PROPAGATIONS.contains(&other) => cx.error(
            field,
            format!("{other:?} is not a choice: use one of {}", PROPAGATIONS.join(", ")),
        ),
        Some(BIDIRECTIONAL) if !is_privileged => cx.error(
            field,
            format!("is `{BIDIRECTIONAL}`, which takes a privileged container: remove it"),
        ),
        _ => {}
    }
    let field = format!("{path}.recursiveReadOnly");
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some(choice @ ("Enabled" | "IfPossible")) => {
            if mount.read_only != Some(true) {
                cx.error(field, format!("is `{choice}`: set `readOnly: true`, too, or remove it"));
            } else if propagation.is_some_and(|it| it != NO_PROPAGATION) {
                cx.error(field, format!("is `{choice}`: remove `mountPropagation`, or this"));
            }
        }
        Some(other) => cx.error(
            field,
            format!("{other:?} is not a choice: use one of Disabled, Enabled, IfPossible"),
        ),
    }
}

/// Checks that the mounts of the agent leave it what it runs on.
pub(super) fn check_of_agent(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    let bundle = spec.security.as_ref().is_some_and(|security| security.ca_bundle.is_some());
    let mounts = spec.extra_volume_mounts.iter().flatten();
    for (index, mount) in mounts.enumerate() {
        let path = format!("spec.extraVolumeMounts[{index}].mountPath");
        match normalised(&mount.mount_path).as_str() {
            paths::STATE => cx.error(
                path,
                "would hide the agent's state, which is mounted there: mount below it, or give the \
                 volume with the state as `spec.storage.persistence.existingClaim`",
            ),
            paths::CONFIG_FILE => cx.error(
                path,
                "would hide the configuration that the operator writes: refer to yours in \
                 `spec.config.configMapRef`, or set `spec.config.raw`",
            ),
            place if place == paths::HELPER_DIR || is_below(place, paths::HELPER_DIR) => cx.error(
                path,
                format!("{} belongs to the operator: mount elsewhere", paths::HELPER_DIR),
            ),
            paths::CA_BUNDLE if bundle => cx
                .error(path, "is where `spec.security.caBundle` is mounted: remove one of the two"),
            _ => {}
        }
    }
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the names of the volumes that a container uses.
pub(super) fn volumes_of(container: &Container) -> impl Iterator<Item = &str> {
    let mounts = container.volume_mounts.iter().flatten().map(|mount| mount.name.as_str());
    let devices = container.volume_devices.iter().flatten().map(|device| device.name.as_str());
    mounts.chain(devices)
}
