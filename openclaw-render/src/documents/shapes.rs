//! Whether values have the shape that the schema wants, told in words of manifests: a list, a map,
//! a text, a number.
//!
//! The API server refuses the rest before anybody decodes it. Decoding alone would not: a list of
//! values counts as a struct's fields in their order.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::decode::{Step, spelled_steps};
use crate::api::places;
use crate::problem::{Problem, Rule};

/// Values of a wrong shape of which a document is told at once.
const MAX_MISTAKES: usize = 32;
/// Fields that an example names.
const EXAMPLE_FIELDS: usize = 2;
/// Longest value that an example repeats.
const EXAMPLE_LENGTH: usize = 40;

/// A value of a wrong shape.
pub(super) struct Mistake<'a> {
    pub(super) at: Vec<Step<'a>>,
    wanted: Shape,
    message: String,
}

impl Mistake<'_> {
    pub(super) fn problem(&self) -> Problem {
        Problem::error(spelled_steps(&self.at), Rule::Invalid, self.message.clone())
    }

    /// Returns what decodes in its place.
    pub(super) fn stand_in(&self) -> Value {
        match self.wanted {
            Shape::Map => Value::Object(Map::new()),
            Shape::List => Value::Array(Vec::new()),
            Shape::Text | Shape::NumberOrText => Value::String(String::new()),
            Shape::Number => Value::from(0),
            Shape::Switch => Value::Bool(false),
        }
    }
}

/// What every object has, and what objects hold that an instance refers to: their own schemas leave it
/// to the API server.
static OTHERS: LazyLock<Value> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    json!({
        "metadata": {"type": "object", "properties": {
            "name": text, "namespace": text, "labels": texts, "annotations": texts,
        }},
        "data": texts,
        "stringData": texts,
    })
});

/// Returns what is wrong with the shape of an object of a kind.
pub(super) fn problems(kind: &str, document: &Value) -> Vec<Problem> {
    mistakes(kind, document).iter().map(Mistake::problem).collect()
}

/// Returns the values of an object whose shape is not what its kind wants, and are no status.
pub(super) fn mistakes<'a>(kind: &str, document: &'a Value) -> Vec<Mistake<'a>> {
    let mut mistakes = Vec::new();
    let Value::Object(fields) = document else { return mistakes };
    let of_kind = places::schema(kind).and_then(|schema| schema.get("properties"));
    for (name, value) in fields.iter().filter(|(name, _)| *name != "status") {
        let schema = OTHERS.get(name).or_else(|| of_kind?.get(name));
        if let Some(schema) = schema {
            walk(value, schema, &mut vec![Step::Key(name)], &mut mistakes);
        }
    }
    mistakes
}

/// Whether a list of a spec is none any more once it is decoded, as one in the place of a map.
pub(super) fn has_lost_lists(document: &Value, decoded: &impl Serialize) -> bool {
    let in_spec = |object: &Value| object.get("spec").map_or(0, |spec| lists(spec, "spec"));
    let given = in_spec(document);
    given > 0 && !serde_json::to_value(decoded).is_ok_and(|object| in_spec(&object) == given)
}

/// Counts the lists outside of openclaw.json.
fn lists(value: &Value, path: &str) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(|item| lists(item, "")).sum::<usize>(),
        Value::Object(fields) => {
            let inner = fields.iter().map(|(name, field)| match (path, name.as_str()) {
                ("spec", "config") => lists(field, "spec.config"),
                ("spec.config", "raw") => 0,
                _ => lists(field, ""),
            });
            inner.sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A schema is finite, so this ends whatever the value is.
fn walk<'a>(
    value: &'a Value,
    schema: &Value,
    at: &mut Vec<Step<'a>>,
    mistakes: &mut Vec<Mistake<'a>>,
) {
    if mistakes.len() == MAX_MISTAKES {
        return;
    }
    match (Shape::wanted(schema), value) {
        (Some(Shape::Map), Value::Object(fields)) => {
            for (name, field) in fields {
                let known = schema.get("properties").and_then(|all| all.get(name));
                if let Some(schema) = known.or_else(|| schema.get("additionalProperties")) {
                    at.push(Step::Key(name));
                    walk(field, schema, at, mistakes);
                    at.pop();
                }
            }
        }
        (Some(Shape::List), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(schema) = schema.get("items") {
                    at.push(Step::Index(index));
                    walk(item, schema, at, mistakes);
                    at.pop();
                }
            }
        }
        // A field without a value counts as absent.
        (Some(_), Value::Null) if matches!(at.last(), Some(Step::Key(_))) => {}
        (Some(wanted), _) if !wanted.is_of(value) => {
            let message = message(value, wanted, schema, at);
            mistakes.push(Mistake { at: at.clone(), wanted, message });
        }
        (Some(_) | None, _) => {}
    }
}

/// What a value is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Map,
    List,
    Text,
    Number,
    NumberOrText,
    Switch,
}

