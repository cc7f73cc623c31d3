//! The difference between what we want and what we own.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fields::{self, Fields, Step};
use crate::canonical::canonicalise;
use crate::vocab::FIELD_MANAGER;

/// Stands for a value of a Secret. Two of them may stand for different values.
const HIDDEN: &str = "<hidden>";

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where, with list items named by their keys:
    /// `spec.template.spec.containers[name=openclaw].image`.
    pub path: String,
    /// What is there; `None` when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What we want; `None` when it must go. Equal to `from` where only the owner changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, from, to } = self;
        match (from, to) {
            (Some(from), Some(to)) if from == to && to != HIDDEN => {
                write!(f, "{path}: {to} (taken over)")
            }
            (Some(from), Some(to)) => write!(f, "{path}: {from} -> {to}"),
            (None, Some(to)) => write!(f, "{path}: {to} (added)"),
            (Some(from), None) => write!(f, "{path}: {from} (removed)"),
            (None, None) => write!(f, "{path}"),
        }
    }
}

/// What an apply of `desired` would change in `live`, sorted by path.
///
/// `live` is the whole object with its managedFields. Reported is what is missing, what differs,
/// what [`FIELD_MANAGER`] does not own yet, and what it owns and no longer wants. Ignored are fields
/// of others, the order of list items that have keys, and the object's identity. Both count as the
/// API server stores them ([`canonicalise`]), so its defaults inside a part that is owned as a whole
/// are no difference. Every other key there that is live and not wanted is one: it would go. Values
/// of a Secret are shown as `<hidden>`.
#[must_use]
pub fn diff(desired: &Value, live: &Value) -> Vec<Change> {
    let stored = |object: &Value| {
        let mut stored = object.clone();
        canonicalise(&mut stored);
        stored
    };
    let (desired, live) = (&stored(desired), &stored(live));
    let is_secret = |object: &Value| object.get("kind").is_some_and(|kind| kind == "Secret");
    let mut comparison =
        Comparison { hide: is_secret(desired) || is_secret(live), changes: Vec::new() };
    let ours = Value::Object(fields::applied_by(live, FIELD_MANAGER));
    let foreign = Value::Object(fields::of_others(live, FIELD_MANAGER));
    let owned = fields::children(Some(&ours)).map_or(Owned::Nothing, Owned::Parts);
    let nothing = Value::Object(Map::new());
    let live = if live.is_object() { live } else { &nothing };
    comparison.compare("", Some(desired), Some(live), owned, Some(&foreign));
    comparison.changes.sort_by(|a, b| a.path.cmp(&b.path));
    comparison.changes
}

/// What of a value we own.
#[derive(Clone, Copy)]
enum Owned<'a> {
    Nothing,
    /// The value with all that is in it.
    Whole,
    /// The container, and of its content only the parts named.
    Parts(&'a Fields),
}

impl<'a> Owned<'a> {
    fn below(self, key: &str, foreign: Option<&Value>) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Whole => Self::Whole,
            Self::Parts(parts) => match parts.get(key) {
                None => Self::Nothing,
                Some(part) if fields::is_empty_container(part, foreign) => {
                    // The leaf itself: a set without parts.
                    part.as_object().map_or(Self::Whole, Self::Parts)
                }
                Some(part) => fields::children(Some(part)).map_or(Self::Whole, Self::Parts),
            },
        }
    }

    fn parts(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let parts = match self {
            Self::Parts(parts) => Some(parts),
            Self::Nothing | Self::Whole => None,
        };
        parts.into_iter().flatten()
    }
}

struct Comparison {
    hide: bool,
    changes: Vec<Change>,
}

impl Comparison {
    fn push(&mut self, path: &str, from: Option<Value>, to: Option<&Value>) {
        let show = |value: Value| if self.hide { redacted(path, value) } else { value };
        let change =
            Change { path: path.to_owned(), from: from.map(show), to: to.cloned().map(show) };
        self.changes.push(change);
    }

