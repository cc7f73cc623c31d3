//! [`run`]: one run of a program of the application's, bounded in time, output and disk.

use std::fs;
use std::io::{self, Read};
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
pub(super) struct Bounds<'a> {
    pub(super) timeout: Duration,
    /// Ends the run early when it becomes true.
    pub(super) stop: &'a AtomicBool,
    /// The folder that the program works in, if what it leaves there is bounded.
    pub(super) folder: Option<&'a Path>,
}

/// What came of a run.
pub(super) struct Ran {
    pub(super) ended: Ended,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

pub(super) enum Ended {
    Itself(ExitStatus),
    Late,
    Stopped,
    /// It left more in its folder than it may.
    Overfull,
}

/// Runs a program to its end, or ends it with everything that it started.
pub(super) fn run(command: &mut Command, bounds: &Bounds<'_>) -> io::Result<Ran> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its own group, so that what it starts can be ended with it.
        .process_group(0)
        .spawn()?;
    let stdout = child.stdout.take().map(Output::collect);
    let stderr = child.stderr.take().map(Output::collect);
    let early = wait(&child, bounds);
    // An error means that nothing is left of the group.
    let _ = rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL);
    let status = child.wait();
    let stdout = stdout.map(Output::finish).unwrap_or_default();
    let stderr = stderr.map(Output::finish).unwrap_or_default();
    let ended = match early {
        Some(ended) => ended,
        None => Ended::Itself(status?),
    };
    Ok(Ran { ended, stdout, stderr })
}

/// Waits until the child has ended, without collecting it: until then its group's number belongs to
/// nobody else. Returns why it must be ended, if it has not ended itself.
fn wait(child: &Child, bounds: &Bounds<'_>) -> Option<Ended> {
    let start = Instant::now();
    let mut measure = start + MEASURE;
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match rustix::process::waitid(WaitId::Pid(Pid::from_child(child)), options) {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return None,
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

/// The end of an output, collected aside so that a full pipe never stops the program.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    done: Receiver<()>,
}

impl Output {
    fn collect(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, done) = mpsc::channel();
        let shared = Arc::clone(&bytes);
        // Without a thread there is no output; the exit code counts all the same.
        let _ = thread::Builder::new().name("output".to_owned()).spawn(move || {
            let mut chunk = vec![0; 8192];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                let mut bytes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
                if bytes.len() > 2 * OUTPUT_LIMIT {
                    let surplus = bytes.len() - OUTPUT_LIMIT;
                    bytes.drain(..surplus);
                }
            }
            let _ = sender.send(());
        });
        Self { bytes, done }
    }

    /// What came; a process that left the group may hold the pipe for ever, and is not waited for.
    fn finish(self) -> Vec<u8> {
        let _ = self.done.recv_timeout(Duration::from_secs(1));
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
