//! A Kubernetes API server in memory, as far as ownership of fields goes.
//!
//! Objects are plain JSON. Writes keep `managedFields` as the real server does: which lists have
//! keys and which parts are atomic follows the merge schema of k8s.io/client-go v0.36.3. There are
//! no defaults, no validation and no time stamps.

use std::collections::BTreeMap;

use json_patch::{Patch, PatchErrorKind, PatchOperation};
use serde_json::{Value, json};

use crate::field_sets::{Fields, extend, overlaps, prune, retain_existing, subtract};
use crate::merge::{Place, fields_of, merge, touched};

/// Which object: kind, namespace, name.
pub type Key = (String, String, String);

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The object is not there.
    #[error("it does not exist")]
    NotFound,
    /// There is one already.
    #[error("it exists already")]
    AlreadyExists,
    /// The object is not the one that the caller knows, or somebody else owns the field.
    #[error("{0}")]
    Conflict(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// The server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiServer {
    objects: BTreeMap<Key, Value>,
    version: u64,
    uids: u64,
}

/// Returns the key of an object, in namespace `default` if it names none.
#[must_use]
pub fn key_of(object: &Value) -> Key {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let namespace = Some(text("/metadata/namespace")).filter(|name| !name.is_empty());
    (text("/kind").into(), namespace.unwrap_or("default").into(), text("/metadata/name").into())
}

