//! The instances of `fixtures/`, with all that they refer to.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file of `fixtures/`.
pub struct Fixture {
    pub name: String,
    pub documents: Vec<Value>,
}

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// Every fixture of a folder of `fixtures/`, by name.
pub fn all(name: &str) -> Vec<Fixture> {
    let entries = std::fs::read_dir(folder(name)).expect("the folder is there");
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

    /// The first instance.
    pub fn instance(&self) -> &Value {
        self.instances().next().expect("an instance")
    }

    pub fn instances(&self) -> impl Iterator<Item = &Value> {
        self.documents.iter().filter(|each| each["kind"] == "OpenClawInstance")
    }
}
