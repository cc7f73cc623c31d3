//! `explain`: what a field means, without a cluster.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use openclaw_render::api;
use serde_json::Value;

/// The kind that is meant when none is named.
const USUAL: &str = "openclawinstance";
/// Columns of a description.
const WIDTH: usize = 96;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
                        openclaw-cli explain spec.storage.persistence\n  \
                        openclaw-cli explain openclawclusterdefaults.spec.registry\n  \
                        openclaw-cli explain --recursive spec.chromium")]
pub(crate) struct Arguments {
    /// Path of the field; another kind than `OpenClawInstance` comes first.
    #[arg(default_value = "spec", value_name = "[KIND.]FIELD")]
    pub(crate) field: String,
    /// All fields below it, names and types only.
    #[arg(short, long)]
    pub(crate) recursive: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("{kind} has no field {path:?}{remedy}")]
struct Unknown {
    kind: String,
    path: String,
    remedy: String,
}

/// Prints type and description of a field, and the fields below it.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let (kind, schema, path) = find(&arguments.field)?;
    let mut out = io::stdout().lock();
    writeln!(out, "KIND:   {kind}")?;
    writeln!(out, "FIELD:  {path} <{}>\n", type_of(&schema))?;
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    for line in wrapped(description, WIDTH) {
        writeln!(out, "    {line}")?;
    }
    let bounds = bounds(&schema);
    if !bounds.is_empty() {
        writeln!(out, "\n    {}", bounds.join("; "))?;
    }
    if fields(&schema).next().is_some() {
        writeln!(out, "\nFIELDS:")?;
        list(&mut out, &schema, 1, arguments.recursive)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the kind's name, the schema of the field and its path.
fn find(field: &str) -> Result<(String, Value, String), Unknown> {
    let definitions = api::custom_resource_definitions();
    let (first, rest) = field.split_once('.').unwrap_or((field, ""));
    let named = |definition: &&Value, name: &str| {
        ["kind", "plural", "singular"].iter().any(|form| {
            let form = definition.pointer(&format!("/spec/names/{form}")).and_then(Value::as_str);
            form.is_some_and(|form| form.eq_ignore_ascii_case(name))
        })
    };
    let (definition, path) = match definitions.iter().find(|each| named(each, first)) {
        Some(definition) => (Some(definition), if rest.is_empty() { "spec" } else { rest }),
        None => (definitions.iter().find(|each| named(each, USUAL)), field),
    };
    let kind = definition.and_then(|each| each.pointer("/spec/names/kind")?.as_str());
    let kind = kind.unwrap_or_default().to_owned();
    let root = definition.and_then(|each| each.pointer("/spec/versions/0/schema/openAPIV3Schema"));
    // `image` is as good as `spec.image`.
    let full = [path.to_owned(), format!("spec.{path}")];
    for path in &full {
        if let Some(schema) = root.and_then(|root| api::places::beneath(root, path)) {
            return Ok((kind, schema.clone(), path.clone()));
        }
    }
    let remedy = api::places::find(&kind, path).map_or_else(String::new, |it| format!(": {it}"));
    Err(Unknown { kind, path: path.to_owned(), remedy })
}

/// Returns the fields of an object, or of the objects in a list or map.
fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let inner = ["items", "additionalProperties"].iter().find_map(|name| schema.get(name));
    let schema = inner.unwrap_or(schema);
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn list(out: &mut impl Write, schema: &Value, depth: usize, deep: bool) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    for (name, field) in fields(schema) {
        writeln!(out, "{indent}{name} <{}>", type_of(field))?;
        let description = field.get("description").and_then(Value::as_str).unwrap_or_default();
        if deep {
            list(out, field, depth + 1, deep)?;
        } else if let Some(line) = wrapped(description, WIDTH).first() {
            writeln!(out, "{indent}    {line}")?;
        }
    }
    Ok(())
}

/// Returns the type as `kubectl explain` writes it.
fn type_of(schema: &Value) -> String {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return "integer or string".to_owned();
    }
    let inner = |name: &str| schema.get(name).map(type_of);
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!("[]{}", inner("items").unwrap_or_else(|| "any".to_owned())),
        Some("object") => inner("additionalProperties")
            .map_or_else(|| "object".to_owned(), |of| format!("map of {of}")),
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    }
}

/// Returns what the schema itself says of a value.
fn bounds(schema: &Value) -> Vec<String> {
    const WORDS: [(&str, &str); 9] = [
        ("enum", "one of"),
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("minItems", "items at least"),
        ("maxItems", "items at most"),
        ("maxProperties", "entries at most"),
        ("pattern", "matches"),
    ];
    let said = |(name, word): &(&str, &str)| {
        let text = match schema.get(name)? {
            Value::String(text) => text.clone(),
            Value::Array(values) => {
                let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                values.join(", ")
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
                other.to_string()
            }
        };
        Some(format!("{word} {text}"))
    };
    WORDS.iter().filter_map(said).collect()
}

/// Returns lines of at most so many characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
