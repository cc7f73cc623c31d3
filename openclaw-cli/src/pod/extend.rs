//! `pod extend`: puts skills and plugins on the agent's volume, each once, and removes those that
//! are asked for no more.
//!
//! # Guarantees
//! - It ends well, whatever comes of it: no agent waits for a hub or a registry. What could not be
//!   installed is in the termination log; what was there stays.
//! - What is there as it is asked for is left alone, without a look at the network.
//! - Packages run no scripts. The agent's configuration is not touched, and a skill that the agent
//!   has written itself is not replaced.
//! - Removed is what it installed itself, by its own records. What was there before that stays.
//! - Time is bounded; who ran out of it once gets a minute from then on.

mod item;
mod places;
mod record;
mod withdrawn;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use openclaw_render::seed::content_hash;
use serde_json::{Value, json};

use super::application::{Application, on_path};
use super::folder::FolderError;
use super::installer::{self, RunError};
use super::{leave_last_words, one_line};
use crate::error::chain;
use item::{Item, Kind, Source};
use places::PACKAGE;
use record::{Origin, Record, Records};

/// The time of a run like one that took too long.
const SHORT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_secs(2);
/// Of each thing that could not be installed, in a condition.
const WORDS_LIMIT: usize = 200;
/// Key of the record of a run that took too long.
const LATE: &str = "late";
/// Accepts what a plugin says that it does; older versions do not ask.
const ACCEPT: &str = "--accept-capabilities";

/// What one run looks after: all that it is asked for is of that sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sort {
    /// Skills, and packages with their programs.
    Skills,
    Plugins,
}

impl Sort {
    fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::Npm | Kind::Skill => self == Self::Skills,
            Kind::Plugin => self == Self::Plugins,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is looked after: what was installed of that sort, and is not asked for, is removed.
    #[arg(long)]
    pub(crate) sort: Sort,
    /// A package of npm's, with its programs; repeated for each.
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) npm: Vec<String>,
    /// A skill on ClawHub for all workspaces; repeated for each.
    #[arg(long, value_name = "SKILL")]
    pub(crate) skill: Vec<String>,
    /// A directory below the state and, after `=`, a skill on ClawHub for it; repeated for each.
    #[arg(long, value_name = "DIR=SKILL")]
    pub(crate) workspace_skill: Vec<String>,
    /// A plugin, as the application takes it; repeated for each.
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: Vec<String>,
    /// HOME of the agent.
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// State directory of the application.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Directory for a configuration that the application may write to.
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: PathBuf,
    /// How long all of it may take together.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout_seconds: u64,
    /// Where it is written what was not installed, and why.
    #[arg(long, value_name = "FILE")]
    pub(crate) termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum ExtendError {
    #[error("found no program {program:?} on the path of the image")]
    Find { program: &'static str },
    #[error("failed to prepare the volume")]
    Prepare { source: FolderError },
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("{path:?} is not there, although the installer says so")]
    Missing { path: PathBuf },
    #[error(
        "{path:?} does not come from ClawHub, and stays: remove it, or take it out of the spec"
    )]
    Own { path: PathBuf },
    #[error("was not tried: the time is over")]
    Untried,
    #[error("failed to remove {path:?}")]
    Remove { path: PathBuf, source: io::Error },
    #[error("{path:?} is still there, although its installer says that it removed it")]
    Remains { path: PathBuf },
}

/// Runs `pod extend`.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let failed = match Records::open(&arguments.home) {
        Ok(records) => Extender::new(arguments, records).all(),
        Err(source) => vec![chain(&ExtendError::Prepare { source })],
    };
    if !failed.is_empty() {
        leave_last_words(&arguments.termination_log, &failed.join("; "));
    }
    ExitCode::SUCCESS
}

struct Extender<'a> {
    arguments: &'a Arguments,
    records: Records,
    application: Option<Application>,
    /// Tells a run from one that was asked for other things or given another time.
    asked: String,
    deadline: Instant,
}

impl<'a> Extender<'a> {
    fn new(arguments: &'a Arguments, records: Records) -> Self {
        let Arguments { npm, skill, workspace_skill, plugin, timeout_seconds, .. } = arguments;
        let asked = format!("{npm:?} {skill:?} {workspace_skill:?} {plugin:?} {timeout_seconds}");
        let asked = content_hash(asked.as_bytes());
        let limit = Duration::from_secs(*timeout_seconds);
        let was_late = records.holds(&late(arguments), &asked, None);
        let limit = if was_late { limit.min(SHORT) } else { limit };
        let deadline = Instant::now() + limit;
        let application = Application::find(Path::new("/"));
        Self { arguments, records, application, asked, deadline }
    }

