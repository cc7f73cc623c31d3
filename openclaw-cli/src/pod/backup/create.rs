//! `pod backup create`: the archives of a backup, and the manifest that describes them.
//!
//! Beside a running agent, the application archives its own state, for only it can copy its databases
//! in one piece. What it leaves out, and the rest of HOME, is ours.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use openclaw_render::backups::{
    BEFORE, Consistency, FORMAT, HOME_ARCHIVE, MANIFEST, Manifest, ManifestFile, STATE_ARCHIVE,
};
use openclaw_render::vocab::paths::HOME_DIRECTORIES;
use rustix::fs::OFlags;

use super::archive::{self, ArchiveError, Selection};
use super::swap::WORK as WORK_OF_RESTORES;
use super::{Limits, digest_of_file, say};
use crate::pod::application::Application;
use crate::pod::child::{self, Bounds, Ended};
use crate::pod::folder::{Folder, FolderError};
use crate::pod::one_line;

/// Held while a backup is made, so that one which was begun by hand does not meet another.
pub(super) const LOCK: &str = ".openclaw-backup.lock";
/// Where the application puts its archive, below the others.
const WORK: &str = "application";
/// Directories of the state that the application leaves out of its archive as it could get their
/// content again, from where it was.
const REGENERABLE: [&str; 2] = ["extensions", "npm"];
/// Directories of HOME and of the state that nobody misses.
const CACHES: [&str; 2] = [".cache", "tmp"];
/// Of what the application says.
const WORDS_LIMIT: usize = 1024;
/// How long it may take to end when asked to.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// HOME of the agent.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// State directory of the application, in HOME.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Where the archives are put.
    #[arg(long, value_name = "DIR")]
    archives: PathBuf,
    /// Whether the agent may be running.
    #[arg(long)]
    running: bool,
    /// How long all of it may take.
    #[arg(long, value_name = "SECONDS")]
    timeout_seconds: u64,
    /// Where the reason of a failure is written, for the container's status.
    #[arg(long, value_name = "FILE")]
    pub(super) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum CreateError {
    #[error("the state {state:?} is not in HOME")]
    State { state: PathBuf },
    #[error("failed to lock {path:?}")]
    Lock { path: PathBuf, source: io::Error },
    #[error("another backup of this agent is being made")]
    Locked,
    #[error("failed to look at {path:?}")]
    Look { path: PathBuf, source: FolderError },
    #[error("failed to prepare {path:?}")]
    Prepare { path: PathBuf, source: io::Error },
    #[error("the volume for the archives has {free} bytes left, and the files have {size}")]
    Space { free: u64, size: u64 },
    #[error("failed to run the application")]
    Run { source: io::Error },
    #[error("`openclaw backup create` {how}: {words}")]
    Application { how: String, words: String },
    #[error("`openclaw backup create` left {count} archives")]
    Archives { count: usize },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
}

/// Runs `pod backup create`.
pub(super) fn run(arguments: &Arguments) -> Result<(), CreateError> {
    let Arguments { home, state, archives, running, .. } = arguments;
    let limits = Limits::new(arguments.timeout_seconds);
    let inner =
        state.strip_prefix(home).map_err(|_| CreateError::State { state: state.clone() })?;
    let _lock = lock(state)?;
    clear(archives)?;
    check_space(home, archives, &limits)?;
    let application = Application::find(Path::new("/"));
    let version = application.as_ref().and_then(Application::version).map(|version| version.text);
    let archived = match &application {
        Some(application) if *running => by_application(application, arguments, &limits)?,
        Some(_) | None => None,
    };
    let consistency = match (&archived, running) {
        (Some(_), _) => Consistency::Online,
        (None, false) => Consistency::Stopped,
        (None, true) => {
            say("this version cannot make backups itself: its files are copied as they are");
            Consistency::CrashConsistent
        }
    };
    let mut files = Vec::new();
    let is_by_application = archived.is_some();
    let archived = archived.unwrap_or_default();
    let without = left_out(home, inner, is_by_application);
    let rest = Selection { root: home, archived: &archived, without: &without };
    rest.write(&archives.join(HOME_ARCHIVE), &limits)?;
    let state_archive = is_by_application.then_some(STATE_ARCHIVE);
    for name in [HOME_ARCHIVE].into_iter().chain(state_archive) {
        let path = archives.join(name);
        let (size, sha256) = digest_of_file(&path)
            .map_err(|source| ArchiveError::Read { path: path.clone(), source })?;
        say(&format!("{name} has {size} bytes"));
        files.push(ManifestFile { name: name.to_owned(), size, sha256 });
    }
    let created_at = jiff::Timestamp::now().to_string();
    let manifest = Manifest { format: FORMAT, created_at, version, consistency, files };
    let path = archives.join(MANIFEST);
    let bytes = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    fs::write(&path, bytes).map_err(|source| CreateError::Write { path, source })
}

