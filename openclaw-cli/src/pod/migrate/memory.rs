//! [`Memory`]: what became of migrations in this pod, for the container's next run.

use std::ffi::OsStr;
use std::io::Cursor;

use serde::{Deserialize, Serialize};

use crate::pod::folder::{Folder, FolderError};
use crate::pod::read_bounded;

const NAME: &str = "attempts.json";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Migrations that were begun.
    pub(super) begun: u32,
    /// Why the last one failed by itself.
    pub(super) failed: Option<String>,
    /// Whether one succeeded: then only the note of it may be missing.
    pub(super) done: bool,
}

impl Memory {
    /// Nothing is remembered where nothing can be read.
    pub(super) fn read(work: &Folder) -> Self {
        let file = work.open_file(OsStr::new(NAME)).ok();
        let bytes = file.and_then(|file| read_bounded(file).ok()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    pub(super) fn write(&self, work: &Folder) -> Result<(), FolderError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        work.replace(OsStr::new(NAME), 0o600, &mut Cursor::new(bytes))
    }
}
