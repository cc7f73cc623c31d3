//! Files and directories that the agent's workspace begins with.

use std::collections::BTreeMap;

use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;
use crate::seed;
use crate::vocab::names::CONFIG_KEY;

/// What the default workspace begins with; all paths are below it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Workspace {
    /// Content by path.
    pub(crate) files: BTreeMap<String, String>,
    /// Directories, sorted, each once.
    pub(crate) directories: Vec<String>,
}

pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Workspace {
    let workspace = spec.workspace.clone().unwrap_or_default();
    let files = workspace.initial_files.unwrap_or_default();
    let mut directories = workspace.initial_directories.unwrap_or_default();
    for path in files.keys() {
        if let Err(reason) = check_file(path) {
            cx.error(format!("spec.workspace.initialFiles[{path:?}]"), reason);
        }
    }
    for (index, path) in directories.iter().enumerate() {
        if let Err(reason) = check_directory(path) {
            cx.error(
                format!("spec.workspace.initialDirectories[{index}]"),
                format!("{path:?} {reason}"),
            );
        }
    }
    check_conflicts(&files, &directories, cx);
    for directory in &mut directories {
        directory.truncate(directory.trim_end_matches('/').len());
    }
    directories.sort();
    directories.dedup();
    Workspace { files, directories }
}

/// Names of files: what leaves the workspace, hides in it or collides with the operator's own file
/// is refused.
fn check_file(path: &str) -> Result<(), String> {
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
    files: &BTreeMap<String, String>,
    directories: &[String],
    cx: &mut Resolving<'_>,
) {
    let paths = files.keys().chain(directories);
    for path in paths {
        let parents = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
        for parent in parents.filter(|parent| files.contains_key(*parent)) {
            cx.error(
                format!("spec.workspace.initialFiles[{parent:?}]"),
                format!("cannot be a file, because {path:?} is below it"),
            );
        }
        if files.contains_key(path) && directories.contains(path) {
            cx.error(
                format!("spec.workspace.initialFiles[{path:?}]"),
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
