//! [`Staged`]: what was fetched, and where HOME and the state are in it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use openclaw_render::Version;
use openclaw_render::backups::{
    BEFORE, FETCHED, Fetched, MANIFEST, Manifest, OTHER_ARCHIVE, STATE_ARCHIVE, TREE,
};
use openclaw_render::vocab::paths::{SEED_RECORD, STATE_DIRECTORY, VERSION_FILE};
use serde_json::Value;

use super::super::fetch::CONFIGURATION;
use super::super::members::{self, Archive};
use super::super::store::decode;
use super::super::swap::WORK;
use super::super::{Limits, create, digest_of_file};
use super::{Arguments, DEEPEST_STATE, RestoreError};

/// What follows the archive's own directory in the application's archives.
const PAYLOAD: &str = "payload/posix";

/// What was fetched.
pub(super) struct Staged {
    archives: Vec<(PathBuf, Base)>,
    tree: Option<PathBuf>,
    /// Version of OpenClaw that wrote it, if it tells.
    pub(super) version: Option<String>,
    pub(super) size: u64,
}

/// Where HOME and the state are in an archive.
#[derive(Clone, Debug)]
enum Base {
    /// The archive is HOME.
    Home,
    /// The state directory is this; beside it there is nothing of interest.
    State(PathBuf),
    /// The state directory is this one, and lies in HOME.
    StateInHome(PathBuf),
}

impl Base {
    /// Returns where a member goes in HOME.
    fn place(&self, member: &Path) -> Option<PathBuf> {
        let in_state =
            |state: &Path| Some(Path::new(STATE_DIRECTORY).join(member.strip_prefix(state).ok()?));
        let placed = match self {
            Self::Home => Some(member.to_owned()),
            Self::State(state) => in_state(state),
            Self::StateInHome(state) => in_state(state)
                .or_else(|| Some(member.strip_prefix(state.parent()?).ok()?.to_owned())),
        }?;
        (!placed.as_os_str().is_empty() && !is_ours(&placed)).then_some(placed)
    }
}

/// What another volume has remembered of itself says nothing of this one.
fn is_ours(path: &Path) -> bool {
    let inner = path.strip_prefix(STATE_DIRECTORY).unwrap_or(path);
    let first = inner.components().next().map(std::path::Component::as_os_str);
    first.is_some_and(|first| {
        [WORK, BEFORE, SEED_RECORD, VERSION_FILE, create::LOCK].iter().any(|ours| first == *ours)
    })
}

impl Staged {
    pub(super) fn read(arguments: &Arguments, limits: &Limits) -> Result<Self, RestoreError> {
        let archives = &arguments.archives;
        let path = archives.join(FETCHED);
        let text = fs::read(&path).map_err(|source| RestoreError::Read { path, source })?;
        let kind: Fetched =
            serde_json::from_slice(&text).map_err(|source| RestoreError::Fetched { source })?;
        match kind {
            Fetched::Backup => Self::backup(archives, &arguments.home),
            Fetched::Tree => {
                let tree = archives.join(TREE);
                let configuration = fs::read(tree.join(CONFIGURATION)).unwrap_or_default();
                let size = create::size(&tree, limits).map_err(RestoreError::Backup)?;
                let version = version_in(&configuration);
                Ok(Self { archives: Vec::new(), tree: Some(tree), version, size })
            }
            Fetched::Archive => Self::other(&archives.join(OTHER_ARCHIVE), limits),
        }
    }

    /// A backup of ours. The archive that the application has made holds paths of its own.
    fn backup(archives: &Path, home: &Path) -> Result<Self, RestoreError> {
        let path = archives.join(MANIFEST);
        let text = fs::read(&path).map_err(|source| RestoreError::Read { path, source })?;
        let manifest: Manifest =
            decode(&text).map_err(|source| RestoreError::Manifest { source })?;
        let mut all = Vec::new();
        let mut total = 0_u64;
        for file in manifest.files {
            let path = archives.join(&file.name);
            let found = digest_of_file(&path)
                .map_err(|source| RestoreError::Read { path: path.clone(), source })?;
            if found != (file.size, file.sha256) {
                return Err(RestoreError::Damaged { name: file.name });
            }
            total = total.saturating_add(file.size);
            let base = if file.name == STATE_ARCHIVE {
                let home = home.strip_prefix("/").unwrap_or(home);
                Base::StateInHome(Path::new(PAYLOAD).join(home).join(STATE_DIRECTORY))
            } else {
                Base::Home
            };
            all.push((path, base));
        }
        Ok(Self { archives: all, tree: None, version: manifest.version, size: total })
    }

