//! What is read off a live object before anything else: whose it is, and how new.

use serde_json::Value;

/// Namespace and name of an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceKey {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// A resource version as a number; 0 if it is none, which loses against every other.
pub(crate) fn version(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// A text of the metadata.
pub(crate) fn text<'a>(live: &'a Value, field: &str) -> Option<&'a str> {
    live.get("metadata")?.get(field)?.as_str()
}
