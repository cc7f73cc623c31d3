//! [`Validator`]: the application's own word on one content.

use std::ffi::{OsStr, OsString};
use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use openclaw_render::vocab::env;
use serde_json::Value;

use crate::pod::child::{self, Bounds, Ended};
use crate::pod::folder::{Folder, FolderError};
use crate::pod::one_line;

/// The longest reason that is reported; the operator puts it into a condition.
pub(super) const REASON_LIMIT: usize = 2048;
/// How many refused places are looked at, and how long their texts may be.
const ISSUE_LIMIT: usize = 64;
const ISSUE_TEXT_LIMIT: usize = 1024;
const CANDIDATE_DIRECTORY: &str = "candidate";
const CANDIDATE_NAME: &str = "openclaw.json";
/// In the agent's folder, where [`Folder::sweep`] finds it.
const CANDIDATE_BESIDE_TARGET: &str = ".openclaw-write-candidate.tmp";
/// The key of a document that takes a part of itself from another file.
const INCLUDE: &str = "$include";
/// A shell's way to say that it could not run a command (126, 127) or that a signal ended it.
const FIRST_SHELL_CODE: i32 = 126;

#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Valid,
    Rejected {
        reason: String,
        /// The validator gave a verdict in its own format, and on all that counts; otherwise it is
        /// asked again.
        certain: bool,
        issues: Vec<Issue>,
    },
    /// The validator could not judge: it did not run, did not end, or was killed.
    Unknown {
        reason: String,
    },
}

/// One place that the validator refuses, in its own words.
#[derive(Clone, Debug)]
pub(super) struct Issue {
    pub(super) path: String,
    pub(super) message: String,
}

impl Verdict {
    fn unknown(reason: &str) -> Self {
        Self::Unknown { reason: one_line(reason, REASON_LIMIT) }
    }

    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Valid => true,
            Self::Rejected { certain, .. } => *certain,
            Self::Unknown { .. } => false,
        }
    }
}

pub(super) struct Validator {
    /// Without a command every content is valid: the application has no validator.
    command: Vec<OsString>,
    timeout: Duration,
    work: PathBuf,
    /// The agent's folder, where the parts are that a content includes.
    beside: PathBuf,
}

impl Validator {
    pub(super) fn new(
        command: Vec<OsString>,
        timeout: Duration,
        work: &Path,
        beside: &Path,
    ) -> Result<Self, FolderError> {
        let (work, beside) = (work.to_owned(), beside.to_owned());
        let validator = Self { command, timeout, work, beside };
        validator.folder()?.sweep();
        Ok(validator)
    }

    fn folder(&self) -> Result<Folder, FolderError> {
        Folder::open(&self.work)?.make(CANDIDATE_DIRECTORY, 0o700)
    }

    /// Whether the application accepts a content.
    pub(super) fn judge(&self, bytes: &[u8], stop: &AtomicBool) -> Verdict {
        let Some((program, arguments)) = self.command.split_first() else {
            return Verdict::Valid;
        };
        let candidate = match self.place(bytes) {
            Ok(candidate) => candidate,
            Err(error) => return Verdict::unknown(&crate::error::chain(&error)),
        };
        let mut command = Command::new(program);
        command.args(arguments).env(env::CONFIG_PATH, candidate);
        let bounds =
            Bounds { timeout: self.timeout, stop, folder: None, grace: None, is_heard: false };
        let ran = match child::run(&mut command, &bounds) {
            Ok(ran) => ran,
            Err(error) => {
                let reason = format!("failed to run validator {}: {error}", program.display());
                return Verdict::unknown(&reason);
            }
        };
        match ran.ended {
            Ended::Itself(status) => {
                let mut verdict = judged(status, &ran.stdout, &ran.stderr);
                if let Verdict::Rejected { certain, .. } = &mut verdict {
                    // Parts may come, and change, while the content stays.
                    *certain &= !includes(bytes);
                }
                verdict
            }
            Ended::Late => {
                let seconds = self.timeout.as_secs();
                Verdict::unknown(&format!("the validator did not end in {seconds} s"))
            }
            Ended::Stopped | Ended::Overfull => Verdict::unknown("stopping"),
        }
    }

    /// Writes the content where the validator finds what it refers to. In the agent's folder the
    /// agent could exchange it for another one, so it lies there only if it includes parts, which
    /// are the agent's as well.
    fn place(&self, bytes: &[u8]) -> Result<PathBuf, FolderError> {
        let (folder, path, name) = if includes(bytes) {
            (Folder::open_itself(&self.beside)?, self.beside.clone(), CANDIDATE_BESIDE_TARGET)
        } else {
            (self.folder()?, self.work.join(CANDIDATE_DIRECTORY), CANDIDATE_NAME)
        };
        folder.replace(OsStr::new(name), 0o600, &mut Cursor::new(bytes))?;
        Ok(path.join(name))
    }
}

