//! `render`: every object of the instances in the inputs.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use openclaw_render::{Object, Observed, Rule, printable};
use serde_json::{Value, json};

use super::podman;
use super::rendered::{self, Rendered, Request};
use crate::output;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
                        openclaw-cli render ada.yaml | kubectl diff --server-side -f -\n  \
                        openclaw-cli render -o name agents/\n  \
                        openclaw-cli render -o dir=rendered agents/\n  \
                        openclaw-cli render -o podman ada.yaml | podman kube play -")]
pub(crate) struct Arguments {
    /// Manifests, YAML or JSON; `-` is standard input. `ConfigMap`s, `Secret`s, claims and
    /// `OpenClawClusterDefaults` among them are the world that the instances are rendered for; an
    /// `AgentInstance` counts as the instance that it stands for.
    /// A directory means every `.yaml`, `.yml` and `.json` below it.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    pub(crate) files: Vec<PathBuf>,
    /// `yaml`, `json` (one `List`), `name` (`kind/name`, one a line), `dir=DIR` (a file per object)
    /// or `podman` (what `podman kube play` runs).
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

/// Where rendered objects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    Yaml,
    Json,
    Name,
    Podman,
    Directory(PathBuf),
}

impl OutputFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("dir=")) {
            ("yaml", _) => Ok(Self::Yaml),
            ("json", _) => Ok(Self::Json),
            ("name", _) => Ok(Self::Name),
            ("podman", _) => Ok(Self::Podman),
            (_, Some(directory)) if !directory.is_empty() => Ok(Self::Directory(directory.into())),
            _ => Err("use `yaml`, `json`, `name`, `podman` or `dir=DIR`".to_owned()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RenderError {
    #[error("failed to write {path:?}")]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to write below {directory:?}: {name:?} is not the name of a file in it")]
    Name { directory: PathBuf, name: String },
    #[error("failed to write {path:?}: it is a symbolic link")]
    Link { path: PathBuf },
    #[error("podman has no namespaces, and two of them have an instance {name:?}: render one")]
    Namespaces { name: String },
    #[error("failed to read randomness for a gateway token")]
    Randomness { source: getrandom::Error },
    #[error("failed to write the output")]
    Print { source: io::Error },
}

/// All problems of all inputs go to standard error; if one of them is an error, nothing goes to
/// standard output.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let errors: &[Rule] = if arguments.strict { &[Rule::Unknown, Rule::UnknownField] } else { &[] };
    let prepare = |observed: &mut Observed| -> Result<(), Box<dyn Error>> {
        if arguments.generate_secrets {
            observed.random_token = Some(random_text::<32>()?);
            observed.random_password = Some(random_text::<36>()?);
        }
        Ok(())
    };
    let request =
        Request { files: &arguments.files, namespace: arguments.namespace.as_deref(), errors };
    let rendered = rendered::render(&request, prepare)?.instances()?;
    for file in &rendered.files {
        output::lines(file)?;
    }
    if rendered.has_errors() {
        return Ok(ExitCode::FAILURE);
    }
    let objects: Vec<&Object> = rendered.objects().collect();
    match &arguments.output {
        OutputFormat::Yaml => print(&yaml(&objects))?,
        OutputFormat::Json => print(&list(&objects)?)?,
        OutputFormat::Name => print(&names(&objects))?,
        OutputFormat::Podman => print(&played(&rendered)?)?,
        OutputFormat::Directory(directory) => write_files(directory, &objects)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn random_text<const BYTES: usize>() -> Result<String, RenderError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|source| RenderError::Randomness { source })?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn yaml(objects: &[&Object]) -> String {
    objects.iter().fold(String::new(), |text, object| text + "---\n" + &object.to_yaml())
}

fn names(objects: &[&Object]) -> String {
    objects.iter().fold(String::new(), |text, object| text + &rendered::name(object) + "\n")
}

fn list(objects: &[&Object]) -> Result<String, serde_json::Error> {
    let items: Vec<Value> = objects.iter().map(|object| object.to_value()).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    Ok(serde_json::to_string_pretty(&list)? + "\n")
}

/// What podman runs; what it does not goes to standard error.
fn played(rendered: &Rendered) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    let mut names = BTreeSet::new();
    for agent in &rendered.agents {
        if !names.insert(&agent.name) {
            return Err(RenderError::Namespaces { name: agent.name.clone() }.into());
        }
        let played = podman::play(agent);
        for line in played.told {
            let (namespace, name) = (printable(&agent.namespace), printable(&agent.name));
            writeln!(io::stderr(), "{namespace}/{name}: {}", printable(&line))?;
        }
        for document in played.documents {
            text = text + "---\n" + &serde_saphyr::to_string(&document)?;
        }
    }
    Ok(text)
}

fn print(text: &str) -> Result<(), RenderError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|source| RenderError::Print { source })
}

/// A file per object, `<namespace>/<Kind>.<name>.yaml`, all of them in the directory: who wrote the
/// manifest need not be who runs this.
fn write_files(directory: &Path, objects: &[&Object]) -> Result<(), RenderError> {
    for object in objects {
        let folder = within(directory, object.namespace())?;
        let path = within(&folder, &format!("{}.{}.yaml", object.kind(), object.name()))?;
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, object.to_yaml()))
            .map_err(|source| RenderError::Write { path, source })?;
    }
    Ok(())
}

/// The path of something in a directory that is, or will be, in the directory itself.
fn within(directory: &Path, name: &str) -> Result<PathBuf, RenderError> {
    let mut components = Path::new(name).components();
    let only = (components.next(), components.next());
    if !matches!(only, (Some(Component::Normal(only)), None) if only == name) {
        return Err(RenderError::Name { directory: directory.to_owned(), name: name.to_owned() });
    }
    let path = directory.join(name);
    // What cannot be looked at cannot be written either, which is said then.
    if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
        return Err(RenderError::Link { path });
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::within;

    #[test]
    fn only_a_single_name_is_within_a_directory() {
        let directory = Path::new("out");
        for bad in ["", ".", "..", "/", "/etc", "a/b", "a/", "./a", "../a", "a/.."] {
            assert!(within(directory, bad).is_err(), "{bad:?}");
        }
        for good in ["agents", "StatefulSet.ada.yaml", "..a", "a\\b"] {
            assert_eq!(within(directory, good).ok(), Some(directory.join(good)), "{good:?}");
        }
    }
}
