//! Which files are meant, and what is in them.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Largest input; a cluster's own limit for one object is 1.5 MiB.
const MAX_BYTES: u64 = 64 << 20;
/// Files of one directory that are read.
const MAX_FILES: usize = 10_000;
/// How a file that may be a manifest ends.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("failed to read {path:?}")]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to read {path:?}: larger than {MAX_BYTES} bytes")]
    TooLarge { path: PathBuf },
    #[error("failed to read {path:?}: more than {MAX_FILES} files")]
    TooMany { path: PathBuf },
    #[error("failed to read {path:?}: not UTF-8")]
    Encoding { path: PathBuf },
    #[error("\"-\" is named twice: standard input can be read once")]
    Twice,
    #[error("{path:?} holds no {wanted}")]
    Nothing { path: PathBuf, wanted: &'static str },
}

/// A file to read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Whether it was found in a directory, not named.
    pub(super) found: bool,
}

/// Returns the files that are named, and those in the directories that are: sorted, hidden ones and
/// links to directories left out.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<Source>, InputError> {
    if paths.iter().filter(|path| is_standard_input(path)).count() > 1 {
        return Err(InputError::Twice);
    }
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut found = Vec::new();
            collect(path, path, &mut found)?;
            if found.is_empty() {
                return Err(InputError::Nothing { path: path.clone(), wanted: "manifest" });
            }
            found.sort();
            sources.extend(found.into_iter().map(|path| Source { path, found: true }));
        } else {
            sources.push(Source { path: path.clone(), found: false });
        }
    }
    Ok(sources)
}

fn collect(directory: &Path, root: &Path, found: &mut Vec<PathBuf>) -> Result<(), InputError> {
    let failed = |source| InputError::Read { path: directory.to_owned(), source };
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let kind = entry.file_type().map_err(failed)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        if is_hidden {
            continue;
        }
        if kind.is_dir() {
            collect(&path, root, found)?;
        } else if extension.is_some_and(|it| EXTENSIONS.contains(&it)) && path.is_file() {
            if found.len() == MAX_FILES {
                return Err(InputError::TooMany { path: root.to_owned() });
            }
            found.push(path);
        }
    }
    Ok(())
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Returns the text of a file; of standard input for `-`.
pub(super) fn content(path: &Path) -> Result<String, InputError> {
    let failed = |source| InputError::Read { path: path.to_owned(), source };
    let reader: Box<dyn io::Read> = if is_standard_input(path) {
        Box::new(io::stdin())
    } else {
        Box::new(fs::File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(InputError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| InputError::Encoding { path: path.to_owned() })
}
