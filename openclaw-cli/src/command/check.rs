//! `check`: whether the instances in the inputs can be rendered and would start.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use openclaw_render::{Rule, Settings, Severity, render_instance};

use crate::args::CheckArguments;
use crate::{input, output};

/// Stricter than `render`: a field that the API does not have is an error, and so is what the
/// application would refuse.
pub(crate) fn run(arguments: &CheckArguments) -> Result<ExitCode, Box<dyn Error>> {
    let settings = Settings::default();
    let mut failed = false;
    let mut objects = Vec::new();
    for input in input::read(&arguments.files, arguments.namespace.as_deref())? {
        let mut problems = input.documents.problems.clone();
        for instance in &input.documents.instances {
            let observed = input.documents.observed(instance);
            let (rendered, found) = render_instance(instance, &observed, &settings);
            objects.extend(rendered);
            problems.extend(found);
        }
        problems.extend(output::doubled(&objects));
        let mut rules = vec![Rule::UnknownField];
        if arguments.strict {
            rules.push(Rule::Unknown);
        }
        output::escalate(&mut problems, &rules);
        let gravest = output::problems(&input.name, &problems)?;
        if matches!(gravest, Some(Severity::Error | Severity::WillNotStart)) {
            failed = true;
        } else {
            writeln!(io::stdout(), "{}: ok", input.name)?;
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
