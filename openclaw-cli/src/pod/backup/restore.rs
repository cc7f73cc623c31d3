//! `pod backup restore`: what was fetched becomes the agent's HOME.
//!
//! # Guarantees
//! - Everything is looked at first: checksums, every member's name, the version, the space. What is
//!   wrong with it is said, and nothing was changed.
//! - It is unpacked beside what is there, which stays until all is ready and is kept after that.
//! - Killed at any moment and run again, it goes on; once done, it is not done again.
//! - No openclaw.json brings a token or password of another gateway along.

mod staged;

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use openclaw_render::Version;
use openclaw_render::backups::Outcome;
use openclaw_render::vocab::paths::{HOME_DIRECTORY, STATE_DIRECTORY};
use serde_json::Value;

use staged::Staged;

use super::create::{self, CreateError};
use super::fetch::CONFIGURATION;
use super::members::{self, MemberError};
use super::store::StoreError;
use super::swap::{self, Done, Journal, Layout, NEW, WORK};
use super::{Limits, say};
use crate::pod::application::Application;
use crate::pod::folder::{Folder, FolderError};

const HOME_MODE: u32 = 0o755;
const STATE_MODE: u32 = 0o700;
/// Directories above the state in an archive of somebody else's.
const DEEPEST_STATE: usize = 4;
/// Left free for what the agent writes.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is restored, for people.
    #[arg(long, value_name = "PATH")]
    from: String,
    /// Which attempt this is. One that has come to its end is not made again.
    #[arg(long, value_name = "ID")]
    id: String,
    /// Where what was fetched is.
    #[arg(long, value_name = "DIR")]
    archives: PathBuf,
    /// Root of the agent's volume.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// HOME of the agent, as the backup knows it.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// How the agent's files lie on the volume.
    #[arg(long, value_name = "LAYOUT")]
    layout: Layout,
    /// Root of the image's file system.
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The one version that may run on the data of a newer one.
    #[arg(long, value_name = "VERSION")]
    allow_downgrade: Option<String>,
    /// How long all of it may take.
    #[arg(long, value_name = "SECONDS")]
    timeout_seconds: u64,
    /// Where it is written what came of it, for the container's status.
    #[arg(long, value_name = "FILE")]
    pub(super) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreError {
    #[error("failed to look at the agent's volume")]
    Volume { source: FolderError },
    #[error("another restore of this agent is under way")]
    Locked,
    #[error("failed to lock the agent's volume")]
    Lock { source: io::Error },
    #[error("a backup of what is there is being made")]
    Backup(#[source] CreateError),
    #[error("failed to read {path:?}")]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to decode what was fetched")]
    Fetched { source: serde_json::Error },
    #[error("the manifest is not one of ours")]
    Manifest { source: StoreError },
    #[error("{name:?} is damaged: it has not the size and checksum that the manifest says")]
    Damaged { name: String },
    #[error(transparent)]
    Member(#[from] MemberError),
    #[error(
        "the archive has no {CONFIGURATION} in its first {DEEPEST_STATE} directories: it is none of \
         a state directory"
    )]
    NoState,
    #[error("the archive has more than one state directory: {one:?} and {other:?}")]
    Ambiguous { one: PathBuf, other: PathBuf },
    #[error("the archive's own manifest cannot be read")]
    OwnManifest,
    #[error(
        "the data is of {data}, and the image has {image}, which cannot read it: set spec.image to \
         {data} or a later version"
    )]
    Newer { data: Version, image: Version },
    #[error(
        "the agent's volume has {free} bytes left, and {size} are needed beside what is there: raise \
         spec.storage.persistence.size, or delete files"
    )]
    Space { free: u64, size: u64 },
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
    #[error("took too long")]
    Late,
}

