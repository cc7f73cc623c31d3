//! `pod seed`: performs a [`SeedPlan`] on the agent's volumes and copies the helper out.
//!
//! # Guarantees
//! - A plan with one bad path, mode or key writes nothing at all.
//! - Nothing outside the two roots is written, whatever links the agent has put into them.
//! - Killed at any moment and run again, it ends in the same tree; run twice, it changes nothing.
//! - What the agent has put in place of something that the pod can do without stays, and is named
//!   in the log. HOME and the state must be directories.
//! - What the agent has changed or deleted stays so until its source changes, see [`record`].
//! - It stops at the first failure and says which path, also in the termination log. Only a newer
//!   text of a file that is kept up to date may fail: the agent runs without it.

mod record;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use openclaw_render::seed::{
    POD_PROTOCOL, SeedDirectory, SeedFile, SeedPlan, SeedPolicy, SeedRoot, check_path,
    content_hash, mode_bits,
};
use openclaw_render::vocab::paths;
use record::Record;
use rustix::fs::Mode;
use serde_json::Value;

use super::backup::swap;
use super::folder::{Folder, FolderError, Kind};
use super::{leave_last_words, read_mounted};
use crate::error::chain;

/// Parents that the plan does not list are open to read and closed to write for others.
const PARENT_MODE: u32 = 0o755;
/// The agent's own containers execute the helper.
const HELPER_MODE: u32 = 0o755;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The seed plan, a JSON file.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: PathBuf,
    /// Directory that holds the contents which the plan names by key.
    #[arg(long, value_name = "DIR")]
    pub(crate) contents: PathBuf,
    /// Root of the data volume.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Root of the scratch volume.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: PathBuf,
    /// Where this program copies itself to, with mode 0755.
    #[arg(long, value_name = "FILE")]
    pub(crate) helper_to: PathBuf,
    /// Where the reason of a failure is written, for the container's status.
    #[arg(long, value_name = "FILE")]
    pub(crate) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error("failed to read plan {path:?}")]
    ReadPlan { path: PathBuf, source: io::Error },
    #[error("failed to decode plan {path:?}")]
    DecodePlan { path: PathBuf, source: serde_json::Error },
    #[error("failed to accept plan: its version is {found}, this program performs {POD_PROTOCOL}")]
    AcceptVersion { found: Value },
    #[error("failed to accept path {path:?}: it {reason}")]
    AcceptPath { path: String, reason: &'static str },
    #[error("failed to accept mode {mode:?} of {path:?}: it is not octal, or above 1777")]
    AcceptMode { path: String, mode: String },
    #[error("failed to accept content key {key:?} of {path:?}: it is no ConfigMap key")]
    AcceptKey { path: String, key: String },
    #[error("failed to read content {key:?} of {path:?}")]
    ReadContent { path: String, key: String, source: io::Error },
    #[error("failed to seed directory {path:?}")]
    SeedDirectory { path: String, source: FolderError },
    #[error("failed to seed file {path:?}")]
    SeedFile { path: String, source: FolderError },
    #[error("failed to seed file {path:?}: there is a directory of that name")]
    ReplaceDirectory { path: String },
    #[error("failed to come to the end of a restore")]
    Restore { source: FolderError },
    #[error("failed to open this program's own executable")]
    OpenHelper { source: io::Error },
    #[error("failed to copy this program to {path:?}")]
    CopyHelper { path: PathBuf, source: FolderError },
    #[error("failed to copy this program to {path:?}: it is no path of a file")]
    NameHelper { path: PathBuf },
}

/// Runs `pod seed`.
pub(crate) fn run(arguments: &Arguments) -> Result<(), SeedError> {
    // Modes are the plan's business alone.
    rustix::process::umask(Mode::empty());
    let outcome = seed(arguments);
    if let Err(error) = &outcome {
        leave_last_words(&arguments.termination_log, &chain(error));
    }
    outcome
}

