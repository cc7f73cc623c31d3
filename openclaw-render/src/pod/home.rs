//! HOME of the agent: the data volume, what lies where on it, and how it is mounted.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Volume, VolumeMount};

use super::part::Claim;
use super::volumes::{self, below, empty, mount};
use crate::resolve::{DataVolume, Layout, Resolved};
use crate::seed::{SeedDirectory, SeedRoot, check_path};
use crate::vocab::paths::{HOME_DIRECTORIES, HOME_DIRECTORY, STATE_DIRECTORY, normalised};
use crate::vocab::{annotations, names, paths};

/// Directory of the default workspace below the state directory.
const WORKSPACE_DIRECTORY: &str = "workspace";

/// Returns the data volume, unless the StatefulSet adds it, for each replica another one.
pub(super) fn volume(instance: &Resolved) -> Option<Volume> {
    let name = names::DATA_VOLUME;
    match &instance.storage.volume {
        DataVolume::Made { claim, .. } | DataVolume::Existing(claim) => {
            Some(volumes::claim(name, claim))
        }
        DataVolume::OfReplicas { .. } => None,
        DataVolume::Ephemeral(limit) => Some(empty(name, &limit.0)),
    }
}

/// Returns the claim behind it, if it is ours.
pub(super) fn claim(instance: &Resolved) -> Option<Claim> {
    let DataVolume::Made { claim, spec } = &instance.storage.volume else { return None };
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

/// Returns the directory of the state on the data volume; `None` if that is the volume's root.
pub(super) fn state(layout: Layout) -> Option<String> {
    (layout == Layout::Home).then(|| format!("{HOME_DIRECTORY}/{STATE_DIRECTORY}"))
}

/// Mounts HOME and the state in it.
///
/// A flat volume keeps the rest of HOME in directories beside the state.
pub(super) fn mounts(instance: &Resolved) -> Vec<VolumeMount> {
    match instance.storage.layout {
        Layout::Home => vec![below(names::DATA_VOLUME, paths::HOME, HOME_DIRECTORY)],
        Layout::Flat => in_home(Layout::Flat).iter().map(InHome::mount).collect(),
    }
}

/// Mounts HOME for the agent. Where the user mounts a volume there, what must not be lost is mounted
/// in it.
pub(super) fn agent_mounts(instance: &Resolved) -> Vec<VolumeMount> {
    if is_taken(instance) {
        return in_home(instance.storage.layout).iter().map(InHome::mount).collect();
    }
    mounts(instance)
}

/// Whether the user mounts a volume as the agent's HOME.
fn is_taken(instance: &Resolved) -> bool {
    let places = instance.extras.mounts.iter().map(|mount| normalised(&mount.mount_path));
    places.into_iter().any(|place| place == paths::HOME)
}

/// A directory of HOME that lies on the data volume.
struct InHome {
    /// Where it is seen.
    path: String,
    /// Where it lies on the volume; `None` for the root.
    directory: Option<String>,
}

impl InHome {
    fn mount(&self) -> VolumeMount {
        match &self.directory {
            Some(directory) => below(names::DATA_VOLUME, &self.path, directory),
            None => mount(names::DATA_VOLUME, &self.path),
        }
    }
}

/// Returns the state, and the directories of HOME beside it.
fn in_home(layout: Layout) -> Vec<InHome> {
    let state = InHome { path: paths::STATE.to_owned(), directory: state(layout) };
    let others = HOME_DIRECTORIES.iter().map(|directory| InHome {
        path: format!("{}/{directory}", paths::HOME),
        directory: Some(match layout {
            Layout::Home => format!("{HOME_DIRECTORY}/{directory}"),
            Layout::Flat => (*directory).to_owned(),
        }),
    });
    [state].into_iter().chain(others).collect()
}

/// Returns the directories on the data volume in which the user's mounts of the agent lie.
///
/// Whoever mounts makes the missing ones, and makes them root's: the agent could not write there.
pub(super) fn parents_of_mounts(instance: &Resolved) -> Vec<SeedDirectory> {
    let layout = instance.storage.layout;
    let mut on_data = in_home(layout);
    if layout == Layout::Home && !is_taken(instance) {
        let directory = Some(HOME_DIRECTORY.to_owned());
        on_data.push(InHome { path: paths::HOME.to_owned(), directory });
    }
    let mut directories = Vec::new();
    for mount in &instance.extras.mounts {
        let place = normalised(&mount.mount_path);
        let inside = on_data.iter().find_map(|home| {
            let rest = place.strip_prefix(&home.path)?.strip_prefix('/')?;
            Some((home.directory.as_ref(), rest))
        });
        let Some((base, rest)) = inside else { continue };
        // A whole volume is a directory; a part of one may be a file.
        let is_directory = mount.sub_path.is_none() && mount.sub_path_expr.is_none();
        let ends = rest.match_indices('/').map(|(end, _)| end);
        for end in ends.chain(is_directory.then_some(rest.len())) {
            let inner = rest.get(..end).unwrap_or_default();
            let path = base.map_or_else(|| inner.to_owned(), |base| format!("{base}/{inner}"));
            if check_path(&path).is_ok() {
                directories.push(on_volume(path, "0755"));
            }
        }
    }
    directories
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
    let directory = workspace_directory(name);
    match state(layout) {
        Some(state) => format!("{state}/{directory}"),
        None => directory,
    }
}

/// Returns the directory of a workspace below the state.
pub(super) fn workspace_directory(name: &str) -> String {
    let hyphen = if name.is_empty() { "" } else { "-" };
    format!("{WORKSPACE_DIRECTORY}{hyphen}{name}")
}

/// Returns a directory of the data volume.
pub(super) fn on_volume(path: String, mode: &str) -> SeedDirectory {
    SeedDirectory { root: SeedRoot::Data, path, mode: mode.to_owned() }
}
