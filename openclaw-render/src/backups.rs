//! What a backup consists of, and what its pod says of it: the words of the helper and of the
//! operator alike.

use serde::{Deserialize, Serialize};

/// Version of the form of [`Manifest`].
pub const FORMAT: u32 = 1;
/// Describes the backup, and is stored last: without it there is no backup.
pub const MANIFEST: &str = "manifest.json";
/// The same while the backup is under way, so that what was stored of it can be found again.
pub const UNFINISHED: &str = "unfinished.json";
/// The archive that the application makes of its own state.
pub const STATE_ARCHIVE: &str = "state.tar.gz";
/// The archive with the rest of HOME, or all of it.
pub const HOME_ARCHIVE: &str = "home.tar.gz";
/// Directory that a restore leaves in HOME, or on a flat volume in the state, with what was there.
pub const BEFORE: &str = ".openclaw-before-restore";
/// What the archive of somebody else is called once it is fetched.
pub const OTHER_ARCHIVE: &str = "state-of-another.tar.gz";
/// Directory of a tree of files that is fetched.
pub const TREE: &str = "tree";
/// Says what was fetched, and is written last.
pub const FETCHED: &str = "fetched.json";
/// Names that a file of a backup may have.
pub const ARCHIVES: [&str; 2] = [HOME_ARCHIVE, STATE_ARCHIVE];

/// Describes a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// When it was made.
    pub created_at: String,
    /// Version of OpenClaw that wrote the state, if it told.
    pub version: Option<String>,
    /// How far the files in it belong to one moment.
    pub consistency: Consistency,
    /// Its files, sorted by name.
    pub files: Vec<ManifestFile>,
}

/// How far the files of a backup belong to one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// The application copied its databases itself, and checked the copy.
    Online,
    /// Nothing ran.
    Stopped,
    /// Something may have written meanwhile: as after a loss of power.
    CrashConsistent,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestFile {
    /// Its name, one of [`ARCHIVES`].
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// What a path in a bucket has turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fetched {
    /// A backup of ours: [`MANIFEST`] and what it names.
    Backup,
    /// A state directory, file by file, as the Go operator stores it: [`TREE`].
    Tree,
    /// A state directory, or what the application makes of it: [`OTHER_ARCHIVE`].
    Archive,
}

/// Where a restore finds what it restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The bucket; `None` for that of the credentials.
    pub bucket: Option<String>,
    /// The path in it, without slashes around it.
    pub path: String,
}

/// Longest key in a bucket.
const LONGEST_PATH: usize = 1024;
const ARCHIVE_ENDINGS: [&str; 2] = [".tar.gz", ".tgz"];

impl Source {
    /// Reads `s3://bucket/path`, or a path in the bucket of the credentials.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (bucket, path) = match text.split_once("://") {
            Some(("s3", rest)) => {
                let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
                (Some(bucket), path)
            }
            Some(_) => return Err("is of no storage that is known: write `s3://bucket/path`"),
            None => (None, text),
        };
        if bucket.is_some_and(|bucket| !is_bucket(bucket)) {
            return Err("names no bucket: write `s3://bucket/path`");
        }
        let path = path.trim_matches('/');
        if path.is_empty() {
            return Err("names no path in the bucket: a whole bucket is never restored");
        }
        if path.len() > LONGEST_PATH {
            return Err("is longer than the 1024 bytes that a path in a bucket may have");
        }
        if path.chars().any(char::is_control) {
            return Err("has control characters in it");
        }
        if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return Err("has an empty name, `.` or `..` in it");
        }
        Ok(Self { bucket: bucket.map(str::to_owned), path: path.to_owned() })
    }

    /// Whether it is one file with a state directory in it.
    #[must_use]
    pub fn is_archive(&self) -> bool {
        ARCHIVE_ENDINGS.iter().any(|ending| self.path.ends_with(ending))
    }
}

/// Whether a text names a bucket, and nothing that a program takes for something else.
#[must_use]
pub fn is_bucket(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && !text.starts_with(['.', '-']) && text.bytes().all(is_plain)
}

/// What the pod of a backup that is stored and was read back leaves in its status, and that of one
/// that is restored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Where it lies, as a path in the bucket.
    pub path: String,
    /// Of one that is restored: the directory in HOME with what was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Version of OpenClaw that wrote the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Size of all its files.
    pub size_bytes: i64,
    /// What is worth knowing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Returns where the backups of a namespace lie in the bucket.
#[must_use]
pub fn prefix_of_namespace(namespace: &str) -> String {
    format!("backups/{namespace}")
}

/// Returns where the backups of an instance lie in the bucket.
#[must_use]
pub fn prefix(namespace: &str, instance: &str) -> String {
    format!("{}/{instance}", prefix_of_namespace(namespace))
}

/// Whether a directory's name is that of a backup of ours: `2026-11-01T03-00-00Z`.
#[must_use]
pub fn is_stamp(name: &str) -> bool {
    name.len() == 20
        && name.bytes().zip(*b"0000-00-00T00-00-00Z").all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == shape,
        })
}

/// Returns the name of the directory of a backup that is made then.
#[must_use]
pub fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H-%M-%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Source, is_stamp, stamp};

    #[test]
    fn a_source_is_a_path_in_a_bucket_and_nothing_else() {
        let source = |bucket: Option<&str>, path: &str| {
            Ok(Source { bucket: bucket.map(str::to_owned), path: path.to_owned() })
        };
        for (text, expected) in [
            (
                "backups/team/ada/2026-11-01T03-00-00Z",
                source(None, "backups/team/ada/2026-11-01T03-00-00Z"),
            ),
            ("/backups/x/", source(None, "backups/x")),
            ("s3://agents/old/state.tar.gz", source(Some("agents"), "old/state.tar.gz")),
            ("a b/$(S3_SECRET_ACCESS_KEY)", source(None, "a b/$(S3_SECRET_ACCESS_KEY)")),
        ] {
            assert_eq!(Source::parse(text), expected, "{text}");
        }
        for text in [
            "",
            "/",
            "s3://",
            "s3://agents",
            "s3://agents/",
            "s3:///path",
            "s3://-x/path",
            "s3://a:b/path",
            "gs://agents/path",
            "a/../b",
            "a//b",
            "./a",
            "a/b\nc",
            "..",
        ] {
            assert!(Source::parse(text).is_err(), "{text:?}");
        }
        assert!(Source::parse(&"a".repeat(1025)).is_err());
    }

    #[test]
    fn stamps_are_told_from_other_names() {
        assert!(is_stamp(&stamp(jiff::Timestamp::UNIX_EPOCH)));
        assert_eq!(stamp(jiff::Timestamp::UNIX_EPOCH), "1970-01-01T00-00-00Z");
        for other in ["", "periodic", "2026-11-01T03:00:00Z", "2026-11-01T03-00-00Z/", "pre-update"]
        {
            assert!(!is_stamp(other), "{other}");
        }
    }
}
