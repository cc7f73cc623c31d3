//! [`Records`]: what was installed, each in a file of its own beside the tools.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use openclaw_render::seed::content_hash;
use serde::{Deserialize, Serialize};

use super::super::folder::{Folder, FolderError};
use super::super::install::{DIRECTORY_MODE, TOOLS};
use super::super::read_bounded;
use super::item::{Item, Kind};

const FOLDER: &str = "installed";
const FILE_MODE: u32 = 0o644;

/// What is known of a thing that was installed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Record {
    /// What it is; nothing for what is no thing that was installed.
    pub(super) kind: Option<Kind>,
    /// As it was asked for.
    pub(super) entry: String,
    /// Workspace of a skill that is for one alone.
    pub(super) workspace: Option<PathBuf>,
    /// Version of the application that it was installed for, if that matters.
    pub(super) application: Option<String>,
    /// Files without which it is not there any more.
    pub(super) files: Vec<PathBuf>,
    /// Whether something of its name was there before it was asked for: somebody else's, which is
    /// not taken away.
    pub(super) was_there: bool,
    /// Whether its installer has ended well. Until then the record says that what lies there half
    /// is ours.
    pub(super) is_complete: bool,
}

impl Record {
    /// Of a thing of which nothing is there yet.
    pub(super) fn of(item: &Item) -> Self {
        Self {
            kind: Some(item.kind()),
            entry: item.entry.clone(),
            workspace: item.workspace().map(Path::to_owned),
            ..Self::default()
        }
    }
}

/// The agent owns them, too. What they say decides about no more than the agent itself could do:
/// whether something is installed once more, and what of skills, plugins and packages is removed.
pub(super) struct Records {
    folder: Folder,
}

impl Records {
    pub(super) fn open(home: &Path) -> Result<Self, FolderError> {
        let mut folder = Folder::open(home)?;
        for name in TOOLS.into_iter().chain([FOLDER]) {
            folder = folder.make(name, DIRECTORY_MODE)?;
        }
        folder.sweep();
        Ok(Self { folder })
    }

    /// Whether the thing is there, as it is asked for.
    pub(super) fn holds(&self, place: &str, entry: &str, application: Option<&str>) -> bool {
        self.read(place).is_some_and(|record| {
            record.is_complete
                && record.entry == entry
                && record.application.as_deref() == application
                && record.files.iter().all(|file| file.is_file())
        })
    }

    pub(super) fn write(&self, place: &str, record: &Record) -> Result<(), FolderError> {
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        self.folder.replace(&file_name(place), FILE_MODE, &mut Cursor::new(bytes))
    }

    pub(super) fn read(&self, place: &str) -> Option<Record> {
        self.read_file(&file_name(place))
    }

    fn read_file(&self, name: &OsStr) -> Option<Record> {
        let file = self.folder.open_file(name).ok()?;
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let bytes = is_file.then(|| read_bounded(file).ok())??;
        serde_json::from_slice(&bytes).ok()
    }

    /// All that can be read.
    pub(super) fn all(&self) -> Result<Vec<Record>, FolderError> {
        Ok(self.folder.names()?.filter_map(|name| self.read_file(&name)).collect())
    }

    pub(super) fn forget(&self, place: &str) -> Result<(), FolderError> {
        self.folder.remove(&file_name(place))
    }
}

fn file_name(place: &str) -> OsString {
    let hash = content_hash(place.as_bytes());
    let digits: String = hash.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    OsString::from(format!("{digits}.json"))
}

/// What ClawHub's clients leave beside a skill.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Origin {
    pub(super) owner_handle: Option<String>,
    pub(super) installed_version: Option<String>,
}

impl Origin {
    pub(super) fn of(skill: &Path) -> Option<Self> {
        let path = skill.join(".clawhub/origin.json");
        let is_small = path.metadata().is_ok_and(|it| it.is_file() && it.len() < 1 << 20);
        is_small.then(|| serde_json::from_slice(&fs::read(path).ok()?).ok())?
    }
}
