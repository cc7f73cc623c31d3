//! Mode `merge`: the operator's content goes into what the agent has in its file, and the agent's
//! own part of it stays.
//!
//! What was merged last is written down beside the file. So it is known who has changed a value
//! since: the operator, whose change goes in, or the agent, whose change stays.
//!
//! # Guarantees
//! - The file is written only if something in it must change, and only if it still holds what was
//!   read. Otherwise the agent's own spelling stays, comments included.
//! - Forced paths hold the operator's value, whatever happens.
//! - What the agent writes and the application refuses for certain, or nobody can read, gives way to
//!   the last good content; it is kept in a file beside, and the status names it.
//! - What was merged is written down after the file, so that a crash between the two is made up for
//!   by merging again.

use std::ffi::OsStr;
use std::io::{self, Cursor};
use std::time::{Duration, Instant};

use openclaw_render::seed::{SyncStatus, content_hash};
use openclaw_render::vocab::paths;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Found, Good, Keeper, TARGET_MODE, open_parent, say_first};
use crate::pod::folder::{Folder, FolderError, Kind};
use crate::pod::sync::three_way::{Winner, document, force, merge};
use crate::pod::sync::validator::Verdict;
use crate::pod::sync::{log, pretty};
use crate::pod::{one_line, read_bounded};

/// For so many polls after a write, the application may write what it read before that.
const POLLS_OF_DOUBT: u32 = 5;
const REASON_LIMIT: usize = 512;
/// What helps against a part of the file that the operator has not written.
const REMEDY: &str = "; what the agent has written into the file is part of it: mend it there, or \
                      take it from spec.config by spec.config.forcePaths";

/// What is known of the agent's own part of the target.
pub(in crate::pod::sync) struct Merging {
    forced: Vec<String>,
    doubt: Duration,
    record: Option<Record>,
    written: Option<Written>,
    /// Whether the application may run already, and so write.
    served: bool,
    set_aside: Option<String>,
    /// The unusable content that an earlier look has seen: somebody may have been writing it then.
    unusable: Option<Vec<u8>>,
}

/// What was merged last, as it is written down.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    hash: String,
    document: Value,
}

/// What a write has changed.
struct Written {
    before: Value,
    after: Value,
    until: Instant,
}

/// What stands under the target's name.
enum There {
    Nothing,
    Document {
        bytes: Vec<u8>,
        value: Value,
    },
    /// Nothing that can be merged.
    Unusable {
        why: String,
        /// Its bytes, if it is a file that could be read.
        bytes: Option<Vec<u8>>,
    },
}

impl Merging {
    pub(in crate::pod::sync) fn new(forced: Vec<String>, poll: Duration) -> Self {
        let doubt = poll.saturating_mul(POLLS_OF_DOUBT);
        Self {
            forced,
            doubt,
            record: None,
            written: None,
            served: false,
            set_aside: None,
            unusable: None,
        }
    }

    /// What was merged last. Without a record the operator before us wrote the file, or nobody did.
    fn base(&self) -> Value {
        self.record.as_ref().map_or_else(of_the_go_operator, |record| record.document.clone())
    }

    /// Keeps what is about to be replaced, and says where. Where that fails, a running agent keeps
    /// its file; one that is about to start cannot start with it.
    fn keep(&mut self, parent: &Folder, name: &OsStr, why: &str) -> Result<(), FolderError> {
        let copy = paths::REFUSED_FILE;
        let kept = match parent.keep_copy(name, OsStr::new(copy)) {
            Ok(()) => format!("kept as {copy}"),
            Err(error) if self.served => return Err(error),
            Err(error) => format!("not kept, {}", crate::error::chain(&error)),
        };
        let text = format!("{}: {why} ({kept})", name.display());
        self.set_aside = Some(one_line(&text, REASON_LIMIT));
        Ok(())
    }

    /// The wanted document with what the agent has made of it.
    fn merged(&self, ours: &Value, theirs: &Value) -> Value {
        let written = self.written.as_ref().filter(|written| Instant::now() < written.until);
        let theirs = match written {
            Some(Written { before, after, .. }) => merge(before, after, theirs, Winner::Theirs),
            None => theirs.clone(),
        };
        let mut merged = merge(&self.base(), ours, &theirs, Winner::Ours);
        for path in &self.forced {
            force(&mut merged, ours, path);
        }
        merged
    }
}

/// What the Go operator adds to every configuration, and this one does not: nobody's own choice.
fn of_the_go_operator() -> Value {
    json!({
        "diagnostics": {"otel": {"endpoint": "http://localhost:4318", "metrics": true}},
        "gateway": {"controlUi": {"dangerouslyDisableDeviceAuth": true}},
    })
}