fn seed(arguments: &Arguments) -> Result<(), SeedError> {
    let plan = read_plan(&arguments.plan)?;
    accept(&plan)?;
    // A restore that was killed half-way comes to its end before anything is looked at.
    let volume = |source| SeedError::Restore { source };
    swap::finish(&Folder::open(&arguments.data).map_err(volume)?).map_err(volume)?;
    let seeder = Seeder { arguments };
    seeder.sweep(&plan);
    for directory in &plan.directories {
        seeder.directory(directory)?;
    }
    seeder.join_home_and_state(&plan);
    let mut record = seeder.record();
    for file in &plan.files {
        seeder.file(file, &plan, &mut record)?;
    }
    seeder.remove_what_is_gone(&plan, &mut record);
    seeder.keep(&record);
    copy_helper(&arguments.helper_to)
}

fn read_plan(path: &Path) -> Result<SeedPlan, SeedError> {
    let bytes = read_mounted(path)
        .map_err(|source| SeedError::ReadPlan { path: path.to_owned(), source })?;
    let decode = |source| SeedError::DecodePlan { path: path.to_owned(), source };
    // The version comes first: a plan of another version may have other fields.
    let value: Value = serde_json::from_slice(&bytes).map_err(decode)?;
    match value.get("version") {
        Some(version) if version.as_u64() != Some(POD_PROTOCOL.into()) => {
            Err(SeedError::AcceptVersion { found: version.clone() })
        }
        Some(_) | None => serde_json::from_value(value).map_err(decode),
    }
}

/// Checks everything that can be checked without touching a volume.
fn accept(plan: &SeedPlan) -> Result<(), SeedError> {
    let directories = plan.directories.iter().map(|directory| (&directory.path, &directory.mode));
    let files = plan.files.iter().map(|file| (&file.path, &file.mode));
    for (path, mode) in directories.chain(files) {
        check_path(path).map_err(|reason| SeedError::AcceptPath { path: path.clone(), reason })?;
        accepted_mode(path, mode)?;
    }
    for SeedFile { path, key, .. } in &plan.files {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || key == "." || key == ".." || !key.chars().all(allowed) {
            return Err(SeedError::AcceptKey { path: path.clone(), key: key.clone() });
        }
    }
    Ok(())
}

fn accepted_mode(path: &str, mode: &str) -> Result<u32, SeedError> {
    mode_bits(mode)
        .ok_or_else(|| SeedError::AcceptMode { path: path.to_owned(), mode: mode.to_owned() })
}

struct Seeder<'a> {
    arguments: &'a Arguments,
}

