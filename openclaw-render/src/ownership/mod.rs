//! Which fields of a live object are ours, and how they differ from what we want.
//!
//! Server-side apply records in `metadata.managedFields` who owns which field. [`owned`] cuts out
//! of a live object what our manager owns; that equals what we applied, so nothing need be sent
//! while it equals what we would apply. [`hash`] makes the comparison cheap to remember, [`diff`]
//! says what differs, and [`take_over_patch`] moves fields of a previous writer to our manager.
//! Format of the sets: `FieldsV1` in the Kubernetes API reference for `ObjectMeta`.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::hash::content_hash;

mod change;
pub(crate) mod fields;
mod take_over;

pub use change::{Change, diff};
pub use take_over::{Manager, foreign_managers, take_over_patch};
pub(crate) use take_over::{is_owned_by_update, sets_replicas};

/// The part of a live object that `manager` owns by apply, without subresources.
///
/// `apiVersion`, `kind`, `metadata.name` and `metadata.namespace` are always included, as far as
/// the object has them, and so are the keys of list items. Lists keep the live order. An object
/// without an entry of that manager yields only its identity; what is no object yields `{}`.
#[must_use]
pub fn owned(live: &Value, manager: &str) -> Value {
    let ours = fields::applied_by(live, manager);
    let foreign = fields::of_others(live, manager);
    let part = if ours.is_empty() {
        None
    } else {
        fields::project(live, &Value::Object(ours), Some(&Value::Object(foreign)))
    };
    let mut part = match part {
        Some(Value::Object(part)) => part,
        _ => Map::new(),
    };
    copy_identity(live, &mut part);
    Value::Object(part)
}

fn copy_identity(live: &Value, part: &mut Map<String, Value>) {
    for name in ["apiVersion", "kind"] {
        if let Some(value) = live.get(name) {
            part.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["name", "namespace"] {
        if let Some(value) = live.get("metadata").and_then(|metadata| metadata.get(name)) {
            let metadata = part.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.insert(name.to_owned(), value.clone());
            }
        }
    }
}

/// A short name for a value: the first 16 hexadecimal digits of the SHA-256 of its compact JSON
/// with sorted keys. The order of keys does not matter, that of list items does.
#[must_use]
pub fn hash(value: &Value) -> String {
    let mut text = Vec::with_capacity(4096);
    write_sorted(value, &mut text);
    content_hash(&text)
}

/// [`hash`] of an object.
pub(crate) fn hash_object(fields: &Map<String, Value>) -> String {
    let mut text = Vec::with_capacity(4096);
    write_object(fields, &mut text);
    content_hash(&text)
}

/// [`hash`] of [`owned`].
#[must_use]
pub fn owned_hash(live: &Value, manager: &str) -> String {
    hash(&owned(live, manager))
}

/// Compact JSON; keys are sorted also where another crate of the build turns on
/// `serde_json/preserve_order`.
fn write_sorted(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(fields) => write_object(fields, text),
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                separate(index, text);
                write_sorted(item, text);
            }
            text.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            write_scalar(value, text);
        }
    }
}

fn write_object(fields: &Map<String, Value>, text: &mut Vec<u8>) {
    if fields.keys().is_sorted() {
        write_entries(fields, text);
    } else {
        let mut entries: Vec<_> = fields.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        write_entries(entries, text);
    }
}

fn write_entries<'v>(
    entries: impl IntoIterator<Item = (&'v String, &'v Value)>,
    text: &mut Vec<u8>,
) {
    text.push(b'{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        separate(index, text);
        write_scalar(key, text);
        text.push(b':');
        write_sorted(value, text);
    }
    text.push(b'}');
}

fn separate(index: usize, text: &mut Vec<u8>) {
    if index > 0 {
        text.push(b',');
    }
}

fn write_scalar(value: &(impl Serialize + ?Sized), text: &mut Vec<u8>) {
    // Neither writing to a Vec nor a scalar can fail.
    let _ = serde_json::to_writer(text, value);
}
