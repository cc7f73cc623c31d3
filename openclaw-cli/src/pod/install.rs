//! `pod install`: puts a tool on the agent's volume, once.
//!
//! # Guarantees
//! - It ends well, whatever comes of it: no agent waits for a registry. What could not be installed
//!   is in the termination log, and nowhere half: links to a tool come last.
//! - A tool that is there is left alone, without a look at the network.
//! - Packages run no scripts. Time and output are bounded.

use std::fs;
use std::io::{self, Cursor};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use super::application::on_path;
use super::folder::{Folder, FolderError};
use super::installer::{self, RunError, WORDS_LIMIT};
use super::{leave_last_words, one_line};
use crate::error::chain;

/// Directories below HOME for programs, and for what they consist of.
const PROGRAMS: [&str; 2] = [".local", "bin"];
/// The tools, seen from the programs.
const FROM_PROGRAMS: &str = "../share/openclaw-tools";
pub(super) const TOOLS: [&str; 3] = [".local", "share", "openclaw-tools"];
pub(super) const DIRECTORY_MODE: u32 = 0o755;
const PROGRAM_MODE: u32 = 0o755;
/// Attempts, and the pause before the second one; it doubles.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is installed.
    #[arg(long)]
    pub(crate) tool: Tool,
    /// Its version.
    #[arg(long)]
    pub(crate) version: String,
    /// HOME of the agent.
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// How long all attempts may take together.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) timeout_seconds: u64,
    /// Where it is written that nothing was installed, and why.
    #[arg(long, value_name = "FILE")]
    pub(crate) termination_log: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Tool {
    /// pnpm, by the image's npm.
    Pnpm,
    /// Python and uv, by the image's uv.
    Python,
}

#[derive(Debug, thiserror::Error)]
enum InstallError {
    #[error("found no program {program:?} on the path of the image")]
    Find { program: &'static str },
    #[error("failed to prepare the volume")]
    Prepare { source: FolderError },
    #[error("failed to prepare {path:?}")]
    Clear { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("found no interpreter below {path:?}")]
    Interpreter { path: PathBuf },
    #[error("failed to link {path:?}")]
    Link { path: PathBuf, source: io::Error },
}

/// Runs `pod install`.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let installer = Installer {
        arguments,
        deadline: Instant::now() + Duration::from_secs(arguments.timeout_seconds),
        tools: arguments.home.join(TOOLS.iter().collect::<PathBuf>()),
        programs: arguments.home.join(PROGRAMS.iter().collect::<PathBuf>()),
    };
    if let Err(error) = installer.install() {
        let text = one_line(&chain(&error), WORDS_LIMIT);
        installer.say(&text);
        leave_last_words(&arguments.termination_log, &text);
    }
    ExitCode::SUCCESS
}

struct Installer<'a> {
    arguments: &'a Arguments,
    deadline: Instant,
    tools: PathBuf,
    programs: PathBuf,
}

