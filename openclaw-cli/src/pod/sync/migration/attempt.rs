//! [`Setup::attempt`]: one migration of one refused content, from the copy to the verdict.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use openclaw_render::vocab::env;
use serde_json::{Value, json};

use super::Outcome;
use super::merge::{changes, merge};
use super::places::{Step, refused, without};
use super::shield::Shield;
use crate::pod::child::{self, Bounds, Ended};
use crate::pod::folder::{Folder, FolderError};
use crate::pod::sync::validator::{Issue, Validator, Verdict, tail};
use crate::pod::sync::{log, pretty};
use crate::pod::{one_line, read_bounded};

/// Parts of a document that no copy gets: 2026.8.1 starts every server of the protocol and waits for
/// the remote ones.
const TAKEN_OUT: &str = "mcp";
const CHANNELS: &str = "channels";
const STREAMING: &str = "streaming";
/// How often the validator may name further keys, which it does when the first ones are gone.
const ROUNDS: usize = 4;
const CONFIG_NAME: &str = "openclaw.json";
const LOG_LIMIT: usize = 1024;

/// What the migration sees of the world, besides its folder. As a step of an update the application
/// repairs its configuration, but installs no plugin and removes no key that it never knew (seen with
/// 2026.7.1, 2026.8.1 and 2026.9.6). Nobody listens on the port, so it finds no gateway to repair.
const ENVIRONMENT: &[(&str, &str)] = &[
    (env::NO_RESPAWN, "1"),
    (env::NO_AUTO_UPDATE, "1"),
    (env::DISABLE_BONJOUR, "1"),
    (env::GATEWAY_PORT, "9"),
    ("OPENCLAW_OFFLINE", "1"),
    ("OPENCLAW_SERVICE_REPAIR_POLICY", "external"),
    ("OPENCLAW_UPDATE_IN_PROGRESS", "1"),
    ("OPENCLAW_UPDATE_PARENT_SUPPORTS_DOCTOR_CONFIG_WRITE", "1"),
];

/// What every attempt has in common.
pub(super) struct Setup {
    pub(super) command: Vec<OsString>,
    pub(super) timeout: Duration,
    /// Nobody else uses it while an attempt runs.
    pub(super) validator: Arc<Validator>,
    /// The folder that an attempt works in and removes again.
    pub(super) scratch: PathBuf,
}

/// Why there is nothing to serve.
enum Stop {
    /// The application does not migrate this content.
    Unable,
    /// Something else was in the way.
    Hindered(String),
}

impl Setup {
    /// Lets the application migrate a content that its validator refuses for these reasons.
    pub(super) fn attempt(&self, bytes: &[u8], issues: &[Issue], cancel: &AtomicBool) -> Outcome {
        let result = self.migrate(bytes, issues, cancel);
        self.clear();
        match result {
            Ok(outcome) => outcome,
            Err(Stop::Unable) => Outcome::Refused { why: None },
            Err(Stop::Hindered(why)) => Outcome::Refused { why: Some(why) },
        }
    }

