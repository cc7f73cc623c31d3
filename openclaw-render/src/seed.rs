//! [`SeedPlan`]: what the init container must do to the agent's volumes, as data.
//!
//! The plan travels in `ConfigMap` `<name>-workspace` under [`SEED_PLAN_KEY`], next to the contents
//! that its files name by key. `openclaw-cli pod seed` performs it; the rules for paths in
//! [`check_path`] hold when a plan is rendered and again when it is performed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::ConfigFormat;
pub use crate::hash::content_hash;
use crate::nesting;

/// Version of the plan and of the sync protocol: the `N` in the helper image's tag `pod-N.M`.
pub const POD_PROTOCOL: u32 = 2;

/// Counts what `openclaw-cli pod …` does differently within a protocol: the `M` of `pod-N.M`.
///
/// A published tag is never moved, so every change needs a number of its own; the program's tests
/// say when one is missing.
pub const POD_REVISION: u32 = 1;

/// Tag of the helper's image.
#[must_use]
pub fn pod_tag() -> String {
    format!("pod-{POD_PROTOCOL}.{POD_REVISION}")
}

/// Key of the plan in `ConfigMap` `<name>-workspace`.
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
    /// Key in `ConfigMap` `<name>-workspace` that holds the content.
    pub key: String,
    /// Permission bits, as octal text.
    pub mode: String,
    /// What happens to a file that exists.
    pub policy: SeedPolicy,
}

/// What happens to a file that exists already, and to one that existed.
///
/// What was made from what is remembered on the volume, in a file that `pod seed` keeps there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeedPolicy {
    /// It stays as it is, and stays away once it was deleted: it belongs to the agent from the moment
    /// it was made.
    CreateOnly,
    /// As [`CreateOnly`](Self::CreateOnly), and made only in a directory that holds nothing but what
    /// the plan has put there.
    WhenNew,
    /// It is written again when its source changes, and removed when the plan no longer has it and
    /// nobody has changed it. Until then, what the agent makes of it stays.
    Replace,
    /// It is replaced when its bytes differ: it belongs to the operator.
    Converge,
}

/// What `pod sync` answers to `GET /status`: which content it has seen, applied and refused.
///
/// Hashes are those of [`content_hash`]; a field that says nothing is `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    /// [`POD_PROTOCOL`] of the helper.
    pub protocol: u32,
    /// The content that the operator wants; `null` while it cannot be read.
    pub source_hash: Option<String>,
    /// The content of the agent's openclaw.json, or the one that it was migrated from; `null` while
    /// none is known to be valid.
    pub applied_hash: Option<String>,
    /// How the application's own migration changed the applied content: paths, such as
    /// `removed cron.retry`. Empty when it is in place as it was wanted.
    #[serde(default)]
    pub migrated: Vec<String>,
    /// The wanted content, when the application's own validator refuses it for certain and its
    /// migration does not help.
    pub rejected_hash: Option<String>,
    /// In merge mode: what the agent had written last that could not be used, where it is kept, and
    /// why; `null` while there is nothing of the kind.
    #[serde(default)]
    pub set_aside: Option<String>,
    /// Why applied and wanted content differ, one line; `null` while they do not.
    pub message: Option<String>,
    /// Space on the volume of openclaw.json that users other than root may still take.
    pub free_bytes: Option<u64>,
}

/// Reads an openclaw.json as the application does: JSON, or JSON5. It is nested no deeper than a
/// configuration may be.
///
/// # Errors
/// What is wrong with the text, as the rest of a sentence about it.
pub fn read_configuration(text: &str) -> Result<Value, String> {
    nesting::read(text, ConfigFormat::Json).or_else(|_| nesting::read(text, ConfigFormat::Json5))
}

/// Permission bits of an octal text of three or four digits, at most `1777`.
///
/// Set-user-id and set-group-id are no business of a seed: `None`, as for any other text.
#[must_use]
pub fn mode_bits(mode: &str) -> Option<u32> {
    let digits = matches!(mode.len(), 3 | 4) && mode.bytes().all(|b| b.is_ascii_digit());
    let bits = u32::from_str_radix(mode, 8).ok()?;
    (digits && bits <= 0o1777).then_some(bits)
}

/// What file systems take as one name, in bytes.
const LONGEST_NAME: usize = 255;
/// A path of the user's and what is before it on the volume have room in it, in bytes.
const LONGEST_PATH: usize = 2048;

/// Why a path may not be written.
///
/// A path is relative, has no empty, `.` or `..` segment, no backslash, no NUL or other control
/// character, and is no longer than file systems take it, so that it can neither leave its root nor
/// mean something else to another program.
///
/// # Errors
/// The reason, as the end of a sentence that begins with the path.
pub fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.len() > LONGEST_PATH {
        return Err("is longer than 2048 bytes");
    }
    if path.split('/').any(|segment| segment.len() > LONGEST_NAME) {
        return Err("has a segment of more than 255 bytes");
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
    use super::{check_path, content_hash, mode_bits};

    #[test]
    fn paths_that_could_leave_their_root_are_refused() {
        let (name, path) = ("a".repeat(256), "a/".repeat(1024) + "a");
        for bad in ["", "/etc", "a/../b", "..", ".", "a//b", "a/", "a\\b", "a\nb", "a\0b"] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
        assert!(check_path(&name).is_err() && check_path(&path).is_err());
    }

    #[test]
    fn ordinary_paths_are_accepted() {
        for good in ["a", "a/b.md", "home/.openclaw", "a..b", "Ünïcode file.md"] {
            assert_eq!(check_path(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn a_content_is_named_by_the_start_of_its_sha256() {
        assert_eq!(content_hash(b"abc"), "ba7816bf8f01cfea");
        assert_eq!(content_hash(b""), "e3b0c44298fc1c14");
    }

    #[test]
    fn only_permission_bits_and_the_sticky_bit_are_modes() {
        assert_eq!(mode_bits("1777"), Some(0o1777));
        assert_eq!(mode_bits("0700"), Some(0o700));
        assert_eq!(mode_bits("644"), Some(0o644));
        for bad in ["", "7", "+700", "0o700", "0888", "2755", "4755", "07777", "rwx"] {
            assert_eq!(mode_bits(bad), None, "{bad:?}");
        }
    }
}
