//! Raw JSON into the types of the API, with everything about it that is wrong.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::nulls;
use super::shapes::{self, Mistake};
use crate::api::{AgentInstance, ConditionType, OpenClawInstance, places};
use crate::bounded;
use crate::nesting;
use crate::problem::{Problem, Rule};
use crate::resolve::RAW;
use crate::vocab::{AGENT_KIND, KIND};

/// Fields that do not decode of which a document is told at once.
const MAX_ERRORS: usize = 32;

/// An instance out of raw JSON, with advice on every field that the API does not have.
///
/// # Errors
/// The first field that does not decode or is beyond the limits of [`bounded`], by its path.
pub fn decode_instance(document: Value) -> Result<(OpenClawInstance, Vec<Problem>), Problem> {
    let mut document = within_limits(document)?;
    let mut problems = nulls::take_away(&mut document);
    let fraction = document.get("spec").and_then(|spec| fraction("spec", spec));
    let (decoded, unknown) = with_unknown::<OpenClawInstance>(&document);
    let misshapen = || shapes::problems(KIND, &document).into_iter().next();
    let instance = decoded
        .map_err(|(path, message)| misshapen().unwrap_or_else(|| undecodable(&path, &message)))?;
    // What the API server stores has its shape: the schema, which is large, is not made for that.
    if shapes::has_lost_lists(&document, &instance)
        && let Some(problem) = misshapen()
    {
        return Err(problem);
    }
    if let Some(fraction) = fraction {
        return Err(fraction);
    }
    problems.extend(advice(KIND, unknown));
    Ok((instance, problems))
}

/// An agent out of raw JSON, with advice on every field that the API does not have.
///
/// # Errors
/// Every field that does not decode.
pub(crate) fn decode_agent(document: Value) -> Result<(AgentInstance, Vec<Problem>), Vec<Problem>> {
    every_problem(AGENT_KIND, document)
}

/// As [`decode_instance`] for a kind, with the other fields that do not decode, too.
pub(super) fn every_problem<T: DeserializeOwned + Serialize>(
    kind: &str,
    document: Value,
) -> Result<(T, Vec<Problem>), Vec<Problem>> {
    let mut document = within_limits(document).map_err(|problem| vec![problem])?;
    let nulls = nulls::take_away(&mut document);
    let whole = document.clone();
    // To make the schema takes a tenth of a second, and most manifests are well.
    let (decoded, _) = with_unknown::<T>(&whole);
    let is_well = decoded.is_ok_and(|object| !shapes::has_lost_lists(&whole, &object));
    let misshapen = if is_well { Vec::new() } else { shapes::mistakes(kind, &whole) };
    let mut problems: Vec<Problem> = misshapen.iter().map(Mistake::problem).collect();
    // A field that is taken away may be one that must be there: that is no finding.
    let mut taken: Vec<String> = Vec::new();
    for mistake in misshapen {
        if let Some(item) = take_away(&mut document, &mistake.at) {
            *item = mistake.stand_in();
        }
        taken.push(spelled_steps(&mistake.at));
        taken.extend(mistake.at.split_last().map(|(_, holder)| spelled_steps(holder)));
    }
    let fraction = document.get("spec").and_then(|spec| fraction("spec", spec));
    loop {
        let (decoded, unknown) = with_unknown::<T>(&document);
        let error = match decoded {
            Ok(instance) if problems.is_empty() && fraction.is_none() => {
                return Ok((instance, [nulls, advice(kind, unknown)].concat()));
            }
            Ok(_) => {
                problems.extend(fraction);
                problems.extend(nulls);
                problems.extend(advice(kind, unknown));
                return Err(problems);
            }
            Err(error) => error,
        };
        let path = error.0.to_string();
        let mut follow = ["missing field", "invalid type: null"].iter();
        let follows = follow.any(|start| error.1.starts_with(start));
        if !(follows && taken.contains(&path)) {
            problems.push(undecodable(&error.0, &error.1));
        }
        let before = document.clone();
        take_away(&mut document, &steps(&error.0));
        taken.push(parent(&path).to_owned());
        taken.push(path);
        if problems.len() >= MAX_ERRORS || document == before {
            return Err(problems);
        }
    }
}

/// Returns an object out of JSON, or where it does not decode and why; and the path of every field
/// that its type does not have.
pub(super) fn with_unknown<T: DeserializeOwned>(
    document: &Value,
) -> (Result<T, (serde_path_to_error::Path, String)>, Vec<String>) {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(document, &mut track);
    let decoded = serde_ignored::deserialize(deserializer, |path| unknown.push(spelled(&path)));
    // The derived type does not read what every object has, and a status is no wish of the user's.
    unknown.retain(|path| {
        path != "apiVersion" && path != "kind" && path.split('.').next() != Some("status")
    });
    (decoded.map_err(|error: serde_json::Error| (track.path(), error.to_string())), unknown)
}

