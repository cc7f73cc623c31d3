//! What the API server refuses of a document by the schema of its kind, whatever else is wrong with it.
//!
//! Types are looked at where a document is decoded, rules in CEL by what resolves it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::api::custom_resource_definitions;
use crate::problem::{Problem, Rule};
use crate::quantity;
use crate::resolve::bounds::{
    misspelled_by, no_choice, too_few_or_many, too_long_or_short, too_small_or_large,
};

/// The schemas of our kinds.
static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let schemas = custom_resource_definitions().into_iter().filter_map(|mut definition| {
        let kind = definition.pointer("/spec/names/kind")?.as_str()?.to_owned();
        let schema = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema")?;
        Some((kind, schema.take()))
    });
    schemas.collect()
});

/// So many are told of one document.
const TOLD: usize = 32;

/// Returns what is wrong with the spec of a document of one of our kinds.
pub(super) fn problems(kind: &str, document: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    let schema = SCHEMAS.get(kind).and_then(|schema| schema.pointer("/properties/spec"));
    if let (Some(schema), Some(spec)) = (schema, document.get("spec")) {
        walk(schema, spec, "spec", &mut found);
    }
    found
}

fn walk(schema: &Value, value: &Value, path: &str, found: &mut Vec<Problem>) {
    if found.len() >= TOLD {
        return;
    }
    let broken = match value {
        // The API server takes it away.
        Value::Null | Value::Bool(_) => None,
        Value::Number(number) => outside(schema, number),
        Value::String(text) => of_text(schema, text),
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    walk(schema, item, &format!("{path}[{index}]"), found);
                }
            }
            twice(schema, items, path, found);
            count(schema, ["minItems", "maxItems"], items.len())
        }
        Value::Object(fields) => {
            of_fields(schema, fields, path, found);
            count(schema, ["minProperties", "maxProperties"], fields.len())
        }
    };
    found.extend(broken.map(|message| Problem::error(path, Rule::Invalid, message)));
}

fn of_fields(schema: &Value, fields: &Map<String, Value>, path: &str, found: &mut Vec<Problem>) {
    let has = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str).filter(|name| !has(name)) {
        let message = "is required: the API server refuses the document without it";
        found.push(Problem::error(format!("{path}.{name}"), Rule::Invalid, message));
    }
    let known = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties");
    for (name, value) in fields {
        let schema = known.and_then(|known| known.get(name)).or(others);
        if let Some(schema) = schema {
            walk(schema, value, &format!("{path}.{name}"), found);
        }
    }
}

/// Items of a set, or of a list that is a map by some of its fields, may not be there twice.
fn twice(schema: &Value, items: &[Value], path: &str, found: &mut Vec<Problem>) {
    let word = |name: &str| schema.get(name).and_then(Value::as_str);
    let keys: Vec<&str> = match word("x-kubernetes-list-type") {
        Some("map") => {
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            keys.into_iter().flatten().filter_map(Value::as_str).collect()
        }
        Some("set") => Vec::new(),
        Some(_) | None => return,
    };
    let mut taken = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let identity = if keys.is_empty() {
            item.to_string()
        } else {
            let parts = keys.iter().map(|key| item.get(key).unwrap_or(&Value::Null).to_string());
            parts.collect::<Vec<_>>().join(" ")
        };
        if !taken.insert(identity) {
            let message = "is there twice: remove one, or the API server refuses the document";
            found.push(Problem::error(format!("{path}[{index}]"), Rule::Invalid, message));
        }
    }
}

fn limit(schema: &Value, keyword: &str) -> Option<i64> {
    schema.get(keyword).and_then(Value::as_f64).and_then(|limit| format!("{limit:.0}").parse().ok())
}

fn outside(schema: &Value, number: &serde_json::Number) -> Option<String> {
    let number = number.as_f64()?;
    ["minimum", "maximum"].into_iter().find_map(|keyword| {
        too_small_or_large(number, keyword, schema.get(keyword).and_then(Value::as_f64)?)
    })
}

fn of_text(schema: &Value, text: &str) -> Option<String> {
    let length = ["minLength", "maxLength"]
        .into_iter()
        .find_map(|keyword| too_long_or_short(text, keyword, limit(schema, keyword)?));
    length.or_else(|| no_choice(text, &choices(schema)?)).or_else(|| {
        let pattern = schema.get("pattern").and_then(Value::as_str)?;
        let is_amount = schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
        if is_amount && !text.is_empty() && quantity::parse(text).is_err() {
            return Some(format!(
                "{text:?} is no quantity: write for example `500m`, `2` or `4Gi`"
            ));
        }
        misspelled_by(pattern, text).map(|complaint| format!("{text:?} {complaint}"))
    })
}

fn choices(schema: &Value) -> Option<Vec<&str>> {
    let choices = schema.get("enum").and_then(Value::as_array)?;
    Some(choices.iter().filter_map(Value::as_str).collect())
}

fn count(schema: &Value, keywords: [&str; 2], count: usize) -> Option<String> {
    keywords
        .into_iter()
        .find_map(|keyword| too_few_or_many(count, keyword, limit(schema, keyword)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(kind: &str, spec: &Value) -> Vec<String> {
        problems(kind, &json!({"spec": spec})).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_schema_refuses_is_told_at_its_place() {
        for (kind, spec, path) in [
            (
                "OpenClawInstance",
                json!({"extraVolumes": [{"name": "a", "nfs": {"path": "/"}}]}),
                "spec.extraVolumes[0].nfs.server",
            ),
            (
                "OpenClawInstance",
                json!({"extraVolumes": [{"name": "a", "emptyDir": {"sizeLimit": "much"}}]}),
                "spec.extraVolumes[0].emptyDir.sizeLimit",
            ),
            (
                "OpenClawInstance",
                json!({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
                "spec.env[1]",
            ),
            ("OpenClawInstance", json!({"replicas": 7}), "spec.replicas"),
            ("OpenClawInstance", json!({"config": {"mergeMode": "x"}}), "spec.config.mergeMode"),
            (
                "OpenClawClusterDefaults",
                json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]}),
                "spec.env[0].valueFrom.fieldRef.fieldPath",
            ),
            ("OpenClawSelfConfig", json!({}), "spec.instanceRef"),
            (
                "OpenClawSelfConfig",
                json!({"instanceRef": "ada", "addSkills": vec!["a"; 200]}),
                "spec.addSkills",
            ),
        ] {
            let told = told(kind, &spec);
            assert!(told.iter().any(|each| each.starts_with(path)), "{path}: {told:?}");
        }
    }

    #[test]
    fn a_document_that_is_right_is_not_spoken_of() {
        for spec in [
            json!({}),
            json!({"suspended": null, "config": {"raw": {"anything": [null, {}]}}}),
            json!({"extraVolumes": [{"name": "a", "emptyDir": {"sizeLimit": "1Gi"}}]}),
            json!({"resources": {"limits": {"cpu": 2, "memory": "4Gi"}}}),
        ] {
            assert_eq!(told("OpenClawInstance", &spec), Vec::<String>::new());
        }
    }
}
