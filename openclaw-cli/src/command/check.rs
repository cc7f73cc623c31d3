//! `check`: whether the instances in the inputs can be rendered and would start.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use openclaw_render::{Rule, Severity};

use super::rendered::{self, Checked, Request};
use crate::error::unanswered;
use crate::input::InputError;
use crate::output;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 everything is fine; 1 something would be refused, would not \
                        start or would be left alone; 2 it could not be found out.\n\n\
                        Examples:\n  \
                        openclaw-cli check agents/\n  \
                        kustomize build . | openclaw-cli check -\n  \
                        openclaw-cli check -o github agents/*.yaml"
)]
pub(crate) struct Arguments {
    /// Manifests, as for `render`.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    pub(crate) files: Vec<PathBuf>,
    /// `text` with excerpts, `json` for programs, `github` for annotations of a change.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub(crate) output: OutputFormat,
    /// Make an error of a reference that is not among the inputs.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Namespace of objects that name none.
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
}

/// How problems are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    Text,
    Json,
    Github,
}

/// Stricter than `render`: a field that the API does not have is an error, and so is what the
/// application would refuse and what makes the operator leave an instance alone.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut errors = vec![Rule::UnknownField, Rule::Unsupported];
    if arguments.strict {
        errors.push(Rule::Unknown);
    }
    let request = Request {
        files: &arguments.files,
        namespace: arguments.namespace.as_deref(),
        errors: &errors,
    };
    let files = match rendered::preview(&request).and_then(rendered::Rendered::ours) {
        Ok(rendered) => rendered.files,
        Err(error @ InputError::Nothing { .. }) => return Err(error.into()),
        Err(error) => return Ok(unanswered(&error)?),
    };
    let mut stdout = io::stdout().lock();
    match arguments.output {
        OutputFormat::Text => {
            for file in &files {
                output::excerpts(file)?;
                if is_ok(file) {
                    writeln!(stdout, "{}: ok", file.name)?;
                }
            }
        }
        OutputFormat::Json => {
            writeln!(stdout, "{:#}", output::document(&files, is_ok))?;
        }
        OutputFormat::Github => {
            for file in &files {
                write!(stdout, "{}", output::github(file))?;
            }
        }
    }
    Ok(if files.iter().all(is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_ok(file: &Checked) -> bool {
    !matches!(file.gravest(), Some(Severity::Error | Severity::WillNotStart))
}
