//! `skills`: what skill packs say of their skills.

use serde_json::{Map, Value};

use super::object_at;
use crate::resolve::Resolved;

/// The user's value wins, entry by entry.
pub(super) fn entries(document: &mut Map<String, Value>, instance: &Resolved) {
    let added = &instance.skill_packs.entries;
    if added.is_empty() {
        return;
    }
    let Some(skills) = object_at(document, "skills") else { return };
    let Some(entries) = object_at(skills, "entries") else { return };
    for (key, value) in added {
        if entries.get(key).is_none_or(Value::is_null) {
            entries.insert(key.clone(), value.clone());
        }
    }
}
