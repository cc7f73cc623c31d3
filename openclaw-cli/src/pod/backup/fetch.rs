//! `pod backup fetch`: finds out what lies under a path of a bucket, and fetches it.
//!
//! It sees the credentials and nothing of the agent's. What it fetches is looked at once more where
//! it is restored.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use openclaw_render::backups::{ARCHIVES, FETCHED, Fetched, MANIFEST, OTHER_ARCHIVE, Source, TREE};

use super::rclone::{Remote, RemoteError};
use super::store::{StoreError, decode};
use super::{Limits, digest_of_file, say};
use crate::pod::folder::{Folder, FolderError};

/// What every state directory has.
pub(super) const CONFIGURATION: &str = "openclaw.json";
/// So many names are told of a directory that is no backup.
const MOST_NAMES: usize = 3;
const DIRECTORIES: &str = "--dirs-only";
const FILES: &str = "--files-only";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is restored: a path in the bucket, or `s3://bucket/path`.
    #[arg(long, value_name = "PATH")]
    from: String,
    /// Where it is put.
    #[arg(long, value_name = "DIR")]
    archives: PathBuf,
    /// How long all of it may take.
    #[arg(long, value_name = "SECONDS")]
    timeout_seconds: u64,
    /// Where the reason of a failure is written, for the container's status.
    #[arg(long, value_name = "FILE")]
    pub(super) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{from:?} {reason}")]
    Source { from: String, reason: &'static str },
    #[error("failed to prepare {path:?}")]
    Prepare { path: PathBuf, source: io::Error },
    #[error("failed to look at the volume for what is fetched")]
    Look { source: FolderError },
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error("{path:?} holds nothing: no file and no directory")]
    Nothing { path: String },
    #[error(
        "{path:?} is no backup: it has neither {MANIFEST} nor {CONFIGURATION}{}",
        of_directories(directories)
    )]
    NoBackup { path: String, directories: Vec<String> },
    #[error("the manifest of {path:?} is not one of ours")]
    Manifest { path: String, source: StoreError },
    #[error("{path:?} has {size} bytes, and the volume for what is fetched has {free} left")]
    Space { path: String, size: u64, free: u64 },
    #[error("{name:?} is damaged: it has not the size and checksum that the manifest says")]
    Damaged { name: String },
    #[error("failed to read {path:?}")]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
}

fn of_directories(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; name one in it: {}", names.join(", ")) }
}

/// Runs `pod backup fetch`.
pub(super) fn run(arguments: &Arguments) -> Result<(), FetchError> {
    let Arguments { from, archives, .. } = arguments;
    let limits = Limits::new(arguments.timeout_seconds);
    let wrong = |reason| FetchError::Source { from: from.clone(), reason };
    let source = Source::parse(from).map_err(wrong)?;
    let path = source.path.as_str();
    clear(archives)?;
    let remote = Remote::from_environment(&limits)?.with_bucket(source.bucket.clone());
    let kind = if source.is_archive() {
        fetch(&remote, "copyto", path, &archives.join(OTHER_ARCHIVE))?;
        Fetched::Archive
    } else {
        directory(&remote, path, archives)?
    };
    let fetched = archives.join(FETCHED);
    let said = serde_json::to_vec(&kind).unwrap_or_default();
    fs::write(&fetched, said).map_err(|source| FetchError::Write { path: fetched, source })?;
    say(&format!("{path} is fetched"));
    Ok(())
}

fn directory(remote: &Remote<'_>, path: &str, archives: &Path) -> Result<Fetched, FetchError> {
    let files = remote.list(path, FILES).map_err(|error| of(path, error))?;
    let has = |name: &str| files.iter().any(|file| file == name);
    if has(MANIFEST) {
        match backup(remote, path, archives) {
            // A file of the agent's may have any name.
            Err(FetchError::Manifest { .. }) if has(CONFIGURATION) => {}
            fetched => return fetched.map(|()| Fetched::Backup),
        }
    }
    if has(CONFIGURATION) {
        fetch(remote, "copy", path, &archives.join(TREE))?;
        return Ok(Fetched::Tree);
    }
    let mut directories = remote.list(path, DIRECTORIES)?;
    let path = path.to_owned();
    if files.is_empty() && directories.is_empty() {
        return Err(FetchError::Nothing { path });
    }
    directories.sort();
    let surplus = directories.len().saturating_sub(MOST_NAMES);
    Err(FetchError::NoBackup { path, directories: directories.split_off(surplus) })
}

/// Fetches what a manifest of ours names, and compares it.
fn backup(remote: &Remote<'_>, path: &str, archives: &Path) -> Result<(), FetchError> {
    let from = format!("{path}/{MANIFEST}");
    let text = remote.text(&from)?;
    let manifest =
        decode(&text).map_err(|source| FetchError::Manifest { path: from.clone(), source })?;
    let size = manifest.files.iter().map(|file| file.size).fold(0, u64::saturating_add);
    has_space(path, archives, size)?;
    for file in &manifest.files {
        let to = archives.join(&file.name);
        remote.fetch("copyto", &format!("{path}/{}", file.name), &to, limit(file.size))?;
        let found =
            digest_of_file(&to).map_err(|source| FetchError::Read { path: to.clone(), source })?;
        if found != (file.size, file.sha256.clone()) {
            return Err(FetchError::Damaged { name: file.name.clone() });
        }
    }
    let to = archives.join(MANIFEST);
    fs::write(&to, text).map_err(|source| FetchError::Write { path: to, source })
}

fn fetch(remote: &Remote<'_>, verb: &'static str, path: &str, to: &Path) -> Result<(), FetchError> {
    let size = remote.size(path).map_err(|error| of(path, error))?;
    if size == 0 {
        return Err(FetchError::Nothing { path: path.to_owned() });
    }
    has_space(path, to.parent().unwrap_or(to), size)?;
    Ok(remote.fetch(verb, path, to, limit(size))?)
}

fn of(path: &str, error: RemoteError) -> FetchError {
    if error.is_of_nothing() {
        FetchError::Nothing { path: path.to_owned() }
    } else {
        FetchError::Remote(error)
    }
}

/// What is there may have grown since it was looked at. Zero would mean no limit.
fn limit(size: u64) -> u64 {
    size.saturating_add(size / 8).saturating_add(1 << 20)
}

fn has_space(path: &str, archives: &Path, size: u64) -> Result<(), FetchError> {
    let free = Folder::open(archives)
        .and_then(|folder| folder.free_bytes())
        .map_err(|source| FetchError::Look { source })?;
    let path = path.to_owned();
    if free < size { Err(FetchError::Space { path, size, free }) } else { Ok(()) }
}

/// Removes what a killed run left.
fn clear(archives: &Path) -> Result<(), FetchError> {
    let folder = Folder::open(archives).map_err(|source| FetchError::Look { source })?;
    for name in ARCHIVES.into_iter().chain([MANIFEST, OTHER_ARCHIVE, FETCHED]) {
        folder.remove(name.as_ref()).map_err(|source| FetchError::Look { source })?;
    }
    folder.remove_tree(TREE.as_ref()).map_err(|source| FetchError::Look { source })?;
    // So that a volume that cannot be written is said before anything is fetched.
    let path = archives.join(FETCHED);
    File::create(&path).map_err(|source| FetchError::Prepare { path, source })?;
    folder.remove(FETCHED.as_ref()).map_err(|source| FetchError::Look { source })
}