impl Seeder<'_> {
    fn root(&self, root: SeedRoot) -> Result<Folder, FolderError> {
        Folder::open(match root {
            SeedRoot::Data => &self.arguments.data,
            SeedRoot::Scratch => &self.arguments.scratch,
        })
    }

    /// The directory that holds a path, its missing parts made; and the path's last name.
    fn parent<'p>(&self, root: SeedRoot, path: &'p str) -> Result<(Folder, &'p str), FolderError> {
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut folder = self.root(root)?;
        for parent in parents.split('/').filter(|parent| !parent.is_empty()) {
            folder = folder.make(parent, PARENT_MODE)?;
        }
        Ok((folder, name))
    }

    /// Removes what a killed run left in the directories of this plan's files.
    fn sweep(&self, plan: &SeedPlan) {
        let parents: BTreeSet<_> = plan
            .files
            .iter()
            .map(|file| (file.root, file.path.rsplit_once('/').map_or("", |(parent, _)| parent)))
            .collect();
        for (root, parent) in parents {
            let Ok(mut folder) = self.root(root) else { continue };
            let mut names = parent.split('/').filter(|name| !name.is_empty());
            if names.all(|name| folder.enter(name).map(|inner| folder = inner).is_ok()) {
                folder.sweep();
            }
        }
    }

    fn directory(&self, directory: &SeedDirectory) -> Result<(), SeedError> {
        let SeedDirectory { root, path, mode } = directory;
        let mode = accepted_mode(path, mode)?;
        let make = || {
            self.parent(*root, path).and_then(|(parent, name)| parent.make(name, mode)).map(drop)
        };
        let mut outcome = make();
        if matches!(outcome, Err(FolderError::Enter { .. })) && is_mounted(*root, path) {
            let set_aside =
                self.parent(*root, path).and_then(|(parent, name)| parent.set_aside(name));
            if let Ok(aside) = set_aside {
                log(&format!("{path} was no directory and is {aside} now"));
                outcome = make();
            }
        }
        match outcome {
            Err(error @ FolderError::Enter { .. }) if !is_needed(*root, path) => {
                log(&format!("{path} is left out: {}", chain(&error)));
                Ok(())
            }
            outcome => {
                outcome.map_err(|source| SeedError::SeedDirectory { path: path.clone(), source })
            }
        }
    }

    /// Makes `~/.openclaw/.local` the same as `~/.local`, and so on, as they are on a flat volume:
    /// users name either in PATH. What is there already stays, and a pod starts without them.
    fn join_home_and_state(&self, plan: &SeedPlan) {
        let is_listed = |name: &str| {
            let path = format!("{}/{name}", paths::HOME_DIRECTORY);
            plan.directories.iter().any(|each| each.root == SeedRoot::Data && each.path == path)
        };
        if !is_listed(paths::STATE_DIRECTORY) {
            return;
        }
        let join = |name: &str| {
            let home = self.root(SeedRoot::Data)?.enter(paths::HOME_DIRECTORY)?;
            home.enter(paths::STATE_DIRECTORY)?.link(name, &format!("../{name}"))
        };
        for name in paths::HOME_DIRECTORIES.iter().filter(|name| is_listed(name)) {
            if let Err(error) = join(name) {
                log(&format!("{}/{name} is left out: {}", paths::STATE_DIRECTORY, chain(&error)));
            }
        }
    }

    fn file(&self, file: &SeedFile, plan: &SeedPlan, record: &mut Record) -> Result<(), SeedError> {
        let SeedFile { root, path, key, mode, policy } = file;
        let mode = accepted_mode(path, mode)?;
        let bytes = read_mounted(&self.arguments.contents.join(key)).map_err(|source| {
            SeedError::ReadContent { path: path.clone(), key: key.clone(), source }
        })?;
        let source = content_hash(&bytes);
        let mut content = Cursor::new(bytes);
        let failed = |source| SeedError::SeedFile { path: path.clone(), source };
        let (parent, name) = match (self.parent(*root, path), policy) {
            // From the moment it was made, the file and where it lay have been the agent's.
            (
                Err(error @ FolderError::Enter { .. }),
                SeedPolicy::CreateOnly | SeedPolicy::WhenNew | SeedPolicy::Replace,
            ) => {
                log(&format!("{path} is left out: {}", chain(&error)));
                return Ok(());
            }
            (parent, _) => parent.map_err(failed)?,
        };
        let last = record.source(file).map(str::to_owned);
        let there = parent.kind(name.as_ref()).map_err(failed)?;
        let name_bytes = name.as_ref();
        match (policy, there, last) {
            (SeedPolicy::CreateOnly | SeedPolicy::WhenNew, Some(_), _)
            | (SeedPolicy::CreateOnly | SeedPolicy::WhenNew, None, Some(_)) => {}
            (SeedPolicy::WhenNew, None, None) if !is_new(&parent, file, plan) => {}
            (SeedPolicy::CreateOnly | SeedPolicy::WhenNew, None, None) => {
                parent.create(name_bytes, mode, &mut content).map_err(failed)?;
            }
            (SeedPolicy::Replace, _, Some(last)) if last == source => {}
            (SeedPolicy::Replace, Some(Kind::Directory), _) => {
                log(&format!("{path} is left out: there is a directory of that name"));
                return Ok(());
            }
            (SeedPolicy::Converge, Some(Kind::Directory), _) => {
                return Err(SeedError::ReplaceDirectory { path: path.clone() });
            }
            // Bytes alone decide: the kubelet changes modes on volumes, for the pod's group.
            (SeedPolicy::Converge | SeedPolicy::Replace, Some(Kind::File), _)
                if parent.holds(name_bytes, &mut content).map_err(failed)? => {}
            (SeedPolicy::Replace, there, last) => {
                let is_others = there.is_some() && last.is_none();
                // The agent runs without the newest text of such a file: a full volume, or one that
                // knows no such rename, must not keep it from starting.
                if let Err(error) = replace(&parent, name, mode, &mut content, is_others) {
                    log(&format!("{path} is left out: {}", chain(&error)));
                    return Ok(());
                }
            }
            (SeedPolicy::Converge, _, _) => {
                parent.replace(name_bytes, mode, &mut content).map_err(failed)?;
            }
        }
        record.remember(file, source);
        Ok(())
    }

    /// What is remembered of earlier runs. Without it, everything that is there is the agent's.
    fn record(&self) -> Record {
        self.root(SeedRoot::Data).map(|root| Record::read(&root)).unwrap_or_default()
    }

    /// A pod whose volume takes no record starts all the same.
    fn keep(&self, record: &Record) {
        let kept = self.root(SeedRoot::Data).and_then(|root| record.write(&root));
        if let Err(error) = kept {
            log(&format!("what was seeded is not remembered: {}", chain(&error)));
        }
    }

    /// Removes the files that are no longer wanted, unless the agent has changed them.
    fn remove_what_is_gone(&self, plan: &SeedPlan, record: &mut Record) {
        for (path, source) in record.forget_all_but(&plan.files) {
            let (parents, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let mut names = parents.split('/').filter(|name| !name.is_empty());
            let Ok(mut folder) = self.root(SeedRoot::Data) else { continue };
            if !names.all(|name| folder.enter(name).map(|inner| folder = inner).is_ok()) {
                continue;
            }
            match folder.remove_file_of(name.as_ref(), &source) {
                Ok(true) => log(&format!("{path} is not wanted any more and was removed")),
                Ok(false) => {}
                Err(error) => log(&format!("{path} stays: {}", chain(&error))),
            }
        }
    }
}

