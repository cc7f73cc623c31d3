//! `pod backup store`: the archives go to the bucket and are read back, then the manifest.
//!
//! The archives were made beside an agent that may have meddled with them. What they are called and
//! where they go is decided here; what is in them is the agent's.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use openclaw_render::backups::{
    ARCHIVES, Consistency, FORMAT, MANIFEST, Manifest, Outcome, UNFINISHED, stamp,
};

use super::rclone::{Remote, RemoteError};
use super::{Limits, digest, retention, say};
use crate::pod::folder::{Folder, FolderError};
use crate::pod::read_bounded;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the archives are.
    #[arg(long, value_name = "DIR")]
    archives: PathBuf,
    /// Where the agent's backups lie in the bucket.
    #[arg(long, value_name = "PATH")]
    prefix: String,
    /// Older backups than that many days are removed.
    #[arg(long, value_name = "DAYS")]
    retention_days: u32,
    /// How long all of it may take.
    #[arg(long, value_name = "SECONDS")]
    timeout_seconds: u64,
    /// Where it is written what came of it, for the container's status.
    #[arg(long, value_name = "FILE")]
    pub(super) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("failed to open {name:?}")]
    Open { name: String, source: FolderError },
    #[error("failed to read {name:?}")]
    Read { name: String, source: io::Error },
    #[error("failed to decode the manifest")]
    Decode { source: serde_json::Error },
    #[error("the manifest {what}")]
    Manifest { what: &'static str },
    #[error("{name:?} is not what the manifest says of it")]
    Changed { name: String },
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error("{path:?} was read back as {found}, and was {wanted}")]
    ReadBack { path: String, wanted: String, found: String },
}

/// Runs `pod backup store`. Returns what is said of the backup.
pub(super) fn run(arguments: &Arguments) -> Result<String, StoreError> {
    let Arguments { archives, prefix, .. } = arguments;
    let limits = Limits::new(arguments.timeout_seconds);
    let remote = Remote::from_environment(&limits)?;
    let (manifest, text) = look_at(archives)?;
    let now = jiff::Timestamp::now();
    let path = format!("{prefix}/{}", stamp(now));
    let unfinished = format!("{path}/{UNFINISHED}");
    remote.put(&archives.join(MANIFEST), &unfinished)?;
    for file in &manifest.files {
        let to = format!("{path}/{}", file.name);
        say(&format!("{to} is stored"));
        remote.put(&archives.join(&file.name), &to)?;
        let (_, found) = remote.digest(&to)?;
        check(&to, &file.sha256, found)?;
    }
    let to = format!("{path}/{MANIFEST}");
    remote.put(&archives.join(MANIFEST), &to)?;
    let (_, found) = remote.digest(&to)?;
    check(&to, &super::digest(text.as_slice()).map(|it| it.1).unwrap_or_default(), found)?;
    // From here on the backup is there, whatever becomes of the rest.
    let mut remarks = Vec::new();
    if manifest.consistency == Consistency::CrashConsistent {
        remarks.push(
            "copied while the agent ran, by a version that cannot do it in one piece".to_owned(),
        );
    }
    if let Err(error) = remote.remove(&unfinished) {
        remarks.push(crate::error::chain(&error));
    }
    if let Err(error) = retention::apply(&remote, prefix, arguments.retention_days, now) {
        remarks.push(format!("older backups stay: {}", crate::error::chain(&error)));
    }
    let size = manifest.files.iter().map(|file| file.size).fold(0, u64::saturating_add);
    let outcome = Outcome {
        path,
        before: None,
        version: manifest.version,
        size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
        message: Some(remarks.join("; ")).filter(|text| !text.is_empty()),
    };
    if let Some(remark) = &outcome.message {
        say(remark);
    }
    say(&format!("{} is stored and was read back", outcome.path));
    Ok(serde_json::to_string(&outcome).unwrap_or_default())
}

fn check(path: &str, wanted: &str, found: String) -> Result<(), StoreError> {
    if wanted == found {
        return Ok(());
    }
    Err(StoreError::ReadBack { path: path.to_owned(), wanted: wanted.to_owned(), found })
}

/// Reads the manifest, and checks it against the archives.
fn look_at(archives: &std::path::Path) -> Result<(Manifest, Vec<u8>), StoreError> {
    let open = |name: &str| -> Result<File, StoreError> {
        Folder::open(archives)
            .and_then(|folder| folder.open_file(name.as_ref()))
            .map_err(|source| StoreError::Open { name: name.to_owned(), source })
    };
    let read = |name: &str, source| StoreError::Read { name: name.to_owned(), source };
    let text = read_bounded(open(MANIFEST)?).map_err(|source| read(MANIFEST, source))?;
    let manifest = decode(&text)?;
    for file in &manifest.files {
        let (size, sha256) =
            digest(open(&file.name)?).map_err(|source| read(&file.name, source))?;
        if (size, &sha256) != (file.size, &file.sha256) {
            return Err(StoreError::Changed { name: file.name.clone() });
        }
    }
    Ok((manifest, text))
}

/// Decodes a manifest. What it names is one of our names, once.
pub(super) fn decode(text: &[u8]) -> Result<Manifest, StoreError> {
    let manifest: Manifest =
        serde_json::from_slice(text).map_err(|source| StoreError::Decode { source })?;
    let wrong = |what| Err(StoreError::Manifest { what });
    if manifest.format != FORMAT {
        return wrong("is of another format");
    }
    let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    if names.is_empty() || !names.is_sorted_by(|one, other| one < other) {
        return wrong("names no files, or not in their order");
    }
    if !names.iter().all(|name| ARCHIVES.contains(name)) {
        return wrong("names files that are none of a backup");
    }
    Ok(manifest)
}
