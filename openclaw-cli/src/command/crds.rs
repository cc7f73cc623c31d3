//! `crds`: the CustomResourceDefinitions, as the chart ships them.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use openclaw_render::api;
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  openclaw-cli crds | kubectl apply --server-side -f -")]
pub(crate) struct Arguments {
    /// Write a file per definition into this directory instead of printing them.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum CrdsError {
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    for definition in api::custom_resource_definitions() {
        let text = serde_saphyr::to_string(&definition)?;
        match &arguments.out {
            None => write!(io::stdout(), "---\n{text}")?,
            Some(directory) => {
                let plural = definition.pointer("/spec/names/plural").and_then(Value::as_str);
                let path = directory.join(format!("{}.yaml", plural.unwrap_or_default()));
                fs::create_dir_all(directory)
                    .and_then(|()| fs::write(&path, text))
                    .map_err(|source| CrdsError::Write { path, source })?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
