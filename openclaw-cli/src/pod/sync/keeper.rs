//! [`Keeper`]: one look at source and target, and what follows from it.

mod merging;

use std::ffi::OsString;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use openclaw_render::seed::{POD_PROTOCOL, SyncStatus, content_hash};

use super::judge::Judge;
use super::migration::{Migrator, Outcome, Progress};
use super::validator::Verdict;
use super::{SyncError, log};
use crate::pod::folder::{Folder, FolderError, Kind};
use crate::pod::{read_bounded, read_mounted};
pub(super) use merging::Merging;

/// The configuration is the agent's own business, not that of other users.
const TARGET_MODE: u32 = 0o600;

#[derive(Debug, thiserror::Error)]
enum PutError {
    #[error("failed to write target {path:?}: there is a directory of that name, with content")]
    Replace { path: PathBuf },
    #[error("failed to write target")]
    Write { source: FolderError },
}

/// A content that the application accepts.
struct Good {
    bytes: Vec<u8>,
    /// The content that it came from, and how it differs from that one if the application's
    /// migration made it.
    source_hash: String,
    migrated: Vec<String>,
}

/// What a wanted content has come to.
enum Found {
    Good(Good),
    /// The application does not take it: what is good stays.
    Refused,
    /// Nothing can be said yet.
    Later,
}

pub(super) struct Keeper {
    source: PathBuf,
    target: PathBuf,
    target_name: OsString,
    judge: Judge,
    migrator: Migrator,
    memory: Folder,
    memory_name: OsString,
    /// The content that the target must hold.
    good: Option<Good>,
    /// In mode `merge`: what is known of the agent's own part of the target.
    merging: Option<Merging>,
    /// What the last pass said, so that only news is logged.
    last: SyncStatus,
}

impl Keeper {
    /// Takes up what an earlier run in the same pod found valid.
    pub(super) fn new(
        source: PathBuf,
        target: PathBuf,
        memory: Folder,
        fingerprint: &str,
        mut judge: Judge,
        migrator: Migrator,
        merging: Option<Merging>,
    ) -> Result<Self, SyncError> {
        let Some(target_name) = target.file_name().map(ToOwned::to_owned) else {
            return Err(SyncError::NameTarget { path: target });
        };
        memory.sweep();
        if let Ok(parent) = open_parent(&target) {
            parent.sweep();
        }
        // Another validator may judge otherwise, so its memory is another file.
        let memory_name = OsString::from(format!("last-good-{fingerprint}.json"));
        let good = memory.open_file(&memory_name).ok().and_then(|file| read_bounded(file).ok());
        if let Some(good) = &good {
            judge.remember(good.clone(), Verdict::Valid);
        }
        let good = good.map(|bytes| Good::known(bytes, &migrator));
        let last = SyncStatus::default();
        Ok(Self {
            source,
            target,
            target_name,
            judge,
            migrator,
            memory,
            memory_name,
            good,
            merging,
            last,
        })
    }

    /// Looks at both files once and does what is to be done.
    pub(super) fn pass(&mut self) -> SyncStatus {
        let mut status = SyncStatus { protocol: POD_PROTOCOL, ..SyncStatus::default() };
        match read_mounted(&self.source) {
            Err(error) => {
                status.message = Some(format!("failed to read {}: {error}", self.source.display()));
                self.migrator.stop();
                self.stay(&mut status);
            }
            Ok(bytes) if self.merging.is_some() => self.merge(&bytes, &mut status),
            Ok(bytes) => self.overwrite(bytes, &mut status),
        }
        status.free_bytes = open_parent(&self.target).and_then(|parent| parent.free_bytes()).ok();
        self.log_news(&status);
        self.last = status.clone();
        status
    }

    /// Makes the target hold the wanted content, if the application accepts it.
    fn overwrite(&mut self, bytes: Vec<u8>, status: &mut SyncStatus) {
        let hash = content_hash(&bytes);
        status.source_hash = Some(hash.clone());
        match self.find(bytes, None, hash, status) {
            Found::Good(good) => self.keep(good),
            Found::Refused => self.fall_back(),
            Found::Later => {}
        }
        self.put_good(status);
    }

    /// Makes the target hold what is good, without anything that is wanted.
    fn stay(&mut self, status: &mut SyncStatus) {
        if self.merging.is_some() {
            return self.stay_merged(status);
        }
        self.fall_back();
        self.put_good(status);
    }

