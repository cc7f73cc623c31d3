//! What is in an archive that is to be restored: looked through before anything is written, then
//! unpacked into a directory of its own.
//!
//! An archive may be anybody's. A member that would leave the directory is refused by its name.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rustix::fs::OFlags;
use tar::EntryType;

use super::Limits;

/// What a file takes besides its content.
const ENTRY_BYTES: u64 = 4096;
/// Neither another user nor another group comes in with a file.
const MODES: u32 = 0o777;
/// Whoever unpacks must be able to go on.
const DIRECTORY_MODE: u32 = 0o700;
/// Of a file that is read to find out what an archive is.
const TEXT_LIMIT: u64 = 4 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum MemberError {
    #[error("failed to read {path:?}: it is damaged, or no gzipped tar archive")]
    Read { path: PathBuf, source: io::Error },
    #[error("member {member:?} leaves the directory of the archive")]
    Escapes { member: PathBuf },
    #[error("member {member:?} lies below {link:?}, which is a link")]
    BelowLink { member: PathBuf, link: PathBuf },
    #[error("member {member:?} is a link to {target:?}, which leaves the directory of the archive")]
    HardLink { member: PathBuf, target: PathBuf },
    #[error("failed to write {member:?}")]
    Write { member: PathBuf, source: io::Error },
    #[error("took too long")]
    Late,
}

/// An archive, and what becomes of the paths in it.
pub(super) struct Archive<'a> {
    pub(super) file: &'a Path,
    /// Returns where a member goes; `None` leaves it out.
    pub(super) place: &'a dyn Fn(&Path) -> Option<PathBuf>,
}