impl Keeper {
    /// Puts the wanted content into the agent's, if the application accepts the result.
    pub(super) fn merge(&mut self, source: &[u8], status: &mut SyncStatus) {
        let hash = content_hash(source);
        status.source_hash = Some(hash.clone());
        let (parent, there) = match self.there() {
            Ok(seen) => seen,
            Err(error) => return say_first(status, crate::error::chain(&error)),
        };
        match document(source) {
            Ok(ours) => self.merge_into(&parent, &there, Record { hash, document: ours }, status),
            Err(why) => {
                status.message = Some(format!("the operator's content cannot be used: {why}"));
                self.refuse(&parent, &there, status);
            }
        }
        status.set_aside = self.merging.as_ref().and_then(|merging| merging.set_aside.clone());
    }

    fn merge_into(
        &mut self,
        parent: &Folder,
        there: &There,
        wanted: Record,
        status: &mut SyncStatus,
    ) {
        let Some(merging) = &self.merging else { return };
        let merged = match there {
            There::Document { value, .. } => merging.merged(&wanted.document, value),
            There::Nothing | There::Unusable { .. } => {
                let good = self.good.as_ref().and_then(|good| document(&good.bytes).ok());
                merging.merged(&wanted.document, &good.unwrap_or_else(|| merging.base()))
            }
        };
        let strict = pretty(&merged);
        let bytes = match there {
            There::Document { bytes, value } if *value == merged => bytes.clone(),
            There::Document { .. } | There::Nothing | There::Unusable { .. } => strict.clone(),
        };
        match self.find(bytes, Some(&strict), wanted.hash.clone(), status) {
            Found::Good(good) => {
                if self.is_news_of_the_agent(&good, there)
                    && let Some(merging) = &mut self.merging
                {
                    merging.set_aside = None;
                }
                self.keep(good);
                self.serve(parent, there, wanted, status);
            }
            Found::Refused => {
                if let Some(message) = status.message.as_mut().filter(|_| merged != wanted.document)
                {
                    message.push_str(REMEDY);
                }
                self.refuse(parent, there, status);
                if status.applied_hash.as_ref() == Some(&wanted.hash) {
                    // What the operator wants is in place: it was the agent who was refused.
                    status.rejected_hash = None;
                }
            }
            Found::Later => self.wait(parent, there, status),
        }
    }

    /// Without a readable source, the target stays if it is good.
    pub(super) fn stay_merged(&mut self, status: &mut SyncStatus) {
        match self.there() {
            Ok((parent, there)) => self.refuse(&parent, &there, status),
            Err(error) => say_first(status, crate::error::chain(&error)),
        }
    }

    /// Whether the agent has written something since, and it is accepted.
    fn is_news_of_the_agent(&self, good: &Good, there: &There) -> bool {
        let is_new = self.good.as_ref().is_some_and(|old| old.bytes != good.bytes);
        is_new && matches!(there, There::Document { bytes, .. } if *bytes == good.bytes)
    }

    /// While nothing can be said, the target stays as it is; one that is gone comes back.
    fn wait(&mut self, parent: &Folder, there: &There, status: &mut SyncStatus) {
        match there {
            There::Document { bytes, .. } => {
                let is_good = self.good.as_ref().is_some_and(|good| good.bytes == *bytes);
                if is_good || self.is_served() {
                    self.say_applied(status);
                }
            }
            There::Nothing | There::Unusable { .. } => self.refuse(parent, there, status),
        }
    }

