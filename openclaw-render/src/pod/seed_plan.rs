//! The seed plan: the directories of all parts, and what the workspaces begin with.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::part::Part;
use super::{environment_md, home, self_config};
use crate::api::FileUpdatePolicy;
use crate::hash;
use crate::resolve::{Resolved, Workspace};
use crate::seed::{POD_PROTOCOL, SeedDirectory, SeedFile, SeedPlan, SeedPolicy, SeedRoot};

/// The introduction of a new agent.
const BOOTSTRAP: (&str, &str) =
    ("BOOTSTRAP.md", include_str!("../../assets/workspace/BOOTSTRAP.md"));

/// A file that a workspace begins with, and what it begins with.
struct Seeded {
    workspace: String,
    path: String,
    content: String,
    policy: SeedPolicy,
}

/// Returns what is to be done to the volumes before the pod's other containers start.
pub(crate) fn plan(instance: &Resolved, parts: &[Part]) -> SeedPlan {
    let mut directories: BTreeMap<(SeedRoot, String), SeedDirectory> = BTreeMap::new();
    let of_parts = parts.iter().flat_map(|part| part.directories.iter().cloned());
    for directory in of_parts.chain(workspace_directories(instance)) {
        directories.insert((directory.root, directory.path.clone()), directory);
    }
    let mut files: Vec<SeedFile> = seeded(instance)
        .into_iter()
        .map(|Seeded { workspace, path, content: _, policy }| SeedFile {
            root: SeedRoot::Data,
            path: format!("{}/{path}", home::workspace(instance.storage.layout, &workspace)),
            key: content_key(&workspace, &path),
            mode: "0644".to_owned(),
            policy,
        })
        .collect();
    files.sort_by(|left, right| (left.root, &left.path).cmp(&(right.root, &right.path)));
    SeedPlan { version: POD_PROTOCOL, directories: directories.into_values().collect(), files }
}

/// Returns the contents that the plan's files name by key.
pub(crate) fn contents(instance: &Resolved) -> BTreeMap<String, String> {
    let files = seeded(instance).into_iter();
    files.map(|file| (content_key(&file.workspace, &file.path), file.content)).collect()
}

/// Paths may hold characters that a key may not, and two files never share a key.
fn content_key(workspace: &str, path: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(workspace.as_bytes());
    hasher.update([0]);
    hasher.update(path.as_bytes());
    format!("f-{}", hash::hexadecimal(&hasher.finalize(), 16))
}

/// Returns the user's files, and the operator's where the user has none of that name.
fn seeded(instance: &Resolved) -> Vec<Seeded> {
    let workspaces = &instance.workspaces;
    let mut all = Vec::new();
    for workspace in &workspaces.all {
        let seeded = |path: &str, content: &str, policy| Seeded {
            workspace: workspace.name.clone(),
            path: path.to_owned(),
            content: content.to_owned(),
            policy,
        };
        let users = workspace.files.iter().map(|(path, file)| {
            let policy = match file.policy {
                FileUpdatePolicy::CreateOnly => SeedPolicy::CreateOnly,
                FileUpdatePolicy::Replace => SeedPolicy::Replace,
            };
            seeded(path, &file.content, policy)
        });
        all.extend(users);
        let environment = environment_md::text(instance);
        let mut ours = vec![seeded(environment_md::NAME, &environment, SeedPolicy::Replace)];
        if workspaces.bootstrap && workspace.name.is_empty() {
            ours.push(seeded(BOOTSTRAP.0, BOOTSTRAP.1, SeedPolicy::WhenNew));
        }
        if workspace.name.is_empty() {
            let files = self_config::files(instance).into_iter();
            ours.extend(files.map(|(name, text)| seeded(name, &text, SeedPolicy::Replace)));
        }
        all.extend(ours.into_iter().filter(|file| !is_taken(&file.path, workspace)));
    }
    all
}

/// Whether the user has something of that name in a workspace.
fn is_taken(name: &str, workspace: &Workspace) -> bool {
    let is_it = |path: &String| path.split('/').next() == Some(name);
    workspace.files.keys().any(is_it) || workspace.directories.iter().any(is_it)
}

/// The workspaces themselves, and every directory in them with its parents.
fn workspace_directories(instance: &Resolved) -> Vec<SeedDirectory> {
    let mut directories = Vec::new();
    for workspace in &instance.workspaces.all {
        let root = home::workspace(instance.storage.layout, &workspace.name);
        directories.push(home::on_volume(root.clone(), "0755"));
        for path in &workspace.directories {
            for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
                let path = path.get(..end).unwrap_or_default();
                directories.push(home::on_volume(format!("{root}/{path}"), "0755"));
            }
        }
    }
    directories
}