impl Installer<'_> {
    fn install(&self) -> Result<(), InstallError> {
        let names: &[&str] = match self.arguments.tool {
            Tool::Pnpm => &["pnpm"],
            Tool::Python => &["python3", "uv"],
        };
        if names.iter().all(|name| is_program(&self.programs.join(name))) {
            self.say("is there");
            return Ok(());
        }
        for path in [&TOOLS[..], &PROGRAMS[..]] {
            self.make(path).map_err(|source| InstallError::Prepare { source })?;
        }
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let outcome = match self.arguments.tool {
                Tool::Pnpm => self.pnpm(),
                Tool::Python => self.python(),
            };
            match outcome {
                Err(InstallError::Run(error @ (RunError::End { .. } | RunError::Run { .. })))
                    if attempt < ATTEMPTS && Instant::now() + pause < self.deadline =>
                {
                    self.say(&format!("is tried again in {} s: {error}", pause.as_secs()));
                    thread::sleep(pause);
                    pause *= 2;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// pnpm in a folder of its own, which npm takes for its prefix.
    fn pnpm(&self) -> Result<(), InstallError> {
        let npm = on_path("npm").ok_or(InstallError::Find { program: "npm" })?;
        let version = &self.arguments.version;
        let name = format!("pnpm-{version}");
        let folder = self.empty(&name)?;
        self.run(&mut installer::npm_global(npm, &folder, &format!("pnpm@{version}")))?;
        self.run(Command::new(folder.join("bin/pnpm")).arg("--version"))?;
        for program in ["pnpm", "pnpx"] {
            if is_program(&folder.join("bin").join(program)) {
                self.link(program, &format!("{name}/bin/{program}"))?;
            }
        }
        Ok(())
    }

    /// Python as uv builds it, and uv itself; each only where it is missing.
    fn python(&self) -> Result<(), InstallError> {
        let uv = on_path("uv").ok_or(InstallError::Find { program: "uv" })?;
        if !is_program(&self.programs.join("python3")) {
            self.interpreter(&uv)?;
        }
        let programs = self.make(&PROGRAMS).map_err(|source| InstallError::Prepare { source })?;
        for tool in [uv.clone(), uv.with_file_name("uvx")] {
            let Some(name) = tool.file_name().filter(|_| is_program(&tool)) else { continue };
            if is_program(&self.programs.join(name)) {
                continue;
            }
            let bytes = fs::read(&tool)
                .map_err(|source| InstallError::Clear { path: tool.clone(), source })?;
            programs
                .replace(name, PROGRAM_MODE, &mut Cursor::new(bytes))
                .map_err(|source| InstallError::Prepare { source })?;
        }
        Ok(())
    }

    fn interpreter(&self, uv: &Path) -> Result<(), InstallError> {
        let version = &self.arguments.version;
        let name = format!("python-{version}");
        let folder = self.empty(&name)?;
        let mut command = Command::new(uv);
        command
            .args(["python", "install", "--no-config", "--no-progress"])
            .arg(version)
            .env("UV_PYTHON_INSTALL_DIR", &folder)
            // Later versions put links of their own beside ours.
            .env("UV_PYTHON_INSTALL_BIN", "0");
        self.run(&mut command)?;
        let interpreter = newest(&folder, version)
            .ok_or_else(|| InstallError::Interpreter { path: folder.clone() })?;
        let program = format!("{interpreter}/bin/python3");
        self.run(Command::new(folder.join(&program)).arg("--version"))?;
        self.link("python", &format!("{name}/{program}"))?;
        self.link("python3", &format!("{name}/{program}"))
    }

    /// Makes a directory below HOME; no link is followed on the way.
    fn make(&self, path: &[&str]) -> Result<Folder, FolderError> {
        let mut folder = Folder::open(&self.arguments.home)?;
        for name in path {
            folder = folder.make(name, DIRECTORY_MODE)?;
        }
        Ok(folder)
    }

    /// A folder for a tool, without what a killed run left in it.
    fn empty(&self, name: &str) -> Result<PathBuf, InstallError> {
        let path = self.tools.join(name);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(InstallError::Clear { path, source })
            }
            Ok(()) | Err(_) => Ok(path),
        }
    }

    fn run(&self, command: &mut Command) -> Result<(), InstallError> {
        // Not the image's own directory: it may hold settings for npm.
        command.current_dir(&self.tools);
        installer::run(command, self.deadline)?;
        Ok(())
    }

    /// Links a program to its place among the tools. A program of the agent's own stays.
    fn link(&self, program: &str, target: &str) -> Result<(), InstallError> {
        let path = self.programs.join(program);
        let is_ours = fs::read_link(&path).is_ok_and(|target| target.starts_with(FROM_PROGRAMS));
        if !is_ours && is_program(&path) {
            self.say(&format!("{} is the agent's own and stays", path.display()));
            return Ok(());
        }
        let temporary = self.programs.join(format!(".openclaw-write-{program}.tmp"));
        let failed = |source| InstallError::Link { path: path.clone(), source };
        match fs::remove_file(&temporary) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(failed(source)),
            Ok(()) | Err(_) => {}
        }
        let target = Path::new(FROM_PROGRAMS).join(target);
        symlink(target, &temporary).map_err(failed)?;
        fs::rename(&temporary, &path).map_err(failed)
    }

    fn say(&self, text: &str) {
        let tool = match self.arguments.tool {
            Tool::Pnpm => "pnpm",
            Tool::Python => "python",
        };
        super::log("install", &format!("{tool}: {text}"));
    }
}

/// The newest interpreter of a series below a folder of uv's.
fn newest(folder: &Path, series: &str) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let of_series = |name: &String| {
        name.strip_prefix("cpython-")
            .and_then(|rest| rest.strip_prefix(series))
            .is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let patch = |name: &String| {
        let rest = name.strip_prefix("cpython-").and_then(|rest| rest.strip_prefix(series));
        let digits = rest.unwrap_or_default().trim_start_matches('.').split('-').next();
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    names
        .filter(of_series)
        .filter(|name| is_program(&folder.join(name).join("bin/python3")))
        .max_by_key(patch)
}

fn is_program(path: &Path) -> bool {
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let access = rustix::fs::Access::EXEC_OK;
    is_file && rustix::fs::access(path, access).is_ok()
}
