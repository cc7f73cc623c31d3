//! Puts a tree that lies ready on the agent's volume in the place of what is there.
//!
//! # Guarantees
//! - Nothing is taken away: what was there lies below [`BEFORE`] afterwards, with what was there before
//!   an earlier restore in it.
//! - A journal is written before the first rename, and everything is renamed by it. Whoever comes next,
//!   the next restore or the start of the agent, goes on where it stood.
//! - No link is followed.

use std::ffi::{OsStr, OsString};
use std::io::Cursor;

use openclaw_render::backups::{BEFORE, Outcome};
use openclaw_render::vocab::paths::{
    HOME_DIRECTORIES, HOME_DIRECTORY, SEED_RECORD, STATE_DIRECTORY, VERSION_FILE,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::create::LOCK;
use crate::pod::folder::{Folder, FolderError, Kind};
use crate::pod::read_bounded;

/// Directory at the volume's root for a restore that is under way, and what is remembered of the last.
pub(super) const WORK: &str = ".openclaw-restore";
/// HOME as it is to be, in it.
pub(super) const NEW: &str = "new";
/// What was there, until all is in its place.
pub(super) const OLD: &str = "old";
const JOURNAL: &str = "journal.json";
const DONE: &str = "done.json";
const MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o755;
/// What a file system puts at its root.
const LOST_AND_FOUND: &str = "lost+found";

/// How the agent's files lie on its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Layout {
    /// HOME is a directory of the volume.
    Home,
    /// The volume is the state directory.
    Flat,
}

/// What is to be renamed, and how far that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Journal {
    pub(super) layout: Layout,
    /// Whether all of what was there is out of the way.
    pub(super) is_cleared: bool,
    /// Version of OpenClaw that wrote what is put in place.
    pub(super) version: Option<String>,
    pub(super) done: Done,
}

/// What is remembered of a restore that came to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Which attempt it was.
    pub(super) id: String,
    pub(super) outcome: Outcome,
}

/// Returns what is remembered of the last restore.
pub(super) fn done(volume: &Folder) -> Option<Done> {
    remembered(&volume.enter(WORK).ok()?, DONE)
}

/// Begins to put the new tree in place, and comes to the end of it.
pub(super) fn begin(volume: &Folder, journal: &Journal) -> Result<Outcome, FolderError> {
    let work = volume.enter(WORK)?;
    write(&work, JOURNAL, journal)?;
    go_on(volume, &work, journal.clone())
}

/// Comes to the end of what was begun. Returns nothing if nothing was.
pub(in crate::pod) fn finish(volume: &Folder) -> Result<Option<Outcome>, FolderError> {
    if volume.kind(WORK.as_ref())? != Some(Kind::Directory) {
        return Ok(None);
    }
    let work = volume.enter(WORK)?;
    let Some(journal) = remembered::<Journal>(&work, JOURNAL) else { return Ok(None) };
    go_on(volume, &work, journal).map(Some)
}

fn go_on(volume: &Folder, work: &Folder, mut journal: Journal) -> Result<Outcome, FolderError> {
    let old = work.make(OLD, DIRECTORY_MODE)?;
    let new = work.make(NEW, DIRECTORY_MODE)?;
    if !journal.is_cleared {
        for name in in_the_way(volume, journal.layout)? {
            volume.move_to(&name, &old, &name)?;
        }
        journal.is_cleared = true;
        write(work, JOURNAL, &journal)?;
    }
    let home = match journal.layout {
        Layout::Home => {
            let has_new = new.names()?.next().is_some();
            if has_new || volume.kind(HOME_DIRECTORY.as_ref())?.is_none() {
                work.move_to(NEW.as_ref(), volume, HOME_DIRECTORY.as_ref())?;
            }
            volume.enter(HOME_DIRECTORY)?
        }
        Layout::Flat => {
            put_in_place(&new, volume)?;
            volume.enter(".")?
        }
    };
    let was_there = match journal.layout {
        Layout::Home if old.kind(HOME_DIRECTORY.as_ref())?.is_some() => {
            old.move_to(HOME_DIRECTORY.as_ref(), &home, BEFORE.as_ref())?;
            true
        }
        Layout::Flat if old.names()?.next().is_some() => {
            work.move_to(OLD.as_ref(), &home, BEFORE.as_ref())?;
            true
        }
        Layout::Home | Layout::Flat => home.kind(BEFORE.as_ref())?.is_some(),
    };
    note_version(volume, journal.version.as_deref())?;
    // Which files were made once was said of another tree.
    volume.remove(SEED_RECORD.as_ref())?;
    let mut done = journal.done;
    done.outcome.before = was_there.then(|| BEFORE.to_owned());
    write(work, DONE, &done)?;
    work.remove(JOURNAL.as_ref())?;
    for name in [NEW, OLD] {
        work.remove_empty(name.as_ref());
    }
    Ok(done.outcome)
}

/// What of the volume makes room.
fn in_the_way(volume: &Folder, layout: Layout) -> Result<Vec<OsString>, FolderError> {
    let is_kept = |name: &OsStr| match layout {
        Layout::Home => name == HOME_DIRECTORY,
        Layout::Flat => ![WORK, LOST_AND_FOUND, VERSION_FILE, LOCK].iter().any(|it| name == *it),
    };
    Ok(volume.names()?.filter(|name| is_kept(name)).collect())
}

/// The state is the volume, and what a flat volume keeps of the rest of HOME lies beside it.
fn put_in_place(new: &Folder, volume: &Folder) -> Result<(), FolderError> {
    if new.kind(STATE_DIRECTORY.as_ref())? == Some(Kind::Directory) {
        let state = new.enter(STATE_DIRECTORY)?;
        for name in state.names()?.collect::<Vec<_>>() {
            state.move_to(&name, volume, &name)?;
        }
        new.remove_empty(STATE_DIRECTORY.as_ref());
    }
    for name in HOME_DIRECTORIES {
        let is_free = volume.kind(name.as_ref())?.is_none();
        if is_free && new.kind(name.as_ref())? == Some(Kind::Directory) {
            new.move_to(name.as_ref(), volume, name.as_ref())?;
        }
    }
    Ok(())
}

/// The version that last ran on the volume is the one that wrote what lies there now.
fn note_version(volume: &Folder, version: Option<&str>) -> Result<(), FolderError> {
    match version {
        Some(version) => {
            let mut content = Cursor::new(format!("{version}\n"));
            volume.replace(VERSION_FILE.as_ref(), 0o644, &mut content)
        }
        None => volume.remove(VERSION_FILE.as_ref()),
    }
}

fn remembered<T: DeserializeOwned>(work: &Folder, name: &str) -> Option<T> {
    if work.kind(name.as_ref()).ok()? != Some(Kind::File) {
        return None;
    }
    let bytes = read_bounded(work.open_file(name.as_ref()).ok()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn write(work: &Folder, name: &str, what: &impl Serialize) -> Result<(), FolderError> {
    let mut content = Cursor::new(serde_json::to_vec(what).unwrap_or_default());
    work.replace(name.as_ref(), MODE, &mut content)
}