impl Archive<'_> {
    /// Looks at every member, down to the checksum at the end. Returns the space that it takes.
    pub(super) fn check(
        &self,
        links: &mut BTreeSet<PathBuf>,
        limits: &Limits,
    ) -> Result<u64, MemberError> {
        let mut bytes = 0_u64;
        self.each(limits, |member, to, entry| {
            let Some(to) = to else { return Ok(()) };
            if let Some(link) = to.ancestors().skip(1).find(|above| links.contains(*above)) {
                let (member, link) = (member.to_owned(), link.to_owned());
                return Err(MemberError::BelowLink { member, link });
            }
            // Another name of a link would be a link, too.
            let source = self.source_of(member, entry)?.unwrap_or_default();
            if let Some(link) = source.ancestors().find(|above| links.contains(*above)) {
                let (member, link) = (member.to_owned(), link.to_owned());
                return Err(MemberError::BelowLink { member, link });
            }
            if entry.header().entry_type() == EntryType::Symlink {
                links.insert(to);
            } else {
                // A later member takes the place of a link.
                links.remove(&to);
            }
            bytes = bytes.saturating_add(entry.size()).saturating_add(ENTRY_BYTES);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Unpacks what was looked through before.
    pub(super) fn unpack(&self, root: &Path, limits: &Limits) -> Result<(), MemberError> {
        self.each(limits, |member, to, entry| {
            let Some(to) = to else { return Ok(()) };
            let source = self.source_of(member, entry)?.map(|source| root.join(source));
            let to = root.join(to);
            write(&to, entry, source.as_deref())
                .map_err(|source| MemberError::Write { member: member.to_owned(), source })
        })
    }

    /// Returns the file that a member is another name of.
    fn source_of(
        &self,
        member: &Path,
        entry: &tar::Entry<'_, impl Read>,
    ) -> Result<Option<PathBuf>, MemberError> {
        if entry.header().entry_type() != EntryType::Link {
            return Ok(None);
        }
        let failed = |source| MemberError::Read { path: self.file.to_owned(), source };
        let target = entry.link_name().map_err(failed)?.unwrap_or_default();
        let source = normal(&target).and_then(|target| (self.place)(&target));
        source.map(Some).ok_or_else(|| MemberError::HardLink {
            member: member.to_owned(),
            target: target.into_owned(),
        })
    }

    fn each(
        &self,
        limits: &Limits,
        mut visit: impl FnMut(
            &Path,
            Option<PathBuf>,
            &mut tar::Entry<'_, Stream>,
        ) -> Result<(), MemberError>,
    ) -> Result<(), MemberError> {
        read(self.file, limits, |path, entry| {
            let is_kept = matches!(
                entry.header().entry_type(),
                EntryType::Regular
                    | EntryType::Continuous
                    | EntryType::GNUSparse
                    | EntryType::Directory
                    | EntryType::Symlink
                    | EntryType::Link
            );
            if !is_kept {
                return Ok(());
            }
            visit(path, (self.place)(path), entry)
        })
    }
}

type Stream = MultiGzDecoder<BufReader<File>>;

/// Calls back for every member under its path without what makes no difference.
pub(super) fn read(
    file: &Path,
    limits: &Limits,
    mut visit: impl FnMut(&Path, &mut tar::Entry<'_, Stream>) -> Result<(), MemberError>,
) -> Result<(), MemberError> {
    let failed = |source| MemberError::Read { path: file.to_owned(), source };
    let opened = File::open(file).map_err(failed)?;
    let mut archive = tar::Archive::new(MultiGzDecoder::new(BufReader::new(opened)));
    for entry in archive.entries().map_err(failed)? {
        if limits.is_over() {
            return Err(MemberError::Late);
        }
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.into_owned();
        let member = normal(&path).ok_or_else(|| MemberError::Escapes { member: path.clone() })?;
        if !member.as_os_str().is_empty() {
            visit(&member, &mut entry)?;
        }
    }
    // The checksum comes last.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(failed)?;
    Ok(())
}

/// Returns the content of a file of an archive.
pub(super) fn text(
    file: &Path,
    wanted: &Path,
    limits: &Limits,
) -> Result<Option<Vec<u8>>, MemberError> {
    let mut found = None;
    read(file, limits, |path, entry| {
        if path == wanted && entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            let failed = |source| MemberError::Read { path: file.to_owned(), source };
            entry.by_ref().take(TEXT_LIMIT).read_to_end(&mut bytes).map_err(failed)?;
            found = Some(bytes);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Returns a path without `.`, unless it leaves where it begins.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut names = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    // A NUL ends a path for the operating system.
    (!OsStr::as_bytes(names.as_os_str()).contains(&0)).then_some(names)
}

fn write(to: &Path, entry: &mut tar::Entry<'_, Stream>, source: Option<&Path>) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        make_directories(parent)?;
    }
    let kind = entry.header().entry_type();
    let mode = entry.header().mode()? & MODES;
    if kind == EntryType::Directory {
        match fs::create_dir(to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_directory(to) => {}
            created => created?,
        }
        return fs::set_permissions(to, Permissions::from_mode(mode | DIRECTORY_MODE));
    }
    // Of two members of one name, the later one counts.
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    if let Some(source) = source {
        return fs::hard_link(source, to);
    }
    if kind == EntryType::Symlink {
        return symlink(entry.link_name()?.unwrap_or_default(), to);
    }
    let mtime = entry.header().mtime()?;
    let mut file = new_file(to)?;
    let size = entry.size();
    let copied = io::copy(entry, &mut file)?;
    if copied != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.set_permissions(Permissions::from_mode(mode))?;
    let modified = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(mtime));
    // Not every file system keeps every time.
    let _ = modified.map(|modified| file.set_modified(modified));
    Ok(())
}

/// Makes a directory and those above it, whatever the umask is.
pub(super) fn make_directories(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(path)
}

/// A file that was not there, for the agent's user alone until its mode is set.
pub(super) fn new_file(to: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(to)
}

fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|it| it.is_dir())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::{Component, Path};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    use super::*;

    /// Parts of names that lead elsewhere, together or where a link stands.
    const PIECES: &[&[u8]] = &[
        b"a", b"b", b"/", b"//", b".", b"..", b"../", b"./", b"link", b"link/", b"\0", b"\\",
        b"\xff", b" ", b"\n", b"~", b"outside", b"/etc",
    ];

    fn name() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::sample::select(PIECES).prop_map(<[u8]>::to_vec),
            1 => vec(any::<u8>(), 1..4),
        ];
        vec(piece, 0..7).prop_map(|pieces| pieces.concat())
    }

    fn kind() -> impl Strategy<Value = EntryType> {
        prop::sample::select(&[
            EntryType::Regular,
            EntryType::Directory,
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Fifo,
        ])
    }

    fn runner() -> TestRunner {
        let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    }

    fn put(field: &mut [u8], name: &[u8]) {
        for (place, byte) in field.iter_mut().zip(name) {
            *place = *byte;
        }
    }

    /// An archive as nobody's program writes it.
    fn write_archive(file: &Path, members: &[(EntryType, Vec<u8>, Vec<u8>)]) {
        let mut packed = GzEncoder::new(File::create(file).expect("a file"), Compression::fast());
        for (kind, name, target) in members {
            let content: &[u8] = if *kind == EntryType::Regular { b"content" } else { b"" };
            let mut header = tar::Header::new_gnu();
            let old = header.as_old_mut();
            put(&mut old.name, name);
            put(&mut old.linkname, target);
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_size(u64::try_from(content.len()).expect("a few"));
            header.set_cksum();
            packed.write_all(header.as_bytes()).expect("it is written");
            packed.write_all(content).expect("it is written");
            let rest = content.len().next_multiple_of(512) - content.len();
            packed.write_all(&vec![0; rest]).expect("it is written");
        }
        packed.write_all(&[0; 1024]).expect("it is written");
        packed.finish().expect("it is written");
    }

    #[test]
    fn a_name_leads_below_where_it_begins_or_nowhere() {
        let property = |bytes: Vec<u8>| {
            let Some(path) = normal(Path::new(OsStr::from_bytes(&bytes))) else { return Ok(()) };
            let below = path.components().all(|part| matches!(part, Component::Normal(_)));
            prop_assert!(below, "{:?}", path);
            prop_assert_eq!(normal(&path), Some(path.clone()));
            Ok(())
        };
        runner().run(&name(), property).expect("a path below");
    }

    #[test]
    fn whatever_an_archive_holds_nothing_is_written_beside_its_directory() {
        let property = |members: Vec<(EntryType, Vec<u8>, Vec<u8>)>| {
            let around = tempfile::tempdir().expect("a directory");
            let (root, outside) = (around.path().join("root"), around.path().join("outside"));
            fs::create_dir(&root).expect("a directory");
            fs::create_dir(&outside).expect("a directory");
            fs::write(outside.join("a"), "untouched").expect("a file");
            let file = around.path().join("archive");
            write_archive(&file, &members);
            let stop = Arc::new(AtomicBool::new(false));
            let limits = Limits { deadline: Instant::now() + Duration::from_mins(10), stop };
            let archive = Archive { file: &file, place: &|path| Some(path.to_owned()) };
            if archive.check(&mut BTreeSet::new(), &limits).is_ok() {
                // What contradicts itself is not written whole.
                let _ = archive.unpack(&root, &limits);
            }
            let names = |folder: &Path| {
                let entries = fs::read_dir(folder).expect("a directory");
                let names = entries.map(|entry| entry.expect("an entry").file_name());
                names.collect::<BTreeSet<_>>()
            };
            prop_assert_eq!(
                names(around.path()),
                ["archive", "outside", "root"].map(Into::into).into()
            );
            prop_assert_eq!(names(&outside), ["a"].map(Into::into).into());
            let kept = fs::read_to_string(outside.join("a")).expect("it is there");
            prop_assert_eq!(kept, "untouched");
            Ok(())
        };
        let members = vec((kind(), name(), name()), 1..6);
        runner().run(&members, property).expect("nothing beside");
    }
}