    fn compare(
        &mut self,
        path: &str,
        desired: Option<&Value>,
        live: Option<&Value>,
        owned: Owned<'_>,
        foreign: Option<&Value>,
    ) {
        let desired = desired.filter(|value| !value.is_null());
        let live = live.filter(|value| !value.is_null());
        match (desired, live) {
            (None, None) => {}
            (None, Some(live)) => self.left_over(path, live, owned, foreign),
            (Some(desired), None) => self.push(path, None, Some(desired)),
            (Some(Value::Object(desired)), Some(Value::Object(live)))
                if !(desired.is_empty() && matches!(owned, Owned::Nothing)) =>
            {
                self.maps(path, desired, live, owned, foreign);
            }
            (Some(Value::Array(wanted)), Some(Value::Array(items))) => {
                self.lists(path, wanted, items, owned, foreign);
            }
            (Some(desired), Some(live)) => {
                if desired != live || matches!(owned, Owned::Nothing) {
                    self.push(path, Some(live.clone()), Some(desired));
                }
            }
        }
    }

    fn left_over(&mut self, path: &str, live: &Value, owned: Owned<'_>, foreign: Option<&Value>) {
        let part = match owned {
            Owned::Nothing => None,
            Owned::Whole => Some(live.clone()),
            Owned::Parts(parts) => fields::project(live, &Value::Object(parts.clone()), foreign),
        };
        if part.is_some() {
            self.push(path, part, None);
        }
    }

    fn maps(
        &mut self,
        path: &str,
        desired: &Map<String, Value>,
        live: &Map<String, Value>,
        owned: Owned<'_>,
        foreign: Option<&Value>,
    ) {
        let ours = owned.parts().filter_map(|(key, _)| match Step::read(key) {
            Step::Field(name) => Some(name),
            Step::Key(_) | Step::Value(_) | Step::Index(_) | Step::Other => None,
        });
        let whole = matches!(owned, Owned::Whole).then_some(live);
        let ours = ours.chain(whole.into_iter().flat_map(Map::keys).map(String::as_str));
        let left = ours.filter(|name| !desired.contains_key(*name));
        for name in desired.keys().map(String::as_str).chain(left) {
            if is_identity(path, name) {
                continue;
            }
            let key = format!("f:{name}");
            let foreign = fields::below(foreign, &key);
            let owned = owned.below(&key, foreign);
            self.compare(
                &field_path(path, name),
                desired.get(name),
                live.get(name),
                owned,
                foreign,
            );
        }
    }

    fn lists(
        &mut self,
        path: &str,
        wanted: &[Value],
        live: &[Value],
        owned: Owned<'_>,
        foreign: Option<&Value>,
    ) {
        let theirs = fields::children(foreign);
        let all = owned.parts().chain(theirs.into_iter().flatten());
        let example = all.map(|(key, _)| Step::read(key)).find_map(|step| match step {
            Step::Key(keys) => Some(Some(keys)),
            Step::Value(_) => Some(None),
            Step::Field(_) | Step::Index(_) | Step::Other => None,
        });
        match (owned, example) {
            (Owned::Whole, _) if wanted.len() == live.len() => {
                for (index, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                    let path = format!("{path}[{index}]");
                    self.compare(&path, Some(wanted), Some(live), Owned::Whole, None);
                }
            }
            (Owned::Parts(_) | Owned::Nothing, Some(Some(keys))) => {
                self.items(path, wanted, live, owned, foreign, &keys);
            }
            (Owned::Parts(_) | Owned::Nothing, Some(None)) => {
                self.values(path, wanted, live, owned);
            }
            _ if wanted == live && !matches!(owned, Owned::Nothing) => {}
            _ => self.push(path, Some(json!(live)), Some(&json!(wanted))),
        }
    }