    /// Finds out what is to become of a content that was made of the one with this hash. `strict` is
    /// the same as JSON, if it may be something else.
    fn find(
        &mut self,
        bytes: Vec<u8>,
        strict: Option<&[u8]>,
        hash: String,
        status: &mut SyncStatus,
    ) -> Found {
        let for_migration = strict.unwrap_or(&bytes);
        self.migrator.give_way_to(&content_hash(for_migration));
        let (reason, issues) = match self.judge.verdict(&bytes) {
            Verdict::Rejected { reason, certain: true, issues } => (reason, issues),
            Verdict::Valid => {
                let migrated = self.migrator.origin(&bytes).map(|(_, changes)| changes);
                let migrated = migrated.filter(|_| strict.is_some()).unwrap_or_default();
                return Found::Good(Good { bytes, source_hash: hash, migrated });
            }
            Verdict::Rejected { reason, .. } => {
                status.message = Some(format!("not accepted yet: {reason}"));
                return Found::Refused;
            }
            // Most likely nothing else can be judged either.
            Verdict::Unknown { reason } => {
                status.message = Some(format!("not judged yet: {reason}"));
                return Found::Later;
            }
        };
        match self.migrator.look(for_migration, &issues) {
            Progress::Running => {
                let message = format!("the application's own migration is at work on it: {reason}");
                status.message = Some(message);
                Found::Later
            }
            Progress::Ended(Outcome::Migrated { content, changes }) => {
                let bytes = content.into_bytes();
                Found::Good(Good { bytes, source_hash: hash, migrated: changes })
            }
            Progress::Ended(Outcome::Refused { why }) => {
                let message = match why {
                    Some(why) => format!("{reason}; its migration failed: {why}"),
                    None => reason,
                };
                status.rejected_hash = Some(hash);
                status.message = Some(format!("rejected by the application: {message}"));
                Found::Refused
            }
        }
    }

    /// Ends what still runs.
    pub(super) fn stop(&mut self) {
        self.migrator.stop();
    }

    /// Without a content that this run knows to be good, the target's own may be: an earlier pod,
    /// or the operator before us, wrote it.
    fn fall_back(&mut self) {
        if self.good.is_some() {
            return;
        }
        let found = open_parent(&self.target)
            .and_then(|parent| parent.open_file(&self.target_name))
            .ok()
            .filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()))
            .and_then(|file| read_bounded(file).ok());
        if let Some(bytes) = found
            && matches!(self.judge.verdict(&bytes), Verdict::Valid)
        {
            self.keep(Good::known(bytes, &self.migrator));
        }
    }

    fn keep(&mut self, good: Good) {
        if self.good.as_ref().is_none_or(|old| old.bytes != good.bytes) {
            let mut bytes = Cursor::new(&good.bytes);
            let remembered = self.memory.replace(&self.memory_name, TARGET_MODE, &mut bytes);
            if let Err(error) = remembered {
                // Costs one more validation after a restart, nothing else.
                log(&format!("last good content not remembered: {}", crate::error::chain(&error)));
            }
        }
        self.good = Some(good);
    }

    /// Makes the target hold the good content, if there is one.
    fn put_good(&self, status: &mut SyncStatus) {
        let Some(good) = &self.good else { return };
        let hash = good.source_hash.clone();
        match self.put(&good.bytes) {
            Ok(written) => {
                if written && self.last.applied_hash.as_ref() == Some(&hash) {
                    log(&format!("restored {hash}: somebody else had changed the file"));
                }
                status.applied_hash = Some(hash);
                status.migrated.clone_from(&good.migrated);
            }
            Err(error) => say_first(status, crate::error::chain(&error)),
        }
    }

    fn put(&self, bytes: &[u8]) -> Result<bool, PutError> {
        let failed = |source| PutError::Write { source };
        let parent = open_parent(&self.target).map_err(failed)?;
        let mut content = Cursor::new(bytes);
        if parent.kind(&self.target_name).map_err(failed)? == Some(Kind::Directory) {
            parent.remove_empty(&self.target_name);
        }
        match parent.kind(&self.target_name).map_err(failed)? {
            Some(Kind::Directory) => {
                return Err(PutError::Replace { path: self.target.clone() });
            }
            Some(Kind::File)
                if parent.holds(&self.target_name, &mut content).map_err(failed)? =>
            {
                return Ok(false);
            }
            // A link is replaced, and what it leads to left alone.
            Some(Kind::File | Kind::Link | Kind::Other) | None => {}
        }
        parent.replace(&self.target_name, TARGET_MODE, &mut content).map_err(failed)?;
        Ok(true)
    }

    fn log_news(&self, status: &SyncStatus) {
        if status.applied_hash != self.last.applied_hash
            && let Some(hash) = &status.applied_hash
        {
            match status.migrated.join(", ") {
                changes if changes.is_empty() => log(&format!("applied {hash}")),
                changes => log(&format!("applied {hash}, migrated by the application: {changes}")),
            }
        }
        if status.set_aside != self.last.set_aside
            && let Some(what) = &status.set_aside
        {
            log(&format!("set aside: {what}"));
        }
        if status.message != self.last.message
            && let Some(message) = &status.message
        {
            log(message);
        }
    }
}

impl Good {
    /// A content that is there, with what is known of where it came from.
    fn known(bytes: Vec<u8>, migrator: &Migrator) -> Self {
        let (source_hash, migrated) =
            migrator.origin(&bytes).unwrap_or_else(|| (content_hash(&bytes), Vec::new()));
        Self { bytes, source_hash, migrated }
    }
}

/// Says what hinders before what else there is to say.
fn say_first(status: &mut SyncStatus, error: String) {
    status.message = Some(match status.message.take() {
        Some(message) => format!("{error}; {message}"),
        None => error,
    });
}

/// The agent owns the directories above its file, so the nearest one must not be a link.
fn open_parent(target: &Path) -> Result<Folder, FolderError> {
    Folder::open_itself(target.parent().unwrap_or(Path::new("")))
}
