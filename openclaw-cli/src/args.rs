//! The command line, as clap types and nothing else.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use openclaw_render::Version;
use openclaw_render::vocab::paths;

use crate::pod::probe::{Expectation, LoopbackUrl};

/// Previews, checks and explains what the agent operator would apply.
#[derive(Debug, Parser)]
#[command(name = "openclaw-cli", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print every object that the operator would make.
    Render(RenderArguments),
    /// Find out whether instances can be rendered and would start.
    Check(CheckArguments),
    /// Print the CustomResourceDefinitions.
    Crds(CrdsArguments),
    /// What runs inside agent pods.
    #[command(subcommand)]
    Pod(PodCommand),
}

#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    /// Manifests, YAML or JSON; `-` is standard input. `ConfigMap`s, `Secret`s, claims and
    /// `OpenClawClusterDefaults` among them are the world that the instances are rendered for.
    #[arg(required = true, value_name = "FILE|-")]
    pub(crate) files: Vec<PathBuf>,
    /// `yaml`, `json` (one `List`) or `dir=DIR` (a file per object).
    #[arg(short, long, default_value = "yaml", value_name = "FORMAT", value_parser = OutputFormat::parse)]
    pub(crate) output: OutputFormat,
    /// Put a random gateway token into the Secret, which is empty otherwise.
    #[arg(long)]
    pub(crate) generate_secrets: bool,
    /// Make an error of a reference that is not among the inputs and of an unknown field.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Namespace of objects that name none.
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Manifests, as for `render`.
    #[arg(required = true, value_name = "FILE|-")]
    pub(crate) files: Vec<PathBuf>,
    /// Make an error of a reference that is not among the inputs.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Namespace of objects that name none.
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CrdsArguments {
    /// Write a file per definition into this directory instead of printing them.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Where rendered objects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    Yaml,
    Json,
    Directory(PathBuf),
}

impl OutputFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("dir=")) {
            ("yaml", _) => Ok(Self::Yaml),
            ("json", _) => Ok(Self::Json),
            (_, Some(directory)) if !directory.is_empty() => Ok(Self::Directory(directory.into())),
            _ => Err("use `yaml`, `json` or `dir=DIR`".to_owned()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum PodCommand {
    /// Perform a seed plan on the agent's volumes, then copy this program out.
    Seed(SeedArguments),
    /// Keep the agent's openclaw.json equal to the operator's, as far as the application accepts it.
    Sync(SyncArguments),
    /// Bring the state on the agent's volume up to the version of the image, once.
    Migrate(MigrateArguments),
    /// Become the gateway, in whatever way the image has it.
    Start(StartArguments),
    /// Ask an application on loopback how it is, and judge the answer by its JSON body.
    Probe(ProbeArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SeedArguments {
    /// The seed plan, a JSON file.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: PathBuf,
    /// Directory that holds the contents which the plan names by key.
    #[arg(long, value_name = "DIR")]
    pub(crate) contents: PathBuf,
    /// Root of the data volume.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Root of the scratch volume.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: PathBuf,
    /// Where this program copies itself to, with mode 0755.
    #[arg(long, value_name = "FILE")]
    pub(crate) helper_to: PathBuf,
    /// Where the reason of a failure is written, for the container's status.
    #[arg(long, value_name = "FILE")]
    pub(crate) termination_log: PathBuf,
}

/// How the operator's content gets into the agent's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SyncMode {
    /// The file is the operator's: whatever else is in it goes.
    Overwrite,
}

#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// The operator's openclaw.json, as the kubelet mounts it.
    #[arg(long, value_name = "FILE")]
    pub(crate) source: PathBuf,
    /// The agent's openclaw.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) target: PathBuf,
    /// Directory for candidates and for the last good content. It must not outlive the pod: what
    /// is remembered in it was judged by this image's validator.
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: PathBuf,
    /// Port of `/startupz` and `/status`; 0 takes any free one, which the log names.
    #[arg(long)]
    pub(crate) port: u16,
    /// How the operator's content gets into the agent's file.
    #[arg(long, value_enum, default_value_t = SyncMode::Overwrite)]
    pub(crate) mode: SyncMode,
    /// How often both files are looked at, changes seen or not.
    #[arg(long, value_name = "SECONDS", default_value_t = 2,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) poll_seconds: u64,
    /// How long one run of the validator may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) validator_timeout_seconds: u64,
    /// A word of the command that migrates the file which `OPENCLAW_CONFIG_PATH` names; repeated
    /// for each word. Without it, what the validator refuses is refused.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub(crate) migrator: Vec<OsString>,
    /// How long one run of the migrator may take; a migration is two of them.
    #[arg(long, value_name = "SECONDS", default_value_t = 120,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) migrator_timeout_seconds: u64,
    /// The command that judges the file which `OPENCLAW_CONFIG_PATH` names: exit 0 is valid.
    /// Without it everything is.
    #[arg(last = true, value_name = "VALIDATOR")]
    pub(crate) validator: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
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

#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// Root of the image's file system.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
    /// Where the reason of a failure is written, for the container's status.
    #[arg(long, value_name = "FILE", default_value = paths::TERMINATION_LOG)]
    pub(crate) termination_log: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArguments {
    /// What to ask: `http://` and a loopback address.
    #[arg(long)]
    pub(crate) url: LoopbackUrl,
    /// What a key of the answer must be, for example `status=started`; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) expect: Vec<Expectation>,
    /// How long the whole exchange may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 3,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout_seconds: u64,
    /// A path that must be writable, on a file system with enough space.
    #[arg(long, value_name = "PATH", requires = "min_free_bytes")]
    pub(crate) disk_path: Option<PathBuf>,
    /// How much space `--disk-path` must have for users other than root.
    #[arg(long, value_name = "BYTES", requires = "disk_path")]
    pub(crate) min_free_bytes: Option<u64>,
}
