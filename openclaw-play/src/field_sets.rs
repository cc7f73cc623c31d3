//! Operations on sets of fields in the format `FieldsV1`.

use serde_json::{Map, Value, json};

/// A set of fields.
pub(crate) type Fields = Map<String, Value>;

/// A whole value in a set.
pub(crate) fn member() -> Value {
    json!({})
}

fn children(set: &Value) -> Option<&Fields> {
    set.as_object().filter(|set| !set.is_empty())
}

/// Adds a set to another one; a leaf that gets parts stays a member.
pub(crate) fn extend(all: &mut Fields, more: &Fields) {
    for (key, theirs) in more {
        let Some(ours) = all.get_mut(key).and_then(Value::as_object_mut) else {
            all.insert(key.clone(), theirs.clone());
            continue;
        };
        let Some(theirs) = theirs.as_object() else { continue };
        if ours.is_empty() != theirs.is_empty() {
            ours.insert(".".to_owned(), member());
        }
        extend(ours, theirs);
    }
}

/// A set that names nothing but the thing itself is written as a leaf.
fn fold(set: &mut Fields) {
    if set.len() == 1 {
        set.remove(".");
    }
}

/// Takes from a set what another one names.
pub(crate) fn subtract(set: &mut Fields, other: &Fields) {
    for (key, theirs) in other {
        let Some(ours) = set.get_mut(key) else { continue };
        let is_gone = match (children(ours).is_some(), children(theirs)) {
            (true, Some(theirs)) => ours.as_object_mut().is_some_and(|ours| {
                subtract(ours, theirs);
                let is_gone = ours.is_empty();
                fold(ours);
                is_gone
            }),
            // An empty map that gets parts is still the same map.
            (false, Some(theirs)) => theirs.contains_key("."),
            (_, None) => true,
        };
        if is_gone {
            set.remove(key);
        }
    }
}

/// Whether taking one set from another would change it.
pub(crate) fn overlaps(set: &Fields, other: &Fields) -> bool {
    let mut rest = set.clone();
    subtract(&mut rest, other);
    rest != *set
}

/// Whether a step of a set leads to that list item.
fn leads_to(key: &str, item: &Value) -> bool {
    match key.split_once(':') {
        Some(("k", keys)) => {
            let keys: Fields = serde_json::from_str(keys).unwrap_or_default();
            let is = |(name, wanted): (&String, &Value)| match item.get(name) {
                Some(value) => value == wanted,
                None => name == "protocol" && wanted == "TCP",
            };
            keys.iter().all(is)
        }
        Some(("v", value)) => {
            serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item)
        }
        _ => false,
    }
}

fn child_mut<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(map) => map.get_mut(key.strip_prefix("f:")?),
        Value::Array(items) => items.iter_mut().find(|item| leads_to(key, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn child<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map.get(key.strip_prefix("f:")?),
        Value::Array(items) => items.iter().find(|item| leads_to(key, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Keeps of a set what the value has.
pub(crate) fn retain_existing(set: &mut Fields, value: &Value) {
    set.retain(|key, part| {
        if key == "." {
            return true;
        }
        let Some(value) = child(value, key) else { return false };
        let had_parts = children(part).is_some();
        if let Some(part) = part.as_object_mut() {
            retain_existing(part, value);
            let is_gone = had_parts && part.is_empty();
            fold(part);
            return !is_gone;
        }
        true
    });
}

/// Removes what the last apply owned and nobody owns now.
pub(crate) fn prune(value: &mut Value, last: &Fields, kept: &Fields) {
    for (key, part) in last.iter().filter(|(key, _)| *key != ".") {
        // A field is itself owned with any of its parts, a list item only if the set says so.
        let is_member = |set: &Value| {
            key.starts_with("f:") || children(set).is_none_or(|parts| parts.contains_key("."))
        };
        let keeper = kept.get(key);
        if is_member(part) && !keeper.is_some_and(is_member) {
            match value {
                Value::Object(map) => {
                    map.remove(key.trim_start_matches("f:"));
                }
                Value::Array(items) => items.retain(|item| !leads_to(key, item)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
            continue;
        }
        let (Some(child), Some(part)) = (child_mut(value, key), children(part)) else { continue };
        let was_empty = is_empty(child);
        prune(child, part, keeper.and_then(Value::as_object).unwrap_or(&Fields::new()));
        // A container emptied by this becomes null: nobody loses it, and the server forgets it.
        if !was_empty && is_empty(child) {
            *child = Value::Null;
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