    /// Removes what an attempt leaves behind.
    pub(super) fn clear(&self) {
        match fs::remove_dir_all(&self.scratch) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                log(&format!("failed to remove {}: {error}", self.scratch.display()));
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn migrate(
        &self,
        bytes: &[u8],
        issues: &[Issue],
        cancel: &AtomicBool,
    ) -> Result<Outcome, Stop> {
        let document: Value = serde_json::from_slice(bytes).map_err(|_| Stop::Unable)?;
        let mut plain = cut(&document, issues)?;
        let mut shield = Shield::new(self.scratch.join("outside").display().to_string());
        let migrated = self.run(&document, &mut shield, cancel)?;

        for round in 1.. {
            match self.validator.judge(&pretty(&plain), cancel) {
                Verdict::Valid => break,
                Verdict::Rejected { issues, .. } if round < ROUNDS => {
                    plain = cut(&plain, &issues)?;
                }
                Verdict::Rejected { .. } => return Err(Stop::Unable),
                Verdict::Unknown { reason } => return Err(Stop::Hindered(reason)),
            }
        }
        let made_of_plain = self.run(&plain, &mut shield, cancel)?;
        let merged = merge(&plain, made_of_plain, migrated);
        self.accept(&document, merged, cancel)
    }

    /// The outcome, if the application accepts what was made.
    fn accept(
        &self,
        document: &Value,
        mut merged: Value,
        cancel: &AtomicBool,
    ) -> Result<Outcome, Stop> {
        for _ in 0..ROUNDS {
            let bytes = pretty(&merged);
            match self.validator.judge(&bytes, cancel) {
                Verdict::Valid => {
                    let content = String::from_utf8(bytes).map_err(|_| Stop::Unable)?;
                    if content.contains(&*self.scratch.to_string_lossy()) {
                        let why = "it wrote a path of its own folder into the configuration";
                        return Err(Stop::Hindered(why.to_owned()));
                    }
                    return Ok(Outcome::Migrated { content, changes: changes(document, &merged) });
                }
                Verdict::Rejected { issues, .. } if nest_streaming(&mut merged, &issues) => {}
                Verdict::Rejected { .. } => return Err(Stop::Unable),
                Verdict::Unknown { reason } => return Err(Stop::Hindered(reason)),
            }
        }
        Err(Stop::Unable)
    }

    /// What the application makes of a document.
    fn run(
        &self,
        document: &Value,
        shield: &mut Shield,
        cancel: &AtomicBool,
    ) -> Result<Value, Stop> {
        let mut copy = document.clone();
        if let Some(copy) = copy.as_object_mut() {
            copy.remove(TAKEN_OUT);
        }
        let bytes = pretty(&shield.hide(&copy));
        let folder =
            self.prepare(&bytes).map_err(|error| Stop::Hindered(crate::error::chain(&error)))?;
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Stop::Unable);
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(ENVIRONMENT.iter().copied())
            .env(env::HOME, self.scratch.join("home"))
            .env(env::STATE_DIR, self.scratch.join("state"))
            .env("TMPDIR", self.scratch.join("tmp"))
            .env(env::CONFIG_PATH, self.scratch.join(CONFIG_NAME))
            .current_dir(&self.scratch);
        let bounds = Bounds {
            timeout: self.timeout,
            stop: cancel,
            folder: Some(self.scratch.as_path()),
            grace: None,
            is_heard: false,
        };
        let ran = child::run(&mut command, &bounds)
            .map_err(|error| Stop::Hindered(format!("it could not be run: {error}")))?;
        let hindered = |why: String| Err(Stop::Hindered(why));
        match ran.ended {
            Ended::Itself(status) if status.success() => {}
            Ended::Itself(status) => {
                if let Some(signal) = status.signal() {
                    return hindered(format!("it was killed by signal {signal}"));
                }
                let code = status.code().unwrap_or_default();
                let said = one_line(&tail(&ran.stdout, &ran.stderr), LOG_LIMIT);
                log(&format!("the migration exited with {code}: {said}"));
                return Err(Stop::Unable);
            }
            Ended::Late => {
                return hindered(format!("it did not end in {} s", self.timeout.as_secs()));
            }
            Ended::Overfull => return hindered("it wrote too much".to_owned()),
            Ended::Stopped => return hindered("stopping".to_owned()),
        }
        let made = folder
            .open_file(OsStr::new(CONFIG_NAME))
            .map_err(|error| Stop::Hindered(crate::error::chain(&error)))
            .and_then(|file| {
                let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
                let bytes = if is_file { read_bounded(file).ok() } else { None };
                let value: Option<Value> = bytes.and_then(|b| serde_json::from_slice(&b).ok());
                value
                    .filter(Value::is_object)
                    .ok_or_else(|| Stop::Hindered("what it made cannot be read".to_owned()))
            })?;
        Ok(shield.show(&made))
    }

    /// An empty folder with nothing in it but the copy.
    fn prepare(&self, bytes: &[u8]) -> Result<Folder, FolderError> {
        self.clear();
        let parent = self.scratch.parent().unwrap_or(&self.scratch);
        let name = self.scratch.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let folder = Folder::open(parent)?.make(name, 0o700)?;
        for name in ["home", "state", "tmp"] {
            folder.make(name, 0o700)?;
        }
        folder.replace(OsStr::new(CONFIG_NAME), 0o600, &mut Cursor::new(bytes))?;
        Ok(folder)
    }
}

/// The document without what the validator refuses in it.
fn cut(document: &Value, issues: &[Issue]) -> Result<Value, Stop> {
    let places = refused(document, issues).ok_or(Stop::Unable)?;
    // What the migration does not see it cannot migrate.
    if places.iter().any(|place| place.first() == Some(&Step::Key(TAKEN_OUT.to_owned()))) {
        return Err(Stop::Unable);
    }
    Ok(without(document, &places))
}

/// Writes `streaming: "partial"` of a channel as `streaming: {mode: "partial"}`, where the validator
/// refuses it. The rule is the application's, but from 2026.9 on it stands in the channel's plugin,
/// which is not in the image. Whether anything was written.
fn nest_streaming(document: &mut Value, issues: &[Issue]) -> bool {
    let places = refused(document, issues).unwrap_or_default();
    let mut written = false;
    for place in places {
        let channel = place.first() == Some(&Step::Key(CHANNELS.to_owned()));
        if !channel || place.last() != Some(&Step::Key(STREAMING.to_owned())) {
            continue;
        }
        let node = place.iter().try_fold(&mut *document, |node, step| match step {
            Step::Key(key) => node.get_mut(key),
            Step::Position(position) => node.get_mut(position),
        });
        if let Some(node) = node.filter(|node| node.is_string()) {
            *node = json!({ "mode": node.take() });
            written = true;
        }
    }
    written
}
