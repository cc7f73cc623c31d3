//! Sets of fields in the format `FieldsV1`: `f:` names a field, `k:` a list item by its keys, `v:`
//! one by its value, `i:` one by its index, `.` is the thing itself; `{}` is a whole value.

use serde_json::{Map, Value};

pub(crate) type Fields = Map<String, Value>;

/// One decoded key of a set. `.` and what we cannot read name no part of a value.
pub(crate) enum Step<'a> {
    Field(&'a str),
    Key(Fields),
    Value(Value),
    Index(usize),
    Other,
}

impl<'a> Step<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        match text.split_once(':') {
            Some(("f", name)) => Self::Field(name),
            Some(("k", keys)) => serde_json::from_str(keys).map_or(Self::Other, Self::Key),
            Some(("v", value)) => serde_json::from_str(value).map_or(Self::Other, Self::Value),
            Some(("i", index)) => index.parse().map_or(Self::Other, Self::Index),
            _ => Self::Other,
        }
    }

    /// Whether this step leads to the list item at that index.
    pub(super) fn leads_to(&self, index: usize, item: &Value) -> bool {
        match self {
            Self::Key(keys) => keys.iter().all(|(name, value)| match item.get(name) {
                Some(actual) => actual == value,
                // The only key with a default, of container and service ports.
                None => name == "protocol" && value == "TCP",
            }),
            Self::Value(value) => value == item,
            Self::Index(wanted) => *wanted == index,
            Self::Field(_) | Self::Other => false,
        }
    }
}

/// Every entry of `metadata.managedFields`.
pub(super) fn entries(live: &Value) -> impl Iterator<Item = &Value> {
    let list = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    list.into_iter().flatten()
}

/// A text field of an entry; empty when it has none.
pub(super) fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn is_applied_by(entry: &Value, manager: &str) -> bool {
    text(entry, "manager") == manager
        && text(entry, "operation") == "Apply"
        && text(entry, "subresource").is_empty()
}

/// What the manager owns by apply; empty when that is nothing.
pub(super) fn applied_by(live: &Value, manager: &str) -> Fields {
    union_of(entries(live).filter(|entry| is_applied_by(entry, manager)))
}

/// What anybody else owns, and the manager itself by other means than apply.
pub(super) fn of_others(live: &Value, manager: &str) -> Fields {
    union_of(entries(live).filter(|entry| !is_applied_by(entry, manager)))
}

fn union_of<'a>(entries: impl Iterator<Item = &'a Value>) -> Fields {
    let sets = entries.filter_map(|entry| entry.get("fieldsV1").and_then(Value::as_object));
    sets.fold(Fields::new(), |mut all, set| {
        extend(&mut all, set);
        all
    })
}

/// Adds a set to another one.
pub(super) fn extend(all: &mut Fields, more: &Fields) {
    for (key, theirs) in more {
        let Some(ours) = all.get_mut(key) else {
            all.insert(key.clone(), theirs.clone());
            continue;
        };
        let (Some(ours), Some(theirs)) = (ours.as_object_mut(), theirs.as_object()) else {
            continue;
        };
        // A leaf that gets children from the other set stays a member: that is what `.` says.
        if ours.is_empty() != theirs.is_empty() {
            ours.insert(".".to_owned(), Value::Object(Fields::new()));
        }
        extend(ours, theirs);
    }
}

/// The children of a set, none if it is a leaf.
pub(crate) fn children(set: Option<&Value>) -> Option<&Fields> {
    set.and_then(Value::as_object).filter(|fields| !fields.is_empty())
}

/// Whether a leaf stands for an empty map or list and not for all that is in it now: a whole value
/// cannot have parts that others own.
pub(super) fn is_empty_container(ours: &Value, foreign: Option<&Value>) -> bool {
    children(Some(ours)).is_none()
        && children(foreign).is_some_and(|parts| parts.keys().any(|key| key != "."))
}

/// The part of a value that a set names, if there is any.
pub(super) fn project(live: &Value, ours: &Value, foreign: Option<&Value>) -> Option<Value> {
    if is_empty_container(ours, foreign) {
        return Some(match live {
            Value::Object(_) => Value::Object(Map::new()),
            Value::Array(_) => Value::Array(Vec::new()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => live.clone(),
        });
    }
    let Some(parts) = children(Some(ours)) else { return Some(whole(live)) };
    let itself = parts.contains_key(".");
    match live {
        Value::Object(map) => {
            let mut found = Map::new();
            for (key, part) in parts {
                if let Step::Field(name) = Step::read(key)
                    && let Some(value) = map.get(name)
                    && let Some(value) = project(value, part, below(foreign, key))
                {
                    found.insert(name.to_owned(), value);
                }
            }
            (itself || !found.is_empty()).then_some(Value::Object(found))
        }
        Value::Array(items) => {
            let steps: Vec<_> =
                parts.iter().map(|(key, part)| (Step::read(key), key, part)).collect();
            let found: Vec<_> = items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| {
                    let (step, key, part) =
                        steps.iter().find(|(step, ..)| step.leads_to(index, item))?;
                    project_item(item, step, part, below(foreign, key))
                })
                .collect();
            (itself || !found.is_empty()).then_some(Value::Array(found))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            itself.then(|| live.clone())
        }
    }
}

/// A list item's part, with its keys.
fn project_item(
    item: &Value,
    step: &Step<'_>,
    part: &Value,
    foreign: Option<&Value>,
) -> Option<Value> {
    let mut found = project(item, part, foreign);
    if let (Step::Key(keys), Some(Value::Object(found))) = (step, &mut found) {
        for name in keys.keys() {
            if let Some(value) = item.get(name) {
                found.insert(name.clone(), value.clone());
            }
        }
    }
    found
}

pub(super) fn below<'a>(set: Option<&'a Value>, key: &str) -> Option<&'a Value> {
    set.and_then(|set| set.get(key))
}

/// A copy without `creationTimestamp: null`, which API servers before 1.34 add to metadata inside
/// atomic lists (claim templates) and nobody can apply.
fn whole(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, v)| !(v.is_null() && *key == "creationTimestamp"));
            Value::Object(kept.map(|(key, value)| (key.clone(), whole(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(whole).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
