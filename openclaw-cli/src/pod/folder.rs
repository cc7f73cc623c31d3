//! [`Folder`]: an open directory, through which single names are looked at and written.
//!
//! # Guarantees
//! - No link is followed: every call takes one name, relative to a descriptor.
//! - A name holds the old file or the new one, at any moment and after a crash.
//! - What a killed run leaves behind is named `.openclaw-write-*.tmp`; [`Folder::sweep`] removes it.

mod error;
mod moves;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use error::{FolderError, Kind};
use openclaw_render::seed::content_hash;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

const TEMPORARY_PREFIX: &str = ".openclaw-write-";
const TEMPORARY_SUFFIX: &str = ".tmp";
/// A copy is for the agent alone, as what it is a copy of may be.
const COPY_MODE: u32 = 0o600;
/// How many names are tried that others may have taken.
const ATTEMPTS: u32 = 64;

/// An open directory and the path that it is known by in messages.
#[derive(Debug)]
pub(crate) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a directory that the pod mounts, links in its path allowed.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        Self::open_with(path, OFlags::empty())
    }

    /// Opens a directory whose last name must not be a link.
    pub(crate) fn open_itself(path: &Path) -> Result<Self, FolderError> {
        Self::open_with(path, OFlags::NOFOLLOW)
    }

    fn open_with(path: &Path, flags: OFlags) -> Result<Self, FolderError> {
        // The parent of a bare file name is written as an empty path.
        let named = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = flags | OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(named, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Self { descriptor, path: path.to_owned() }),
            Err(errno) => Err(FolderError::Open { path: path.to_owned(), source: errno.into() }),
        }
    }

    /// The directory of this name, made with exactly this mode if the name is free.
    ///
    /// A directory that exists is entered as it is; anything else of that name is an error. The
    /// set-group-id bit that a new directory inherits is kept: it is how the kubelet gives volumes
    /// to the pod's group. Expects the process to have an empty umask, so that the mode is right
    /// from the beginning.
    pub(crate) fn make(&self, name: &str, mode: u32) -> Result<Self, FolderError> {
        let failed =
            |errno: Errno| FolderError::Make { path: self.join(name), source: errno.into() };
        let wanted = Mode::from_raw_mode(mode);
        match rustix::fs::mkdirat(&self.descriptor, name, wanted) {
            Ok(()) => {}
            Err(Errno::EXIST) => return self.enter(name),
            Err(errno) => return Err(failed(errno)),
        }
        let folder = self.enter(name)?;
        let stat = rustix::fs::fstat(&folder.descriptor).map_err(failed)?;
        let given = Mode::from_raw_mode(stat.st_mode) - Mode::SGID;
        if given != wanted {
            // An access control list of the parent changed it.
            rustix::fs::fchmod(&folder.descriptor, wanted).map_err(failed)?;
        }
        self.flush().map_err(failed)?;
        Ok(folder)
    }

    /// The directory of this name, which must exist and be no link.
    pub(crate) fn enter(&self, name: &str) -> Result<Self, FolderError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = self.join(name);
        match rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Self { descriptor, path }),
            Err(errno) => match self.kind(name.as_ref())? {
                Some(Kind::Directory) | None => {
                    Err(FolderError::Open { path, source: errno.into() })
                }
                Some(kind) => Err(FolderError::Enter { path, kind }),
            },
        }
    }

    /// What is there under this name, links themselves looked at.
    pub(crate) fn kind(&self, name: &OsStr) -> Result<Option<Kind>, FolderError> {
        let stat = match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => {
                return Err(FolderError::Look { path: self.join(name), source: errno.into() });
            }
        };
        Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Kind::Other,
        }))
    }

    /// Opens a file for reading; a link is an error, and a pipe does not block.
    pub(crate) fn open_file(&self, name: &OsStr) -> Result<File, FolderError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())
            .map(File::from)
            .map_err(|errno| FolderError::Read { path: self.join(name), source: errno.into() })
    }

    /// Whether the file of this name holds exactly this content. One that cannot be read does not.
    pub(crate) fn holds(
        &self,
        name: &OsStr,
        content: &mut (impl Read + Seek),
    ) -> Result<bool, FolderError> {
        let Ok(mut file) = self.open_file(name) else { return Ok(false) };
        same_bytes(&mut file, content)
            .map_err(|source| FolderError::Read { path: self.join(name), source })
    }

    /// Writes a file under a name that is free. What appears under it meanwhile stays.
    pub(crate) fn create(
        &self,
        name: &OsStr,
        mode: u32,
        content: &mut (impl Read + Seek),
    ) -> Result<(), FolderError> {
        let here = &self.descriptor;
        self.write(name, mode, content, |temporary| {
            let moved =
                rustix::fs::renameat_with(here, temporary, here, name, RenameFlags::NOREPLACE);
            match moved {
                Err(Errno::EXIST) => {}
                // Some network file systems know no such rename, but links do the same.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    match rustix::fs::linkat(here, temporary, here, name, AtFlags::empty()) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(errno) => return Err(errno),
                    }
                }
                Ok(()) | Err(_) => return moved,
            }
            rustix::fs::unlinkat(here, temporary, AtFlags::empty())
        })
    }

    /// Writes a file in place of whatever file or link has this name.
    pub(crate) fn replace(
        &self,
        name: &OsStr,
        mode: u32,
        content: &mut (impl Read + Seek),
    ) -> Result<(), FolderError> {
        let here = &self.descriptor;
        self.write(name, mode, content, |temporary| {
            rustix::fs::renameat(here, temporary, here, name)
        })
    }

    /// Makes a symbolic link under a name that is free. What is there, or appears there, stays.
    pub(crate) fn link(&self, name: &str, target: &str) -> Result<(), FolderError> {
        match rustix::fs::symlinkat(target, &self.descriptor, name) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(FolderError::Write { path: self.join(name), source: errno.into() }),
        }
    }

    /// Gives whatever has this name another one, `<name>.set-aside-<number>`, which it returns.
    pub(crate) fn set_aside(&self, name: &str) -> Result<String, FolderError> {
        let here = &self.descriptor;
        let mut number = 0_u32;
        loop {
            let aside = format!("{name}.set-aside-{number}");
            let renamed = match rustix::fs::renameat_with(
                here,
                name,
                here,
                &*aside,
                RenameFlags::NOREPLACE,
            ) {
                // Some network file systems know no such rename, but links do the same.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    rustix::fs::linkat(here, name, here, &*aside, AtFlags::empty())
                        .and_then(|()| rustix::fs::unlinkat(here, name, AtFlags::empty()))
                }
                renamed => renamed,
            };
            match renamed {
                Ok(()) => return Ok(aside),
                Err(Errno::EXIST) if number < ATTEMPTS => number += 1,
                Err(errno) => {
                    return Err(FolderError::Write { path: self.join(name), source: errno.into() });
                }
            }
        }
    }

    /// Removes a file of this content, named by its hash; returns whether it did. Anything else of
    /// that name stays.
    pub(crate) fn remove_file_of(&self, name: &OsStr, hash: &str) -> Result<bool, FolderError> {
        if self.kind(name)? != Some(Kind::File) {
            return Ok(false);
        }
        let failed = |source| FolderError::Read { path: self.join(name), source };
        let bytes = super::read_bounded(self.open_file(name)?).map_err(failed)?;
        if content_hash(&bytes) != hash {
            return Ok(false);
        }
        rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())
            .map_err(|errno| FolderError::Write { path: self.join(name), source: errno.into() })?;
        Ok(true)
    }

    /// Whether it holds no other names than these. One that cannot be listed does.
    pub(crate) fn holds_only(&self, names: &BTreeSet<String>) -> bool {
        let Ok(mut entries) = Dir::read_from(&self.descriptor) else { return false };
        entries.all(|entry| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name().to_str().unwrap_or_default();
                matches!(name, "." | "..") || names.contains(name)
            })
        })
    }

    /// Keeps what is there under this name under another one as well, in the place of what is
    /// there. The name itself keeps it. A link is kept as a link. An earlier copy goes only once the
    /// new one is there.
    pub(crate) fn keep_copy(&self, name: &OsStr, copy: &OsStr) -> Result<(), FolderError> {
        let here = &self.descriptor;
        let failed = |source: io::Error| FolderError::Write { path: self.join(copy), source };
        let mut temporary = copy.to_owned();
        temporary.push(".tmp");
        let remove = || rustix::fs::unlinkat(here, &temporary, AtFlags::empty());
        let _ = remove();
        match rustix::fs::linkat(here, name, here, &temporary, AtFlags::empty()) {
            Ok(()) => {
                let renamed = rustix::fs::renameat(here, &temporary, here, copy);
                // Of two names of one file, a rename leaves both.
                let _ = remove();
                renamed.map_err(|errno| failed(errno.into()))
            }
            // Not every file system has links.
            Err(_) if self.kind(name)? == Some(Kind::File) => {
                let bytes = super::read_bounded(self.open_file(name)?).map_err(failed)?;
                self.replace(copy, COPY_MODE, &mut io::Cursor::new(bytes))
            }
            Err(errno) => Err(failed(errno.into())),
        }
    }

    /// Removes a directory that is empty. One that is not stays.
    pub(crate) fn remove_empty(&self, name: &OsStr) {
        let _ = rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR);
    }

    /// Writes a temporary file, has it put in place, and makes both durable.
    fn write(
        &self,
        name: &OsStr,
        mode: u32,
        content: &mut (impl Read + Seek),
        place: impl FnOnce(&str) -> Result<(), Errno>,
    ) -> Result<(), FolderError> {
        let failed = |source: io::Error| FolderError::Write { path: self.join(name), source };
        let (temporary, mut file) = self.temporary().map_err(|errno| failed(errno.into()))?;
        let written = content
            .seek(SeekFrom::Start(0))
            .and_then(|_| io::copy(content, &mut file))
            .and_then(|_| Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?))
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(place(&temporary)?));
        if let Err(source) = written {
            // A full disk must not stay full of our attempts.
            let _ = rustix::fs::unlinkat(&self.descriptor, temporary.as_str(), AtFlags::empty());
            return Err(failed(source));
        }
        self.flush().map_err(|errno| failed(errno.into()))
    }

    fn temporary(&self) -> Result<(String, File), Errno> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let owner = Mode::RUSR | Mode::WUSR;
        // Whoever owns the directory may have taken any name that could be guessed.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut number = 0_u32;
        loop {
            let name = format!("{TEMPORARY_PREFIX}{now}-{number}{TEMPORARY_SUFFIX}");
            match rustix::fs::openat(&self.descriptor, name.as_str(), flags, owner) {
                Ok(descriptor) => return Ok((name, File::from(descriptor))),
                Err(Errno::EXIST) if number < ATTEMPTS => number += 1,
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Makes names durable, where the file system can.
    fn flush(&self) -> Result<(), Errno> {
        match rustix::fs::fsync(&self.descriptor) {
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            other => other,
        }
    }

    /// Space that users other than root may still take on its file system.
    pub(crate) fn free_bytes(&self) -> Result<u64, FolderError> {
        let stat = rustix::fs::fstatvfs(&self.descriptor)
            .map_err(|errno| FolderError::Look { path: self.path.clone(), source: errno.into() })?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Removes what killed runs left behind; best effort, as nothing depends on it.
    pub(crate) fn sweep(&self) {
        let Ok(entries) = Dir::read_from(&self.descriptor) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let bytes = name.to_bytes();
            if bytes.starts_with(TEMPORARY_PREFIX.as_bytes())
                && bytes.ends_with(TEMPORARY_SUFFIX.as_bytes())
            {
                let _ = rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty());
            }
        }
    }

    fn join(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(OsStr::from_bytes(name.as_ref().as_bytes()))
    }
}

