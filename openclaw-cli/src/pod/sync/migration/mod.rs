//! [`Migrator`]: lets the application's own migration have a look at a refused content, once.
//!
//! Keys of openclaw.json are retired from release to release. An application that may write its
//! configuration migrates them when it starts; here the file is read-only, so the same migration
//! works on a copy, and what became of the refused keys is served instead of them.
//!
//! # Guarantees
//! - The migration sees a copy in a folder of its own: no secret of the environment, no tool server,
//!   no path of the agent's, and another port. It has a deadline, and what it leaves is bounded and
//!   removed.
//! - Of its result only what became of refused keys is taken, and only if the validator accepts it.
//! - A content is tried once for the life of the pod. An attempt that was killed, with this program
//!   perhaps, counts as tried.

mod attempt;
mod merge;
mod places;
mod shield;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use openclaw_render::seed::content_hash;
use serde::{Deserialize, Serialize};

use super::judge::MEMORY;
use super::log;
use super::validator::{Issue, Validator};
use crate::pod::folder::Folder;
use crate::pod::read_bounded;
use attempt::Setup;

/// Below the work directory, while an attempt runs.
const SCRATCH: &str = "migration";

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome {
    /// A content that the application accepts, and how it differs from the refused one.
    Migrated { content: String, changes: Vec<String> },
    /// Nothing to serve. `why` is set if the cause is another one than the content.
    Refused { why: Option<String> },
}

pub(super) enum Progress {
    Running,
    Ended(Outcome),
}

/// What is remembered for the life of the pod: the last attempt. Without an outcome it was killed.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    source_hash: String,
    outcome: Option<Outcome>,
}

struct Running {
    source_hash: String,
    cancel: Arc<AtomicBool>,
    thread: JoinHandle<Outcome>,
}

pub(super) struct Migrator {
    /// Without one the application has no migration.
    setup: Option<Arc<Setup>>,
    memory: Folder,
    memory_name: OsString,
    /// Outcomes by the hash of the refused content.
    known: VecDeque<(String, Outcome)>,
    running: Option<Running>,
}

impl Migrator {
    /// Takes up what an earlier run in the same pod found out.
    pub(super) fn new(
        command: Vec<OsString>,
        timeout: Duration,
        validator: Arc<Validator>,
        work_dir: &Path,
        memory: Folder,
        fingerprint: &str,
    ) -> Self {
        let scratch = work_dir.join(SCRATCH);
        let setup = Setup { command, timeout, validator, scratch };
        setup.clear();
        let setup = (!setup.command.is_empty()).then(|| Arc::new(setup));
        let memory_name = OsString::from(format!("migration-{fingerprint}.json"));
        let mut known = VecDeque::new();
        let record = memory.open_file(&memory_name).ok().and_then(|file| read_bounded(file).ok());
        if let Some(bytes) = record
            && let Ok(Record { source_hash, outcome }) = serde_json::from_slice(&bytes)
        {
            let killed = || Outcome::Refused {
                why: Some(
                    "it was killed together with config-sync: if for its memory, raise \
                     spec.config.sync.resources.limits.memory"
                        .to_owned(),
                ),
            };
            known.push_back((source_hash, outcome.unwrap_or_else(killed)));
        }
        Self { setup, memory, memory_name, known, running: None }
    }

    /// The changes that made a content out of a refused one, and that one's hash.
    pub(super) fn origin(&self, bytes: &[u8]) -> Option<(String, Vec<String>)> {
        self.known.iter().find_map(|(source_hash, outcome)| match outcome {
            Outcome::Migrated { content, changes } if content.as_bytes() == bytes => {
                Some((source_hash.clone(), changes.clone()))
            }
            Outcome::Migrated { .. } | Outcome::Refused { .. } => None,
        })
    }

    /// What came of the attempt to migrate a refused content, which begins with the first call.
    pub(super) fn look(&mut self, bytes: &[u8], issues: &[Issue]) -> Progress {
        let hash = content_hash(bytes);
        self.give_way_to(&hash);
        self.collect();
        if let Some((_, outcome)) = self.known.iter().find(|(known, _)| *known == hash) {
            return Progress::Ended(outcome.clone());
        }
        if self.running.is_some() {
            return Progress::Running;
        }
        let Some(setup) = self.setup.clone() else {
            return Progress::Ended(Outcome::Refused { why: None });
        };
        self.write(&Record { source_hash: hash.clone(), outcome: None });
        let (bytes, issues) = (bytes.to_owned(), issues.to_owned());
        let cancel = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&cancel);
        let thread = thread::Builder::new()
            .name("migration".to_owned())
            .spawn(move || setup.attempt(&bytes, &issues, &seen));
        match thread {
            Ok(thread) => {
                log(&format!("the application refuses {hash}: trying its migration"));
                self.running = Some(Running { source_hash: hash, cancel, thread });
                Progress::Running
            }
            Err(error) => {
                let why = Some(format!("failed to start a thread: {error}"));
                Progress::Ended(Outcome::Refused { why })
            }
        }
    }

    /// Ends an attempt that is about another content than this: nobody asks for it any more, and
    /// there is no memory for a validator beside it.
    pub(super) fn give_way_to(&mut self, hash: &str) {
        if self.running.as_ref().is_some_and(|running| running.source_hash != hash) {
            self.stop();
        }
    }

    /// Ends a running attempt and waits for its end. It is not held against its content.
    pub(super) fn stop(&mut self) {
        self.collect();
        if let Some(running) = self.running.take() {
            running.cancel.store(true, Ordering::SeqCst);
            let _ = running.thread.join();
            self.write(&Record::default());
        }
    }

    /// Takes in an attempt that has ended.
    fn collect(&mut self) {
        let Some(running) = self.running.take_if(|running| running.thread.is_finished()) else {
            return;
        };
        let Running { source_hash, thread, .. } = running;
        let outcome = thread.join().unwrap_or_else(|_| Outcome::Refused {
            why: Some("it ended without a word".to_owned()),
        });
        self.write(&Record { source_hash: source_hash.clone(), outcome: Some(outcome.clone()) });
        self.known.push_back((source_hash, outcome));
        if self.known.len() > MEMORY {
            self.known.pop_front();
        }
    }

    fn write(&self, record: &Record) {
        let written = serde_json::to_vec(record).map_err(|error| error.to_string());
        let written = written.and_then(|bytes| {
            let name: &OsStr = &self.memory_name;
            self.memory
                .replace(name, 0o600, &mut Cursor::new(bytes))
                .map_err(|error| crate::error::chain(&error))
        });
        if let Err(error) = written {
            // Costs one more attempt after a restart.
            log(&format!("attempt not remembered: {error}"));
        }
    }
}

impl Drop for Migrator {
    fn drop(&mut self) {
        self.stop();
    }
}
