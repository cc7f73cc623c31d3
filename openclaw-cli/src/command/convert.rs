//! `convert`: the `OpenClawInstance`s that `AgentInstance`s in the inputs stand for.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use openclaw_render::api::OpenClawInstance;
use serde_json::Value;

use super::rendered::Manifests;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  openclaw-cli convert agent.yaml | kubectl apply -f -")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) manifests: Manifests,
}

/// Prints every instance, also those that are written as such; if anything is an error, none.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Some(rendered) = arguments.manifests.rendered()? else { return Ok(ExitCode::FAILURE) };
    let mut stdout = io::stdout().lock();
    for agent in &rendered.agents {
        write!(stdout, "---\n{}", serde_saphyr::to_string(&written(&agent.instance)?)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns an instance as a user writes it: without owner and status, which a cluster gives.
fn written(instance: &OpenClawInstance) -> Result<Value, serde_json::Error> {
    let mut instance = instance.clone();
    instance.status = None;
    instance.metadata.owner_references = None;
    serde_json::to_value(instance)
}