    /// Lists whose items have keys.
    fn items(
        &mut self,
        path: &str,
        wanted: &[Value],
        live: &[Value],
        owned: Owned<'_>,
        foreign: Option<&Value>,
        key_names: &Fields,
    ) {
        let ours: Vec<_> = owned.parts().map(|(key, _)| (key, Step::read(key))).collect();
        let item_path = |item: &Value| format!("{path}[{}]", keys_text(item, key_names));
        for item in wanted {
            let is_same = |other: &&Value| {
                key_names.keys().all(|name| key_of(item, name) == key_of(other, name))
            };
            let found = live.iter().find(is_same);
            let key = ours.iter().find(|(_, step)| step.leads_to(usize::MAX, item));
            let foreign = foreign_item(foreign, item);
            let owned = key.map_or(Owned::Nothing, |(key, _)| owned.below(key, foreign));
            match (item, found) {
                (Value::Object(wanted), Some(Value::Object(live)))
                    if !matches!(owned, Owned::Nothing) =>
                {
                    // The keys are equal, and owned with the item.
                    let rest = |map: &Map<String, Value>| -> Map<String, Value> {
                        let rest = map.iter().filter(|(name, _)| !key_names.contains_key(*name));
                        rest.map(|(name, value)| (name.clone(), value.clone())).collect()
                    };
                    self.maps(&item_path(item), &rest(wanted), &rest(live), owned, foreign);
                }
                _ => self.compare(&item_path(item), Some(item), found, owned, foreign),
            }
        }
        for (key, step) in &ours {
            let is_wanted = wanted.iter().any(|item| step.leads_to(usize::MAX, item));
            let found = live.iter().find(|item| step.leads_to(usize::MAX, item));
            if let (false, Some(item)) = (is_wanted, found) {
                let foreign = fields::below(foreign, key);
                self.left_over(&item_path(item), item, owned.below(key, foreign), foreign);
            }
        }
    }

    /// Lists that are sets of plain values.
    fn values(&mut self, path: &str, wanted: &[Value], live: &[Value], owned: Owned<'_>) {
        let ours: Vec<_> = owned
            .parts()
            .filter_map(|(key, _)| match Step::read(key) {
                Step::Value(value) => Some(value),
                Step::Field(_) | Step::Key(_) | Step::Index(_) | Step::Other => None,
            })
            .collect();
        for value in wanted.iter().filter(|value| !(ours.contains(value) && live.contains(value))) {
            let found = live.contains(value).then(|| value.clone());
            self.push(&format!("{path}[{value}]"), found, Some(value));
        }
        for value in ours.iter().filter(|value| live.contains(value) && !wanted.contains(value)) {
            self.push(&format!("{path}[{value}]"), Some(value.clone()), None);
        }
    }
}

/// What others own of a list item.
fn foreign_item<'a>(foreign: Option<&'a Value>, item: &Value) -> Option<&'a Value> {
    let parts = fields::children(foreign)?;
    let found = parts.iter().find(|(key, _)| Step::read(key).leads_to(usize::MAX, item));
    found.map(|(_, part)| part)
}

/// A key of a list item, with the one default that there is.
fn key_of(item: &Value, name: &str) -> Option<Value> {
    item.get(name).cloned().or_else(|| (name == "protocol").then(|| json!("TCP")))
}

fn keys_text(item: &Value, key_names: &Fields) -> String {
    let pair = |name: &String| match key_of(item, name) {
        Some(Value::String(text)) => format!("{name}={text}"),
        Some(value) => format!("{name}={value}"),
        None => format!("{name}="),
    };
    key_names.keys().map(pair).collect::<Vec<_>>().join(",")
}

/// Fields that say which object it is; two objects that differ in them are not compared.
fn is_identity(path: &str, name: &str) -> bool {
    match path {
        "" => matches!(name, "apiVersion" | "kind"),
        "metadata" => matches!(name, "name" | "namespace"),
        _ => false,
    }
}

fn field_path(path: &str, name: &str) -> String {
    let is_plain = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match (path, is_plain) {
        ("", true) => name.to_owned(),
        (_, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{}]", Value::from(name)),
    }
}

/// A Secret's value without what is secret in it: its data, and annotations, where client-side
/// apply keeps a copy of the data.
fn redacted(path: &str, value: Value) -> Value {
    let is_below = |root: &str| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let is_hidden = ["data", "stringData", "metadata.annotations"].into_iter().any(is_below);
    match value {
        Value::Object(map) => {
            let hide = |(name, value): (String, Value)| {
                let path = field_path(path, &name);
                (name, redacted(&path, value))
            };
            Value::Object(map.into_iter().map(hide).collect())
        }
        _ if is_hidden => json!(HIDDEN),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value
        }
    }
}
