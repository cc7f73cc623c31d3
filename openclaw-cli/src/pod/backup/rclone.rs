//! [`Remote`]: a bucket, through rclone.
//!
//! The credentials are in its environment and nowhere else: not in a file, and not among its
//! arguments, which every process of the node can see.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, io};

use openclaw_render::backups::is_bucket;
use openclaw_render::vocab::names::s3;

use super::{Limits, digest};
use crate::pod::application::on_path;
use crate::pod::child::{self, Bounds, Ended};
use crate::pod::one_line;

/// Of what rclone says.
const WORDS_LIMIT: usize = 512;
/// A manifest has some hundred bytes.
const TEXT_LIMIT: u64 = 64 * 1024;
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);
/// No configuration but the environment's, no attempt to make the bucket, and an end to waiting for a
/// storage that does not answer.
const FLAGS: [&str; 9] = [
    "--config",
    "/dev/null",
    "--s3-no-check-bucket",
    "--contimeout",
    "30s",
    "--timeout",
    "60s",
    "--low-level-retries",
    "3",
];
/// In rclone's words: any storage with this protocol.
const ANY_PROVIDER: &str = "Other";

#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    #[error("the Secret of the backup has no {key}")]
    Lack { key: &'static str },
    #[error("the Secret of the backup has one of S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY alone")]
    HalfAKey,
    #[error("the Secret of the backup has a {key} that is none: {reason}")]
    Wrong { key: &'static str, reason: &'static str },
    #[error("found no program rclone on the path of the image")]
    Find,
    #[error("failed to run rclone")]
    Run { source: io::Error },
    #[error("rclone {verb} {path:?} {how}: {words}")]
    End { verb: &'static str, path: String, how: String, words: String },
}

impl RemoteError {
    /// Whether rclone says that there is nothing of that name.
    pub(super) fn is_of_nothing(&self) -> bool {
        const NOTHING: [&str; 2] = ["directory not found", "object not found"];
        matches!(self, Self::End { words, .. } if NOTHING.iter().any(|nothing| words.contains(nothing)))
    }
}

/// A bucket.
pub(super) struct Remote<'a> {
    program: PathBuf,
    bucket: String,
    environment: Vec<(&'static str, OsString)>,
    limits: &'a Limits,
}

impl<'a> Remote<'a> {
    /// The bucket that the environment names.
    pub(super) fn from_environment(limits: &'a Limits) -> Result<Self, RemoteError> {
        let value = |key: &str| {
            // Who makes a Secret from a file easily puts the end of a line into it.
            let text = env::var(key).unwrap_or_default().trim().to_owned();
            Some(text).filter(|text| !text.is_empty())
        };
        let needed = |key: &'static str| value(key).ok_or(RemoteError::Lack { key });
        let (bucket, endpoint) = (needed(s3::BUCKET)?, needed(s3::ENDPOINT)?);
        if !is_bucket(&bucket) {
            let reason = "write letters, digits, `.`, `_` and `-`";
            return Err(RemoteError::Wrong { key: s3::BUCKET, reason });
        }
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            let reason = "write a URL, for example https://s3.eu-central-1.amazonaws.com";
            return Err(RemoteError::Wrong { key: s3::ENDPOINT, reason });
        }
        let provider = value(s3::PROVIDER).unwrap_or_else(|| ANY_PROVIDER.to_owned());
        let mut environment =
            vec![("RCLONE_S3_ENDPOINT", endpoint.into()), ("RCLONE_S3_PROVIDER", provider.into())];
        if let Some(region) = value(s3::REGION) {
            environment.push(("RCLONE_S3_REGION", region.into()));
        }
        match (value(s3::ACCESS_KEY_ID), value(s3::SECRET_ACCESS_KEY)) {
            (Some(id), Some(key)) => environment.extend([
                ("RCLONE_S3_ACCESS_KEY_ID", id.into()),
                ("RCLONE_S3_SECRET_ACCESS_KEY", key.into()),
            ]),
            (None, None) => environment.push(("RCLONE_S3_ENV_AUTH", "true".into())),
            (Some(_), None) | (None, Some(_)) => return Err(RemoteError::HalfAKey),
        }
        let program = on_path("rclone").ok_or(RemoteError::Find)?;
        Ok(Self { program, bucket, environment, limits })
    }

    /// The same storage, and another bucket of it.
    pub(super) fn with_bucket(self, bucket: Option<String>) -> Self {
        Self { bucket: bucket.unwrap_or(self.bucket), ..self }
    }

    /// Returns how many bytes there are below a path.
    pub(super) fn size(&self, path: &str) -> Result<u64, RemoteError> {
        let told = self.run("size", path, &["--json".into(), self.place(path)])?;
        let told: serde_json::Value = serde_json::from_slice(&told).unwrap_or_default();
        Ok(told.get("bytes").and_then(serde_json::Value::as_u64).unwrap_or(0))
    }

    /// Fetches a file, or with `copy` a whole directory. More than `limit` bytes are an error.
    pub(super) fn fetch(
        &self,
        verb: &'static str,
        path: &str,
        to: &Path,
        limit: u64,
    ) -> Result<(), RemoteError> {
        let limit = format!("{limit}B");
        let arguments = [
            "--max-transfer".into(),
            limit.into(),
            "--cutoff-mode".into(),
            "hard".into(),
            self.place(path),
            to.as_os_str().to_owned(),
        ];
        self.run(verb, path, &arguments).map(drop)
    }

    /// Stores a file.
    pub(super) fn put(&self, file: &Path, path: &str) -> Result<(), RemoteError> {
        let arguments = [file.as_os_str().to_owned(), self.place(path)];
        self.run("copyto", path, &arguments).map(drop)
    }

    /// Returns size and SHA-256 of what is stored, by reading all of it.
    pub(super) fn digest(&self, path: &str) -> Result<(u64, String), RemoteError> {
        self.read(path, |from| digest(from))
    }

    /// Returns a short text; one that is longer is cut.
    pub(super) fn text(&self, path: &str) -> Result<Vec<u8>, RemoteError> {
        self.read(path, |from| {
            let mut bytes = Vec::new();
            from.take(TEXT_LIMIT).read_to_end(&mut bytes).map(|_| bytes)
        })
    }

    /// Returns the names of the directories in one, or of the files.
    pub(super) fn list(&self, path: &str, only: &'static str) -> Result<Vec<String>, RemoteError> {
        let listed = self.run("lsf", path, &[only.into(), self.place(path)])?;
        let listed = String::from_utf8_lossy(&listed);
        Ok(listed.lines().map(|line| line.trim_end_matches('/').to_owned()).collect())
    }

    /// Removes a file.
    pub(super) fn remove(&self, path: &str) -> Result<(), RemoteError> {
        self.run("deletefile", path, &[self.place(path)]).map(drop)
    }

    fn place(&self, path: &str) -> OsString {
        format!(":s3:{}/{path}", self.bucket).into()
    }

    fn command(&self, verb: &str, arguments: &[OsString]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(verb).args(FLAGS).args(arguments);
        for key in s3::ALL {
            command.env_remove(key);
        }
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    fn run(
        &self,
        verb: &'static str,
        path: &str,
        arguments: &[OsString],
    ) -> Result<Vec<u8>, RemoteError> {
        let bounds = Bounds {
            timeout: self.limits.left(),
            stop: &self.limits.stop,
            folder: None,
            grace: Some(GRACE),
            is_heard: false,
        };
        let ran = child::run(&mut self.command(verb, arguments), &bounds)
            .map_err(|source| RemoteError::Run { source })?;
        let how = match ran.ended {
            Ended::Itself(status) if status.success() => return Ok(ran.stdout),
            Ended::Itself(status) => format!("ended with {status}"),
            Ended::Late | Ended::Stopped | Ended::Overfull => "took too long".to_owned(),
        };
        Err(ended(verb, path, how, &ran.stderr))
    }

    /// Reads a stored file through a pipe.
    fn read<T>(
        &self,
        path: &str,
        take: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, RemoteError> {
        let verb = "cat";
        let failed = |source| RemoteError::Run { source };
        let mut command = self.command(verb, &[self.place(path)]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let complaints = child.stderr.take().map(|mut pipe| {
            std::thread::spawn(move || {
                let mut words = Vec::new();
                let _ = pipe.by_ref().take(TEXT_LIMIT).read_to_end(&mut words);
                let _ = io::copy(&mut pipe, &mut io::sink());
                words
            })
        });
        let taken = child.stdout.take().map(|mut pipe| take(&mut pipe));
        let status = child.wait().map_err(failed)?;
        let words = complaints.and_then(|thread| thread.join().ok()).unwrap_or_default();
        match taken {
            Some(Ok(taken)) if status.success() => Ok(taken),
            Some(Err(source)) => Err(failed(source)),
            Some(Ok(_)) | None => Err(ended(verb, path, format!("ended with {status}"), &words)),
        }
    }
}

fn ended(verb: &'static str, path: &str, how: String, words: &[u8]) -> RemoteError {
    let words = String::from_utf8_lossy(words);
    let words = words.trim_end();
    let start = words.ceil_char_boundary(words.len().saturating_sub(WORDS_LIMIT));
    let words = one_line(words.get(start..).unwrap_or_default(), WORDS_LIMIT);
    RemoteError::End { verb, path: path.to_owned(), how, words }
}
