//! [`Judge`]: lets the application's own validator decide over a content, once.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{Cursor, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use openclaw_render::seed::content_hash;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use serde_json::Value;

use super::SyncError;
use crate::pod::folder::Folder;
use crate::pod::one_line;

/// The longest reason that is reported; the operator puts it into a condition.
const REASON_LIMIT: usize = 2048;
/// The last bytes of an output that are kept; the application's JSON is far smaller.
const OUTPUT_LIMIT: usize = 256 * 1024;
/// How many contents are remembered: those that a few edits go back and forth between.
const MEMORY: usize = 8;
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How often a running validator is looked at; it takes seconds.
const TICK: Duration = Duration::from_millis(20);
const CANDIDATE_DIRECTORY: &str = "candidate";
const CANDIDATE_NAME: &str = "openclaw.json";
/// A shell's way to say that it could not run a command (126, 127) or that a signal ended it.
const FIRST_SHELL_CODE: i32 = 126;

#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Valid,
    Rejected {
        reason: String,
        /// The validator gave a verdict in its own format; otherwise it may have failed itself, and
        /// is asked again.
        certain: bool,
    },
    /// The validator could not judge: it did not run, did not end, or was killed.
    Unknown {
        reason: String,
    },
}

impl Verdict {
    fn unknown(reason: &str) -> Self {
        Self::Unknown { reason: one_line(reason, REASON_LIMIT) }
    }

    fn is_final(&self) -> bool {
        match self {
            Self::Valid => true,
            Self::Rejected { certain, .. } => *certain,
            Self::Unknown { .. } => false,
        }
    }
}

struct Known {
    bytes: Vec<u8>,
    verdict: Verdict,
    /// When to judge again, if that verdict is not final; and how long to pause after that.
    again: Instant,
    pause: Duration,
}

pub(super) struct Judge {
    validator: Vec<OsString>,
    candidate: PathBuf,
    folder: Folder,
    timeout: Duration,
    first_pause: Duration,
    stop: Arc<AtomicBool>,
    known: VecDeque<Known>,
}

impl Judge {
    /// Makes the directory for candidates.
    pub(super) fn new(
        validator: Vec<OsString>,
        work_dir: &Path,
        timeout: Duration,
        first_pause: Duration,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, SyncError> {
        let folder = Folder::open(work_dir)
            .and_then(|work| work.make(CANDIDATE_DIRECTORY, 0o700))
            .map_err(|source| SyncError::PrepareWorkDir { source })?;
        folder.sweep();
        let candidate = work_dir.join(CANDIDATE_DIRECTORY).join(CANDIDATE_NAME);
        let known = VecDeque::new();
        Ok(Self { validator, candidate, folder, timeout, first_pause, stop, known })
    }

    /// Tells one validator command from another.
    pub(super) fn fingerprint(&self) -> String {
        let words: Vec<_> = self.validator.iter().map(|word| word.as_bytes()).collect();
        content_hash(&words.join(&0))
    }

    /// Takes over a verdict from elsewhere.
    pub(super) fn remember(&mut self, bytes: Vec<u8>, verdict: Verdict) {
        let pause = self.first_pause;
        self.known.push_back(Known { bytes, verdict, again: Instant::now() + pause, pause });
        if self.known.len() > MEMORY {
            self.known.pop_front();
        }
    }

    /// Whether a content is valid. Runs the validator only for a content that is new, or whose
    /// earlier verdict was not final and long enough ago.
    pub(super) fn verdict(&mut self, bytes: &[u8]) -> Verdict {
        let known = self.known.iter().position(|known| known.bytes == bytes);
        let Some(mut known) = known.and_then(|position| self.known.remove(position)) else {
            let verdict = self.run(bytes);
            self.remember(bytes.to_owned(), verdict.clone());
            return verdict;
        };
        if !known.verdict.is_final() && Instant::now() >= known.again {
            known.verdict = self.run(bytes);
            known.pause = (known.pause * 2).min(LONGEST_PAUSE);
            known.again = Instant::now() + known.pause;
        }
        let verdict = known.verdict.clone();
        // Used last, forgotten last.
        self.known.push_back(known);
        verdict
    }

    fn run(&self, bytes: &[u8]) -> Verdict {
        let name = OsStr::new(CANDIDATE_NAME);
        if let Err(error) = self.folder.replace(name, 0o600, &mut Cursor::new(bytes)) {
            return Verdict::unknown(&crate::chain(&error));
        }
        let Some((program, arguments)) = self.validator.split_first() else {
            return Verdict::unknown("there is no validator");
        };
        let spawned = Command::new(program)
            .args(arguments)
            .env("OPENCLAW_CONFIG_PATH", &self.candidate)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own group, so that what it starts can be ended with it.
            .process_group(0)
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                let reason = format!("failed to run validator {}: {error}", program.display());
                return Verdict::unknown(&reason);
            }
        };
        let stdout = child.stdout.take().map(Output::collect);
        let stderr = child.stderr.take().map(Output::collect);
        let ended = self.wait(&child);
        end(&child);
        let status = child.wait();
        let stdout = stdout.map(Output::finish).unwrap_or_default();
        let stderr = stderr.map(Output::finish).unwrap_or_default();
        match (ended, status) {
            (Ended::Itself, Ok(status)) => judged(status, &stdout, &stderr),
            (Ended::Itself, Err(error)) => {
                Verdict::unknown(&format!("failed to wait for the validator: {error}"))
            }
            (Ended::Late, _) => {
                let seconds = self.timeout.as_secs();
                Verdict::unknown(&format!("the validator did not end in {seconds} s"))
            }
            (Ended::Stopped, _) => Verdict::unknown("stopping"),
        }
    }

    /// Waits until the child has ended, without collecting it: until then its group's number
    /// belongs to nobody else.
    fn wait(&self, child: &Child) -> Ended {
        let deadline = Instant::now() + self.timeout;
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match rustix::process::waitid(WaitId::Pid(Pid::from_child(child)), options) {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return Ended::Itself,
            }
            if self.stop.load(Ordering::SeqCst) {
                return Ended::Stopped;
            }
            if Instant::now() >= deadline {
                return Ended::Late;
            }
            thread::sleep(TICK);
        }
    }
}

