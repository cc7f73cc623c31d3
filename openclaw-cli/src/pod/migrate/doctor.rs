//! `openclaw doctor --fix` as a child: with a deadline, and its last words.

use std::ffi::OsString;
use std::io::{self, PipeReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use openclaw_render::vocab::env;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::pod::one_line;

/// How long it may take to end when asked to: its databases are then closed in order.
const GRACE: Duration = Duration::from_secs(20);
/// The last bytes of its output that are kept.
const OUTPUT_LIMIT: usize = 16 * 1024;
/// The last bytes of those that are told; a condition is read by people.
const WORDS_LIMIT: usize = 1024;

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    Done,
    /// The container is being stopped.
    Stopped,
    Failed(String),
}

enum Event {
    Ended,
    Stop,
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
    let (sender, events) = mpsc::channel();
    stop_on_signal(sender.clone())?;
    let (reader, writer) = io::pipe()?;
    let mut words = application.iter();
    let mut command = Command::new(words.next().cloned().unwrap_or_default());
    command
        .args(words)
        .args(["doctor", "--fix", "--non-interactive"])
        .env(env::CONFIG_PATH, configuration)
        .env_remove(env::CONFIG_READONLY)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        // Its own group, so that what it starts can be ended with it.
        .process_group(0);
    let spawned = command.spawn();
    // It holds the pipe's other end.
    drop(command);
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return Ok(End::Failed(format!("doctor could not be run: {error}"))),
    };
    let output = Output::collect(reader);
    let first = wait(&child, sender, &events, timeout);
    if !matches!(first, Ok(Event::Ended)) {
        signal(&child, Signal::TERM);
        // Whether it does so or not, what is left is ended below.
        let _ = events.recv_timeout(GRACE);
    }
    signal(&child, Signal::KILL);
    let status = child.wait()?;
    let said = output.finish();
    Ok(match first {
        Ok(Event::Ended) => judged(status, &said),
        Ok(Event::Stop) => End::Stopped,
        Err(_) => {
            let seconds = timeout.as_secs();
            End::Failed(format!("doctor --fix did not end in {seconds} s: {said}"))
        }
    })
}

fn stop_on_signal(sender: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if signals.forever().next().is_some() {
            let _ = sender.send(Event::Stop);
        }
    })?;
    Ok(())
}

/// Waits until the child has ended, without collecting it: until then its group's number belongs to
/// nobody else.
fn wait(
    child: &Child,
    sender: Sender<Event>,
    events: &Receiver<Event>,
    timeout: Duration,
) -> Result<Event, RecvTimeoutError> {
    let id = WaitId::Pid(Pid::from_child(child));
    let watch = move || {
        let _ = rustix::process::waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let _ = sender.send(Event::Ended);
    };
    // Without a thread nobody sends, and the deadline is all that is left.
    let _ = thread::Builder::new().name("child".to_owned()).spawn(watch);
    events.recv_timeout(timeout)
}

/// To whatever is left of the child's group; an error means that nothing is.
fn signal(child: &Child, signal: Signal) {
    let _ = rustix::process::kill_process_group(Pid::from_child(child), signal);
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

/// The end of an output, passed on to standard error as it comes.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    done: Receiver<()>,
}

impl Output {
    fn collect(mut pipe: PipeReader) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, done) = mpsc::channel();
        let shared = Arc::clone(&bytes);
        // Without a thread there is no output; the exit code counts all the same.
        let _ = thread::Builder::new().name("output".to_owned()).spawn(move || {
            let mut chunk = vec![0; 8192];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                let news = chunk.get(..read).unwrap_or_default();
                let _ = io::stderr().write_all(news);
                let mut bytes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(news);
                let surplus = bytes.len().saturating_sub(OUTPUT_LIMIT);
                bytes.drain(..surplus);
            }
            let _ = sender.send(());
        });
        Self { bytes, done }
    }

    /// Its last words. A process that left the group may hold the pipe, and is not waited for.
    fn finish(self) -> String {
        let _ = self.done.recv_timeout(Duration::from_secs(1));
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        last_words(&String::from_utf8_lossy(&bytes))
    }
}

/// The end of what it printed, as one line and without the frames around it.
fn last_words(text: &str) -> String {
    let is_frame = |c: char| ('\u{2500}'..='\u{257f}').contains(&c) || c == '◇';
    let plain = text.replace(is_frame, " ");
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
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