/// Runs `pod backup restore`. Returns what is said of it.
pub(super) fn run(arguments: &Arguments) -> Result<String, RestoreError> {
    let volume_error = |source| RestoreError::Volume { source };
    let limits = Limits::new(arguments.timeout_seconds);
    let volume = Folder::open(&arguments.data).map_err(volume_error)?;
    let work = volume.make(WORK, HOME_MODE).map_err(volume_error)?;
    let _lock = lock(&arguments.data)?;
    if swap::finish(&volume).map_err(volume_error)?.is_some() {
        say("a restore that was begun before came to its end");
    }
    // Also by an attempt that the instance's status does not know any more: what came after it is newer.
    let is_it = |done: &swap::Done| done.id == arguments.id || done.outcome.path == arguments.from;
    if let Some(done) = swap::done(&volume).filter(is_it) {
        say("it is restored already");
        return Ok(said(&done.outcome));
    }
    let staged = Staged::read(arguments, &limits)?;
    check_version(arguments, staged.version.as_deref())?;
    let size = staged.check(&limits)?;
    for name in [NEW, swap::OLD] {
        work.remove_tree(name.as_ref()).map_err(volume_error)?;
    }
    let free = volume.free_bytes().map_err(volume_error)?;
    let size = size.saturating_add(SPARE_BYTES);
    if free < size {
        return Err(RestoreError::Space { free, size });
    }
    let home = work.make(NEW, HOME_MODE).map_err(volume_error)?;
    home.make(STATE_DIRECTORY, STATE_MODE).map_err(volume_error)?;
    let new = arguments.data.join(WORK).join(NEW);
    staged.unpack(&new, &limits)?;
    let state = new.join(STATE_DIRECTORY);
    let _ = fs::set_permissions(&state, fs::Permissions::from_mode(STATE_MODE));
    let message = without_secrets(&state.join(CONFIGURATION))?;
    volume.flush_all().map_err(volume_error)?;
    if limits.is_over() {
        return Err(RestoreError::Late);
    }
    // From here on it is a matter of renames, and comes to its end.
    let is_flat = arguments.layout == Layout::Flat;
    let old_home = if is_flat { PathBuf::new() } else { PathBuf::from(HOME_DIRECTORY) };
    let old_home = arguments.data.join(old_home);
    let old_state = if is_flat { old_home.clone() } else { old_home.join(STATE_DIRECTORY) };
    let _backups = match old_state.symlink_metadata() {
        Ok(found) if found.is_dir() => {
            Some(create::lock(&old_state).map_err(RestoreError::Backup)?)
        }
        Ok(_) | Err(_) => None,
    };
    let outcome = Outcome {
        path: arguments.from.clone(),
        version: staged.version.clone(),
        size_bytes: i64::try_from(staged.size).unwrap_or(i64::MAX),
        before: None,
        message,
    };
    let journal = Journal {
        layout: arguments.layout,
        is_cleared: false,
        version: staged.version,
        done: Done { id: arguments.id.clone(), outcome },
    };
    let outcome = swap::begin(&volume, &journal).map_err(volume_error)?;
    say(&format!("{} is restored", outcome.path));
    Ok(said(&outcome))
}

fn said(outcome: &Outcome) -> String {
    serde_json::to_string(outcome).unwrap_or_default()
}

/// Two of them on one volume would meet in each other's files. The lock goes with the process.
fn lock(data: &Path) -> Result<File, RestoreError> {
    let failed = |source| RestoreError::Lock { source };
    let directory = File::open(data.join(WORK)).map_err(failed)?;
    match directory.try_lock() {
        Ok(()) => Ok(directory),
        Err(TryLockError::WouldBlock) => Err(RestoreError::Locked),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// An older version cannot read what a newer one wrote. What does not tell is left to the agent's
/// start, which looks at the state itself.
fn check_version(arguments: &Arguments, written: Option<&str>) -> Result<(), RestoreError> {
    let application = Application::find(&arguments.root);
    let image = application.and_then(|it| it.version()).map(|version| version.number);
    let data = written.and_then(Version::from_tag);
    let (Some(image), Some(data)) = (image, data) else { return Ok(()) };
    let allowed = arguments.allow_downgrade.as_deref().and_then(Version::from_tag);
    if data > image && allowed != Some(image) {
        return Err(RestoreError::Newer { data, image });
    }
    Ok(())
}

/// Takes out by what clients prove themselves to the gateway: the instance has its own.
fn without_secrets(path: &Path) -> Result<Option<String>, RestoreError> {
    let Ok(text) = fs::read(path) else { return Ok(None) };
    let Ok(mut document) = serde_json::from_slice::<Value>(&text) else { return Ok(None) };
    let auth = document.pointer_mut("/gateway/auth").and_then(Value::as_object_mut);
    let taken = auth
        .map(|auth| [auth.remove("token"), auth.remove("password")].into_iter().flatten().count());
    if taken.unwrap_or(0) == 0 {
        return Ok(None);
    }
    let failed = |source| RestoreError::Write { path: path.to_owned(), source };
    let mode = path.symlink_metadata().map_err(failed)?.permissions();
    let bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    fs::remove_file(path).map_err(failed)?;
    let mut file = members::new_file(path).map_err(failed)?;
    io::Write::write_all(&mut file, &bytes).map_err(failed)?;
    file.set_permissions(mode).map_err(failed)?;
    Ok(Some("the gateway's token in openclaw.json was left out".to_owned()))
}

#[cfg(test)]
mod tests;
