//! `openclaw doctor --fix` as a child: with a deadline, and its last words.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use openclaw_render::vocab::env;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::pod::child::{self, Bounds, Ended};
use crate::pod::one_line;

/// How long it may take to end when asked to: its databases are then closed in order.
const GRACE: Duration = Duration::from_secs(20);
/// The last bytes of its output that are told; a condition is read by people.
const WORDS_LIMIT: usize = 1024;

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    Done,
    /// The container is being stopped.
    Stopped,
    Failed(String),
}

/// Waits until the container is stopped. The first process of a container must ask for that signal.
pub(super) fn wait_for_stop() -> io::Result<()> {
    Signals::new([SIGTERM, SIGINT])?.forever().next();
    Ok(())
}

/// Runs it on a configuration. What it prints goes to the container's log.
pub(super) fn run(
    application: &[OsString],
    configuration: &Path,
    timeout: Duration,
) -> io::Result<End> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let mut words = application.iter();
    let mut command = Command::new(words.next().cloned().unwrap_or_default());
    command
        .args(words)
        .args(["doctor", "--fix", "--non-interactive"])
        .env(env::CONFIG_PATH, configuration)
        .env_remove(env::CONFIG_READONLY)
        .env("NO_COLOR", "1");
    let bounds = Bounds { timeout, stop: &stop, folder: None, grace: Some(GRACE), is_heard: true };
    let ran = match child::run(&mut command, &bounds) {
        Ok(ran) => ran,
        Err(error) => return Ok(End::Failed(format!("doctor could not be run: {error}"))),
    };
    let said = last_words(&String::from_utf8_lossy(&ran.stdout));
    Ok(match ran.ended {
        Ended::Itself(status) => judged(status, &said),
        Ended::Stopped => End::Stopped,
        Ended::Late | Ended::Overfull => {
            let seconds = timeout.as_secs();
            End::Failed(format!("doctor --fix did not end in {seconds} s: {said}"))
        }
    })
}

fn judged(status: ExitStatus, said: &str) -> End {
    match (status.code(), status.signal()) {
        (Some(0), _) => End::Done,
        (Some(code), _) => End::Failed(format!("doctor --fix exited with {code}: {said}")),
        (None, signal) => {
            let signal = signal.unwrap_or_default();
            End::Failed(format!("doctor --fix was killed by signal {signal}: {said}"))
        }
    }
}

/// Returns the end of what it printed, as one line and without the frames around it.
fn last_words(text: &str) -> String {
    let is_frame = |c: char| ('\u{2500}'..='\u{257f}').contains(&c) || c == '◇';
    let text = text.replace(is_frame, " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = words.ceil_char_boundary(words.len().saturating_sub(WORDS_LIMIT));
    let end = words.get(start..).unwrap_or_default();
    if end.is_empty() { "it said nothing".to_owned() } else { one_line(end, WORDS_LIMIT) }
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn last_words_have_no_frames_and_a_bound() {
        let text = "◇  Doctor ──╮\n│  Fix the     │\n│  errors.  │\n├──╯\n";
        assert_eq!(last_words(text), "Doctor Fix the errors.");
        assert_eq!(last_words(""), "it said nothing");
        let long = last_words(&"ä ".repeat(10_000));
        assert!(long.len() <= 1024 && long.ends_with('ä'), "{}", long.len());
    }
}
