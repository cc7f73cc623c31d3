//! [`run`]: one program that installs something, in bounded time; what it says is heard.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::child::{self, Bounds, Ended};
use super::one_line;

/// What an installer said at last, in a condition.
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
            let words = last_words(&String::from_utf8_lossy(&ran.stdout));
            Err(RunError::End { program, status: status.to_string(), words })
        }
        Ended::Late | Ended::Stopped | Ended::Overfull => Err(RunError::Late { program }),
    }
}

/// Returns why a program failed, as far as what it said tells: the end of that, and of npm the beginning
/// of its complaint, which ends with where its log lies. What is drawn around words is left out.
fn last_words(said: &str) -> String {
    let is_drawn = |char: char| matches!(char, '\u{2500}'..='\u{259f}');
    let lines = said.lines().map(|line| line.replace(is_drawn, " ").trim().to_owned());
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    if let Some(first) = lines.iter().position(|line| line.starts_with("npm error")) {
        let complaint: Vec<&str> =
            lines.iter().skip(first).filter_map(|line| line.strip_prefix("npm error ")).collect();
        return one_line(&complaint.join(" "), WORDS_LIMIT);
    }
    let words = lines.join(" ");
    let start = words.ceil_char_boundary(words.len().saturating_sub(WORDS_LIMIT));
    one_line(words.get(start..).unwrap_or_default(), WORDS_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_without_what_is_drawn_around_them() {
        let said = "\u{256d}\u{2500}\u{2500}\u{256e}\n\u{2502} Installing broken \u{2502}\n\u{2570}\u{2500}\u{256f}\n\
                    failed to extract archive\n\u{2502}\n\u{2570}\u{2500}\u{2500}\u{2500}\n";
        assert_eq!(last_words(said), "Installing broken failed to extract archive");
        let long = format!("{}\nthe reason", "x".repeat(2 * WORDS_LIMIT));
        let words = last_words(&long);
        assert!(words.len() <= WORDS_LIMIT && words.ends_with("the reason"), "{words}");
        assert_eq!(last_words(""), "");
    }

    #[test]
    fn the_complaint_of_npm_is_told_from_its_beginning() {
        let said = "added 0 packages\nnpm error code E404\nnpm error 404 Not Found - GET \
                    https://registry.example.com/nothing\nnpm error A complete log is in /tmp/log\n";
        let words = last_words(said);
        assert!(words.starts_with("code E404 404 Not Found - GET https://"), "{words}");
    }
}
