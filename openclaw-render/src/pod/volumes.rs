//! Volumes, and the mounts that need them.

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, EmptyDirVolumeSource, KeyToPath, PersistentVolumeClaimVolumeSource,
    Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::resolve::{DataVolume, Layout, Resolved};
use crate::vocab::{names, paths};

/// Temporary files of the agent and of the validator. A limit keeps them from filling the node.
const SCRATCH_LIMIT: &str = "4Gi";
/// One static binary.
const HELPER_LIMIT: &str = "64Mi";
/// nginx streams; bodies pass through without being stored.
const PROXY_SCRATCH_LIMIT: &str = "64Mi";

pub(super) fn all(instance: &Resolved) -> Vec<Volume> {
    let config = instance.name.config();
    let mut volumes = vec![
        data(&instance.storage.volume),
        config_map(names::CONFIG_VOLUME, &config, Some(names::CONFIG_KEY)),
        config_map(names::WORKSPACE_VOLUME, &instance.name.workspace(), None),
        empty(names::HELPER_VOLUME, HELPER_LIMIT),
        empty(names::SCRATCH_VOLUME, SCRATCH_LIMIT),
    ];
    if instance.proxy.is_some() {
        volumes.push(config_map(names::PROXY_CONFIG_VOLUME, &config, Some(names::PROXY_KEY)));
        volumes.push(empty(names::PROXY_SCRATCH_VOLUME, PROXY_SCRATCH_LIMIT));
    }
    volumes
}

fn data(volume: &DataVolume) -> Volume {
    let name = names::DATA_VOLUME.to_owned();
    match volume {
        DataVolume::Own { claim, .. } | DataVolume::Existing(claim) => Volume {
            name,
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.clone(),
                read_only: None,
            }),
            ..Default::default()
        },
        DataVolume::Ephemeral(limit) => empty(&name, &limit.0),
    }
}

fn config_map(name: &str, config_map: &str, key: Option<&str>) -> Volume {
    Volume {
        name: name.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            items: key.map(|key| {
                vec![KeyToPath { key: key.to_owned(), path: key.to_owned(), mode: None }]
            }),
            name: config_map.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn empty(name: &str, limit: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: None,
            size_limit: Some(Quantity(limit.to_owned())),
        }),
        ..Default::default()
    }
}

/// HOME and the state in it. A flat volume keeps the rest of HOME in directories beside the state.
pub(super) fn home(instance: &Resolved) -> Vec<VolumeMount> {
    match instance.storage.layout {
        Layout::Home => vec![below(names::DATA_VOLUME, paths::HOME, paths::HOME_DIRECTORY)],
        Layout::Flat => {
            let mut mounts = vec![mount(names::DATA_VOLUME, paths::STATE)];
            mounts.extend(paths::HOME_DIRECTORIES.iter().map(|directory| {
                below(names::DATA_VOLUME, &format!("{}/{directory}", paths::HOME), directory)
            }));
            mounts
        }
    }
}

/// A directory of the scratch volume.
pub(super) fn scratch(directory: &str, path: &str) -> VolumeMount {
    below(names::SCRATCH_VOLUME, path, directory)
}

pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..Default::default() }
}

pub(super) fn read_only(name: &str, path: &str) -> VolumeMount {
    VolumeMount { read_only: Some(true), ..mount(name, path) }
}

fn below(name: &str, path: &str, directory: &str) -> VolumeMount {
    VolumeMount { sub_path: Some(directory.to_owned()), ..mount(name, path) }
}
