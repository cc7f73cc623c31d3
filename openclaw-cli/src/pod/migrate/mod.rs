//! `pod migrate`: brings the state on the agent's volume up to the version of the image, and refuses
//! a version that is older than the one which last ran there.
//!
//! Some versions migrate all of it when their gateway starts. Others refuse an older state, or its
//! conversations, and name `doctor --fix`; that is what runs here, on a configuration of its own.
//!
//! # Guarantees
//! - Which version last ran is a file at the volume's root, written when all is done.
//! - When there is nothing to do, nothing is called.
//! - A migration that fails is not tried again in the same pod: the container ends with the reason,
//!   and its next run only waits. One that was killed half-way is tried once more.

mod doctor;
mod memory;
mod scratch;

use std::ffi::OsStr;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use openclaw_render::vocab::{exits, paths};
use openclaw_render::{Version, refused_downgrade};

use super::application::{Application, PackageVersion};
use super::folder::{Folder, FolderError, Kind};
use super::{leave_last_words, read_bounded};
use doctor::End;
use memory::Memory;

/// How often a migration is begun in one pod: a node that went down does not count as a failure.
const ATTEMPTS: u32 = 2;
/// Whoever may read the volume may know.
const VERSION_MODE: u32 = 0o644;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Root of the data volume, where the version that last ran is noted.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The application's state directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// The agent's openclaw.json, of which only what says where state lies is looked at.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Directory for the migration's own configuration. It must not outlive the pod: a migration
    /// that failed is not tried again as long as it is remembered there.
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: PathBuf,
    /// The one version that may run although a newer one last ran.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub(crate) allow_downgrade: Option<Version>,
    /// How long a migration may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 900,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout_seconds: u64,
    /// Root of the image's file system.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
    /// Where the version is written that was found, or the reason of a failure.
    #[arg(long, value_name = "FILE", default_value = paths::TERMINATION_LOG)]
    pub(crate) termination_log: PathBuf,
}

fn version(text: &str) -> Result<Version, &'static str> {
    Version::from_tag(text).ok_or("not a version such as 2026.9.6")
}

#[derive(Debug, thiserror::Error)]
enum MigrateError {
    #[error("{}", refused_downgrade(*version, *last, "this volume"))]
    Older { version: Version, last: Version },
    #[error("failed to look for the version that last ran")]
    LookForVersion { source: FolderError },
    #[error("failed to note the version that runs")]
    NoteVersion { source: FolderError },
    #[error("failed to prepare the work directory")]
    PrepareWorkDir { source: FolderError },
    #[error("failed to watch over the migration")]
    Watch { source: io::Error },
    #[error("failed to bring the state{from} up to {to}: {reason}")]
    Migrate { from: String, to: String, reason: String },
    #[error("stopped")]
    Stopped,
}