fn same_bytes(left: &mut File, right: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = right.seek(SeekFrom::End(0))?;
    if left.metadata()?.len() != length {
        return Ok(false);
    }
    right.seek(SeekFrom::Start(0))?;
    let (mut ours, mut theirs) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let read = left.read(&mut ours)?;
        let (Some(ours), Some(theirs)) = (ours.get(..read), theirs.get_mut(..read)) else {
            return Ok(false);
        };
        if read == 0 {
            return Ok(right.read(&mut [0])? == 0);
        }
        match right.read_exact(theirs) {
            Ok(()) if ours == theirs => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
pub(crate) use tests::stop_after_moves;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::ffi::OsStr;
    use std::fs;
    use std::io::Cursor;
    use std::os::unix::fs::symlink;

    use super::{Folder, FolderError, Kind};

    thread_local! {
        static MOVES_LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Lets every move after so many fail, as if the process had been killed.
    pub(crate) fn stop_after_moves(moves: Option<usize>) {
        MOVES_LEFT.set(moves);
    }

    pub(super) fn count_move(path: std::path::PathBuf) -> Result<(), FolderError> {
        match MOVES_LEFT.get() {
            Some(0) => {
                Err(FolderError::Write { path, source: std::io::Error::other("killed by a test") })
            }
            left => {
                MOVES_LEFT.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }

    #[test]
    fn a_name_that_was_taken_meanwhile_is_not_overwritten() {
        let root = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(root.path()).expect("opens");
        fs::write(root.path().join("file"), "mine").expect("written");
        symlink("nowhere", root.path().join("link")).expect("linked");
        for name in ["file", "link"] {
            folder.create(OsStr::new(name), 0o644, &mut Cursor::new("ours")).expect("no error");
        }
        assert_eq!(fs::read_to_string(root.path().join("file")).expect("there"), "mine");
        assert_eq!(folder.kind(OsStr::new("link")).expect("known"), Some(Kind::Link));
        assert_eq!(fs::read_dir(root.path()).expect("listed").count(), 2);
    }

    #[test]
    fn names_that_are_taken_stop_nothing() {
        let root = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(root.path()).expect("opens");
        for number in 0..70 {
            let name = format!(".openclaw-write-{number}.tmp");
            fs::create_dir(root.path().join(name)).expect("made");
        }
        folder.replace(OsStr::new("file"), 0o644, &mut Cursor::new("ours")).expect("written");
        assert_eq!(fs::read_to_string(root.path().join("file")).expect("there"), "ours");
        symlink("nowhere", root.path().join("link")).expect("linked");
        fs::write(root.path().join("link.set-aside-0"), "mine").expect("written");
        assert_eq!(folder.set_aside("link").expect("renamed"), "link.set-aside-1");
        assert_eq!(
            fs::read_to_string(root.path().join("link.set-aside-0")).expect("there"),
            "mine"
        );
    }

    #[test]
    fn contents_of_one_length_that_differ_late_are_told_apart() {
        let root = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(root.path()).expect("opens");
        let name = OsStr::new("file");
        let mut bytes = vec![7; 200_000];
        fs::write(root.path().join(name), &bytes).expect("written");
        assert!(folder.holds(name, &mut Cursor::new(&bytes)).expect("read"));
        bytes[199_999] = 8;
        assert!(!folder.holds(name, &mut Cursor::new(&bytes)).expect("read"));
    }
}