    /// Removes what is asked for no more, which may be in the way of what is, and installs
    /// everything. Returns what could not be done.
    fn all(&self) -> Vec<String> {
        let items = self.items();
        let mut failed = self.withdraw(&items);
        let mut may_try_twice = true;
        let mut is_late = false;
        for item in items {
            let outcome =
                if is_late { self.only_if_there(&item) } else { self.one(&item, may_try_twice) };
            let Err(error) = outcome else { continue };
            is_late |= matches!(error, ExtendError::Run(RunError::Late { .. }));
            may_try_twice = false;
            let text = format!("{}: {}", item.entry, one_line(&chain(&error), WORDS_LIMIT));
            say(&text);
            failed.push(text);
        }
        let entry = if is_late { self.asked.clone() } else { String::new() };
        let place = late(self.arguments);
        if is_late || self.records.read(&place).is_some() {
            self.record(&place, &Record { entry, is_complete: true, ..Record::default() });
        }
        failed
    }

    fn items(&self) -> Vec<Item> {
        let Arguments { npm, skill, workspace_skill, plugin, state, .. } = self.arguments;
        let of_workspace = |text: &String| {
            let (directory, skill) = text.split_once('=')?;
            Some(Item::skill(skill, Some(state.join(directory))))
        };
        let npm = npm.iter().map(|text| Item::npm(text));
        let skills = skill.iter().map(|text| Item::skill(text, None));
        let of_workspaces = workspace_skill.iter().filter_map(of_workspace);
        let plugins = plugin.iter().map(|text| Item::plugin(text));
        npm.chain(skills).chain(of_workspaces).chain(plugins).collect()
    }

    /// Installs one thing if it is not there; twice, if it fails and nothing else has.
    fn one(&self, item: &Item, may_try_twice: bool) -> Result<(), ExtendError> {
        if self.is_there(item) {
            return Ok(());
        }
        say(&format!("{} is installed", item.entry));
        self.begin(item);
        match self.install(item) {
            Err(ExtendError::Run(RunError::End { .. })) if may_try_twice => {
                thread::sleep(PAUSE);
                self.install(item)
            }
            outcome => outcome,
        }
    }

    fn only_if_there(&self, item: &Item) -> Result<(), ExtendError> {
        if self.is_there(item) { Ok(()) } else { Err(ExtendError::Untried) }
    }

    fn is_there(&self, item: &Item) -> bool {
        let version = self.version_for(item);
        let is_there = self.records.holds(&item.place(), &item.entry, version.as_deref());
        if is_there {
            say(&format!("{} is there", item.entry));
        }
        is_there
    }

    /// Plugins are made for a version of the application.
    fn version_for(&self, item: &Item) -> Option<String> {
        let Source::Plugin { .. } = &item.source else { return None };
        Some(self.application.as_ref()?.version()?.text)
    }

    /// Records whose it is, before anything of it is ours.
    fn begin(&self, item: &Item) {
        if self.records.read(&item.place()).is_some() {
            return;
        }
        let was_there = self.folder(item).is_some();
        self.record(&item.place(), &Record { was_there, ..Record::of(item) });
    }

    fn install(&self, item: &Item) -> Result<(), ExtendError> {
        let files = match &item.source {
            Source::Npm { package, version } => {
                self.install_package(package, version.as_deref())?
            }
            Source::Skill { owner, slug, version, workspace } => {
                let wanted = (owner.as_deref(), version.as_deref());
                self.install_skill(slug, wanted, workspace.as_deref())?
            }
            Source::Plugin { package, spec } => self.install_plugin(package, spec)?,
        };
        let begun = self.records.read(&item.place());
        let record = Record {
            application: self.version_for(item),
            files,
            was_there: begun.is_some_and(|record| record.was_there),
            is_complete: true,
            ..Record::of(item)
        };
        self.record(&item.place(), &record);
        Ok(())
    }

    /// Without a record it is installed once more, which costs time and nothing else.
    fn record(&self, place: &str, record: &Record) {
        if let Err(error) = self.records.write(place, record) {
            say(&format!("not recorded: {}", chain(&error)));
        }
    }

