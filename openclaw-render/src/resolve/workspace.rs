//! What the agents' workspaces begin with: files, directories, and what happens to them later.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Resolving;
use super::{external_files, stored_defaults};
use crate::api::{
    AdditionalWorkspace, FileUpdatePolicy, ManagedFile, OpenClawInstance, OpenClawInstanceSpec,
    WorkspaceSpec,
};
use crate::hash::Hasher;
use crate::seed;
use crate::vocab::names::{CONFIG_KEY, ENVIRONMENT_FILE};

/// Names of files that stand for an introduction that has taken place.
const INTRODUCED: &[&str] = &["BOOTSTRAP.md", "IDENTITY.md", "SOUL.md", "USER.md"];

/// What a file takes there besides its content: its place in the plan, and a key.
pub(super) const AROUND_FILE: usize = 768;

/// Longest path of a file below a workspace, in characters; what is before it on the volume does not
/// count.
const LONGEST: usize = 253;

/// All workspaces of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Workspaces {
    /// The default one first, then the others by name.
    pub(crate) all: Vec<Workspace>,
    /// Whether the default one begins with an introduction.
    pub(crate) bootstrap: bool,
    /// Hash of what ConfigMaps of the user's contribute, if one is named.
    pub(crate) external: Option<String>,
}

impl Workspaces {
    /// Returns how many bytes the user's files take where they are handed over, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let files = self.all.iter().flat_map(|workspace| &workspace.files);
        files.map(|(path, file)| path.len() + file.content.len() + AROUND_FILE).sum()
    }
}

/// What a workspace begins with; all paths are below it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Workspace {
    /// Empty for the default one.
    pub(crate) name: String,
    /// Files by path.
    pub(crate) files: BTreeMap<String, File>,
    /// Directories, sorted, each once.
    pub(crate) directories: Vec<String>,
}

/// A file of a workspace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    pub(crate) content: String,
    pub(crate) policy: FileUpdatePolicy,
}

pub(super) fn resolve(
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Workspaces {
    let workspace = spec.workspace.clone().unwrap_or_default();
    let switch = ["spec", "workspace", "bootstrap", "enabled"];
    let wanted = workspace.bootstrap.as_ref().and_then(|it| it.enabled) == Some(true);
    // The Go operator's schema turned it on everywhere: nobody asked for it.
    let stored = wanted && stored_defaults::is_stored(instance, &switch);
    if stored {
        cx.ineffective(
            "spec.workspace.bootstrap.enabled",
            "is a default that the Go operator stored: write it again to have an introduction",
        );
    }
    let WorkspaceSpec { additional_workspaces, file_update_policy, .. } = workspace.clone();
    let inherited = file_update_policy.unwrap_or_default();
    let mut external = Hasher::default();
    let mut is_external = false;
    let mut all = Vec::new();
    let mut names = BTreeSet::new();
    let default = AdditionalWorkspace {
        name: String::new(),
        config_map_ref: workspace.config_map_ref,
        initial_files: workspace.initial_files,
        initial_directories: workspace.initial_directories,
        file_update_policy: Some(inherited),
        managed_files: workspace.managed_files,
        skills: None,
    };
    let additional = additional_workspaces.unwrap_or_default();
    for (index, asked) in std::iter::once(default).chain(additional).enumerate() {
        let path = match index.checked_sub(1) {
            None => "spec.workspace".to_owned(),
            Some(index) => format!("spec.workspace.additionalWorkspaces[{index}]"),
        };
        if !names.insert(asked.name.clone()) {
            let message = format!("{:?} is there twice: give each workspace a name", asked.name);
            cx.error(format!("{path}.name"), message);
        }
        is_external |= asked.config_map_ref.is_some();
        all.push(one(&path, asked, inherited, &mut external, cx));
    }
    all.sort_by(|left, right| left.name.cmp(&right.name));
    let is_known = all
        .first()
        .is_some_and(|default| INTRODUCED.iter().any(|name| default.files.contains_key(*name)));
    Workspaces {
        all,
        bootstrap: wanted && !stored && !is_known,
        external: is_external.then(|| external.finish()),
    }
}

/// Answers for one workspace, whose path in the spec is given.
fn one(
    path: &str,
    asked: AdditionalWorkspace,
    inherited: FileUpdatePolicy,
    external: &mut Hasher,
    cx: &mut Resolving<'_>,
) -> Workspace {
    let mut contents = asked.initial_files.unwrap_or_default();
    let mut directories = asked.initial_directories.unwrap_or_default();
    for file in contents.keys() {
        if let Err(reason) = check_file(file) {
            cx.error(format!("{path}.initialFiles[{file:?}]"), reason);
        }
    }
    for (index, directory) in directories.iter().enumerate() {
        if let Err(reason) = check_directory(directory) {
            cx.error(
                format!("{path}.initialDirectories[{index}]"),
                format!("{directory:?} {reason}"),
            );
        }
    }
    check_conflicts(path, &contents, &directories, cx);
    if contents.contains_key(ENVIRONMENT_FILE) {
        cx.ineffective(
            format!("{path}.initialFiles[{ENVIRONMENT_FILE:?}]"),
            "takes the place of the file by which the operator tells the agent where it runs",
        );
    }
    for directory in &mut directories {
        directory.truncate(directory.trim_end_matches('/').len());
    }
    directories.sort();
    directories.dedup();
    if let Some(source) = &asked.config_map_ref {
        let found = external_files::files(path, source, &contents, &directories, cx);
        for (file, content) in found {
            external.field(&[&asked.name, &file, &content]);
            contents.entry(file).or_insert(content);
        }
    }
    let managed = asked.managed_files.unwrap_or_default();
    let policies = policies(path, &managed, &contents, cx);
    let policy = asked.file_update_policy.unwrap_or(inherited);
    let file = |(path, content): (String, String)| {
        let policy = policies.get(path.as_str()).copied().unwrap_or(policy);
        (path, File { content, policy })
    };
    let files = contents.into_iter().map(file).collect();
    Workspace { name: asked.name, files, directories }
}

/// Returns the policies of single files.
fn policies<'a>(
    path: &str,
    managed: &'a [ManagedFile],
    contents: &BTreeMap<String, String>,
    cx: &mut Resolving<'_>,
) -> BTreeMap<&'a str, FileUpdatePolicy> {
    let mut policies = BTreeMap::new();
    for (index, file) in managed.iter().enumerate() {
        let path = format!("{path}.managedFiles[{index}].path");
        let policy = file.update_policy.unwrap_or(FileUpdatePolicy::Replace);
        if policies.insert(file.path.as_str(), policy).is_some_and(|other| other != policy) {
            cx.error(
                path.as_str(),
                format!("{:?} is there twice with different policies: remove one", file.path),
            );
        }
        if !contents.contains_key(&file.path) {
            cx.ineffective(
                path,
                format!("no source has a file {:?}: nothing is kept up to date", file.path),
            );
        }
    }
    policies
}

