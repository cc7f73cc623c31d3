//! The instances of `fixtures/`, with all that they refer to.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use openclaw_render::{
    Documents, Found, Kind, Object, Observed, Problem, Settings, render_instance,
};
use serde_json::{Value, json};

/// The token that stands in for randomness.
const TOKEN: &str = "fixture-token";

/// A file of `fixtures/`.
#[derive(Clone)]
pub struct Fixture {
    pub name: String,
    pub documents: Vec<Value>,
}

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// Every fixture of a folder of `fixtures/`, by name.
pub fn all(name: &str) -> Vec<Fixture> {
    in_folder(&folder(name))
}

/// Every file of manifests in a folder, by name.
pub fn in_folder(folder: &Path) -> Vec<Fixture> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| Fixture::load(path)).collect()
}

impl Fixture {
    pub fn load(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the fixture is read");
        let documents = serde_saphyr::from_multiple::<Value>(&text).expect("YAML");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Self { name, documents: documents.into_iter().filter(|it| !it.is_null()).collect() }
    }

    pub fn named(name: &str) -> Self {
        Self::load(&folder("instances").join(format!("{name}.yaml")))
    }

    /// The same in another namespace.
    pub fn in_namespace(&self, namespace: &str) -> Self {
        let mut documents = self.documents.clone();
        for document in &mut documents {
            move_to(namespace, document);
        }
        Self { name: self.name.clone(), documents }
    }

    /// All objects of all instances, and all problems.
    pub fn render(&self) -> (Vec<Object>, Vec<Problem>) {
        let documents = Documents::read(self.documents.clone());
        let mut objects = Vec::new();
        let mut problems: Vec<_> =
            documents.problems.iter().map(|found| found.value.clone()).collect();
        for Found { value: instance, .. } in &documents.instances {
            let world = documents.observed(instance);
            let observed = Observed { random_token: Some(TOKEN.to_owned()), ..world };
            let (rendered, found) = render_instance(instance, &observed, &Settings::default());
            objects.extend(rendered);
            problems.extend(found);
        }
        (objects, problems)
    }

    /// The kinds of its objects.
    pub fn kinds(&self) -> BTreeSet<Kind> {
        self.render().0.iter().map(Object::kind).collect()
    }

    /// The first instance.
    pub fn instance(&self) -> &Value {
        self.instances().next().expect("an instance")
    }

    pub fn instances(&self) -> impl Iterator<Item = &Value> {
        self.documents.iter().filter(|each| each["kind"] == "OpenClawInstance")
    }
}

fn move_to(namespace: &str, document: &mut Value) {
    if let Some(items) = document.get_mut("items").and_then(Value::as_array_mut) {
        for item in items {
            move_to(namespace, item);
        }
    }
    let is_of_the_cluster = document["kind"] == "OpenClawClusterDefaults";
    if let Some(metadata) = document.get_mut("metadata").filter(|_| !is_of_the_cluster) {
        metadata["namespace"] = json!(namespace);
    }
    let ports = document.pointer_mut("/spec/networking/service/ports");
    for port in ports.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(number) = port.get_mut("nodePort").filter(|number| number.is_u64()) {
            *number = node_port(namespace, number);
        }
    }
}

/// Ports of nodes belong to the whole cluster: each namespace gets its own for a fixture's.
fn node_port(namespace: &str, number: &Value) -> Value {
    let mut hasher = DefaultHasher::new();
    (namespace, number.to_string()).hash(&mut hasher);
    json!(30_000 + hasher.finish() % 2_768)
}

/// An instance that refers to a Secret and a ConfigMap, and brings files.
pub fn rich() -> [Value; 3] {
    let instance = json!({
        "apiVersion": "openclaw.rocks/v1alpha1",
        "kind": "OpenClawInstance",
        "metadata": {"name": "ada"},
        "spec": {
            "image": {"tag": "2026.9.6"},
            "env": [{
                "name": "ANTHROPIC_API_KEY",
                "valueFrom": {"secretKeyRef": {"name": "keys", "key": "anthropic"}},
            }],
            "envFrom": [{"configMapRef": {"name": "team"}}],
            "config": {"raw": {"session": {"scope": "per-sender"}}},
            "workspace": {
                "initialFiles": {"SOUL.md": "You are Ada.\n"},
                "initialDirectories": ["notes/daily"],
            },
            "gateway": {"controlUiOrigins": ["https://claw.example.com"]},
        },
    });
    let keys = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
        "stringData": {"anthropic": "fixture-key"},
    });
    let team = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "team"},
        "data": {"TIMEZONE": "Europe/Vienna"},
    });
    [keys, team, instance]
}

/// A merge patch of an instance that replaces its pod, changes its configuration, and turns off two
/// objects.
pub fn change() -> Value {
    json!({"spec": {
        "env": [{"name": "LOG", "value": "debug"}],
        "config": {"raw": {"session": {"scope": "global"}}},
        "availability": {"podDisruptionBudget": {"enabled": false}},
        "security": {"networkPolicy": {"enabled": false}},
    }})
}