    /// Puts a content in place, then writes down what was merged.
    fn serve(&mut self, parent: &Folder, there: &There, record: Record, status: &mut SyncStatus) {
        match self.put_merged(parent, there) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return say_first(status, crate::error::chain(&error)),
        }
        let Some(merging) = &mut self.merging else { return };
        if merging.record.as_ref() != Some(&record) {
            let bytes = serde_json::to_vec(&record).unwrap_or_default();
            let name = OsStr::new(paths::MERGED_FILE);
            if let Err(error) = parent.replace(name, TARGET_MODE, &mut Cursor::new(bytes)) {
                return say_first(status, crate::error::chain(&error));
            }
            merging.record = Some(record);
        }
        self.say_applied(status);
    }

    /// What the application does not take does not get in. What is there stays if it is good; what
    /// is not makes way for the last content that was.
    fn refuse(&mut self, parent: &Folder, there: &There, status: &mut SyncStatus) {
        if let There::Document { bytes, .. } = there
            && self.good.as_ref().is_none_or(|good| good.bytes != *bytes)
        {
            match self.judge.verdict(bytes) {
                Verdict::Valid => {
                    let merged = self.merging.as_ref().and_then(|it| it.record.as_ref());
                    let hash = merged.map(|record| record.hash.clone());
                    let mut good = Good::known(bytes.clone(), &self.migrator);
                    good.source_hash = hash.unwrap_or(good.source_hash);
                    self.keep(good);
                }
                Verdict::Rejected { certain: true, .. } => {}
                Verdict::Rejected { .. } | Verdict::Unknown { .. } if self.is_served() => {
                    return self.say_applied(status);
                }
                Verdict::Rejected { .. } | Verdict::Unknown { .. } => return,
            }
        }
        if self.good.is_none() {
            return;
        }
        match self.put_merged(parent, there) {
            Ok(true) => self.say_applied(status),
            Ok(false) => {}
            Err(error) => say_first(status, crate::error::chain(&error)),
        }
    }

    /// Makes the target hold the good content, and keeps what is lost by that. Not if somebody has
    /// written meanwhile: then false.
    fn put_merged(&mut self, parent: &Folder, there: &There) -> Result<bool, FolderError> {
        let (Some(good), Some(merging)) = (&self.good, &mut self.merging) else {
            return Ok(false);
        };
        let name = self.target_name.as_os_str();
        let mut before = None;
        match there {
            There::Document { bytes, .. } if *bytes == good.bytes => return Ok(true),
            There::Document { bytes, value } => {
                if !parent.holds(name, &mut Cursor::new(bytes))? {
                    return Ok(false);
                }
                let verdict = self.judge.known(bytes);
                if let Some(Verdict::Rejected { reason, certain: true, .. }) = verdict {
                    merging.keep(parent, name, &reason)?;
                }
                before = Some(value.clone());
            }
            There::Unusable { why, bytes } => {
                if let Some(bytes) = bytes
                    && merging.served
                    && merging.unusable.as_ref() != Some(bytes)
                {
                    // Half of what somebody is writing looks like this, too.
                    merging.unusable = Some(bytes.clone());
                    return Ok(false);
                }
                if let Some(bytes) = bytes
                    && !parent.holds(name, &mut Cursor::new(bytes))?
                {
                    return Ok(false);
                }
                merging.keep(parent, name, why)?;
            }
            There::Nothing if parent.kind(name)?.is_some() => return Ok(false),
            There::Nothing => {}
        }
        parent.replace(name, TARGET_MODE, &mut Cursor::new(&good.bytes))?;
        merging.unusable = None;
        log(&format!("wrote the file with {} merged into it", good.source_hash));
        merging.written = match (before, document(&good.bytes)) {
            // Before the first content is served, nobody writes from memory.
            (Some(before), Ok(after)) if merging.served => {
                Some(Written { before, after, until: Instant::now() + merging.doubt })
            }
            _ => None,
        };
        Ok(true)
    }

    fn say_applied(&mut self, status: &mut SyncStatus) {
        let (Some(good), Some(merging)) = (&self.good, &mut self.merging) else { return };
        merging.served = true;
        status.applied_hash = Some(good.source_hash.clone());
        status.migrated.clone_from(&good.migrated);
    }

    fn is_served(&self) -> bool {
        self.merging.as_ref().is_some_and(|merging| merging.served)
    }

    /// What stands under the target's name, and, the first time, what was merged into it last.
    fn there(&mut self) -> Result<(Folder, There), FolderError> {
        let parent = open_parent(&self.target)?;
        if let Some(merging) = self.merging.as_mut().filter(|merging| merging.record.is_none()) {
            merging.record = recorded(&parent);
            if let (Some(good), Some(record)) = (&mut self.good, &merging.record) {
                good.source_hash.clone_from(&record.hash);
            }
        }
        let name = self.target_name.as_os_str();
        if parent.kind(name)? == Some(Kind::Directory) {
            parent.remove_empty(name);
        }
        let is_directory = || FolderError::Write {
            path: self.target.clone(),
            source: io::ErrorKind::IsADirectory.into(),
        };
        let there = match parent.kind(name)? {
            None => There::Nothing,
            Some(Kind::File) => {
                match parent.open_file(name).map(read_bounded)? {
                    Ok(bytes) => match document(&bytes) {
                        Ok(value) => There::Document { bytes, value },
                        Err(why) => There::Unusable { why, bytes: Some(bytes) },
                    },
                    // It is too large. What cannot be read just now may be a good file.
                    Err(error) if error.kind() == io::ErrorKind::Other => {
                        There::Unusable { why: error.to_string(), bytes: None }
                    }
                    Err(source) => {
                        return Err(FolderError::Read { path: self.target.clone(), source });
                    }
                }
            }
            Some(Kind::Directory) => return Err(is_directory()),
            Some(kind @ (Kind::Link | Kind::Other)) => {
                There::Unusable { why: format!("it is {kind}"), bytes: None }
            }
        };
        Ok((parent, there))
    }
}

/// What was merged last, if it was written down and can be read.
fn recorded(parent: &Folder) -> Option<Record> {
    let name = OsStr::new(paths::MERGED_FILE);
    if parent.kind(name).ok()?? != Kind::File {
        return None;
    }
    let bytes = parent.open_file(name).ok().and_then(|file| read_bounded(file).ok());
    let record: Option<Record> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let record = record.filter(|record| record.document.is_object());
    if record.is_none() {
        log("what was merged last cannot be read: merging as if it were the first time");
    }
    record
}
