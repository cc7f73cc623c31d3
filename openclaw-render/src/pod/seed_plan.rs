//! The seed plan: the directories of all parts, and what the workspace begins with.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::home;
use super::part::Part;
use super::self_config;
use crate::hash;
use crate::resolve::Resolved;
use crate::seed::{POD_PROTOCOL, SeedDirectory, SeedFile, SeedPlan, SeedPolicy, SeedRoot};

/// Returns what is to be done to the volumes before the pod's other containers start.
pub(crate) fn plan(instance: &Resolved, parts: &[Part]) -> SeedPlan {
    let mut directories: BTreeMap<(SeedRoot, String), SeedDirectory> = BTreeMap::new();
    let of_parts = parts.iter().flat_map(|part| part.directories.iter().cloned());
    for directory in of_parts.chain(workspace_directories(instance)) {
        directories.insert((directory.root, directory.path.clone()), directory);
    }
    SeedPlan {
        version: POD_PROTOCOL,
        directories: directories.into_values().collect(),
        files: workspace_files(instance),
    }
}

/// Returns the contents that the plan's files name by key.
pub(crate) fn contents(instance: &Resolved) -> BTreeMap<String, String> {
    let files = instance.workspace.files.iter();
    let users = files.map(|(path, content)| (content_key(path), content.clone()));
    let ours = self_config::files(instance).into_iter();
    users.chain(ours.map(|(name, content, _)| (content_key(name), content))).collect()
}

/// Paths may hold characters that a key may not, and two paths never share a key.
fn content_key(path: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(path.as_bytes());
    format!("f-{}", hash::hexadecimal(&hasher.finalize(), 16))
}

fn workspace_files(instance: &Resolved) -> Vec<SeedFile> {
    let workspace = home::workspace(instance.storage.layout);
    let file = |path: &String| SeedFile {
        root: SeedRoot::Data,
        path: format!("{workspace}/{path}"),
        key: content_key(path),
        mode: "0644".to_owned(),
        policy: SeedPolicy::CreateOnly,
    };
    let mut files: BTreeMap<String, SeedFile> =
        instance.workspace.files.keys().map(|path| (path.clone(), file(path))).collect();
    for (name, _, mode) in self_config::files(instance) {
        let (path, mode) = (name.to_owned(), mode.to_owned());
        let ours = SeedFile { mode, policy: SeedPolicy::Converge, ..file(&path) };
        files.insert(path, ours);
    }
    files.into_values().collect()
}

/// The workspace itself, and every directory in it with its parents.
fn workspace_directories(instance: &Resolved) -> Vec<SeedDirectory> {
    let workspace = home::workspace(instance.storage.layout);
    let mut directories = vec![home::on_volume(workspace.clone(), "0755")];
    for path in &instance.workspace.directories {
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let path = path.get(..end).unwrap_or_default();
            directories.push(home::on_volume(format!("{workspace}/{path}"), "0755"));
        }
    }
    directories
}
