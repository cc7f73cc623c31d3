//! `pod sync`: the only writer of the agent's openclaw.json.
//!
//! It watches the mounted `ConfigMap`, lets the application's own validator judge what is new, and
//! puts what is valid in place. A refused content never reaches the application, not even after a
//! restart: the last good one stays, and without one the startup probe fails and says why.
//!
//! # Guarantees
//! - The target holds one whole content at any moment, and only one that was judged valid.
//! - A change by somebody else is undone within one poll; in mode `merge` it stays, if the
//!   application accepts it ([`mod@keeper`]).
//! - What could not be judged is neither applied nor rejected, but judged again, ever more rarely.
//! - At rest nothing is written and nothing is judged.
//! - A content that is refused for keys which the application migrates itself is served as the
//!   application's migration leaves it, and the status names the keys ([`migration`]).

mod judge;
mod keeper;
mod migration;
mod server;
mod three_way;
mod validator;

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use openclaw_render::seed::{POD_PROTOCOL, SyncStatus, content_hash};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::folder::{Folder, FolderError};
use judge::Judge;
use keeper::{Keeper, Merging};
use migration::Migrator;
use validator::Validator;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The operator's openclaw.json, as the kubelet mounts it.
    #[arg(long, value_name = "FILE")]
    pub(crate) source: PathBuf,
    /// The agent's openclaw.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) target: PathBuf,
    /// Directory for candidates and for the last good content. It must not outlive the pod: what
    /// is remembered in it was judged by this image's validator.
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: PathBuf,
    /// Port of `/startupz` and `/status`; 0 takes any free one, which the log names.
    #[arg(long)]
    pub(crate) port: u16,
    /// How the operator's content gets into the agent's file.
    #[arg(long, value_enum, default_value_t = SyncMode::Overwrite)]
    pub(crate) mode: SyncMode,
    /// A path of which mode `merge` takes the operator's value, or none, whatever the agent has
    /// written: keys with dots between them. Repeated for each path.
    #[arg(long, value_name = "PATH")]
    pub(crate) force: Vec<String>,
    /// How often both files are looked at, changes seen or not.
    #[arg(long, value_name = "SECONDS", default_value_t = 2,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) poll_seconds: u64,
    /// How long one run of the validator may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) validator_timeout_seconds: u64,
    /// A word of the command that migrates the file which `OPENCLAW_CONFIG_PATH` names; repeated
    /// for each word. Without it, what the validator refuses is refused.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub(crate) migrator: Vec<OsString>,
    /// How long one run of the migrator may take; a migration is two of them.
    #[arg(long, value_name = "SECONDS", default_value_t = 120,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) migrator_timeout_seconds: u64,
    /// The command that judges the file which `OPENCLAW_CONFIG_PATH` names: exit 0 is valid.
    /// Without it everything is.
    #[arg(last = true, value_name = "VALIDATOR")]
    pub(crate) validator: Vec<OsString>,
}

/// How the operator's content gets into the agent's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SyncMode {
    /// The file is the operator's: whatever else is in it goes.
    Overwrite,
    /// What the agent has in the file stays, but for what the operator changes in its content.
    Merge,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    #[error("failed to listen on port {port}")]
    Listen { port: u16, source: io::Error },
    #[error("failed to handle signals")]
    HandleSignals { source: io::Error },
    #[error("failed to start a thread")]
    StartThread { source: io::Error },
    #[error("failed to prepare the work directory")]
    PrepareWorkDir { source: FolderError },
    #[error("failed to use target {path:?}: it is no path of a file")]
    NameTarget { path: PathBuf },
}

/// What both the loop and the server know; the loop replaces it after each pass.
type Shared = Arc<Mutex<SyncStatus>>;

/// Why the loop wakes before its poll is due.
enum Wake {
    Changed,
    Stop,
}