    /// Somebody else's archive: of the application, of a state directory, or with one in it.
    fn other(file: &Path, limits: &Limits) -> Result<Self, RestoreError> {
        let mut states: Vec<PathBuf> = Vec::new();
        let mut payload = None;
        members::read(file, limits, |path, entry| {
            let depth = path.components().count();
            let root = path.components().next().map(|it| PathBuf::from(it.as_os_str()));
            if let Some(root) = root.filter(|root| path.starts_with(root.join(PAYLOAD))) {
                payload = Some(root);
            }
            let is_file = entry.header().entry_type().is_file();
            if is_file && depth <= DEEPEST_STATE && path.file_name() == Some(CONFIGURATION.as_ref())
            {
                states.push(path.parent().unwrap_or(Path::new("")).to_owned());
            }
            Ok(())
        })?;
        let size = file
            .metadata()
            .map_err(|source| RestoreError::Read { path: file.to_owned(), source })?
            .len();
        let (base, version) = if let Some(root) = payload {
            let text = members::text(file, &root.join(MANIFEST), limits)?.unwrap_or_default();
            of_application(&text).ok_or(RestoreError::OwnManifest)?
        } else {
            let state = shallowest(states)?;
            let text = members::text(file, &state.join(CONFIGURATION), limits)?;
            (Base::State(state), version_in(&text.unwrap_or_default()))
        };
        Ok(Self { archives: vec![(file.to_owned(), base)], tree: None, version, size })
    }

    /// Returns the space that is needed.
    pub(super) fn check(&self, limits: &Limits) -> Result<u64, RestoreError> {
        let mut links = BTreeSet::new();
        let mut size = self.tree.as_ref().map_or(0, |_| self.size);
        for (file, base) in &self.archives {
            let place = placed(base);
            let archive = Archive { file, place: &place };
            size = size.saturating_add(archive.check(&mut links, limits)?);
        }
        Ok(size)
    }

    pub(super) fn unpack(&self, home: &Path, limits: &Limits) -> Result<(), RestoreError> {
        for (file, base) in &self.archives {
            let place = placed(base);
            Archive { file, place: &place }.unpack(home, limits)?;
        }
        if let Some(tree) = &self.tree {
            copy(tree, &home.join(STATE_DIRECTORY), limits)?;
        }
        Ok(())
    }
}

/// In the application's archives, everything lies in a directory of the archive's own name.
fn placed(base: &Base) -> impl Fn(&Path) -> Option<PathBuf> {
    let base = base.clone();
    move |member| match &base {
        Base::StateInHome(_) => base.place(&member.components().skip(1).collect::<PathBuf>()),
        Base::Home | Base::State(_) => base.place(member),
    }
}

fn shallowest(mut states: Vec<PathBuf>) -> Result<PathBuf, RestoreError> {
    states.sort_by_key(|state| (state.components().count(), state.clone()));
    states.dedup();
    let mut states = states.into_iter();
    let one = states.next().ok_or(RestoreError::NoState)?;
    match states.next() {
        Some(other) if other.components().count() == one.components().count() => {
            Err(RestoreError::Ambiguous { one, other })
        }
        Some(_) | None => Ok(one),
    }
}

/// Where the state lies in an archive of the application's, by its own manifest.
fn of_application(manifest: &[u8]) -> Option<(Base, Option<String>)> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let state = Path::new(manifest.pointer("/paths/stateDir")?.as_str()?);
    let inner = state.strip_prefix("/").ok()?;
    let version = manifest.get("runtimeVersion").and_then(Value::as_str).map(str::to_owned);
    Some((Base::StateInHome(Path::new(PAYLOAD).join(inner)), version))
}

/// The version that has written a configuration last.
fn version_in(configuration: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(configuration).ok()?;
    let version = document.pointer("/meta/lastTouchedVersion")?.as_str()?.to_owned();
    Version::from_tag(&version).map(|_| version)
}

/// Copies files and directories. What was fetched has nothing else.
fn copy(from: &Path, to: &Path, limits: &Limits) -> Result<(), RestoreError> {
    let mut left = vec![PathBuf::new()];
    while let Some(inner) = left.pop() {
        if limits.is_over() {
            return Err(RestoreError::Late);
        }
        let (here, there) = (from.join(&inner), to.join(&inner));
        let failed = |source| RestoreError::Read { path: here.clone(), source };
        let unwritten = |source| RestoreError::Write { path: there.clone(), source };
        let found = here.symlink_metadata().map_err(failed)?;
        if found.is_dir() {
            members::make_directories(&there).map_err(unwritten)?;
            for entry in fs::read_dir(&here).map_err(failed)? {
                let inner = inner.join(entry.map_err(failed)?.file_name());
                if !is_ours(&Path::new(STATE_DIRECTORY).join(&inner)) {
                    left.push(inner);
                }
            }
        } else if found.is_file() {
            let mut file = members::new_file(&there).map_err(unwritten)?;
            let mut source = File::open(&here).map_err(failed)?;
            io::copy(&mut source, &mut file).map_err(unwritten)?;
            let _ = found.modified().map(|modified| file.set_modified(modified));
        }
    }
    Ok(())
}
