//! `schema`: what editors check manifests against while they are written.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use openclaw_render::api;
use openclaw_render::vocab::API_VERSION;
use serde_json::{Map, Value, json};

/// Words of JSON Schema that the definitions use, the others being Kubernetes' own.
const WORDS: [&str; 17] = [
    "description",
    "type",
    "format",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "default",
    "uniqueItems",
    "nullable",
];

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
                        openclaw-cli schema > openclaw.schema.json\n\n\
                        and as the first line of a manifest:\n  \
                        # yaml-language-server: $schema=openclaw.schema.json")]
pub(crate) struct Arguments {}

/// Prints one schema for all kinds of the operator's API.
pub(crate) fn run(_: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let kinds: Vec<Value> = api::custom_resource_definitions().iter().filter_map(kind).collect();
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": API_VERSION,
        "oneOf": kinds,
    });
    writeln!(io::stdout(), "{schema:#}")?;
    Ok(ExitCode::SUCCESS)
}

fn kind(definition: &Value) -> Option<Value> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
    let version = text("/spec/versions/0/name")?;
    let api_version = format!("{}/{version}", text("/spec/group")?);
    let kind = text("/spec/names/kind")?;
    let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema")?;
    let Value::Object(mut fields) = convert(schema).get_mut("properties")?.take() else {
        return None;
    };
    fields.insert("apiVersion".to_owned(), json!({"const": api_version}));
    fields.insert("kind".to_owned(), json!({"const": kind}));
    fields.insert("metadata".to_owned(), json!({"type": "object", "required": ["name"]}));
    Some(json!({
        "title": kind,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": fields,
        "additionalProperties": false,
    }))
}

/// Returns a schema of Kubernetes as one of JSON Schema. What it does not name is a mistake there:
/// the API server would drop it.
fn convert(schema: &Value) -> Value {
    let mut converted = Map::new();
    for word in WORDS {
        if let Some(value) = schema.get(word) {
            converted.insert(word.to_owned(), value.clone());
        }
    }
    let is_set = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    if is_set("x-kubernetes-int-or-string") {
        converted.remove("type");
        converted.insert("type".to_owned(), json!(["integer", "string", "number"]));
    }
    if let Some(items) = schema.get("items") {
        converted.insert("items".to_owned(), convert(items));
    }
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        let fields = fields.iter().map(|(name, field)| (name.clone(), convert(field)));
        converted.insert("properties".to_owned(), Value::Object(fields.collect()));
        let open = is_set("x-kubernetes-preserve-unknown-fields")
            || is_set("x-kubernetes-embedded-resource");
        converted.insert("additionalProperties".to_owned(), Value::Bool(open));
    }
    if let Some(values) = schema.get("additionalProperties") {
        let values = if values.is_object() { convert(values) } else { values.clone() };
        converted.insert("additionalProperties".to_owned(), values);
    }
    Value::Object(converted)
}
