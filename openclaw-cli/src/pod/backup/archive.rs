//! Archives of a tree of files: which files are in one, and writing what it lacks into another.
//!
//! The tree is the agent's, who may change it meanwhile. No link is followed on purpose, and one that
//! is swapped in leads to nothing that the agent could not read itself.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Limits;

#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("failed to read {path:?}")]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path:?} does not hold what was written into it")]
    Verify { path: PathBuf },
    #[error("took too long")]
    Late,
}

/// Which of a tree's files go into an archive.
pub(super) struct Selection<'a> {
    /// Root of the tree.
    pub(super) root: &'a Path,
    /// Files that are in another archive already, from the root.
    pub(super) archived: &'a BTreeSet<PathBuf>,
    /// Directories that are left out, from the root.
    pub(super) without: &'a [PathBuf],
}

/// What a database keeps beside its file, and what means nothing to a copy of that file.
const COMPANIONS: [&str; 3] = ["-journal", "-shm", "-wal"];

impl Selection<'_> {
    fn takes(&self, path: &Path) -> bool {
        if self.archived.contains(path) {
            return false;
        }
        let bytes = path.as_os_str().as_bytes();
        let of_archived = |suffix: &&str| {
            let database = bytes.strip_suffix(suffix.as_bytes());
            database.is_some_and(|it| self.archived.contains(Path::new(OsStr::from_bytes(it))))
        };
        !COMPANIONS.iter().any(of_archived)
    }

    /// Every file, link and directory that is taken, each with what it is; parents first, in the
    /// order of their names.
    fn each(
        &self,
        limits: &Limits,
        mut visit: impl FnMut(&Path, &Metadata) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let mut left = vec![PathBuf::new()];
        while let Some(path) = left.pop() {
            if limits.is_over() {
                return Err(ArchiveError::Late);
            }
            let full = self.root.join(&path);
            let failed = |source| ArchiveError::Read { path: full.clone(), source };
            let Some(metadata) = unless_gone(full.symlink_metadata()).map_err(failed)? else {
                continue;
            };
            if metadata.is_dir() {
                let Some(entries) = unless_gone(fs::read_dir(&full)).map_err(failed)? else {
                    continue;
                };
                let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
                let mut names = names.collect::<io::Result<Vec<_>>>().map_err(failed)?;
                names.sort();
                let below = names.iter().rev().map(|name| path.join(name));
                left.extend(below.filter(|path| !self.without.contains(path)));
            }
            if !path.as_os_str().is_empty() && self.takes(&path) {
                visit(&path, &metadata)?;
            }
        }
        Ok(())
    }

    /// Returns the size of all files that are taken.
    pub(super) fn size(&self, limits: &Limits) -> Result<u64, ArchiveError> {
        let mut size = 0_u64;
        self.each(limits, |_, metadata| {
            size = size.saturating_add(if metadata.is_file() { metadata.len() } else { 0 });
            Ok(())
        })?;
        Ok(size)
    }

    /// Writes them into an archive, and reads that once more.
    pub(super) fn write(&self, to: &Path, limits: &Limits) -> Result<(), ArchiveError> {
        let failed = |source| ArchiveError::Write { path: to.to_owned(), source };
        let file = File::create(to).map_err(failed)?;
        let encoder = GzEncoder::new(BufWriter::new(file), Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        let mut written = 0_usize;
        self.each(limits, |path, metadata| {
            if append(&mut builder, self.root, path, metadata)? {
                written += 1;
            }
            Ok(())
        })?;
        let finished = builder.into_inner().and_then(GzEncoder::finish);
        let file =
            finished.and_then(|it| it.into_inner().map_err(io::Error::from)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let mut read = 0_usize;
        entries(to, |_| read += 1)?;
        if read == written { Ok(()) } else { Err(ArchiveError::Verify { path: to.to_owned() }) }
    }
}

/// What is gone by now, or is something else by now, is not in the backup. Anything else that cannot
/// be read would make a backup that lacks it look whole.
fn unless_gone<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    const GONE: [Errno; 4] = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::INVAL];
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if Errno::from_io_error(&error).is_some_and(|it| GONE.contains(&it)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Appends one entry. Returns whether there was one to append: neither what is gone nor a socket, a
/// pipe or a device is.
fn append(
    builder: &mut tar::Builder<impl io::Write>,
    root: &Path,
    path: &Path,
    metadata: &Metadata,
) -> Result<bool, ArchiveError> {
    let full = root.join(path);
    let unread = |source| ArchiveError::Read { path: full.clone(), source };
    let failed = |source| ArchiveError::Write { path: path.to_owned(), source };
    let mut header = tar::Header::new_gnu();
    if metadata.is_symlink() {
        let Some(target) = unless_gone(fs::read_link(&full)).map_err(unread)? else {
            return Ok(false);
        };
        header.set_metadata(metadata);
        header.set_size(0);
        builder.append_link(&mut header, path, target).map_err(failed)?;
    } else if metadata.is_dir() {
        header.set_metadata(metadata);
        header.set_size(0);
        builder.append_data(&mut header, path, io::empty()).map_err(failed)?;
    } else if metadata.is_file() {
        // A pipe that is swapped in would wait for its writer.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(&full);
        let Some(file) = unless_gone(opened).map_err(unread)? else { return Ok(false) };
        let metadata = file.metadata().map_err(unread)?;
        if !metadata.is_file() {
            return Ok(false);
        }
        header.set_metadata(&metadata);
        // A file may shrink and grow while it is read; an entry has the size that it says.
        let size = metadata.len();
        let content = BufReader::new(file).chain(io::repeat(0)).take(size);
        builder.append_data(&mut header, path, content).map_err(failed)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Calls back for the path of every entry of an archive.
pub(super) fn entries(path: &Path, mut visit: impl FnMut(&Path)) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    for entry in archive.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        visit(&entry.path().map_err(failed)?);
    }
    Ok(())
}
