//! `play`: a scene of an agent's life, pass by pass, as the operator would act in it.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use openclaw_play::Scene;
use openclaw_render::{Found, Problem};
use serde_json::Value;

use super::rendered::{Checked, Finding};
use crate::error::chain;
use crate::input::{self, File};
use crate::output;

#[derive(Debug, clap::Args)]
#[command(after_help = "A scene is YAML, a step a document:\n\n  \
                        step: The user creates an instance.\n  \
                        instance: { metadata: { name: ada }, spec: { image: { tag: 2026.9.6 } } }\n  \
                        ---\n  \
                        step: The user switches it off.\n  \
                        merge: { spec: { suspended: true } }\n\n\
                        Example:\n  openclaw-cli play scene.yaml")]
pub(crate) struct Arguments {
    /// File of the steps; `-` is standard input.
    #[arg(value_name = "SCENE")]
    pub(crate) scene: PathBuf,
    /// `text` for people, `json` for programs.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub(crate) output: OutputFormat,
}

/// How a scene is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    Text,
    Json,
}

/// Plays the scene up to its end, or to the step that cannot happen, of which standard error tells.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let (file, documents) = input::documents(&arguments.scene)?;
    if let Some((problem, position)) = file.problem.clone() {
        return tell(file, vec![Finding { problem, position }]);
    }
    let folder = arguments.scene.parent().unwrap_or(Path::new(""));
    let scene = match Scene::read(documents, |name| beside(folder, name)) {
        Ok(scene) => scene,
        Err(wrong) => {
            let findings = wrong.into_iter().map(|found| finding(&file, found)).collect();
            return tell(file, findings);
        }
    };
    let transcript = scene.play();
    let mut stdout = io::stdout().lock();
    match arguments.output {
        OutputFormat::Text => write!(stdout, "{transcript}")?,
        OutputFormat::Json => writeln!(stdout, "{}", serde_json::to_string_pretty(&transcript)?)?,
    }
    match transcript.wrong {
        None => Ok(ExitCode::SUCCESS),
        Some(wrong) => {
            let finding = finding(&file, wrong);
            tell(file, vec![finding])
        }
    }
}

/// Reads a file in the folder of the scene, or in one below it: whoever wrote the scene need not be
/// who plays it.
fn beside(folder: &Path, name: &str) -> Result<Value, String> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if name.is_empty() || !Path::new(name).components().all(is_plain) {
        return Err(format!("{name:?} is not a file in the folder of the scene"));
    }
    let (file, documents) = input::documents(&folder.join(name)).map_err(|error| chain(&error))?;
    match (file.problem, documents.into_iter().next()) {
        (Some((problem, _)), _) => Err(format!("{name}: {}", problem.message)),
        (None, document) => Ok(document.unwrap_or_default()),
    }
}

fn finding(file: &File, found: Found<Problem>) -> Finding {
    let position = file.position(found.document, &found.value.path);
    Finding { problem: found.value, position }
}

fn tell(file: File, findings: Vec<Finding>) -> Result<ExitCode, Box<dyn Error>> {
    output::excerpts(&Checked { name: file.name, text: file.text, findings })?;
    Ok(ExitCode::FAILURE)
}