/// Returns advice on fields that a kind does not have.
pub(super) fn advice(kind: &str, unknown: Vec<String>) -> Vec<Problem> {
    let advice = unknown.into_iter().map(|path| {
        let remedy = places::remedy(kind, &path);
        let message = format!("is no field of the API: the API server drops it; {remedy}");
        Problem::advice(path, Rule::UnknownField, message)
    });
    advice.collect()
}

/// Refuses what is too deep or too large, and gives a spec to an instance that has none.
fn within_limits(document: Value) -> Result<Value, Problem> {
    if nesting::is_manifest_too_deep(&document) {
        // Where the schema holds, nothing else can be deep.
        let raw = document.pointer("/spec/config/raw");
        let (path, about) = if raw.is_some_and(nesting::is_too_deep) {
            (RAW, ConditionType::ConfigValid)
        } else {
            ("document", ConditionType::Ready)
        };
        nesting::dismantle(document);
        return Err(Problem::error(path, Rule::Invalid, nesting::too_deep()).about(about));
    }
    let mut document = bounded::check(document)?;
    // An instance without a spec is one with all defaults.
    if let Some(object) = document.as_object_mut() {
        let spec = object.entry("spec").or_insert_with(|| Value::Object(Map::new()));
        if spec.is_null() {
            *spec = Value::Object(Map::new());
        }
    }
    Ok(document)
}

fn undecodable(path: &serde_path_to_error::Path, message: &str) -> Problem {
    let path = match path.to_string() {
        root if root == "." => "document".to_owned(),
        path => path,
    };
    Problem::error(path, Rule::Invalid, in_words(message))
}

/// Says what the decoder has found as one who knows manifests and no Rust would say it.
fn in_words(message: &str) -> String {
    let variant = message.strip_prefix("unknown variant ");
    if let Some((given, values)) = variant.and_then(|rest| rest.split_once(", expected ")) {
        return format!("{given} is none of its values: write {values}");
    }
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("lacks {field}, which must be there");
    }
    format!("does not decode: {message}; see `kubectl explain`")
}

/// Returns a path as `kubectl explain` writes it, with list positions.
fn spelled(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", spelled(parent)),
        Path::Map { parent, key } => match spelled(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => spelled(parent),
    }
}

/// Returns the path of what holds a field or a list's member.
fn parent(path: &str) -> &str {
    path.rfind(['.', '[']).and_then(|end| path.get(..end)).unwrap_or_default()
}

/// The name of a field, or the position of an item.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Returns a path as `kubectl explain` writes it, with list positions.
pub(super) fn spelled_steps(steps: &[Step<'_>]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(name) if path.is_empty() => path.push_str(name),
            Step::Key(name) => path.extend([".", name]),
            Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
        }
    }
    path
}

fn steps(path: &serde_path_to_error::Path) -> Vec<Step<'_>> {
    let steps = path.iter().filter_map(|step| match step {
        Segment::Map { key } => Some(Step::Key(key)),
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect()
}

/// Takes away what does not decode. An item leaves its place, which is returned, so that the others
/// keep their positions.
fn take_away<'a>(document: &'a mut Value, steps: &[Step<'_>]) -> Option<&'a mut Value> {
    let (last, way) = steps.split_last()?;
    let mut holder = document;
    for step in way {
        holder = match step {
            Step::Key(key) => holder.get_mut(key)?,
            Step::Index(index) => holder.get_mut(index)?,
        };
    }
    match last {
        Step::Key(key) => {
            holder.as_object_mut()?.remove(*key);
            None
        }
        Step::Index(index) => {
            let item = holder.get_mut(index)?;
            *item = Value::Null;
            Some(item)
        }
    }
}

/// The first number with a fraction, which no field of the API takes but a configuration. Types of
/// Kubernetes read one as an amount, and the API server refuses it.
fn fraction(path: &str, value: &Value) -> Option<Problem> {
    match value {
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => {
            let message = format!("{number} is not a whole number: write it in quotes");
            Some(Problem::error(path, Rule::Invalid, message))
        }
        Value::Object(fields) if path != RAW => {
            fields.iter().find_map(|(name, value)| fraction(&format!("{path}.{name}"), value))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, value)| fraction(&format!("{path}[{index}]"), value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            None
        }
    }
}
