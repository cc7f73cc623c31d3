//! [`run`]: one run of a program of the application's, bounded in time, output and disk.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// The last bytes of an output that are kept; the application's JSON is far smaller.
const OUTPUT_LIMIT: usize = 256 * 1024;
/// How often a running program is looked at; it takes seconds.
const TICK: Duration = Duration::from_millis(20);
/// How often its folder is measured.
const MEASURE: Duration = Duration::from_secs(1);
/// What a program may leave in its folder. A migration by 2026.9.6 leaves 3 MiB in 40 files.
const FOLDER_BYTES: u64 = 256 * 1024 * 1024;
const FOLDER_ENTRIES: usize = 10_000;

/// How far a run may go.
pub(in crate::pod) struct Bounds<'a> {
    pub(in crate::pod) timeout: Duration,
    /// Ends the run early when it becomes true.
    pub(in crate::pod) stop: &'a AtomicBool,
    /// The folder that the program works in, if what it leaves there is bounded.
    pub(in crate::pod) folder: Option<&'a Path>,
    /// How long it may take to end when asked to; without it, it is not asked.
    pub(in crate::pod) grace: Option<Duration>,
    /// Whether what it says goes to our standard error as it comes. Its two outputs are one then,
    /// as people read them.
    pub(in crate::pod) is_heard: bool,
}

/// What came of a run.
pub(in crate::pod) struct Ran {
    pub(in crate::pod) ended: Ended,
    /// Both outputs, if it was heard.
    pub(in crate::pod) stdout: Vec<u8>,
    pub(in crate::pod) stderr: Vec<u8>,
}

pub(in crate::pod) enum Ended {
    Itself(ExitStatus),
    Late,
    Stopped,
    /// It left more in its folder than it may.
    Overfull,
}

/// Runs a program to its end, or ends it with everything that it started.
pub(in crate::pod) fn run(command: &mut Command, bounds: &Bounds<'_>) -> io::Result<Ran> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its own group, so that what it starts can be ended with it.
        .process_group(0)
        .spawn()?;
    let said = Bytes::default();
    let complained = if bounds.is_heard { Arc::clone(&said) } else { Bytes::default() };
    let collected = [
        child.stdout.take().map(|pipe| collect(pipe, Arc::clone(&said), bounds.is_heard)),
        child.stderr.take().map(|pipe| collect(pipe, Arc::clone(&complained), bounds.is_heard)),
    ];
    let early = wait(&child, bounds);
    if let Some(grace) = bounds.grace.filter(|_| early.is_some()) {
        signal(&child, Signal::TERM);
        let asked = Instant::now();
        while !has_ended(&child) && asked.elapsed() < grace {
            thread::sleep(TICK);
        }
    }
    signal(&child, Signal::KILL);
    let status = child.wait();
    for end in collected.into_iter().flatten() {
        // A process that left the group may hold the pipe for ever, and is not waited for.
        let _ = end.recv_timeout(Duration::from_secs(1));
    }
    let ended = match early {
        Some(ended) => ended,
        None => Ended::Itself(status?),
    };
    Ok(Ran { ended, stdout: taken(&said), stderr: taken(&complained) })
}

/// To whatever is left of the child's group; an error means that nothing is.
fn signal(child: &Child, signal: Signal) {
    let _ = rustix::process::kill_process_group(Pid::from_child(child), signal);
}

/// Looks without collecting it: until then its group's number belongs to nobody else.
fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let found = rustix::process::waitid(WaitId::Pid(Pid::from_child(child)), options);
    !matches!(found, Ok(None))
}

/// Waits until the child has ended. Returns why it must be ended, if it has not ended itself.
fn wait(child: &Child, bounds: &Bounds<'_>) -> Option<Ended> {
    let start = Instant::now();
    let mut measure = start + MEASURE;
    loop {
        if has_ended(child) {
            return None;
        }
        if bounds.stop.load(Ordering::SeqCst) {
            return Some(Ended::Stopped);
        }
        let now = Instant::now();
        if now.duration_since(start) >= bounds.timeout {
            return Some(Ended::Late);
        }
        if now >= measure {
            measure = now + MEASURE;
            let full = |folder| is_overfull(folder, FOLDER_BYTES, FOLDER_ENTRIES);
            if bounds.folder.is_some_and(full) {
                return Some(Ended::Overfull);
            }
        }
        thread::sleep(TICK);
    }
}

/// Whether a tree holds more than it may. What cannot be read does not count.
fn is_overfull(folder: &Path, most_bytes: u64, most_entries: usize) -> bool {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    let (mut bytes, mut entries) = (0_u64, 0_usize);
    while let Some(folder) = folders.pop() {
        let Ok(listed) = fs::read_dir(folder) else { continue };
        for entry in listed.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            entries += 1;
            bytes = bytes.saturating_add(metadata.len());
            if bytes > most_bytes || entries > most_entries {
                return true;
            }
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    false
}

/// The end of an output.
type Bytes = Arc<Mutex<Vec<u8>>>;

/// Collects an output aside, so that a full pipe never stops the program. Returns what tells its
/// end.
fn collect(mut pipe: impl Read + Send + 'static, bytes: Bytes, is_heard: bool) -> Receiver<()> {
    let (sender, done) = mpsc::channel();
    // Without a thread there is no output; the exit code counts all the same.
    let _ = thread::Builder::new().name("output".to_owned()).spawn(move || {
        let mut chunk = vec![0; 8192];
        while let Ok(read @ 1..) = pipe.read(&mut chunk) {
            let news = chunk.get(..read).unwrap_or_default();
            if is_heard {
                let _ = io::stderr().write_all(news);
            }
            let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.extend_from_slice(news);
            if bytes.len() > 2 * OUTPUT_LIMIT {
                let surplus = bytes.len() - OUTPUT_LIMIT;
                bytes.drain(..surplus);
            }
        }
        let _ = sender.send(());
    });
    done
}

fn taken(bytes: &Bytes) -> Vec<u8> {
    std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::is_overfull;

    #[test]
    fn a_folder_is_overfull_by_bytes_and_by_entries() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).expect("made");
        fs::write(inner.join("file"), [0; 100]).expect("written");
        let is_overfull = |bytes, entries| is_overfull(folder.path(), bytes, entries);
        assert!(!is_overfull(1 << 20, 2));
        assert!(is_overfull(99, 2));
        assert!(is_overfull(1 << 20, 1));
        fs::remove_dir_all(inner).expect("removed");
        assert!(!is_overfull(0, 0));
    }
}