/// Takes the lock, which goes with the process.
pub(super) fn lock(state: &Path) -> Result<File, CreateError> {
    let path = state.join(LOCK);
    let failed = |source| CreateError::Lock { path: path.clone(), source };
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let file = options.open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CreateError::Locked),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Removes what a killed run left.
fn clear(archives: &Path) -> Result<(), CreateError> {
    let work = archives.join(WORK);
    let failed = |source| CreateError::Prepare { path: work.clone(), source };
    for name in [HOME_ARCHIVE, STATE_ARCHIVE, MANIFEST] {
        let _ = fs::remove_file(archives.join(name));
    }
    match fs::remove_dir_all(&work) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    fs::create_dir(&work).map_err(failed)
}

/// Most files shrink to a third of their size, and the volume is as large as the agent's: less than
/// half as much space as there are files is too little, and there is no need to find out in an hour.
fn check_space(home: &Path, archives: &Path, limits: &Limits) -> Result<(), CreateError> {
    let size = size(home, limits)?;
    let free = Folder::open(archives)
        .and_then(|folder| folder.free_bytes())
        .map_err(|source| CreateError::Look { path: archives.to_owned(), source })?;
    if free < size / 2 { Err(CreateError::Space { free, size }) } else { Ok(()) }
}

/// Returns the size of all files below a directory.
pub(super) fn size(root: &Path, limits: &Limits) -> Result<u64, CreateError> {
    let none = BTreeSet::new();
    Ok(Selection { root, archived: &none, without: &[] }.size(limits)?)
}

/// Returns what is left out of our own archive.
fn left_out(home: &Path, inner: &Path, is_by_application: bool) -> Vec<PathBuf> {
    let state = home.join(inner);
    let mut without: Vec<PathBuf> = CACHES.iter().map(|name| inner.join(name)).collect();
    without.push(PathBuf::from(".cache"));
    without.push(inner.join(LOCK));
    without.extend([PathBuf::from(BEFORE), inner.join(BEFORE), inner.join(WORK_OF_RESTORES)]);
    // On a flat volume the state holds them, and they are mounted beside it once more.
    let seen = |path: &Path| path.symlink_metadata().ok().map(|it| (it.dev(), it.ino()));
    let is_twice = |name: &&&str| {
        let here = seen(&home.join(name));
        here.is_some() && here == seen(&state.join(name))
    };
    without.extend(HOME_DIRECTORIES.iter().filter(is_twice).map(PathBuf::from));
    if is_by_application {
        // Of its own state the application knows best what is worth keeping.
        let entries = fs::read_dir(state).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name());
        let own = names.filter(|name| !REGENERABLE.iter().any(|kept| name == *kept));
        without.extend(own.map(|name| inner.join(name)));
    }
    without
}

/// Lets the application archive its state. Returns which files of HOME are in the archive; `None` if
/// this version cannot do it.
fn by_application(
    application: &Application,
    arguments: &Arguments,
    limits: &Limits,
) -> Result<Option<BTreeSet<PathBuf>>, CreateError> {
    let help = call(application, &["backup", "create", "--help"], false, limits)?;
    if help.failed.is_some() || !help.said.contains("--verify") {
        return Ok(None);
    }
    let work = arguments.archives.join(WORK);
    let output = work.to_string_lossy();
    let made = call(
        application,
        &["backup", "create", "--verify", "--json", "--output", &output],
        true,
        limits,
    )?;
    if let Some(how) = made.failed {
        let start = made.said.ceil_char_boundary(made.said.len().saturating_sub(WORDS_LIMIT));
        let words = one_line(made.said.get(start..).unwrap_or_default(), WORDS_LIMIT);
        return Err(CreateError::Application { how, words });
    }
    let entries = fs::read_dir(&work).into_iter().flatten().flatten();
    let found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let [only] = found.as_slice() else {
        return Err(CreateError::Archives { count: found.len() });
    };
    let to = arguments.archives.join(STATE_ARCHIVE);
    fs::rename(only, &to).map_err(|source| CreateError::Write { path: to.clone(), source })?;
    let _ = fs::remove_dir(&work);
    let mut archived = BTreeSet::new();
    archive::entries(&to, |path| {
        // Below a directory of the archive's own name.
        let inner = path.components().skip(1).collect::<PathBuf>();
        let Ok(absolute) = inner.strip_prefix("payload/posix") else { return };
        let Ok(home) = arguments.home.strip_prefix("/") else { return };
        archived.extend(absolute.strip_prefix(home).map(Path::to_owned));
    })?;
    Ok(Some(archived))
}

struct Called {
    said: String,
    failed: Option<String>,
}

fn call(
    application: &Application,
    words: &[&str],
    is_heard: bool,
    limits: &Limits,
) -> Result<Called, CreateError> {
    let mut all = application.command.iter();
    let mut command = Command::new(all.next().cloned().unwrap_or_default());
    command.args(all).args(words).env("NO_COLOR", "1");
    let bounds = Bounds {
        timeout: limits.left(),
        stop: &limits.stop,
        folder: None,
        grace: Some(GRACE),
        is_heard,
    };
    let ran = child::run(&mut command, &bounds).map_err(|source| CreateError::Run { source })?;
    let failed = match ran.ended {
        Ended::Itself(status) if status.success() => None,
        Ended::Itself(status) => Some(format!("ended with {status}")),
        Ended::Late | Ended::Stopped | Ended::Overfull => Some("took too long".to_owned()),
    };
    Ok(Called { said: String::from_utf8_lossy(&ran.stdout).into_owned(), failed })
}
