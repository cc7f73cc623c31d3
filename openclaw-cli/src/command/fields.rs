//! What a schema says of a field, for people.

use serde_json::Value;

/// Returns the fields of an object, or of the objects in a list or map.
pub(super) fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let inner = ["items", "additionalProperties"].iter().find_map(|name| schema.get(name));
    let schema = inner.unwrap_or(schema);
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Returns the type as `kubectl explain` writes it.
pub(super) fn type_of(schema: &Value) -> String {
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
pub(super) fn bounds(schema: &Value) -> Vec<String> {
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
