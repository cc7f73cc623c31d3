//! `pod backup`: makes a backup of the agent's HOME, in two containers, and stores it; fetches one, and
//! restores it.
//!
//! # Guarantees
//! - What makes the archives sees no credentials, and what stores them sees nothing of the agent's
//!   but them. So it is with what restores, and what fetches.
//! - A backup is there when its manifest is, and that is stored last: after every archive was read
//!   back and has the checksum that it had.
//! - Only what a manifest of ours names is ever removed, and never the newest backup.
//! - Time is bounded, and the reason of a failure is in the termination log.

mod archive;
mod create;
mod fetch;
mod members;
mod rclone;
mod restore;
mod retention;
mod store;
pub(super) mod swap;

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::folder::{Folder, FolderError};
use super::{leave_last_words, seed};
use crate::error::chain;

/// Temporary files of the application, which refuses a directory that is not sticky.
const TMP_MODE: u32 = 0o1777;
const ARCHIVES_MODE: u32 = 0o755;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make the directories of a backup, and copy this program out.
    Prepare(Prepare),
    /// Make the archives of a backup.
    Create(create::Arguments),
    /// Store the archives of a backup in a bucket, and read them back.
    Store(store::Arguments),
    /// Fetch a backup from a bucket.
    Fetch(fetch::Arguments),
    /// Put what was fetched in the place of the agent's HOME.
    Restore(restore::Arguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Prepare {
    /// Volume for the archives.
    #[arg(long, value_name = "DIR")]
    staging: PathBuf,
    /// Where this program copies itself to, with mode 0755.
    #[arg(long, value_name = "FILE")]
    helper_to: PathBuf,
    /// Where the reason of a failure is written, for the container's status.
    #[arg(long, value_name = "FILE")]
    termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum PrepareError {
    #[error("failed to make directory {name:?}")]
    Make { name: &'static str, source: FolderError },
    #[error(transparent)]
    Copy(#[from] seed::SeedError),
}

/// Runs a step of a backup. What it says last is in the termination log, good or bad.
pub(crate) fn run(command: &Command) -> ExitCode {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let (log, outcome) = match command {
        Command::Prepare(arguments) => (&arguments.termination_log, done(prepare(arguments))),
        Command::Create(arguments) => (&arguments.termination_log, done(create::run(arguments))),
        Command::Store(arguments) => {
            let stored = store::run(arguments);
            (&arguments.termination_log, stored.map_err(|error| chain(&error)))
        }
        Command::Fetch(arguments) => (&arguments.termination_log, done(fetch::run(arguments))),
        Command::Restore(arguments) => {
            // Modes are those of the backup.
            rustix::process::umask(rustix::fs::Mode::empty());
            let restored = restore::run(arguments);
            (&arguments.termination_log, restored.map_err(|error| chain(&error)))
        }
    };
    match outcome {
        Ok(words) => {
            leave_last_words(log, &words);
            ExitCode::SUCCESS
        }
        Err(words) => {
            say(&format!("error: {words}"));
            leave_last_words(log, &words);
            ExitCode::FAILURE
        }
    }
}

fn done<E: Error + 'static>(outcome: Result<(), E>) -> Result<String, String> {
    outcome.map(|()| String::new()).map_err(|error| chain(&error))
}

fn prepare(arguments: &Prepare) -> Result<(), PrepareError> {
    for (name, mode) in [("archives", ARCHIVES_MODE), ("tmp", TMP_MODE)] {
        Folder::open(&arguments.staging)
            .and_then(|folder| folder.make(name, mode))
            .map_err(|source| PrepareError::Make { name, source })?;
    }
    Ok(seed::copy_helper(&arguments.helper_to)?)
}

/// Until when a step may go on, and whether it was asked to end.
struct Limits {
    deadline: Instant,
    stop: Arc<AtomicBool>,
}

impl Limits {
    fn new(seconds: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // Without it, the container is killed a little later.
            let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
        }
        Self { deadline: Instant::now() + Duration::from_secs(seconds), stop }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn is_over(&self) -> bool {
        self.left().is_zero() || self.stop.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// Returns size and SHA-256 of everything that is read.
fn digest(mut from: impl Read) -> io::Result<(u64, String)> {
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    let mut chunk = vec![0; 128 * 1024];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok((size, hex(&hash.finalize()))),
            Ok(read) => {
                size += read as u64;
                hash.update(chunk.get(..read).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn digest_of_file(path: &Path) -> io::Result<(u64, String)> {
    digest(File::open(path)?)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn say(text: &str) {
    super::log("backup", text);
}
