//! What runs inside agent pods: seeding volumes, guarding openclaw.json, probing the application.
//!
//! It runs without root and without capabilities, next to an agent that owns the volumes and may
//! have put anything anywhere in them.

mod folder;
pub(crate) mod probe;
mod seed;
mod sync;

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use crate::args::PodCommand;

/// More than a `ConfigMap` can hold (1 MiB) and little enough to be held in memory.
const CONTENT_LIMIT: u64 = 4 * 1024 * 1024;

/// One line per subcommand.
pub(crate) fn run(command: PodCommand) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        PodCommand::Seed(arguments) => Ok(seed::run(&arguments).map(|()| ExitCode::SUCCESS)?),
        PodCommand::Sync(arguments) => Ok(sync::run(arguments).map(|()| ExitCode::SUCCESS)?),
        PodCommand::Probe(arguments) => Ok(probe::run(&arguments)),
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
