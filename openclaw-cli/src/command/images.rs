//! `images`: what a mirror must hold for instances to run.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::rendered::Manifests;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  openclaw-cli images agents/ | xargs -n1 docker pull")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) manifests: Manifests,
}

/// Prints every image of every pod once, sorted. The operator's own is the chart's business.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Some(rendered) = arguments.manifests.rendered()? else { return Ok(ExitCode::FAILURE) };
    let mut images = BTreeSet::new();
    for object in rendered.objects() {
        collect(&object.to_value(), &mut images);
    }
    // What no runtime pulls is nothing to hand to another program.
    let is_none = |image: &&String| {
        image.starts_with('-') || image.contains(|it: char| it.is_whitespace() || it.is_control())
    };
    if let Some(image) = images.iter().find(is_none) {
        writeln!(io::stderr(), "error: {image:?} is no image")?;
        return Ok(ExitCode::FAILURE);
    }
    let mut stdout = io::stdout().lock();
    for image in images {
        writeln!(stdout, "{image}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Collects the images of the containers, and of volumes that are one, in any kind that has pods.
fn collect(value: &Value, images: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, images)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match name.as_str() {
                    "containers" | "initContainers" => {
                        let containers = field.as_array().into_iter().flatten();
                        let named = containers.filter_map(|each| each.get("image")?.as_str());
                        images.extend(named.map(str::to_owned));
                    }
                    "image" => {
                        let reference = field.get("reference").and_then(Value::as_str);
                        images.extend(reference.map(str::to_owned));
                    }
                    _ => collect(field, images),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
