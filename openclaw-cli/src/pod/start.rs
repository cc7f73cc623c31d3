//! `pod start`: becomes the gateway, in whatever way the image has it.
//!
//! The official image's own entry point repairs state and configuration before every start, from
//! 2026.9.7 on; the one of earlier images only called the gateway, and so does this.
//!
//! # Guarantees
//! It looks, and then is the gateway, or tini in front of it: no thread, no wait, no child.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use openclaw_render::vocab::{annotations, paths};

use super::application::{Application, on_path};
use super::leave_last_words;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Root of the image's file system.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
    /// Where the reason of a failure is written, for the container's status.
    #[arg(long, value_name = "FILE", default_value = paths::TERMINATION_LOG)]
    pub(crate) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(
        "found neither {app:?} with node on the path nor a program openclaw on the path: if the image \
         starts the application in another way, set annotation {}={} on the instance",
        annotations::ENTRYPOINT,
        annotations::ENTRYPOINT_IMAGE
    )]
    Find { app: PathBuf },
    #[error("failed to run {program:?}")]
    Run { program: OsString, source: io::Error },
}

/// Runs `pod start`; returns only on failure.
pub(crate) fn run(arguments: &Arguments) -> Result<std::convert::Infallible, StartError> {
    let error = start(arguments);
    leave_last_words(&arguments.termination_log, &crate::error::chain(&error));
    Err(error)
}

fn start(arguments: &Arguments) -> StartError {
    let Some(application) = Application::find(&arguments.root) else {
        return StartError::Find { app: arguments.root.join("app/openclaw.mjs") };
    };
    // Adopts what the agent's tools leave behind, and passes signals on.
    let tini = on_path("tini").map(OsString::from);
    let words = tini.into_iter().flat_map(|tini| [tini, "-s".into(), "--".into()]);
    let mut words = words.chain(application.command).chain(["gateway".into()]);
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(&program);
    // What starts the gateway is found on the image's own path; the agent's tools come first for it.
    if let Some(path) = env::var_os("HOME").and_then(|home| with_tools(home.as_ref())) {
        command.env("PATH", path);
    }
    let source = command.args(words).exec();
    StartError::Run { program, source }
}

/// Returns the path with the programs in HOME, which are the agent's own, before the image's.
fn with_tools(home: &Path) -> Option<OsString> {
    let tools = home.join(".local/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let others = env::split_paths(&path).filter(|each| *each != tools);
    env::join_paths(std::iter::once(tools.clone()).chain(others)).ok()
}