enum Ended {
    Itself,
    Late,
    Stopped,
}

/// Ends whatever is left of the child's group.
fn end(child: &Child) {
    // An error means that nothing is left.
    let _ = rustix::process::kill_process_group(Pid::from_child(child), Signal::KILL);
}

fn judged(status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Verdict {
    match status.code() {
        Some(0) => Verdict::Valid,
        Some(code) if code >= FIRST_SHELL_CODE => {
            let said = tail(stdout, stderr);
            Verdict::unknown(&format!("the validator exited with {code}: {said}"))
        }
        Some(code) => {
            if let Some(reason) = reason(stdout) {
                return Verdict::Rejected { reason, certain: true };
            }
            let said = tail(stdout, stderr);
            let reason = format!("the validator exited with {code}: {said}");
            Verdict::Rejected { reason: one_line(&reason, REASON_LIMIT), certain: false }
        }
        None => {
            let signal = status.signal().unwrap_or_default();
            Verdict::unknown(&format!("the validator was killed by signal {signal}"))
        }
    }
}

/// The reason from the application's JSON: `{"valid":false,"issues":[{"path","message"}]}`.
fn reason(stdout: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(stdout).ok()?;
    if value.get("valid") != Some(&Value::Bool(false)) {
        return None;
    }
    let issues = value.get("issues").and_then(Value::as_array).map(Vec::as_slice);
    let issues: Vec<String> = issues
        .unwrap_or_default()
        .iter()
        .filter_map(|issue| {
            let message = issue.get("message").and_then(Value::as_str)?;
            match issue.get("path").and_then(Value::as_str) {
                Some(path) if !path.is_empty() => Some(format!("{path}: {message}")),
                Some(_) | None => Some(message.to_owned()),
            }
        })
        .collect();
    let reason = if issues.is_empty() {
        let message = value.pointer("/error/message").and_then(Value::as_str);
        message.unwrap_or("it gave no reason").to_owned()
    } else {
        issues.join("; ")
    };
    Some(one_line(&reason, REASON_LIMIT))
}

/// The last words of an output: errors if there are any, otherwise what it printed.
fn tail(stdout: &[u8], stderr: &[u8]) -> String {
    let bytes = if stderr.trim_ascii().is_empty() { stdout } else { stderr };
    let start = bytes.len().saturating_sub(REASON_LIMIT / 2);
    let text = String::from_utf8_lossy(bytes.get(start..).unwrap_or_default());
    one_line(&text, REASON_LIMIT)
}

/// The end of an output, collected aside so that a full pipe never stops the validator.
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
    use super::{reason, tail};

    #[test]
    fn issues_become_one_line_with_their_paths() {
        let json = br#"{"valid":false,"issues":[{"path":"gateway.bind","message":"not
allowed"},{"path":"","message":"unknown key"}]}"#;
        let json = String::from_utf8_lossy(json).replace('\n', "\\n");
        assert_eq!(
            reason(json.as_bytes()).as_deref(),
            Some("gateway.bind: not allowed; unknown key")
        );
    }

    #[test]
    fn json_without_a_verdict_is_no_reason() {
        for text in ["", "[]", "{}", r#"{"valid":true}"#, r#"{"valid":"no"}"#, "\u{0}", "{"] {
            assert_eq!(reason(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(reason(b"\xff\xfe"), None);
    }

    #[test]
    fn a_reason_is_bounded() {
        let message = "ä".repeat(100_000);
        let json = serde_json::json!({"valid": false, "issues": [{"message": message}]});
        let found = reason(json.to_string().as_bytes()).expect("a reason");
        assert!(found.len() <= 2048 && found.ends_with('…'), "{}", found.len());
        assert!(tail(&vec![0xff; 100_000], b" \n").len() <= 2048);
    }
}
