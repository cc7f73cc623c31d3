//! What a name of a directory can be, and what can go wrong with it.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What one name of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Other => "a device, socket or pipe",
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("failed to open directory {path:?}")]
    Open { path: PathBuf, source: io::Error },
    #[error("failed to enter {path:?}: it is {kind}, not a directory")]
    Enter { path: PathBuf, kind: Kind },
    #[error("failed to look at {path:?}")]
    Look { path: PathBuf, source: io::Error },
    #[error("failed to make directory {path:?}")]
    Make { path: PathBuf, source: io::Error },
    #[error("failed to read {path:?}")]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
}
