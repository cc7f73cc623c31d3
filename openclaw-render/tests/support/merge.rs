//! How the API server merges values and counts who owns them: the schema, and set operations on
//! sets of fields in the format `FieldsV1`.

use serde_json::{Map, Value, json};

/// A set of fields in the format `FieldsV1`.
pub(super) type Fields = Map<String, Value>;

/// Where a value stands; an item of a list stands where its list does.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    kind: &'a str,
    parent: &'a str,
    name: &'a str,
}

enum Shape {
    /// Owned as a whole.
    Atomic,
    /// A map whose fields are owned one by one.
    Map,
    /// A list whose items are found by these fields.
    Keys(&'static [&'static str]),
    /// A list of distinct plain values.
    Set,
}

impl<'a> Place<'a> {
    pub(super) fn root(kind: &'a str) -> Self {
        Self { kind, parent: "", name: "" }
    }

    fn below(self, name: &'a str) -> Self {
        Self { kind: self.kind, parent: self.name, name }
    }

    fn shape(self, value: &Value) -> Shape {
        match value {
            Value::Object(_) if self.is_atomic_map() => Shape::Atomic,
            Value::Object(_) => Shape::Map,
            Value::Array(_) => self.list_shape(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Shape::Atomic,
        }
    }

    fn is_atomic_map(self) -> bool {
        match self.name {
            "configMapKeyRef"
            | "dataSource"
            | "fieldRef"
            | "fileKeyRef"
            | "imagePullSecrets"
            | "labelSelector"
            | "nodePublishSecretRef"
            | "nodeSelector"
            | "ownerReferences"
            | "podSelector"
            | "resourceFieldRef"
            | "roleRef"
            | "secretKeyRef"
            | "secretRef"
            | "secrets"
            | "selector" => true,
            "requiredDuringSchedulingIgnoredDuringExecution" => self.parent == "nodeAffinity",
            "port" => self.parent == "service",
            "resource" => matches!(self.parent, "backend" | "defaultBackend"),
            _ => false,
        }
    }

    fn list_shape(self) -> Shape {
        match (self.kind, self.name) {
            // Of the API's own lists few have keys; its containers are plain lists.
            ("OpenClawInstance" | "OpenClawClusterDefaults", "initContainers")
            | ("ServiceAccount", "imagePullSecrets")
            | ("Job", "conditions") => Shape::Atomic,
            ("OpenClawInstance", "skills" | "forcePaths") | (_, "finalizers") => Shape::Set,
            ("Service", "ports") => Shape::Keys(&["port", "protocol"]),
            ("PrometheusRule", "groups") | ("ServiceAccount", "secrets") => Shape::Keys(&["name"]),
            (_, name) => match name {
                "claims"
                | "containers"
                | "env"
                | "ephemeralContainers"
                | "imagePullSecrets"
                | "initContainers"
                | "resourceClaims"
                | "schedulingGates"
                | "volumes" => Shape::Keys(&["name"]),
                "conditions" => Shape::Keys(&["type"]),
                "hostAliases" => Shape::Keys(&["ip"]),
                "ownerReferences" => Shape::Keys(&["uid"]),
                "ports" => Shape::Keys(&["containerPort", "protocol"]),
                "topologySpreadConstraints" => Shape::Keys(&["topologyKey", "whenUnsatisfiable"]),
                "volumeDevices" => Shape::Keys(&["devicePath"]),
                "volumeMounts" => Shape::Keys(&["mountPath"]),
                _ => Shape::Atomic,
            },
        }
    }

    /// Fields that nobody owns.
    fn is_untracked(self, name: &str) -> bool {
        match (self.parent, self.name) {
            ("", "") => matches!(name, "apiVersion" | "kind"),
            ("", "metadata") => matches!(
                name,
                "creationTimestamp"
                    | "deletionTimestamp"
                    | "generation"
                    | "managedFields"
                    | "name"
                    | "namespace"
                    | "resourceVersion"
                    | "selfLink"
                    | "uid"
            ),
            _ => false,
        }
    }
}

/// The key of a list item in a set.
fn item_key(shape: &Shape, item: &Value) -> String {
    match shape {
        Shape::Keys(names) => {
            let pair = |name: &&str| {
                let default = if *name == "protocol" { json!("TCP") } else { Value::Null };
                ((*name).to_owned(), item.get(name).cloned().unwrap_or(default))
            };
            format!("k:{}", Value::Object(names.iter().map(pair).collect()))
        }
        Shape::Set | Shape::Map | Shape::Atomic => format!("v:{item}"),
    }
}

fn member() -> Value {
    json!({})
}

/// The fields that applying a value makes its applier own; none for an empty list with keys.
pub(super) fn fields_of(at: Place<'_>, value: &Value) -> Option<Fields> {
    let shape = at.shape(value);
    match (&shape, value) {
        (Shape::Map, Value::Object(map)) if !map.is_empty() => {
            let tracked = map.iter().filter(|(name, _)| !at.is_untracked(name));
            let set: Fields = tracked
                .filter_map(|(name, value)| {
                    let set = fields_of(at.below(name), value)?;
                    Some((format!("f:{name}"), Value::Object(set)))
                })
                .collect();
            (!set.is_empty()).then_some(set)
        }
        (Shape::Keys(_) | Shape::Set, Value::Array(items)) => {
            let entry = |item: &Value| {
                let mut set = fields_of(at, item).unwrap_or_default();
                if !set.is_empty() {
                    set.insert(".".to_owned(), member());
                }
                (item_key(&shape, item), Value::Object(set))
            };
            let set: Fields = items.iter().map(entry).collect();
            (!set.is_empty()).then_some(set)
        }
        _ => Some(Fields::new()),
    }
}

/// The live value with the applied one laid over it.
pub(super) fn merge(at: Place<'_>, live: Option<&Value>, applied: &Value) -> Value {
    let shape = at.shape(applied);
    match (&shape, live, applied) {
        (Shape::Map, Some(Value::Object(live)), Value::Object(applied)) => {
            let mut merged = live.clone();
            for (name, value) in applied.iter().filter(|(name, _)| !at.is_untracked(name)) {
                merged.insert(name.clone(), merge(at.below(name), live.get(name), value));
            }
            Value::Object(merged)
        }
        (Shape::Keys(_) | Shape::Set, Some(Value::Array(live)), Value::Array(applied)) => {
            // The applied order, with the items of others where they stood before it.
            let is_applied = |item: &Value| {
                let key = item_key(&shape, item);
                applied.iter().any(|other| item_key(&shape, other) == key)
            };
            let mut merged = Vec::new();
            let mut rest = live.iter().peekable();
            for item in applied {
                while let Some(other) = rest.next_if(|other| !is_applied(other)) {
                    merged.push(other.clone());
                }
                let key = item_key(&shape, item);
                rest.next_if(|other| item_key(&shape, other) == key);
                let old = live.iter().find(|other| item_key(&shape, other) == key);
                merged.push(merge(at, old, item));
            }
            merged.extend(rest.filter(|item| !is_applied(item)).cloned());
            Value::Array(merged)
        }
        _ => applied.clone(),
    }
}

/// The fields in which two values differ, `None` if in none.
pub(super) fn touched(at: Place<'_>, old: Option<&Value>, new: Option<&Value>) -> Option<Fields> {
    let mut set = Fields::new();
    let mut add = |key: String, part: Option<Fields>| {
        if let Some(part) = part {
            set.insert(key, Value::Object(part));
        }
    };
    match (old, new) {
        (None, None) => return None,
        (Some(only), None) | (None, Some(only)) => return fields_of(at, only),
        (Some(old), Some(new)) => match (at.shape(new), old, new) {
            (Shape::Map, Value::Object(old), Value::Object(new)) => {
                let added = new.keys().filter(|name| !old.contains_key(*name));
                for name in old.keys().chain(added).filter(|name| !at.is_untracked(name)) {
                    let part = touched(at.below(name), old.get(name), new.get(name));
                    add(format!("f:{name}"), part);
                }
            }
            (shape @ (Shape::Keys(_) | Shape::Set), Value::Array(old), Value::Array(new)) => {
                let find = |items: &'_ [Value], key: &str| {
                    items.iter().find(|item| item_key(&shape, item) == key).cloned()
                };
                for key in old.iter().chain(new).map(|item| item_key(&shape, item)) {
                    let (old, new) = (find(old, &key), find(new, &key));
                    let mut part = touched(at, old.as_ref(), new.as_ref());
                    // An item that comes or goes is touched itself.
                    if let Some(part) = part.as_mut().filter(|part| !part.is_empty())
                        && (old.is_none() || new.is_none())
                    {
                        part.insert(".".to_owned(), member());
                    }
                    add(key, part);
                }
            }
            _ if old == new => return None,
            _ => return Some(Fields::new()),
        },
    }
    (!set.is_empty()).then_some(set)
}

