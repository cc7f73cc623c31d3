//! [`InstanceText`]: an instance as text, less what nobody asks for, and decoded within limits.

use std::sync::Arc;

use openclaw_render::vocab::{FIELD_MANAGER, PREVIOUS_MANAGERS, SELF_CONFIG_MANAGER};
use openclaw_render::{Problem, bounded};
use serde::Deserialize;
use serde_json::Value;

use crate::feed::Item;
use crate::live::InstanceKey;

/// KiB that all passes together may need that must ask, and the most that one of them counts for.
pub(crate) const ROOM: u32 = 16 << 10;
/// What a byte of text and a value take in a pass: it is there as text, as what was decoded, as
/// what is rendered, and as what is sent.
const ROOM_PER_BYTE: usize = 8;
const ROOM_PER_VALUE: usize = 1500;

/// Managers of ours that apply instances: for an agent in a few fields, and for requests.
const OF_OURS: [&str; 2] = [FIELD_MANAGER, SELF_CONFIG_MANAGER];

/// An instance as the API server wrote it, less what nobody asks for.
pub(crate) struct InstanceText {
    pub(crate) key: InstanceKey,
    pub(crate) version: u64,
    pub(crate) text: Arc<str>,
}

/// An instance as a pass sees it.
pub(crate) struct Instance {
    /// All of it, or what can be used if there is a problem.
    pub(crate) live: Value,
    /// Why it is not all of it.
    pub(crate) problem: Option<Problem>,
}

impl InstanceText {
    pub(crate) fn new(text: &str) -> Option<Self> {
        Item::new(text, None).map(|item| Self::from(&item))
    }

    /// Within limits, whatever is in it.
    pub(crate) fn read(&self) -> Instance {
        match bounded::parse(&self.text) {
            Ok(live) => Instance { live, problem: None },
            Err(problem) => Instance { live: bounded::remains(&self.text), problem: Some(problem) },
        }
    }

    /// Whether the instance is new or its spec has changed, as far as its status tells: it goes
    /// before those that are only looked at.
    pub(crate) fn is_changed(&self) -> bool {
        let field = |outer, inner| {
            let part = bounded::field(&self.text, outer)?;
            bounded::field(part, inner)
        };
        let generation = field("metadata", "generation");
        field("metadata", "deletionTimestamp").is_some()
            || field("status", "observedGeneration") != generation
    }

    /// KiB that a pass over it may need.
    pub(crate) fn room(&self) -> u32 {
        let marks = self.text.bytes().filter(|byte| matches!(byte, b',' | b'{' | b'[')).count();
        let values = marks.min(bounded::MAX_VALUES);
        let bytes = self.text.len() * ROOM_PER_BYTE + values * ROOM_PER_VALUE;
        u32::try_from(bytes >> 10).unwrap_or(u32::MAX).min(ROOM)
    }
}

impl From<&Item> for InstanceText {
    fn from(item: &Item) -> Self {
        let key = InstanceKey { namespace: item.namespace.clone(), name: item.name.clone() };
        Self { key, version: item.version, text: lean(&item.text).into() }
    }
}

/// Keeps only the `managedFields` entries of the Go operator, and what we applied: nothing else of
/// them is read, and they are large.
fn lean(text: &str) -> String {
    let Some(fields) = bounded::fields(text) else { return text.to_owned() };
    let metadata = |part| {
        let fields = bounded::fields(part).unwrap_or_default();
        object(fields.into_iter().map(|(name, part)| {
            let part = if name == "managedFields" { of_writers(part) } else { part.to_owned() };
            (name, part)
        }))
    };
    object(fields.into_iter().map(|(name, part)| {
        let part = if name == "metadata" { metadata(part) } else { part.to_owned() };
        (name, part)
    }))
}

fn of_writers(managed_fields: &str) -> String {
    #[derive(Deserialize)]
    struct Owner {
        #[serde(default)]
        manager: String,
        #[serde(default)]
        operation: String,
    }
    let kept: Vec<&str> = bounded::items(managed_fields)
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| {
            serde_json::from_str::<Owner>(entry).is_ok_and(|Owner { manager, operation }| {
                PREVIOUS_MANAGERS.contains(&manager.as_str())
                    || OF_OURS.contains(&manager.as_str()) && operation == "Apply"
            })
        })
        .collect();
    format!("[{}]", kept.join(","))
}

fn object(fields: impl Iterator<Item = (String, String)>) -> String {
    let fields: Vec<String> =
        fields.map(|(name, part)| format!("{}:{part}", Value::String(name))).collect();
    format!("{{{}}}", fields.join(","))
}