/// Names of files: what leaves the workspace, hides in it or collides with the operator's own file
/// is refused.
pub(crate) fn check_file(path: &str) -> Result<(), String> {
    // Keys of a map: no limit of the API is on them.
    if path.chars().count() > LONGEST {
        return Err("is longer than 253 characters".to_owned());
    }
    seed::check_path(path)?;
    if path == CONFIG_KEY {
        return Err(format!(
            "is the operator's: put configuration into `spec.config`, not into {path}"
        ));
    }
    for segment in path.split('/') {
        if segment.contains("..") {
            return Err("contains `..`".to_owned());
        }
        if segment.starts_with('.') {
            return Err("has a segment that begins with a dot".to_owned());
        }
    }
    Ok(())
}

/// Names of directories may begin with a dot, and may end with a slash.
fn check_directory(path: &str) -> Result<(), &'static str> {
    if path.contains("..") {
        return Err("contains `..`");
    }
    seed::check_path(path.trim_end_matches('/'))
}

/// One path cannot be a file and a directory.
fn check_conflicts(
    path: &str,
    files: &BTreeMap<String, String>,
    directories: &[String],
    cx: &mut Resolving<'_>,
) {
    let paths = files.keys().chain(directories);
    for below in paths {
        let parents = below.match_indices('/').filter_map(|(end, _)| below.get(..end));
        for parent in parents.filter(|parent| files.contains_key(*parent)) {
            cx.error(
                format!("{path}.initialFiles[{parent:?}]"),
                format!("cannot be a file, because {below:?} is below it"),
            );
        }
        if files.contains_key(below) && directories.contains(below) {
            cx.error(
                format!("{path}.initialFiles[{below:?}]"),
                "is in `initialDirectories` too: remove one of the two",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check_directory, check_file};

    #[test]
    fn files_that_leave_hide_or_collide_are_refused() {
        for bad in [
            "",
            "/a",
            "a/",
            "a\\b",
            "../a",
            "a/../b",
            "a..b",
            ".env",
            "a/.env",
            "openclaw.json",
            "a//b",
            "a\u{7}",
        ] {
            assert!(check_file(bad).is_err(), "{bad:?}");
        }
        for good in
            ["SOUL.md", "tools/scripts/setup.sh", "a/openclaw.json", "mein Plan.md", "日記.md"]
        {
            assert_eq!(check_file(good), Ok(()), "{good:?}");
        }
    }

    /// As many characters as the API takes; on the volume there is more before them.
    #[test]
    fn the_longest_path_that_is_taken_can_be_written() {
        for letter in ["a", "ä", "記"] {
            let longest = format!("{}/{}", letter.repeat(80), letter.repeat(80));
            let longest = format!("{longest}/{}", letter.repeat(253 - 162));
            assert!(check_file(&longest).is_err() == (letter == "記"), "a name of 273 bytes");
            let longest =
                longest.replacen(&letter.repeat(91), &format!("{0}/{0}", letter.repeat(45)), 1);
            assert_eq!(check_file(&longest), Ok(()), "{letter}");
            let place = format!("home/.openclaw/workspace-{}/{longest}", "w".repeat(63));
            assert_eq!(crate::seed::check_path(&place), Ok(()), "{letter}");
            assert!(check_file(&format!("{longest}a")).is_err(), "{letter}");
        }
    }

    #[test]
    fn directories_may_be_hidden_but_not_outside() {
        for bad in ["", "/a", "../a", "a\\b", "/"] {
            assert!(check_directory(bad).is_err(), "{bad:?}");
        }
        for good in [".cache", "a/b", "a/"] {
            assert_eq!(check_directory(good), Ok(()), "{good:?}");
        }
    }
}
