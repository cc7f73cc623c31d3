//! `check`: whether the instances in the inputs can be rendered and would start.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use openclaw_render::{Observed, Rule, Severity};

use super::rendered;
use crate::input::InputError;
use crate::output;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
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

/// Stricter than `render`: a field that the API does not have is an error, and so is what the
/// application would refuse.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut errors = vec![Rule::UnknownField];
    if arguments.strict {
        errors.push(Rule::Unknown);
    }
    let namespace = arguments.namespace.as_deref();
    let as_they_are = |_: &mut Observed| Ok::<(), InputError>(());
    let (_, inputs) = rendered::render(&arguments.files, namespace, &errors, as_they_are)?;
    let mut failed = false;
    for input in inputs {
        let gravest = output::problems(&input.name, &input.problems)?;
        if matches!(gravest, Some(Severity::Error | Severity::WillNotStart)) {
            failed = true;
        } else {
            writeln!(io::stdout(), "{}: ok", input.name)?;
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