    fn install_package(
        &self,
        package: &str,
        version: Option<&str>,
    ) -> Result<Vec<PathBuf>, ExtendError> {
        let npm = on_path("npm").ok_or(ExtendError::Find { program: "npm" })?;
        let spec =
            version.map_or_else(|| package.to_owned(), |version| format!("{package}@{version}"));
        self.run(&mut installer::npm_global(npm, &self.prefix(), &spec), self.deadline)?;
        there(self.package(package).join(PACKAGE))
    }

    fn install_skill(
        &self,
        slug: &str,
        (owner, version): (Option<&str>, Option<&str>),
        workspace: Option<&Path>,
    ) -> Result<Vec<PathBuf>, ExtendError> {
        let folder = self.skills(workspace).join(slug);
        let file = folder.join("SKILL.md");
        let mut flags = Vec::new();
        if fs::symlink_metadata(&folder).is_ok() {
            let Some(origin) = Origin::of(&folder) else {
                return Err(ExtendError::Own { path: folder });
            };
            let is_it = owner.is_none_or(|owner| origin.owner_handle.as_deref() == Some(owner))
                && version.is_none_or(|it| origin.installed_version.as_deref() == Some(it));
            if is_it && file.is_file() {
                return Ok(vec![file]);
            }
            flags.push("--force");
        }
        if let Some(version) = version {
            flags.extend(["--version", version]);
        }
        let mut config = empty();
        match workspace {
            None => flags.push("--global"),
            Some(workspace) => config = json!({"agents": {"defaults": {"workspace": workspace}}}),
        }
        let reference = owner.map_or_else(|| slug.to_owned(), |owner| format!("@{owner}/{slug}"));
        let mut command = self.application(&["skills", "install"], &config)?;
        self.run(command.arg(reference).args(flags), self.deadline)?;
        there(file)
    }

    fn install_plugin(&self, package: &str, spec: &str) -> Result<Vec<PathBuf>, ExtendError> {
        let mut help = self.application(&["plugins", "install", "--help"], &empty())?;
        let help = self.run(&mut help, self.deadline)?;
        let mut command = self.application(&["plugins", "install"], &empty())?;
        // Without it a source that is not ClawHub must be confirmed by hand, and nothing of an
        // earlier version is replaced.
        command.args([spec, "--force"]);
        if String::from_utf8_lossy(&help).contains(ACCEPT) {
            command.arg(ACCEPT);
        }
        self.run(&mut command, self.deadline)?;
        let folder = self.plugin(package).or_else(|| self.plugin_turned_on());
        Ok(folder.map(|folder| folder.join(PACKAGE)).into_iter().collect())
    }

    /// The application, with a configuration that it may write to: its installers do.
    fn application(&self, words: &[&str], config: &Value) -> Result<Command, ExtendError> {
        let missing = ExtendError::Find { program: "openclaw" };
        let application = self.application.as_ref().ok_or(missing)?;
        let missing = ExtendError::Find { program: "openclaw" };
        let (program, arguments) = application.command.split_first().ok_or(missing)?;
        let path = self.config();
        fs::write(&path, config.to_string())
            .map_err(|source| ExtendError::Write { path: path.clone(), source })?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(words)
            .env("OPENCLAW_STATE_DIR", &self.arguments.state)
            .env("OPENCLAW_CONFIG_PATH", path)
            .env_remove("OPENCLAW_CONFIG_READONLY");
        Ok(command)
    }

    fn config(&self) -> PathBuf {
        self.arguments.work_dir.join("openclaw-extend.json")
    }

    /// Packages run no scripts, whoever installs them for whom.
    fn run(&self, command: &mut Command, deadline: Instant) -> Result<Vec<u8>, ExtendError> {
        command
            .current_dir(&self.arguments.work_dir)
            .env_remove("NODE_OPTIONS")
            .env("NPM_CONFIG_IGNORE_SCRIPTS", "true")
            .env("npm_config_ignore_scripts", "true");
        Ok(installer::run(command, deadline)?)
    }
}

/// A run for skills knows nothing of one for plugins.
fn late(arguments: &Arguments) -> String {
    let sort = match arguments.sort {
        Sort::Skills => "skills",
        Sort::Plugins => "plugins",
    };
    format!("{LATE} {sort}")
}

/// A configuration that says nothing.
fn empty() -> Value {
    json!({})
}

fn there(file: PathBuf) -> Result<Vec<PathBuf>, ExtendError> {
    if file.is_file() { Ok(vec![file]) } else { Err(ExtendError::Missing { path: file }) }
}

fn say(text: &str) {
    super::log("extend", text);
}
