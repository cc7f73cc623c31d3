//! Moving what a previous writer owns to our manager.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fields::{entries, extend, is_applied_by, text};
use crate::vocab::{FIELD_MANAGER, PREVIOUS_MANAGERS};

/// Somebody who owns fields of an object: one entry of `metadata.managedFields`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Manager {
    /// The name that the writer gave itself.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// `status`, `scale` or another one; `None` for the object itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<String>,
}

/// Everybody but us who owns fields of the object, in the object's order.
#[must_use]
pub fn foreign_managers(live: &Value) -> Vec<Manager> {
    entries(live)
        .filter(|entry| text(entry, "manager") != FIELD_MANAGER)
        .map(|entry| Manager {
            manager: text(entry, "manager").to_owned(),
            operation: text(entry, "operation").to_owned(),
            subresource: Some(text(entry, "subresource").to_owned()).filter(|s| !s.is_empty()),
        })
        .collect()
}

/// Whether one of these managers owns fields by update.
pub(crate) fn is_owned_by_update(live: &Value, managers: &[&str]) -> bool {
    entries(live).any(|entry| is_update_of(entry, managers))
}

/// Whether we set the number of replicas, or will once the previous managers' fields are ours. Whoever
/// scales by the subresource takes it away from us.
pub(crate) fn sets_replicas(live: &Value) -> bool {
    let is_ours = |entry: &Value| {
        is_applied_by(entry, FIELD_MANAGER) || is_update_of(entry, PREVIOUS_MANAGERS)
    };
    let mut ours = entries(live).filter(|entry| is_ours(entry));
    ours.any(|entry| entry.pointer("/fieldsV1/f:spec/f:replicas").is_some())
}

fn is_update_of(entry: &Value, managers: &[&str]) -> bool {
    managers.contains(&text(entry, "manager"))
        && text(entry, "operation") == "Update"
        && text(entry, "subresource").is_empty()
}

/// The JSON patch that gives us what previous writers set by update, so that our next apply removes
/// what we do not want. `None` when there is nothing to take over.
///
/// # Flow
/// Entries of one of `from_managers`, with operation `Update` and no subresource, become one entry
/// of [`FIELD_MANAGER`] with operation `Apply`; the API server keeps a single one per manager. If we
/// have such an entry already, they are added to it, as long as they are of the same `apiVersion`:
/// field sets of different versions do not mix.
///
/// # Guarantees
/// The patch fails with a conflict when the object is not the one that was read: it begins with a
/// test of `resourceVersion`. An object without one yields `None`.
///
/// # Caveats
/// Right only for objects that are known to be ours: the caller checks the owner reference.
#[must_use]
pub fn take_over_patch(live: &Value, from_managers: &[&str]) -> Option<Value> {
    let version = live.pointer("/metadata/resourceVersion")?;
    let old: Vec<_> =
        entries(live).enumerate().filter(|(_, it)| is_update_of(it, from_managers)).collect();
    let ours = entries(live).enumerate().find(|(_, entry)| is_applied_by(entry, FIELD_MANAGER));
    let current = text(live, "apiVersion");
    let (target, entry) = ours
        .or_else(|| old.iter().copied().find(|(_, entry)| text(entry, "apiVersion") == current))
        .or_else(|| old.first().copied())?;
    let merged: Vec<_> = old
        .iter()
        .filter(|(index, other)| {
            *index != target && text(other, "apiVersion") == text(entry, "apiVersion")
        })
        .collect();
    if ours.is_some() && merged.is_empty() {
        return None;
    }

    let mut operations = vec![json!({
        "op": "test", "path": "/metadata/resourceVersion", "value": version,
    })];
    let mut replace = |name: &str, value: Value| {
        let path = format!("/metadata/managedFields/{target}/{name}");
        operations.push(json!({ "op": "replace", "path": path, "value": value }));
    };
    if ours.is_none() {
        replace("manager", json!(FIELD_MANAGER));
        replace("operation", json!("Apply"));
    }
    if !merged.is_empty() {
        let set_of = |entry: &Value| entry.get("fieldsV1").and_then(Value::as_object).cloned();
        let mut all = set_of(entry).unwrap_or_default();
        for (_, other) in &merged {
            extend(&mut all, &set_of(other).unwrap_or_default());
        }
        replace("fieldsV1", Value::Object(all));
    }
    // From the end, so that the positions of the others stay what they are.
    for (index, _) in merged.iter().rev() {
        operations
            .push(json!({ "op": "remove", "path": format!("/metadata/managedFields/{index}") }));
    }
    Some(Value::Array(operations))
}