/// Whether a content takes parts of itself from other files.
fn includes(bytes: &[u8]) -> bool {
    bytes.windows(INCLUDE.len()).any(|part| part == INCLUDE.as_bytes())
}

fn judged(status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Verdict {
    match status.code() {
        Some(0) => Verdict::Valid,
        Some(code) if code >= FIRST_SHELL_CODE => {
            let said = tail(stdout, stderr);
            Verdict::unknown(&format!("the validator exited with {code}: {said}"))
        }
        Some(code) => {
            if let Some((reason, issues)) = refusal(stdout) {
                return Verdict::Rejected { reason, certain: true, issues };
            }
            let said = tail(stdout, stderr);
            let reason = format!("the validator exited with {code}: {said}");
            let reason = one_line(&reason, REASON_LIMIT);
            Verdict::Rejected { reason, certain: false, issues: Vec::new() }
        }
        None => {
            let signal = status.signal().unwrap_or_default();
            Verdict::unknown(&format!("the validator was killed by signal {signal}"))
        }
    }
}

/// What the application's JSON says: `{"valid":false,"issues":[{"path","message"}]}`.
fn refusal(stdout: &[u8]) -> Option<(String, Vec<Issue>)> {
    let value: Value = serde_json::from_slice(stdout).ok()?;
    if value.get("valid") != Some(&Value::Bool(false)) {
        return None;
    }
    let issues = value.get("issues").and_then(Value::as_array).map(Vec::as_slice);
    let issues: Vec<Issue> = issues
        .unwrap_or_default()
        .iter()
        .filter_map(|issue| {
            let text = |key| Some(one_line(issue.get(key)?.as_str()?, ISSUE_TEXT_LIMIT));
            Some(Issue { path: text("path").unwrap_or_default(), message: text("message")? })
        })
        .take(ISSUE_LIMIT)
        .collect();
    let reason = if issues.is_empty() {
        let message = value.pointer("/error/message").and_then(Value::as_str);
        message.unwrap_or("it gave no reason").to_owned()
    } else {
        let texts: Vec<String> = issues
            .iter()
            .map(
                |Issue { path, message }| {
                    if path.is_empty() { message.clone() } else { format!("{path}: {message}") }
                },
            )
            .collect();
        texts.join("; ")
    };
    Some((one_line(&reason, REASON_LIMIT), issues))
}

/// The last words of an output: errors if there are any, otherwise what it printed.
pub(super) fn tail(stdout: &[u8], stderr: &[u8]) -> String {
    let bytes = if stderr.trim_ascii().is_empty() { stdout } else { stderr };
    let start = bytes.len().saturating_sub(REASON_LIMIT / 2);
    let text = String::from_utf8_lossy(bytes.get(start..).unwrap_or_default());
    one_line(&text, REASON_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::{refusal, tail};

    #[test]
    fn issues_become_one_line_with_their_paths() {
        let json = br#"{"valid":false,"issues":[{"path":"gateway.bind","message":"not
allowed"},{"path":"","message":"unknown key"}]}"#;
        let json = String::from_utf8_lossy(json).replace('\n', "\\n");
        let (reason, issues) = refusal(json.as_bytes()).expect("a refusal");
        assert_eq!(reason, "gateway.bind: not allowed; unknown key");
        assert_eq!(issues.len(), 2);
    }

    #[test]
    fn json_without_a_verdict_is_no_reason() {
        for text in ["", "[]", "{}", r#"{"valid":true}"#, r#"{"valid":"no"}"#, "\u{0}", "{"] {
            assert!(refusal(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(refusal(b"\xff\xfe").is_none());
    }

    #[test]
    fn a_refusal_is_bounded() {
        let message = "ä".repeat(100_000);
        let issue = serde_json::json!({"path": message, "message": message});
        let json = serde_json::json!({"valid": false, "issues": vec![issue; 100]});
        let (reason, issues) = refusal(json.to_string().as_bytes()).expect("a refusal");
        assert!(reason.len() <= 2048 && reason.ends_with('…'), "{}", reason.len());
        assert_eq!(issues.len(), 64);
        assert!(issues.iter().all(|issue| issue.path.len() <= 1024 && issue.message.len() <= 1024));
        assert!(tail(&vec![0xff; 100_000], b" \n").len() <= 2048);
    }
}