impl ApiServer {
    /// Returns a number that grows with every change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns an object.
    #[must_use]
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(kind.into(), namespace.into(), name.into()))
    }

    /// Returns every object, by kind, namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter()
    }

    /// Returns all objects whose label `app.kubernetes.io/managed-by` has that value.
    #[must_use]
    pub fn list(&self, managed_by: &str) -> Vec<&Value> {
        let label = "/metadata/labels/app.kubernetes.io~1managed-by";
        let is_managed = |object: &&Value| object.pointer(label) == Some(&json!(managed_by));
        self.objects.values().filter(is_managed).collect()
    }

    /// Puts an object as it stands, with the managers, uid and version that it brings.
    pub fn restore(&mut self, mut object: Value) {
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let version = version.and_then(|text| text.parse().ok()).unwrap_or(0);
        self.version = self.version.max(version);
        // In this server's order, so that a write without effect changes nothing.
        let managers = managers_of(Some(&object));
        set_metadata(&mut object, "managedFields", entries_of(&managers));
        self.objects.insert(key_of(&object), object);
    }

    /// Server-side apply. Without `force`, a field that another manager owns with another value is
    /// a conflict.
    ///
    /// # Errors
    /// It is refused.
    pub fn apply(&mut self, object: &Value, manager: &str, force: bool) -> Result<Value, Refusal> {
        let key = key_of(object);
        let kind = key.0.clone();
        let at = Place::root(&kind);
        let applied = without_nulls(object);
        let live = self.objects.get(&key).cloned();
        if means_another(&applied, live.as_ref()) {
            return Err(match live {
                Some(_) => Refusal::Invalid("the uid cannot be changed".into()),
                None => Refusal::Conflict("there is no object with that uid".into()),
            });
        }
        let new_set = fields_of(at, &applied).unwrap_or_default();
        let mut merged = merge(at, live.as_ref(), &applied);

        let mut managers = managers_of(live.as_ref());
        let id = ManagerId::new(manager, "Apply", "");
        let last = managers.remove(&id).map(|entry| entry.fields).unwrap_or_default();
        let touched = touched(at, live.as_ref(), Some(&merged)).unwrap_or_default();
        for (other, entry) in &mut managers {
            if live.is_some() && overlaps(&entry.fields, &touched) && !force {
                return Err(Refusal::Conflict(format!("fields are owned by {}", other.manager)));
            }
            subtract(&mut entry.fields, &touched);
        }
        let mut kept = new_set.clone();
        // Its name is always part of what is applied.
        let name = json!({ "f:metadata": { "f:name": {} } });
        extend(&mut kept, name.as_object().unwrap_or(&Fields::new()));
        for entry in managers.values() {
            extend(&mut kept, &entry.fields);
        }
        prune(&mut merged, &last, &kept);
        for entry in managers.values_mut() {
            retain_existing(&mut entry.fields, &merged);
        }
        let api_version = text(object, "apiVersion").to_owned();
        managers.insert(id, Entry { api_version, fields: new_set });
        managers.retain(|_, entry| !entry.fields.is_empty());
        Ok(self.store(key, live.as_ref(), without_nulls(&merged), &managers))
    }

    /// A plain POST.
    ///
    /// # Errors
    /// It is refused.
    pub fn create(&mut self, object: &Value, manager: &str) -> Result<Value, Refusal> {
        if self.objects.contains_key(&key_of(object)) {
            return Err(Refusal::AlreadyExists);
        }
        Ok(self.write(&key_of(object), without_nulls(object), manager, ""))
    }

    /// A plain PUT; a `resourceVersion` in it must be the current one.
    ///
    /// # Errors
    /// It is refused.
    pub fn update(&mut self, object: &Value, manager: &str) -> Result<Value, Refusal> {
        let live = self.objects.get(&key_of(object)).ok_or(Refusal::NotFound)?;
        let version = |object: &Value| object.pointer("/metadata/resourceVersion").cloned();
        if version(object).is_some_and(|wanted| Some(wanted) != version(live)) {
            return Err(Refusal::Conflict("the object has been modified".into()));
        }
        if means_another(object, Some(live)) {
            return Err(Refusal::Conflict("the object has another uid".into()));
        }
        Ok(self.write(&key_of(object), without_nulls(object), manager, ""))
    }

    /// A JSON patch; a test that fails is a conflict. One that touches `/status` alone goes to that
    /// subresource.
    ///
    /// # Errors
    /// It is refused.
    pub fn json_patch(
        &mut self,
        key: &Key,
        patch: &Value,
        manager: &str,
    ) -> Result<Value, Refusal> {
        let mut object = self.objects.get(key).cloned().ok_or(Refusal::NotFound)?;
        let patch: Patch =
            serde_json::from_value(patch.clone()).map_err(|e| Refusal::Invalid(e.to_string()))?;
        json_patch::patch(&mut object, &patch).map_err(|e| {
            let is_test = matches!(e.kind, PatchErrorKind::TestFailed);
            if is_test { Refusal::Conflict(e.to_string()) } else { Refusal::Invalid(e.to_string()) }
        })?;
        let writes = |op: &&PatchOperation| !matches!(op, PatchOperation::Test(_));
        let mut paths = patch.0.iter().filter(writes).map(|op| op.path().to_string());
        let is_status = paths.all(|path| path == "/status" || path.starts_with("/status/"));
        Ok(self.write(key, object, manager, if is_status { "status" } else { "" }))
    }

    /// Deletes at once, or marks the object while it has finalizers.
    ///
    /// # Errors
    /// It is refused.
    pub fn delete(&mut self, key: &Key, uid: Option<&str>) -> Result<(), Refusal> {
        let live = self.objects.get(key).cloned().ok_or(Refusal::NotFound)?;
        if uid.is_some_and(|uid| live.pointer("/metadata/uid") != Some(&json!(uid))) {
            return Err(Refusal::Conflict("the object has another uid".into()));
        }
        let mut marked = live.clone();
        set_metadata(&mut marked, "deletionTimestamp", json!("2026-01-01T00:00:00Z"));
        self.store(key.clone(), Some(&live), marked, &managers_of(Some(&live)));
        self.collect(key);
        Ok(())
    }

    /// A kind is unknown from now on, and with it go all of its objects.
    pub fn forget(&mut self, kind: &str) {
        self.objects.retain(|key, _| key.0 != kind);
    }

    fn write(&mut self, key: &Key, object: Value, manager: &str, subresource: &str) -> Value {
        let live = self.objects.get(key).cloned();
        // The managers in the request count: that is how entries are moved by a patch.
        let mut managers = managers_of(Some(&object));
        if object.pointer("/metadata/managedFields").is_none() {
            managers = managers_of(live.as_ref());
        }
        let touched =
            touched(Place::root(&key.0), live.as_ref(), Some(&object)).unwrap_or_default();
        for entry in managers.values_mut() {
            subtract(&mut entry.fields, &touched);
        }
        let id = ManagerId::new(manager, "Update", subresource);
        let entry = managers.entry(id).or_default();
        text(&object, "apiVersion").clone_into(&mut entry.api_version);
        extend(&mut entry.fields, &touched);
        for entry in managers.values_mut() {
            retain_existing(&mut entry.fields, &object);
        }
        managers.retain(|_, entry| !entry.fields.is_empty());
        let stored = self.store(key.clone(), live.as_ref(), object, &managers);
        self.collect(key);
        stored
    }

    /// Removes an object that is marked and has no finalizers.
    fn collect(&mut self, key: &Key) {
        let is_done = |object: &Value| {
            let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
            object.pointer("/metadata/deletionTimestamp").is_some()
                && finalizers.is_none_or(Vec::is_empty)
        };
        if self.objects.get(key).is_some_and(is_done) {
            self.objects.remove(key);
            self.version = self.version.saturating_add(1);
        }
    }

    fn store(
        &mut self,
        key: Key,
        live: Option<&Value>,
        mut object: Value,
        managers: &Managers,
    ) -> Value {
        for name in ["uid", "resourceVersion", "generation"] {
            let old = live.and_then(|live| live.get("metadata")?.get(name)).cloned();
            set_metadata(&mut object, name, old.unwrap_or_default());
        }
        for name in ["creationTimestamp", "deletionTimestamp"] {
            if let Some(old) = live.and_then(|live| live.get("metadata")?.get(name)) {
                set_metadata(&mut object, name, old.clone());
            }
        }
        set_metadata(&mut object, "namespace", json!(key.1));
        set_metadata(&mut object, "managedFields", entries_of(managers));
        if live == Some(&object) {
            return object;
        }
        if live.is_none() {
            self.uids += 1;
            let uid = format!("00000000-0000-0000-0000-{:012}", self.uids);
            set_metadata(&mut object, "uid", json!(uid));
        }
        let parts = |object: &Value| {
            let mut parts = object.as_object().cloned().unwrap_or_default();
            parts.retain(|name, _| name != "metadata" && name != "status");
            parts
        };
        // A mark for deletion is a wish too.
        let is_marked = |object: &Value| object.pointer("/metadata/deletionTimestamp").is_some();
        let is_new_wish = live.is_none_or(|live| {
            parts(live) != parts(&object) || is_marked(live) != is_marked(&object)
        });
        if has_generation(&key.0) && is_new_wish {
            let old = object.pointer("/metadata/generation").and_then(Value::as_u64);
            set_metadata(&mut object, "generation", json!(old.unwrap_or(0).saturating_add(1)));
        }
        self.version = self.version.saturating_add(1);
        set_metadata(&mut object, "resourceVersion", json!(self.version.to_string()));
        self.objects.insert(key, object.clone());
        object
    }
}

