//! [`Record`]: what was made from what, so that the agent's changes are told from the plan's.
//!
//! It lies on the volume, where the agent may change it in some layouts. It is believed only about
//! which files to leave alone, and which to remove if they hold exactly what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use openclaw_render::seed::{SeedFile, SeedPolicy, SeedRoot, check_path};
use openclaw_render::vocab::paths;
use serde::{Deserialize, Serialize};

use super::log;
use crate::pod::folder::{Folder, FolderError, Kind};
use crate::pod::read_bounded;

/// Its own version: another one says nothing.
const VERSION: u32 = 1;
/// Only the pod's own user reads it.
const MODE: u32 = 0o600;

/// The files of the data volume that were made, by path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    files: BTreeMap<String, Made>,
    #[serde(skip)]
    bytes: Vec<u8>,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    /// Hash of the content that it was made from.
    source: String,
    /// What happens to it.
    policy: SeedPolicy,
}

impl Record {
    /// Reads what is there. What cannot be read says nothing.
    pub(super) fn read(root: &Folder) -> Self {
        root.sweep();
        let name = paths::SEED_RECORD.as_ref();
        if !matches!(root.kind(name), Ok(Some(Kind::File))) {
            return Self::default();
        }
        let bytes = root.open_file(name).ok().and_then(|file| read_bounded(file).ok());
        let bytes = bytes.unwrap_or_default();
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(record) if record.version == VERSION => Self { bytes, ..record },
            Ok(_) | Err(_) => {
                log(&format!("{} says nothing that is understood", paths::SEED_RECORD));
                Self::default()
            }
        }
    }

    /// Writes it, if it has changed.
    pub(super) fn write(&self, root: &Folder) -> Result<(), FolderError> {
        let record = Self { version: VERSION, files: self.files.clone(), bytes: Vec::new() };
        let mut bytes = serde_json::to_vec(&record).unwrap_or_default();
        bytes.push(b'\n');
        if bytes == self.bytes || self.files.is_empty() && self.bytes.is_empty() {
            return Ok(());
        }
        root.replace(paths::SEED_RECORD.as_ref(), MODE, &mut Cursor::new(bytes))
    }

    /// What a file was made from the last time.
    pub(super) fn source(&self, file: &SeedFile) -> Option<&str> {
        let made = (file.root == SeedRoot::Data).then(|| self.files.get(&file.path))??;
        Some(&made.source)
    }

    /// Remembers that a file was dealt with.
    pub(super) fn remember(&mut self, file: &SeedFile, source: String) {
        if file.root == SeedRoot::Data {
            self.files.insert(file.path.clone(), Made { source, policy: file.policy });
        }
    }

    /// Forgets what a plan does not have; returns the path and source of what the operator kept up
    /// to date. What was only created is the agent's and is not among them.
    pub(super) fn forget_all_but(&mut self, files: &[SeedFile]) -> Vec<(String, String)> {
        let wanted: BTreeSet<&String> = files.iter().map(|file| &file.path).collect();
        let is_gone = |path: &String, _: &mut Made| !wanted.contains(path);
        let gone: Vec<_> = self.files.extract_if(.., is_gone).collect();
        gone.into_iter()
            .filter(|(path, made)| made.policy == SeedPolicy::Replace && check_path(path).is_ok())
            .map(|(path, made)| (path, made.source))
            .collect()
    }
}