impl Shape {
    /// Returns what a schema asks for, if it asks for anything.
    fn wanted(schema: &Value) -> Option<Self> {
        if schema.get("x-kubernetes-int-or-string").is_some() {
            return Some(Self::NumberOrText);
        }
        // openclaw.json, which is judged as such.
        if schema.get("x-kubernetes-preserve-unknown-fields").is_some() {
            return None;
        }
        match schema.get("type").and_then(Value::as_str)? {
            "object" => Some(Self::Map),
            "array" => Some(Self::List),
            "string" => Some(Self::Text),
            "integer" | "number" => Some(Self::Number),
            "boolean" => Some(Self::Switch),
            _ => None,
        }
    }

    fn is_of(self, value: &Value) -> bool {
        match value {
            Value::Object(_) => self == Self::Map,
            Value::Array(_) => self == Self::List,
            Value::String(_) => matches!(self, Self::Text | Self::NumberOrText),
            Value::Number(_) => matches!(self, Self::Number | Self::NumberOrText),
            Value::Bool(_) => self == Self::Switch,
            Value::Null => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Map => "a map",
            Self::List => "a list",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::NumberOrText => "a number or a text",
            Self::Switch => "`true` or `false`",
        }
    }
}

fn message(value: &Value, wanted: Shape, schema: &Value, at: &[Step<'_>]) -> String {
    let found = match value {
        Value::Null => "has no value",
        Value::Bool(_) => "is `true` or `false`",
        Value::Number(_) => "is a number",
        Value::String(_) => "is a text",
        Value::Array(_) => "is a list",
        Value::Object(_) => "is a map",
    };
    let example = example(value, wanted, schema);
    let written = match at.last() {
        Some(Step::Key(name)) => format!("{name}: {example}"),
        Some(Step::Index(_)) | None => format!("- {example}"),
    };
    format!("{found}, and {} is wanted: write it as `{written}`", wanted.name())
}

/// Returns how a value of the shape is written; with the value that is there, if that is what was
/// meant.
fn example(value: &Value, wanted: Shape, schema: &Value) -> String {
    let scalar = match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(switch) => Some(switch.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let is_short = |text: &String| {
        text.len() <= EXAMPLE_LENGTH && !text.contains(|it: char| it.is_control() || it == '`')
    };
    let scalar = scalar.filter(is_short);
    match wanted {
        Shape::Map => map_example(value, schema),
        Shape::List => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            let item = match (scalar, Shape::wanted(items)) {
                (Some(scalar), Some(Shape::Text | Shape::NumberOrText)) => scalar,
                (_, wanted) => example(value, wanted.unwrap_or(Shape::Text), items),
            };
            format!("[{item}]")
        }
        Shape::Text => {
            scalar.map_or_else(|| "text".to_owned(), |scalar| Value::from(scalar).to_string())
        }
        Shape::Number | Shape::NumberOrText => {
            scalar.filter(|text| text.parse::<i64>().is_ok()).unwrap_or_else(|| "1".to_owned())
        }
        Shape::Switch => match scalar.as_deref() {
            Some("false" | "no" | "off" | "False" | "No" | "Off") => "false".to_owned(),
            Some(_) | None => "true".to_owned(),
        },
    }
}

/// Names the fields that are given; else those that must be there before those that may.
fn map_example(value: &Value, schema: &Value) -> String {
    let none = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let first = value.as_array().and_then(|items| items.first());
    let given = first.unwrap_or(value).as_object().unwrap_or(&none);
    let is_meant =
        |name: &&str| known.contains_key(*name) || known.is_empty() && name.len() <= EXAMPLE_LENGTH;
    let given: Vec<&str> = given.keys().map(String::as_str).filter(is_meant).collect();
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    let others = known.keys().map(String::as_str).filter(|name| !required.contains(name));
    let names =
        if given.is_empty() { required.iter().copied().chain(others).collect() } else { given };
    let mut written: Vec<String> =
        names.into_iter().take(EXAMPLE_FIELDS).map(|name| format!("{name}: …")).collect();
    if written.is_empty() {
        written.push("key: …".to_owned());
    }
    format!("{{ {} }}", written.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::documents::decode_instance;

    #[test]
    fn a_list_in_the_place_of_a_map_is_refused_though_it_would_decode() {
        let of = |spec| json!({"metadata": {"name": "ada"}, "spec": spec});
        let refused = [
            json!({"gateway": [true]}),
            json!({"gateway": [], "env": [{"name": "A", "value": "b"}]}),
            json!({"skills": ["a"], "chromium": {"image": ["a", "b"]}}),
        ];
        for spec in refused {
            let problem = decode_instance(of(spec.clone())).expect_err(&spec.to_string());
            let said = "is a list, and a map is wanted";
            assert!(problem.message.starts_with(said), "{spec}: {problem:?}");
        }
        let taken = json!({"env": [{"name": "A"}], "config": {"raw": {"a": [[]]}}, "b": [1]});
        assert!(decode_instance(of(taken)).is_ok());
    }
}
