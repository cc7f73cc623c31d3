//! Skill packs: folders of a repository on GitHub whose files become files of a workspace.
//!
//! Which files those are, is decided here, from what the repository says; the shell fetches bytes.
//! Who owns the repository is a stranger: whatever it holds is bounded and checked.

mod layout;
mod reference;

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
pub use layout::Layout;
pub use reference::PackReference;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most files of a pack.
pub const MOST_FILES: usize = 100;
/// Largest file of a pack. GitHub gives contents of up to 1 MB.
pub const LARGEST_FILE: usize = 512 * 1024;
/// Most bytes of all files of a pack: each revision is kept in a ConfigMap, and so is what the
/// workspaces get.
pub const LARGEST_PACK: usize = 600 * 1024;
/// Digits of a commit's name.
const COMMIT_DIGITS: usize = 40;

/// A pack, as it is at one commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pack {
    /// The entry that asks for it, without `pack:`.
    pub source: String,
    /// The commit.
    pub commit: String,
    /// Files by their path below the workspace.
    pub files: BTreeMap<String, PackFile>,
    /// Directories below the workspace, sorted.
    pub directories: Vec<String>,
    /// What it adds to `skills.entries` of openclaw.json.
    pub entries: Map<String, Value>,
}

/// What a file of a pack holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PackFile {
    /// UTF-8.
    Text(String),
    /// Anything else, in Base64.
    Binary(ByteString),
}

impl PackFile {
    /// Returns how many bytes it takes in a ConfigMap.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(ByteString(bytes)) => bytes.len().div_ceil(3) * 4,
        }
    }
}

impl Pack {
    /// Returns how many bytes its files take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.files.iter().map(|(path, file)| path.len() + file.size()).sum()
    }

    /// Puts a pack together from the contents of the files that its layout names.
    ///
    /// # Errors
    /// When a file is missing or too large, or all of them together are.
    pub fn new(
        reference: &PackReference,
        commit: &str,
        layout: Layout,
        contents: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        let mut size = 0;
        for (place, path) in layout.files {
            let bytes = contents.get(&path).ok_or_else(|| format!("lacks the file {path:?}"))?;
            if bytes.len() > LARGEST_FILE {
                return Err(too_large_file(&path));
            }
            let file = match String::from_utf8(bytes.clone()) {
                Ok(text) => PackFile::Text(text),
                Err(error) => PackFile::Binary(ByteString(error.into_bytes())),
            };
            size += file.size();
            files.insert(place, file);
        }
        if size > LARGEST_PACK {
            return Err(format!("holds more than {} KiB", LARGEST_PACK / 1024));
        }
        Ok(Self {
            source: reference.to_string(),
            commit: commit.to_owned(),
            files,
            directories: layout.directories,
            entries: layout.entries,
        })
    }
}

/// What became of the wish for a pack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PackSeen {
    /// What was fetched last and is not kept in the cluster yet.
    pub pack: Option<Pack>,
    /// Why the last attempt failed; `None` if it did not.
    pub failure: Option<String>,
}

/// A wish for a pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedPack {
    /// The pack.
    pub reference: PackReference,
    /// The commit of it that is kept in the cluster: its content need not be fetched again.
    pub held: Option<String>,
}

/// Whether a text is the name of a commit in full.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    text.len() == COMMIT_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn too_large_file(path: &str) -> String {
    format!("has a file {path:?} of more than {} KiB", LARGEST_FILE / 1024)
}
