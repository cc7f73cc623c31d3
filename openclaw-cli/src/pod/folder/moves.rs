//! Moving and removing whole trees.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Dir};
use rustix::io::Errno;

use super::{Folder, FolderError};

impl Folder {
    /// Returns the names in it.
    pub(crate) fn names(&self) -> Result<impl Iterator<Item = OsString>, FolderError> {
        let failed =
            |errno: Errno| FolderError::Look { path: self.path.clone(), source: errno.into() };
        let entries = Dir::read_from(&self.descriptor).map_err(failed)?;
        let names = entries.map(|entry| {
            entry.map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
        });
        let mut names = names.collect::<Result<Vec<_>, Errno>>().map_err(failed)?;
        names.retain(|name| name != "." && name != "..");
        names.sort();
        Ok(names.into_iter())
    }

    /// Moves what has this name into another directory of the same file system.
    pub(crate) fn move_to(&self, name: &OsStr, to: &Self, new: &OsStr) -> Result<(), FolderError> {
        #[cfg(test)]
        super::tests::count_move(self.join(name))?;
        rustix::fs::renameat(&self.descriptor, name, &to.descriptor, new)
            .and_then(|()| to.flush())
            .and_then(|()| self.flush())
            .map_err(|errno| FolderError::Write { path: self.join(name), source: errno.into() })
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &OsStr) -> Result<(), FolderError> {
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) => self.flush(),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
        .map_err(|errno| FolderError::Write { path: self.join(name), source: errno.into() })
    }

    /// Removes a directory with all that is in it, if it is there. Links in it are not followed.
    pub(crate) fn remove_tree(&self, name: &OsStr) -> Result<(), FolderError> {
        let path = self.join(name);
        match std::fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::Write { path, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Makes everything durable that was written to its file system.
    pub(crate) fn flush_all(&self) -> Result<(), FolderError> {
        rustix::fs::syncfs(&self.descriptor)
            .map_err(|errno| FolderError::Write { path: self.path.clone(), source: errno.into() })
    }
}
