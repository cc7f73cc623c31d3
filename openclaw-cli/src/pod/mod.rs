//! What runs inside agent pods: seeding volumes, guarding openclaw.json, migrating the state,
//! starting the application and probing it.
//!
//! It runs without root and without capabilities, next to an agent that owns the volumes and may
//! have put anything anywhere in them.

mod application;
mod backup;
mod child;
mod extend;
mod folder;
mod install;
mod installer;
mod migrate;
mod probe;
mod pull;
mod seed;
mod start;
mod sync;

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Perform a seed plan on the agent's volumes, then copy this program out.
    Seed(seed::Arguments),
    /// Keep the agent's openclaw.json equal to the operator's, as far as the application accepts it.
    Sync(sync::Arguments),
    /// Put a tool on the agent's volume, once.
    Install(install::Arguments),
    /// Put skills or plugins on the agent's volume, each once.
    Extend(extend::Arguments),
    /// Have the server for local models fetch those that are not there.
    Pull(pull::Arguments),
    /// Bring the state on the agent's volume up to the version of the image, once.
    Migrate(migrate::Arguments),
    /// Make a backup of the agent's HOME, and store it.
    #[command(subcommand)]
    Backup(backup::Command),
    /// Become the gateway, in whatever way the image has it.
    Start(start::Arguments),
    /// Ask an application on loopback how it is, and judge the answer by its JSON body.
    Probe(probe::Arguments),
}

/// More than a `ConfigMap` can hold (1 MiB) and little enough to be held in memory.
const CONTENT_LIMIT: u64 = 4 * 1024 * 1024;

/// The kubelet reads no more of a termination log.
const TERMINATION_LOG_LIMIT: usize = 4096;

/// One line per subcommand.
pub(crate) fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Seed(arguments) => Ok(seed::run(&arguments).map(|()| ExitCode::SUCCESS)?),
        Command::Sync(arguments) => Ok(sync::run(arguments).map(|()| ExitCode::SUCCESS)?),
        Command::Install(arguments) => Ok(install::run(&arguments)),
        Command::Extend(arguments) => Ok(extend::run(&arguments)),
        Command::Pull(arguments) => Ok(pull::run(&arguments)),
        Command::Migrate(arguments) => Ok(migrate::run(&arguments)),
        Command::Backup(command) => Ok(backup::run(&command)),
        Command::Start(arguments) => match start::run(&arguments)? {},
        Command::Probe(arguments) => Ok(probe::run(&arguments)),
    }
}

/// A mounted file's content; links are followed, as the kubelet's mounts consist of them.
fn read_mounted(path: &Path) -> io::Result<Vec<u8>> {
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    read_bounded(File::open(path)?)
}

/// All of a file, unless that is more than [`CONTENT_LIMIT`].
fn read_bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(CONTENT_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > CONTENT_LIMIT {
        return Err(io::Error::other(format!("it holds more than {CONTENT_LIMIT} bytes")));
    }
    Ok(bytes)
}

/// Writes what the container's status will say of its end. Best effort: the log says the same.
fn leave_last_words(termination_log: &Path, text: &str) {
    let end = text.floor_char_boundary(TERMINATION_LOG_LIMIT);
    let _ = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(termination_log)
        .and_then(|mut log| log.write_all(text.get(..end).unwrap_or_default().as_bytes()));
}

/// Writes a line to the container's log. Nobody may read it any more, which is no error.
fn log(container: &str, line: &str) {
    let _ = writeln!(io::stderr(), "{container}: {line}");
}

/// Foreign text as one line of at most `limit` bytes.
fn one_line(text: &str, limit: usize) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    if line.len() > limit {
        line.truncate(line.floor_char_boundary(limit.saturating_sub('…'.len_utf8())));
        line.push('…');
    }
    line.trim().to_owned()
}
