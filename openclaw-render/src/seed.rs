//! [`SeedPlan`]: what the init container must do to the agent's volumes, as data.
//!
//! The plan travels in ConfigMap `<name>-workspace` under [`SEED_PLAN_KEY`], next to the contents
//! that its files name by key. `openclaw-cli pod seed` performs it; the rules for paths in
//! [`check_path`] hold when a plan is rendered and again when it is performed.

use serde::{Deserialize, Serialize};

/// Version of the plan and of the sync protocol: the `N` in the helper image's tag `pod-N`.
pub const POD_PROTOCOL: u32 = 1;

/// Key of the plan in ConfigMap `<name>-workspace`.
pub const SEED_PLAN_KEY: &str = "seed-plan.json";

/// Everything that `pod seed` does, in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedPlan {
    /// [`POD_PROTOCOL`] of the renderer; another one is refused.
    pub version: u32,
    /// Directories to make, parents before children. One that exists keeps its content and mode.
    pub directories: Vec<SeedDirectory>,
    /// Files to write, sorted by root and path.
    pub files: Vec<SeedFile>,
}

/// Which of the mounted volumes a path is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeedRoot {
    /// The root of the data volume.
    Data,
    /// The root of the pod's scratch volume, empty whenever a pod is made.
    Scratch,
}

/// A directory that must exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedDirectory {
    /// The volume.
    pub root: SeedRoot,
    /// Path below the root, see [`check_path`].
    pub path: String,
    /// Permission bits when it is made, as octal text: `0700`, `1777`.
    pub mode: String,
}

/// A file that must exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedFile {
    /// The volume.
    pub root: SeedRoot,
    /// Path below the root, see [`check_path`]. Missing parents are made with mode 0755.
    pub path: String,
    /// Key in ConfigMap `<name>-workspace` that holds the content.
    pub key: String,
    /// Permission bits, as octal text.
    pub mode: String,
    /// What happens to a file that exists.
    pub policy: SeedPolicy,
}

/// What happens to a file that exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeedPolicy {
    /// It stays as it is: it belongs to the agent from the moment it was made.
    CreateOnly,
    /// It is replaced when its bytes differ: it belongs to the operator.
    Converge,
}

/// Why a path may not be written.
///
/// A path is relative, has no empty, `.` or `..` segment, no backslash, no NUL or other control
/// character, and is at most 253 bytes long, so that it can neither leave its root nor mean
/// something else to another program.
///
/// # Errors
/// The reason, as the end of a sentence that begins with the path.
pub fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.len() > 253 {
        return Err("is longer than 253 bytes");
    }
    if path.starts_with('/') {
        return Err("must be relative: remove the leading `/`");
    }
    if path.contains('\\') {
        return Err("contains a backslash");
    }
    if path.chars().any(char::is_control) {
        return Err("contains a control character");
    }
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("has an empty, `.` or `..` segment");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_path;

    #[test]
    fn paths_that_could_leave_their_root_are_refused() {
        let long = "a".repeat(254);
        for bad in ["", "/etc", "a/../b", "..", ".", "a//b", "a/", "a\\b", "a\nb", "a\0b", &long] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ordinary_paths_are_accepted() {
        for good in ["a", "a/b.md", "home/.openclaw", "a..b", "Ünïcode file.md"] {
            assert_eq!(check_path(good), Ok(()), "{good:?}");
        }
    }
}