/// Whether a request names a uid and means another object, or one that is gone.
fn means_another(object: &Value, live: Option<&Value>) -> bool {
    let uid = |object: &Value| object.pointer("/metadata/uid").cloned();
    uid(object).is_some_and(|wanted| live.and_then(uid) != Some(wanted))
}

fn has_generation(kind: &str) -> bool {
    !matches!(
        kind,
        "ConfigMap"
            | "Secret"
            | "ServiceAccount"
            | "Role"
            | "RoleBinding"
            | "Service"
            | "PersistentVolumeClaim"
            | "HorizontalPodAutoscaler"
    )
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Null removes the field.
fn set_metadata(object: &mut Value, name: &str, value: Value) {
    let Some(object) = object.as_object_mut() else { return };
    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
    let Some(metadata) = metadata.as_object_mut() else { return };
    if value.is_null() {
        metadata.remove(name);
    } else {
        metadata.insert(name.to_owned(), value);
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Who wrote; ordered as the server lists them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ManagerId {
    operation: String,
    manager: String,
    subresource: String,
}

impl ManagerId {
    fn new(manager: &str, operation: &str, subresource: &str) -> Self {
        let [operation, manager, subresource] =
            [operation, manager, subresource].map(str::to_owned);
        Self { operation, manager, subresource }
    }
}

#[derive(Clone, Debug, Default)]
struct Entry {
    api_version: String,
    fields: Fields,
}

type Managers = BTreeMap<ManagerId, Entry>;

fn managers_of(live: Option<&Value>) -> Managers {
    let entries = live.and_then(|live| live.pointer("/metadata/managedFields")?.as_array());
    let read = |entry: &Value| {
        let part = |name| text(entry, name);
        let id = ManagerId::new(part("manager"), part("operation"), part("subresource"));
        let fields = entry.get("fieldsV1").and_then(Value::as_object).cloned().unwrap_or_default();
        (id, Entry { api_version: part("apiVersion").to_owned(), fields })
    };
    entries.into_iter().flatten().map(read).collect()
}

fn entries_of(managers: &Managers) -> Value {
    let write = |(id, entry): (&ManagerId, &Entry)| {
        let mut written = json!({
            "apiVersion": entry.api_version, "fieldsType": "FieldsV1", "fieldsV1": entry.fields,
            "manager": id.manager, "operation": id.operation,
        });
        if let Some(written) = written.as_object_mut().filter(|_| !id.subresource.is_empty()) {
            written.insert("subresource".to_owned(), json!(id.subresource));
        }
        written
    };
    managers.iter().map(write).collect()
}
