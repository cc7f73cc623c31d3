//! [`run`]: one program that installs something, in bounded time; what it says is heard.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::child::{self, Bounds, Ended};
use super::one_line;

/// The end of what an installer said, in a condition.
pub(super) const WORDS_LIMIT: usize = 400;
/// How long a program may take to end when asked to.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("failed to run {program:?}")]
    Run { program: PathBuf, source: io::Error },
    #[error("{program:?} took too long")]
    Late { program: PathBuf },
    #[error("{program:?} ended with {status}: {words}")]
    End { program: PathBuf, status: String, words: String },
}

/// Returns the command by which npm puts a package with its programs below a prefix. Packages run no
/// scripts.
pub(super) fn npm_global(npm: PathBuf, prefix: &Path, package: &str) -> Command {
    let flags = ["install", "--global", "--ignore-scripts", "--no-audit", "--no-fund"];
    let mut command = Command::new(npm);
    command.args(flags).arg("--prefix").arg(prefix).arg("--").arg(package);
    command
}

/// Returns the command by which npm takes such a package away.
pub(super) fn npm_global_removal(npm: PathBuf, prefix: &Path, package: &str) -> Command {
    let flags = ["uninstall", "--global", "--ignore-scripts", "--no-audit", "--no-fund"];
    let mut command = Command::new(npm);
    command.args(flags).arg("--prefix").arg(prefix).arg("--").arg(package);
    command
}

/// Runs a program until it ends well, or says why it did not. Returns what it said.
pub(super) fn run(command: &mut Command, deadline: Instant) -> Result<Vec<u8>, RunError> {
    let program = PathBuf::from(command.get_program());
    let bounds = Bounds {
        timeout: deadline.saturating_duration_since(Instant::now()),
        stop: &AtomicBool::new(false),
        folder: None,
        grace: Some(GRACE),
        is_heard: true,
    };
    let ran = child::run(command, &bounds)
        .map_err(|source| RunError::Run { program: program.clone(), source })?;
    match ran.ended {
        Ended::Itself(status) if status.success() => Ok(ran.stdout),
        Ended::Itself(status) => {
            let words = String::from_utf8_lossy(&ran.stdout);
            let words = words.trim_end();
            let start = words.ceil_char_boundary(words.len().saturating_sub(WORDS_LIMIT));
            let words = one_line(words.get(start..).unwrap_or_default(), WORDS_LIMIT);
            Err(RunError::End { program, status: status.to_string(), words })
        }
        Ended::Late | Ended::Stopped | Ended::Overfull => Err(RunError::Late { program }),
    }
}