fn children(set: &Value) -> Option<&Fields> {
    set.as_object().filter(|set| !set.is_empty())
}

/// Adds a set to another one; a leaf that gets parts stays a member.
pub(super) fn extend(all: &mut Fields, more: &Fields) {
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

/// Takes from a set what another one names.
pub(super) fn subtract(set: &mut Fields, other: &Fields) {
    for (key, theirs) in other {
        let Some(ours) = set.get_mut(key) else { continue };
        let is_gone = match (children(ours).is_some(), children(theirs)) {
            (true, Some(theirs)) => ours.as_object_mut().is_some_and(|ours| {
                subtract(ours, theirs);
                ours.is_empty()
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
pub(super) fn overlaps(set: &Fields, other: &Fields) -> bool {
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
pub(super) fn retain_existing(set: &mut Fields, value: &Value) {
    set.retain(|key, part| {
        if key == "." {
            return true;
        }
        let Some(value) = child(value, key) else { return false };
        let had_parts = children(part).is_some();
        if let Some(part) = part.as_object_mut() {
            retain_existing(part, value);
            return !(had_parts && part.is_empty());
        }
        true
    });
}

/// Removes what the last apply owned and nobody owns now.
pub(super) fn prune(value: &mut Value, last: &Fields, kept: &Fields) {
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
        // A container emptied by this becomes null, which the server forgets.
        let is_kept = keeper.is_some_and(|set| children(set).is_none());
        if !was_empty
            && is_empty(child)
            && !is_kept
            && let Value::Object(map) = value
        {
            map.remove(key.trim_start_matches("f:"));
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
