//! Volumes and mounts of each sort, and the one scratch volume that all containers share.

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, EmptyDirVolumeSource, KeyToPath, PersistentVolumeClaimVolumeSource,
    SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::seed::{SeedDirectory, SeedRoot};

/// Volume of temporary files.
const SCRATCH_VOLUME: &str = "tmp";
/// Temporary files of the agent and of the validator. A limit keeps them from filling the node.
const SCRATCH_LIMIT: &str = "4Gi";

/// A volume with a ConfigMap: one key of it, or all.
pub(super) fn config_map(name: &str, config_map: &str, key: Option<&str>) -> Volume {
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

/// A volume with one key of a ConfigMap, under another name.
pub(super) fn key_of_map(name: &str, config_map: &str, key: &str, path: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            items: Some(vec![item(key, path)]),
            name: config_map.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A volume with one key of a Secret, under another name.
pub(super) fn key_of_secret(name: &str, secret: &str, key: &str, path: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        secret: Some(SecretVolumeSource {
            items: Some(vec![item(key, path)]),
            secret_name: Some(secret.to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn item(key: &str, path: &str) -> KeyToPath {
    KeyToPath { key: key.to_owned(), path: path.to_owned(), mode: None }
}

/// A volume that goes with the pod.
pub(super) fn empty(name: &str, limit: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: None,
            size_limit: Some(Quantity(limit.to_owned())),
        }),
        ..Default::default()
    }
}

/// A volume behind a claim.
pub(super) fn claim(name: &str, claim: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim.to_owned(),
            read_only: None,
        }),
        ..Default::default()
    }
}

/// The scratch volume.
pub(super) fn scratch() -> Volume {
    empty(SCRATCH_VOLUME, SCRATCH_LIMIT)
}

/// Mounts the whole scratch volume.
pub(super) fn scratch_root(path: &str) -> VolumeMount {
    mount(SCRATCH_VOLUME, path)
}

/// Mounts a directory of the scratch volume.
pub(super) fn scratch_mount(directory: &str, path: &str) -> VolumeMount {
    below(SCRATCH_VOLUME, path, directory)
}

/// A directory of the scratch volume, for the seed plan to make.
pub(super) fn scratch_directory(directory: &str, mode: &str) -> SeedDirectory {
    SeedDirectory { root: SeedRoot::Scratch, path: directory.to_owned(), mode: mode.to_owned() }
}

/// Mounts a volume.
pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..Default::default() }
}

/// Mounts a volume that the container only reads.
pub(super) fn read_only(name: &str, path: &str) -> VolumeMount {
    VolumeMount { read_only: Some(true), ..mount(name, path) }
}

/// Mounts a directory of a volume.
pub(super) fn below(name: &str, path: &str, directory: &str) -> VolumeMount {
    VolumeMount { sub_path: Some(directory.to_owned()), ..mount(name, path) }
}