/// Puts a content in the place of what is there; of somebody else, that gets another name.
fn replace(
    parent: &Folder,
    name: &str,
    mode: u32,
    content: &mut Cursor<Vec<u8>>,
    is_others: bool,
) -> Result<(), FolderError> {
    if is_others {
        let aside = parent.set_aside(name)?;
        log(&format!("{name} was there before and is {aside} now"));
        return parent.create(name.as_ref(), mode, content);
    }
    parent.replace(name.as_ref(), mode, content)
}

/// Whether the directory of a file holds nothing but what the plan has put there.
fn is_new(parent: &Folder, file: &SeedFile, plan: &SeedPlan) -> bool {
    let (directory, _) = file.path.rsplit_once('/').unwrap_or_default();
    let below = |path: &str| {
        let rest = path.strip_prefix(directory)?;
        let rest = rest.strip_prefix('/').or(directory.is_empty().then_some(rest))?;
        rest.split('/').next().map(str::to_owned)
    };
    let files = plan.files.iter().filter(|each| each.root == file.root).map(|each| &each.path);
    let directories =
        plan.directories.iter().filter(|each| each.root == file.root).map(|each| &each.path);
    let planned: BTreeSet<String> =
        files.chain(directories).filter_map(|path| below(path)).collect();
    parent.holds_only(&planned)
}

/// Whether a pod without this directory would not start, or would start without its state.
fn is_needed(root: SeedRoot, path: &str) -> bool {
    let state = format!("{}/{}", paths::HOME_DIRECTORY, paths::STATE_DIRECTORY);
    root == SeedRoot::Scratch || path == paths::HOME_DIRECTORY || path == state
}

/// Whether the agent's container mounts this directory of a flat volume, which the kubelet refuses
/// for a link.
fn is_mounted(root: SeedRoot, path: &str) -> bool {
    root == SeedRoot::Data && paths::HOME_DIRECTORIES.contains(&path)
}

fn log(line: &str) {
    super::log("init-config", line);
}

pub(super) fn copy_helper(path: &Path) -> Result<(), SeedError> {
    let mut program = std::env::current_exe()
        .and_then(File::open)
        .map_err(|source| SeedError::OpenHelper { source })?;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(SeedError::NameHelper { path: path.to_owned() });
    };
    let failed = |source| SeedError::CopyHelper { path: path.to_owned(), source };
    let folder = Folder::open(parent).map_err(failed)?;
    folder.sweep();
    let is_file = folder.kind(name).map_err(failed)? == Some(Kind::File);
    if is_file && folder.holds(name, &mut program).map_err(failed)? {
        return Ok(());
    }
    folder.replace(name, HELPER_MODE, &mut program).map_err(failed)
}
