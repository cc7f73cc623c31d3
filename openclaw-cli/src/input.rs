//! Manifests from files and standard input.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use openclaw_render::{Documents, Severity};
use serde_json::Value;

/// Largest input; a cluster's own limit for one object is 1.5 MiB.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("failed to read {path:?}")]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to read {path:?}: larger than {MAX_BYTES} bytes")]
    TooLarge { path: PathBuf },
    #[error("failed to read {path:?}: not UTF-8")]
    Encoding { path: PathBuf },
    #[error("failed to parse {path:?}: {message}")]
    Parse { path: PathBuf, message: String },
    #[error("{path:?} holds no OpenClawInstance")]
    NoInstance { path: PathBuf },
}

/// One input and what it says.
pub(crate) struct Input {
    /// The path as it was given; `-` for standard input.
    pub(crate) name: String,
    pub(crate) documents: Documents,
}

/// Reads all inputs. What one of them says of the world holds for the instances in all of them,
/// so that defaults and Secrets may be kept in a file of their own.
pub(crate) fn read(paths: &[PathBuf], namespace: Option<&str>) -> Result<Vec<Input>, InputError> {
    let mut parsed = Vec::new();
    for path in paths {
        let mut documents = parse(path, &content(path)?)?;
        if let Some(namespace) = namespace {
            for document in &mut documents {
                set_namespace(document, namespace);
            }
        }
        parsed.push((path, documents));
    }
    let world: Vec<Value> = parsed
        .iter()
        .flat_map(|(_, documents)| documents)
        .filter(|each| Documents::is_world(each))
        .cloned()
        .collect();
    let mut inputs = Vec::new();
    for (path, documents) in parsed {
        let own = documents.into_iter().filter(|each| !Documents::is_world(each));
        inputs.push(Input {
            name: path.display().to_string(),
            documents: Documents::read(world.iter().cloned().chain(own)),
        });
    }
    let errors = |input: &Input| {
        input.documents.problems.iter().any(|problem| problem.severity == Severity::Error)
    };
    if inputs.iter().all(|input| input.documents.instances.is_empty() && !errors(input))
        && let Some(path) = paths.first()
    {
        return Err(InputError::NoInstance { path: path.clone() });
    }
    Ok(inputs)
}

fn content(path: &Path) -> Result<String, InputError> {
    let failed = |source| InputError::Read { path: path.to_owned(), source };
    let reader: Box<dyn io::Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(fs::File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(InputError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| InputError::Encoding { path: path.to_owned() })
}

/// YAML with any number of documents; JSON is YAML. A number with a leading zero is octal, as kubectl
/// reads it.
fn parse(path: &Path, content: &str) -> Result<Vec<Value>, InputError> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    let documents = serde_saphyr::from_multiple_with_options(content, options);
    let documents: Vec<Value> = documents.map_err(|error| {
        let text = error.to_string();
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("not YAML");
        InputError::Parse { path: path.to_owned(), message: first.trim().to_owned() }
    })?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Gives a namespace to an object that names none.
fn set_namespace(document: &mut Value, namespace: &str) {
    if let Some(items) = document.get_mut("items").and_then(Value::as_array_mut) {
        for item in items {
            set_namespace(item, namespace);
        }
    }
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.entry("namespace").or_insert_with(|| Value::from(namespace));
    }
}
