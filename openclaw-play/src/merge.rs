//! How the API server merges values, and which fields that makes somebody own.

use serde_json::{Value, json};

use crate::field_sets::{Fields, member};

/// Where a value stands; an item of a list stands where its list does.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    kind: &'a str,
    parent: &'a str,
    name: &'a str,
    /// In a part without a schema: what is in a map there is owned like a list item.
    is_free: bool,
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
    pub(crate) fn root(kind: &'a str) -> Self {
        Self { kind, parent: "", name: "", is_free: false }
    }

    fn below(self, name: &'a str) -> Self {
        let is_free = self.is_free || self.is_custom() && self.name == "raw";
        Self { kind: self.kind, parent: self.name, name, is_free }
    }

    fn shape(self, value: &Value) -> Shape {
        match value {
            Value::Object(_) if self.is_atomic_map() => Shape::Atomic,
            Value::Object(_) => Shape::Map,
            Value::Array(_) => self.list_shape(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Shape::Atomic,
        }
    }

    /// A kind of ours: a schema says what it is, and nothing is there that nobody has set.
    fn is_custom(self) -> bool {
        self.kind.starts_with("OpenClaw")
    }

    fn is_atomic_map(self) -> bool {
        match self.name {
            "nodeSelector" => !self.is_custom(),
            "authKeySecretRef"
            | "configMapKeyRef"
            | "dataSource"
            | "fieldRef"
            | "fileKeyRef"
            | "imagePullSecrets"
            | "labelSelector"
            | "nodePublishSecretRef"
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
            ("OpenClawInstance", "ports") if self.parent == "service" => Shape::Keys(&["name"]),
            ("OpenClawInstance", "additionalWorkspaces")
            | ("PrometheusRule", "groups")
            | ("ServiceAccount", "secrets") => Shape::Keys(&["name"]),
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

    /// Fields that an empty object has already: in Kubernetes' own types they cannot be left out.
    fn is_never_absent(self, value: &Value) -> bool {
        match (self.kind, self.parent, self.name) {
            (_, "", "" | "metadata")
            | ("PersistentVolumeClaim", "spec", "resources")
            | ("StatefulSet", "spec", "updateStrategy")
            | ("CronJob", "spec", "jobTemplate")
            | ("HorizontalPodAutoscaler", "spec", "scaleTargetRef") => true,
            ("CronJob", "volumeClaimTemplate", "spec") => false,
            (_, _, "spec" | "metadata" | "template") => !self.is_custom(),
            // The list, not an item of it.
            (_, "spec", "containers") => value.is_array() && !self.is_custom(),
            _ => false,
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

/// The fields that applying a value makes its applier own; none for an empty list with keys.
pub(crate) fn fields_of(at: Place<'_>, value: &Value) -> Option<Fields> {
    let shape = at.shape(value);
    match (&shape, value) {
        (Shape::Map, Value::Object(map)) if !map.is_empty() => {
            let tracked = map.iter().filter(|(name, _)| !at.is_untracked(name));
            let set: Fields = tracked
                .filter_map(|(name, value)| {
                    let at = at.below(name);
                    let mut set = fields_of(at, value)?;
                    if at.is_free && !set.is_empty() {
                        set.insert(".".to_owned(), member());
                    }
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

/// All fields of a value that comes or goes, the containers themselves included.
fn whole(at: Place<'_>, value: &Value) -> Option<Fields> {
    let mut set = fields_of(at, value)?;
    if set.is_empty() {
        return Some(set);
    }
    let shape = at.shape(value);
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if let Some(part) = set.get_mut(&format!("f:{name}")) {
                    *part = Value::Object(whole(at.below(name), value).unwrap_or_default());
                }
            }
            if !at.is_never_absent(value) {
                set.insert(".".to_owned(), member());
            }
        }
        Value::Array(items) => {
            for item in items {
                let part = whole(at, item).unwrap_or_default();
                set.insert(item_key(&shape, item), Value::Object(part));
            }
            if !at.is_never_absent(value) {
                set.insert(".".to_owned(), member());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Some(set)
}

/// The live value with the applied one laid over it.
pub(crate) fn merge(at: Place<'_>, live: Option<&Value>, applied: &Value) -> Value {
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
            merge_items(at, &shape, live, applied)
        }
        _ => applied.clone(),
    }
}

/// The applied order, with the items of others next to those that they stood next to.
fn merge_items(at: Place<'_>, shape: &Shape, live: &[Value], applied: &[Value]) -> Value {
    let find = |items: &[Value], item: &Value| {
        let key = item_key(shape, item);
        items.iter().position(|other| item_key(shape, other) == key)
    };
    let mut merged = Vec::new();
    let mut rest = live.iter().peekable();
    for (index, item) in applied.iter().enumerate() {
        let later = applied.get(index..).unwrap_or_default();
        let next_shared = later.iter().find_map(|item| find(live, item));
        // Up to the live item that comes next: those of others stay, those passed by have moved.
        while let Some(other) = rest.next_if(|other| find(live, other) != next_shared) {
            // One that is applied is laid over already, or still to come.
            if find(applied, other).is_none() {
                merged.push(other.clone());
            }
        }
        let old = find(live, item).and_then(|index| live.get(index));
        if old.is_some() && find(live, item) == next_shared {
            rest.next_if(|other| find(live, other) == next_shared);
        }
        merged.push(merge(at, old, item));
    }
    merged.extend(rest.filter(|other| find(applied, other).is_none()).cloned());
    Value::Array(merged)
}

/// The fields in which two values differ, `None` if in none.
pub(crate) fn touched(at: Place<'_>, old: Option<&Value>, new: Option<&Value>) -> Option<Fields> {
    let mut set = Fields::new();
    let mut add = |key: String, part: Option<Fields>| {
        if let Some(part) = part {
            set.insert(key, Value::Object(part));
        }
    };
    match (old, new) {
        (None, None) => return None,
        (Some(only), None) | (None, Some(only)) => return whole(at, only),
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
                    let part = touched(at, old.as_ref(), new.as_ref());
                    add(key, part);
                }
            }
            _ if old == new => return None,
            _ => return Some(Fields::new()),
        },
    }
    (!set.is_empty()).then_some(set)
}
