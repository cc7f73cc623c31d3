//! [`Application`]: where an image has the application, how it is called, and which version it is.
//!
//! The official image has it in `/app`; other images have a program `openclaw` on the path.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use openclaw_render::Version;
use rustix::fs::{Access, AtFlags, CWD};
use serde_json::Value;

use super::read_mounted;

/// The official image's folder, below the root.
const FOLDER: &str = "app";
const SCRIPT: &str = "openclaw.mjs";
const PACKAGE: &str = "package.json";
const NAME: &str = "openclaw";

/// The application in an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Application {
    /// The command that calls it, to be completed by its arguments.
    pub(super) command: Vec<OsString>,
    /// Where its package may lie, which tells the version.
    packages: Vec<PathBuf>,
}

/// A version as the application's package has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackageVersion {
    /// With whatever follows the three numbers: `2026.10.1-beta.2`, `2026.7.1-2`.
    pub(super) text: String,
    pub(super) number: Version,
}

impl PackageVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Version::from_tag(text).map(|number| Self { text: text.to_owned(), number })
    }
}

impl Application {
    /// Looks below the root of an image's file system, and along the path.
    pub(super) fn find(root: &Path) -> Option<Self> {
        let folder = root.join(FOLDER);
        let script = folder.join(SCRIPT);
        let installed = folder.join("node_modules").join(NAME).join(PACKAGE);
        let packages = vec![folder.join(PACKAGE), installed];
        if script.is_file()
            && let Some(node) = on_path("node")
        {
            return Some(Self { command: vec![node.into(), script.into()], packages });
        }
        let program = on_path(NAME)?;
        let beside =
            fs::canonicalize(&program).ok().and_then(|it| Some(it.parent()?.join(PACKAGE)));
        let packages = beside.into_iter().chain(packages).collect();
        Some(Self { command: vec![program.into()], packages })
    }

    /// Its version, if one of the places where packages lie knows it.
    pub(super) fn version(&self) -> Option<PackageVersion> {
        self.packages.iter().find_map(|package| {
            let package: Value = serde_json::from_slice(&read_mounted(package).ok()?).ok()?;
            let is_it = package.get("name").and_then(Value::as_str) == Some(NAME);
            package.get("version")?.as_str().filter(|_| is_it).and_then(PackageVersion::parse)
        })
    }
}

/// The program of that name that a shell would run.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // An empty entry means the working directory, which the agent may own.
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let mut programs = folders.map(|folder| folder.join(name));
    programs.find(|program| {
        program.is_file()
            && rustix::fs::accessat(CWD, program, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
    })
}
