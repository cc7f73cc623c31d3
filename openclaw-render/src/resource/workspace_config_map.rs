//! `ConfigMap` with the seed plan and the contents that its files name by key.
//!
//! - Present when: always.
//! - Reads: workspace files and directories, the volume's layout.
//! - Restarts pods: never; the plan is performed whenever a pod is made.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use sha2::{Digest, Sha256};

use crate::hash;
use crate::resolve::{Layout, Resolved};
use crate::seed::{
    POD_PROTOCOL, SEED_PLAN_KEY, SeedDirectory, SeedFile, SeedPlan, SeedPolicy, SeedRoot,
};
use crate::vocab::{meta, paths};

pub(super) fn render(instance: &Resolved) -> ConfigMap {
    let mut data: BTreeMap<String, String> = instance
        .workspace
        .files
        .iter()
        .map(|(path, content)| (content_key(path), content.clone()))
        .collect();
    let mut plan = serde_json::to_string_pretty(&plan(instance)).unwrap_or_default();
    plan.push('\n');
    data.insert(SEED_PLAN_KEY.to_owned(), plan);
    ConfigMap {
        metadata: meta::owned(instance, instance.name.workspace()),
        data: Some(data),
        ..Default::default()
    }
}

/// Paths may hold characters that a key may not, and two paths never share a key.
fn content_key(path: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(path.as_bytes());
    format!("f-{}", hash::hexadecimal(&hasher.finalize(), 16))
}

fn plan(instance: &Resolved) -> SeedPlan {
    let state = match instance.storage.layout {
        Layout::Home => format!("{}/{}/", paths::HOME_DIRECTORY, paths::STATE_DIRECTORY),
        Layout::Flat => String::new(),
    };
    let workspace = format!("{state}{}", paths::WORKSPACE_DIRECTORY);
    let files = instance
        .workspace
        .files
        .keys()
        .map(|path| SeedFile {
            root: SeedRoot::Data,
            path: format!("{workspace}/{path}"),
            key: content_key(path),
            mode: "0644".to_owned(),
            policy: SeedPolicy::CreateOnly,
        })
        .collect();
    let mut directories = home(instance.storage.layout);
    directories.insert((SeedRoot::Data, workspace.clone()), "0755");
    for path in &instance.workspace.directories {
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let path = path.get(..end).unwrap_or_default();
            directories.insert((SeedRoot::Data, format!("{workspace}/{path}")), "0755");
        }
    }
    directories.insert((SeedRoot::Scratch, paths::SCRATCH_TMP.to_owned()), "1777");
    directories.insert((SeedRoot::Scratch, paths::SCRATCH_MIGRATE.to_owned()), "0700");
    directories.insert((SeedRoot::Scratch, paths::SCRATCH_SYNC.to_owned()), "0700");
    directories.insert((SeedRoot::Scratch, paths::SCRATCH_SYNC_TMP.to_owned()), "1777");
    SeedPlan {
        version: POD_PROTOCOL,
        directories: directories
            .into_iter()
            .map(|((root, path), mode)| SeedDirectory { root, path, mode: mode.to_owned() })
            .collect(),
        files,
    }
}

/// The directories that the application and its tools expect in HOME. Only the state is private to
/// the agent's user, as the application itself makes it.
fn home(layout: Layout) -> BTreeMap<(SeedRoot, String), &'static str> {
    let home = match layout {
        Layout::Home => format!("{}/", paths::HOME_DIRECTORY),
        Layout::Flat => String::new(),
    };
    let mut directories: BTreeMap<_, _> = paths::HOME_DIRECTORIES
        .iter()
        .map(|directory| ((SeedRoot::Data, format!("{home}{directory}")), "0755"))
        .collect();
    if layout == Layout::Home {
        directories.insert((SeedRoot::Data, paths::HOME_DIRECTORY.to_owned()), "0755");
        directories.insert((SeedRoot::Data, format!("{home}{}", paths::STATE_DIRECTORY)), "0700");
    }
    directories
}
