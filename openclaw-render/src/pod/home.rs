//! HOME of the agent: the data volume, what lies where on it, and how it is mounted.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Volume, VolumeMount};

use super::part::Claim;
use super::volumes::{self, below, empty, mount};
use crate::resolve::{DataVolume, Layout, Resolved};
use crate::seed::{SeedDirectory, SeedRoot};
use crate::vocab::paths::{HOME_DIRECTORIES, HOME_DIRECTORY, STATE_DIRECTORY};
use crate::vocab::{annotations, names, paths};

/// Directory of the default workspace below the state directory.
const WORKSPACE_DIRECTORY: &str = "workspace";

/// Returns the data volume.
pub(super) fn volume(instance: &Resolved) -> Volume {
    let name = names::DATA_VOLUME;
    match &instance.storage.volume {
        DataVolume::Own { claim, .. } | DataVolume::Existing(claim) => volumes::claim(name, claim),
        DataVolume::Ephemeral(limit) => empty(name, &limit.0),
    }
}

/// Returns the claim behind it, if it is ours.
pub(super) fn claim(instance: &Resolved) -> Option<Claim> {
    let DataVolume::Own { claim, spec } = &instance.storage.volume else { return None };
    let mut notes = BTreeMap::from([(annotations::BACKUP_ENABLED.to_owned(), "true".to_owned())]);
    if instance.storage.layout == Layout::Home {
        notes.insert(annotations::LAYOUT.to_owned(), annotations::LAYOUT_HOME.to_owned());
    }
    Some(Claim {
        name: claim.clone(),
        annotations: notes,
        spec: (**spec).clone(),
        outlives_instance: instance.storage.orphan,
    })
}

/// Mounts HOME and the state in it.
///
/// A flat volume keeps the rest of HOME in directories beside the state.
pub(super) fn mounts(instance: &Resolved) -> Vec<VolumeMount> {
    match instance.storage.layout {
        Layout::Home => vec![below(names::DATA_VOLUME, paths::HOME, HOME_DIRECTORY)],
        Layout::Flat => {
            let mut mounts = vec![mount(names::DATA_VOLUME, paths::STATE)];
            mounts.extend(HOME_DIRECTORIES.iter().map(|directory| {
                below(names::DATA_VOLUME, &format!("{}/{directory}", paths::HOME), directory)
            }));
            mounts
        }
    }
}

/// Returns the directories that the application and its tools expect in HOME.
///
/// Only the state is private to the agent's user, as the application itself makes it.
pub(super) fn directories(instance: &Resolved) -> Vec<SeedDirectory> {
    let layout = instance.storage.layout;
    let home = match layout {
        Layout::Home => format!("{HOME_DIRECTORY}/"),
        Layout::Flat => String::new(),
    };
    let mut directories: Vec<SeedDirectory> = HOME_DIRECTORIES
        .iter()
        .map(|directory| on_volume(format!("{home}{directory}"), "0755"))
        .collect();
    if layout == Layout::Home {
        directories.push(on_volume(HOME_DIRECTORY.to_owned(), "0755"));
        directories.push(on_volume(format!("{home}{STATE_DIRECTORY}"), "0700"));
    }
    directories
}

/// Returns the path of a workspace on the data volume; the default one has no name.
pub(super) fn workspace(layout: Layout, name: &str) -> String {
    let hyphen = if name.is_empty() { "" } else { "-" };
    let directory = format!("{WORKSPACE_DIRECTORY}{hyphen}{name}");
    match layout {
        Layout::Home => format!("{HOME_DIRECTORY}/{STATE_DIRECTORY}/{directory}"),
        Layout::Flat => directory,
    }
}

/// Returns a directory of the data volume.
pub(super) fn on_volume(path: String, mode: &str) -> SeedDirectory {
    SeedDirectory { root: SeedRoot::Data, path, mode: mode.to_owned() }
}
