//! The seed plan: the directories of all parts, and what the workspaces begin with.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use sha2::{Digest, Sha256};

use super::part::Part;
use super::{environment_md, home, self_config};
use crate::api::{FileUpdatePolicy, SkillPackUpdatePolicy};
use crate::hash;
use crate::packs::PackFile;
use crate::resolve::{Resolved, Workspace};
use crate::seed::{POD_PROTOCOL, SeedDirectory, SeedFile, SeedPlan, SeedPolicy, SeedRoot};
use crate::vocab::names;

/// The introduction of a new agent.
const BOOTSTRAP: (&str, &str) =
    ("BOOTSTRAP.md", include_str!("../../assets/workspace/BOOTSTRAP.md"));

/// A file that a workspace begins with, and what it begins with.
struct Seeded {
    workspace: String,
    path: String,
    content: PackFile,
    policy: SeedPolicy,
}

/// Texts by key, and other contents.
type Contents = (BTreeMap<String, String>, BTreeMap<String, ByteString>);

/// Returns what is to be done to the volumes before the pod's other containers start, and the
/// contents that its files name by key.
pub(crate) fn plan(instance: &Resolved, parts: &[Part]) -> (SeedPlan, Contents) {
    let mut directories: BTreeMap<(SeedRoot, String), SeedDirectory> = BTreeMap::new();
    let of_parts = parts.iter().flat_map(|part| part.directories.iter().cloned());
    for directory in of_parts.chain(workspace_directories(instance)) {
        directories.insert((directory.root, directory.path.clone()), directory);
    }
    let mut files = Vec::new();
    let (mut texts, mut others) = Contents::default();
    for Seeded { workspace, path, content, policy } in seeded(instance) {
        let key = content_key(&workspace, &path);
        files.push(SeedFile {
            root: SeedRoot::Data,
            path: format!("{}/{path}", home::workspace(instance.storage.layout, &workspace)),
            key: key.clone(),
            mode: "0644".to_owned(),
            policy,
        });
        match content {
            PackFile::Text(text) => {
                texts.insert(key, text);
            }
            PackFile::Binary(bytes) => {
                others.insert(key, bytes);
            }
        }
    }
    files.sort_by(|left, right| (left.root, &left.path).cmp(&(right.root, &right.path)));
    let directories = directories.into_values().collect();
    (SeedPlan { version: POD_PROTOCOL, directories, files }, (texts, others))
}

/// Paths may hold characters that a key may not, and two files never share a key.
fn content_key(workspace: &str, path: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(workspace.as_bytes());
    hasher.update([0]);
    hasher.update(path.as_bytes());
    format!("f-{}", hash::hexadecimal(&hasher.finalize(), 16))
}

/// Returns the user's files, the operator's where the user has none of that name, and those of skill
/// packs where neither has.
fn seeded(instance: &Resolved) -> Vec<Seeded> {
    let workspaces = &instance.workspaces;
    let mut all = Vec::new();
    for workspace in &workspaces.all {
        let seeded = |path: &str, content: String, policy| Seeded {
            workspace: workspace.name.clone(),
            path: path.to_owned(),
            content: PackFile::Text(content),
            policy,
        };
        let users = workspace.files.iter().map(|(path, file)| {
            let policy = match file.policy {
                FileUpdatePolicy::CreateOnly => SeedPolicy::CreateOnly,
                FileUpdatePolicy::Replace => SeedPolicy::Replace,
            };
            seeded(path, file.content.clone(), policy)
        });
        all.extend(users);
        let environment = environment_md::text(instance);
        let mut ours = vec![seeded(names::ENVIRONMENT_FILE, environment, SeedPolicy::Replace)];
        if workspaces.bootstrap && workspace.name.is_empty() {
            ours.push(seeded(BOOTSTRAP.0, BOOTSTRAP.1.to_owned(), SeedPolicy::WhenNew));
        }
        if workspace.name.is_empty() {
            let files = self_config::files(instance).into_iter();
            ours.extend(files.map(|(name, text)| seeded(name, text, SeedPolicy::Replace)));
        }
        all.extend(ours.into_iter().filter(|file| !is_taken(&file.path, workspace)));
        all.extend(of_packs(instance, workspace));
    }
    all
}

/// Returns the files that skill packs bring into a workspace, as far as nothing of the user's is in
/// their place.
fn of_packs(instance: &Resolved, workspace: &Workspace) -> Vec<Seeded> {
    let packs = &instance.skill_packs;
    let Some(share) = packs.of_workspaces.get(&workspace.name) else { return Vec::new() };
    let policy = match packs.policy {
        SkillPackUpdatePolicy::Replace => SeedPolicy::Replace,
        SkillPackUpdatePolicy::CreateOnly => SeedPolicy::CreateOnly,
    };
    let files = share.files.iter().filter(|(path, _)| !is_in_the_way(path, workspace));
    files
        .map(|(path, content)| Seeded {
            workspace: workspace.name.clone(),
            path: path.clone(),
            content: content.clone(),
            policy,
        })
        .collect()
}

/// Whether a file of the user's is at a path, above it or below it, or a directory of his at it.
fn is_in_the_way(path: &str, workspace: &Workspace) -> bool {
    let is_below = |below: &str, above: &str| {
        below.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
    };
    let of_users = workspace.files.keys();
    of_users.clone().any(|other| other == path || is_below(path, other) || is_below(other, path))
        || workspace.directories.iter().any(|other| other == path || is_below(other, path))
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
        let share = instance.skill_packs.of_workspaces.get(&workspace.name);
        let of_packs = share.into_iter().flat_map(|share| &share.directories);
        let is_free = |path: &&String| {
            !workspace
                .files
                .keys()
                .any(|file| file == *path || path.starts_with(&format!("{file}/")))
        };
        for path in workspace.directories.iter().chain(of_packs.filter(is_free)) {
            for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
                let path = path.get(..end).unwrap_or_default();
                directories.push(home::on_volume(format!("{root}/{path}"), "0755"));
            }
        }
    }
    directories
}