/// Runs `pod sync` until SIGTERM.
pub(crate) fn run(arguments: Arguments) -> Result<(), SyncError> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, wakes) = mpsc::channel();
    stop_on_signal(Arc::clone(&stop), sender.clone())?;

    let shared = Shared::new(Mutex::new(SyncStatus {
        protocol: POD_PROTOCOL,
        message: Some("the configuration has not been judged yet".to_owned()),
        ..SyncStatus::default()
    }));
    let port = server::start(arguments.port, Arc::clone(&shared))?;
    log(&format!("serving /startupz and /status on port {port}"));

    // Held until the end: dropping it ends the watch.
    let _watcher = watch(&arguments.source, sender);
    let poll = Duration::from_secs(arguments.poll_seconds);
    let mut keeper = keeper(arguments, poll, Arc::clone(&stop))?;
    while !stop.load(Ordering::SeqCst) {
        let status = keeper.pass();
        *shared.lock().unwrap_or_else(PoisonError::into_inner) = status;
        wait(&wakes, poll);
    }
    keeper.stop();
    log("stopped");
    Ok(())
}

fn keeper(
    arguments: Arguments,
    poll: Duration,
    stop: Arc<AtomicBool>,
) -> Result<Keeper, SyncError> {
    let Arguments { source, target, work_dir, validator, migrator, mode, force, .. } = arguments;
    let failed = |source| SyncError::PrepareWorkDir { source };
    let fingerprint = fingerprint(&[&validator, &migrator]);
    let timeout = Duration::from_secs(arguments.validator_timeout_seconds);
    let beside = target.parent().unwrap_or(Path::new("")).to_owned();
    let validator = Validator::new(validator, timeout, &work_dir, &beside).map_err(failed)?;
    let validator = Arc::new(validator);
    let judge = Judge::new(Arc::clone(&validator), poll, stop);
    let memory = || Folder::open(&work_dir).map_err(failed);
    let migrator = Migrator::new(
        migrator,
        Duration::from_secs(arguments.migrator_timeout_seconds),
        validator,
        &work_dir,
        memory()?,
        &fingerprint,
    );
    let merging = (mode == SyncMode::Merge).then(|| Merging::new(force, poll));
    Keeper::new(source, target, memory()?, &fingerprint, judge, migrator, merging)
}

/// A document as the operator renders it.
fn pretty(document: &serde_json::Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Tells one set of commands from another.
fn fingerprint(commands: &[&[OsString]]) -> String {
    let words = commands.iter().map(|command| {
        let words: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).collect();
        words.join(&0)
    });
    content_hash(&words.collect::<Vec<_>>().join(&b"\0\0"[..]))
}

fn stop_on_signal(stop: Arc<AtomicBool>, sender: Sender<Wake>) -> Result<(), SyncError> {
    let mut signals =
        Signals::new([SIGTERM, SIGINT]).map_err(|source| SyncError::HandleSignals { source })?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if signals.forever().next().is_some() {
                stop.store(true, Ordering::SeqCst);
                // A loop that has ended needs no waking.
                let _ = sender.send(Wake::Stop);
            }
        })
        .map(drop)
        .map_err(|source| SyncError::StartThread { source })
}

/// Wakes the loop when the kubelet swaps the mount. Without a watch, which a node may refuse when
/// it has too many, polling alone finds every change, only later.
fn watch(source: &Path, sender: Sender<Wake>) -> Option<RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| {
        // Reading the files is an event too, and must not lead to reading them again.
        if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
            let _ = sender.send(Wake::Changed);
        }
    };
    let parent = source.parent().filter(|parent| !parent.as_os_str().is_empty());
    let watched = notify::recommended_watcher(handler).and_then(|mut watcher| {
        watcher.watch(parent.unwrap_or(Path::new(".")), RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched.inspect_err(|error| log(&format!("polling only: {error}"))).ok()
}

/// Returns when something happened or the poll is due; a swap is several events, taken as one.
fn wait(wakes: &Receiver<Wake>, poll: Duration) {
    match wakes.recv_timeout(poll) {
        Ok(Wake::Changed) => while let Ok(Wake::Changed) = wakes.try_recv() {},
        Ok(Wake::Stop) | Err(RecvTimeoutError::Timeout) => {}
        // Without a watcher and a signal handler, the poll is all that is left.
        Err(RecvTimeoutError::Disconnected) => thread::sleep(poll),
    }
}

/// One line per event, on standard error.
fn log(line: &str) {
    super::log("config-sync", line);
}
