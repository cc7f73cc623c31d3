//! Manifests from files, directories and standard input.

mod files;
mod positions;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use openclaw_render::{Documents, Found, Problem, Rule};
use serde_json::Value;

pub(crate) use files::InputError;
use positions::Node;
pub(crate) use positions::Position;

/// All inputs and what they say together.
pub(crate) struct Inputs {
    pub(crate) files: Vec<File>,
    pub(crate) documents: Documents,
    /// File and position in it of every document.
    places: Vec<(usize, usize)>,
}

/// One file.
pub(crate) struct File {
    /// The path as it was given, or as it was found in a directory; `-` for standard input.
    pub(crate) name: String,
    pub(crate) text: String,
    /// What is wrong with it as a whole.
    pub(crate) problem: Option<(Problem, Option<Position>)>,
    /// Its documents once more, with their places; empty if they cannot be told.
    nodes: OnceCell<Vec<Node>>,
}

/// Reads all inputs. What one of them says of the world holds for the instances in all of them,
/// so that defaults and Secrets may be kept in a file of their own.
///
/// # Errors
/// Inputs that cannot be read. What cannot be parsed is a problem of its file.
pub(crate) fn read(paths: &[PathBuf], namespace: Option<&str>) -> Result<Inputs, InputError> {
    let mut files = Vec::new();
    let mut documents = Vec::new();
    let mut places = Vec::new();
    for files::Source { path, found } in files::expand(paths)? {
        let text = files::content(&path)?;
        let (parsed, mut problem) = match parse(&text) {
            Ok(parsed) => (parsed, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        for (position, mut document) in parsed.into_iter().enumerate() {
            if document.is_null() {
                continue;
            }
            // A directory of manifests may also hold the values of a chart.
            if found && document.get("kind").is_none() {
                let message = "has no `kind`, so it is no Kubernetes manifest: ignored";
                problem = Some((Problem::advice("document", Rule::Ineffective, message), None));
                continue;
            }
            if let Some(namespace) = namespace {
                set_namespace(&mut document, namespace);
            }
            places.push((files.len(), position));
            documents.push(document);
        }
        let name = path.display().to_string();
        files.push(File { name, text, problem, nodes: OnceCell::new() });
    }
    Ok(Inputs { files, documents: Documents::read(documents), places })
}

/// Reads one file whose documents are no manifests.
///
/// # Errors
/// A file that cannot be read. What cannot be parsed is a problem of it.
pub(crate) fn documents(path: &Path) -> Result<(File, Vec<Value>), InputError> {
    let text = files::content(path)?;
    let (documents, problem) = match parse(&text) {
        Ok(documents) => (documents, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let name = path.display().to_string();
    Ok((File { name, text, problem, nodes: OnceCell::new() }, documents))
}

impl File {
    /// Returns where a field stands in one of its documents.
    pub(crate) fn position(&self, document: usize, path: &str) -> Option<Position> {
        let nodes = self.nodes.get_or_init(|| {
            serde_saphyr::from_multiple_with_options(&self.text, options()).unwrap_or_default()
        });
        nodes.get(document)?.locate(path)
    }
}

impl Inputs {
    /// Returns the file of something that was found.
    pub(crate) fn file_of<T>(&self, found: &Found<T>) -> usize {
        self.places.get(found.document).map_or(0, |(file, _)| *file)
    }

    /// Returns where a field stands in the document of something that was found.
    pub(crate) fn position<T>(&self, found: &Found<T>, path: &str) -> Option<Position> {
        let (file, position) = self.places.get(found.document)?;
        // `Kind name: path` where the document is no instance.
        let path = path.rsplit_once(": ").map_or(path, |(_, path)| path);
        self.files.get(*file)?.position(*position, &format!("{}{path}", found.within))
    }
}

/// Documents of one input: what `kustomize build` makes of a fleet is one stream.
const MAX_DOCUMENTS: usize = 100_000;
/// Lists, maps and values of one input, which its bytes bound, too. An agent has some fifty.
const MAX_NODES: usize = 4_000_000;

/// A number with a leading zero is octal, as kubectl reads it.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        legacy_octal_numbers: true,
        budget: serde_saphyr::budget! {
            max_documents: MAX_DOCUMENTS,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
        },
    }
}

/// YAML with any number of documents; JSON is YAML.
fn parse(content: &str) -> Result<Vec<Value>, (Problem, Option<Position>)> {
    serde_saphyr::from_multiple_with_options(content, options()).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("not YAML");
        let message = format!("failed to parse: {}", first.trim().trim_start_matches("error: "));
        let position = error.location().and_then(Position::of);
        (Problem::error("document", Rule::Invalid, message), position)
    })
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