/// Runs `pod migrate`.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match migrate(arguments) {
        Ok(version) => {
            leave_last_words(&arguments.termination_log, &version);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let text = crate::error::chain(&error);
            log(&text);
            leave_last_words(&arguments.termination_log, &text);
            if matches!(error, MigrateError::Older { .. }) {
                ExitCode::from(exits::OLDER_VERSION)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// The version that may start now; nothing if the image does not tell.
fn migrate(arguments: &Arguments) -> Result<String, MigrateError> {
    let Some(application) = Application::find(&arguments.root) else {
        log("the image has no application where one is looked for: nothing is migrated");
        return Ok(String::new());
    };
    let Some(image) = application.version() else {
        log("the image does not tell its version: nothing is migrated");
        return Ok(String::new());
    };
    let volume =
        Folder::open(&arguments.data).map_err(|source| MigrateError::LookForVersion { source })?;
    let last = noted(&volume)?;
    match decide(last.as_ref(), &image, has_state(&arguments.state), arguments.allow_downgrade) {
        Decision::Refuse(last) => {
            return Err(MigrateError::Older { version: image.number, last });
        }
        Decision::Migrate => attempt(arguments, &application, last.as_ref(), &image)?,
        Decision::Start => {}
    }
    if last.as_ref() != Some(&image) {
        note(&volume, &image)?;
    }
    Ok(image.text)
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// A newer version ran last.
    Refuse(Version),
    Migrate,
    /// There is nothing to do, or the gateway does it.
    Start,
}

/// Versions of the same number may still differ, as a beta does from its release.
fn decide(
    last: Option<&PackageVersion>,
    image: &PackageVersion,
    has_state: bool,
    allowed: Option<Version>,
) -> Decision {
    let older_state = match last {
        Some(last) if last.number > image.number => {
            if allowed != Some(image.number) {
                return Decision::Refuse(last.number);
            }
            false
        }
        Some(last) => last.text != image.text,
        // Adopted, or brought along.
        None => has_state,
    };
    if older_state && image.number.wants_repaired_state() {
        Decision::Migrate
    } else {
        Decision::Start
    }
}

/// Whether an application has ever run on this state: now it keeps a database, early it kept files.
fn has_state(state: &Path) -> bool {
    ["state/openclaw.sqlite", "agents"]
        .iter()
        .any(|name| state.join(name).symlink_metadata().is_ok())
}

/// On a flat volume the agent may have put anything there, which then says nothing.
fn noted(volume: &Folder) -> Result<Option<PackageVersion>, MigrateError> {
    let name = OsStr::new(paths::VERSION_FILE);
    let failed = |source| MigrateError::LookForVersion { source };
    if volume.kind(name).map_err(failed)? != Some(Kind::File) {
        return Ok(None);
    }
    let file = volume.open_file(name).map_err(failed)?;
    let bytes = read_bounded(file).unwrap_or_default();
    Ok(PackageVersion::parse(&String::from_utf8_lossy(&bytes)))
}

fn note(volume: &Folder, image: &PackageVersion) -> Result<(), MigrateError> {
    volume.sweep();
    let mut content = Cursor::new(format!("{}\n", image.text));
    volume
        .replace(OsStr::new(paths::VERSION_FILE), VERSION_MODE, &mut content)
        .map_err(|source| MigrateError::NoteVersion { source })
}

/// Migrates, unless this pod has tried before: then it waits for its end, so that the reason stays
/// in its status and the volume is not filled with what each attempt leaves.
fn attempt(
    arguments: &Arguments,
    application: &Application,
    last: Option<&PackageVersion>,
    image: &PackageVersion,
) -> Result<(), MigrateError> {
    let failed = |reason: String| MigrateError::Migrate {
        from: last.map(|last| format!(" of {}", last.text)).unwrap_or_default(),
        to: image.text.clone(),
        reason,
    };
    let prepare = |source| MigrateError::PrepareWorkDir { source };
    let work = Folder::open(&arguments.work_dir).map_err(prepare)?;
    work.sweep();
    let mut memory = Memory::read(&work);
    if memory.done {
        return Ok(());
    }
    if let Some(reason) = &memory.failed {
        log(&format!("{}; waiting for the end of the pod", failed(reason.clone())));
        doctor::wait_for_stop().map_err(|source| MigrateError::Watch { source })?;
        return Err(MigrateError::Stopped);
    }
    if memory.begun >= ATTEMPTS {
        let reason = format!("it was killed {ATTEMPTS} times before its end");
        memory.failed = Some(reason.clone());
        memory.write(&work).map_err(prepare)?;
        return Err(failed(reason));
    }
    memory.begun += 1;
    memory.write(&work).map_err(prepare)?;
    let configuration =
        scratch::write(&arguments.config, &arguments.work_dir, memory.begun).map_err(prepare)?;
    log(&format!("bringing the state up to {}", image.text));
    let timeout = Duration::from_secs(arguments.timeout_seconds);
    match doctor::run(&application.command, &configuration, timeout)
        .map_err(|source| MigrateError::Watch { source })?
    {
        End::Done => {
            memory.done = true;
            memory.write(&work).map_err(prepare)
        }
        End::Stopped => {
            memory.begun -= 1;
            memory.write(&work).map_err(prepare)?;
            Err(MigrateError::Stopped)
        }
        End::Failed(reason) => {
            memory.failed = Some(reason.clone());
            memory.write(&work).map_err(prepare)?;
            Err(failed(reason))
        }
    }
}

/// One line per event, on standard error.
fn log(line: &str) {
    super::log("migrate-state", line);
}

#[cfg(test)]
mod tests {
    use openclaw_render::Version;

    use super::{Decision, PackageVersion, decide};

    #[test]
    fn the_table_of_decisions() {
        use Decision::{Migrate, Refuse, Start};
        let v9_6 = Version::new(2026, 9, 6);
        for (name, last, image, has_state, allowed, expected) in [
            ("a fresh volume", None, "2026.9.7", false, None, Start),
            ("an adopted one", None, "2026.9.7", true, None, Migrate),
            ("adopted, and the gateway migrates", None, "2026.9.6", true, None, Start),
            ("the same version", Some("2026.9.7"), "2026.9.7", true, None, Start),
            ("a newer one", Some("2026.9.6"), "2026.9.7", true, None, Migrate),
            ("newer, and the gateway migrates", Some("2026.8.1"), "2026.9.6", true, None, Start),
            (
                "the release after a beta",
                Some("2026.10.1-beta.2"),
                "2026.10.1",
                true,
                None,
                Migrate,
            ),
            (
                "an older one",
                Some("2026.9.7"),
                "2026.9.6",
                true,
                None,
                Refuse(Version::new(2026, 9, 7)),
            ),
            (
                "a later one of an older series",
                Some("2026.9.6"),
                "2026.8.34",
                true,
                None,
                Refuse(v9_6),
            ),
            ("older, and allowed", Some("2026.9.7"), "2026.9.6", true, Some(v9_6), Start),
            (
                "older, another allowed",
                Some("2026.9.8"),
                "2026.9.7",
                true,
                Some(v9_6),
                Refuse(Version::new(2026, 9, 8)),
            ),
        ] {
            let parse = |text: &str| PackageVersion::parse(text).expect("a version");
            let decided = decide(last.map(parse).as_ref(), &parse(image), has_state, allowed);
            assert_eq!(decided, expected, "{name}");
        }
    }
}
