//! Files of `fixtures/lifecycle`.

use std::fs;
use std::path::{Path, PathBuf};

use openclaw_play::scene::{Adopt, Scene};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lifecycle")
}

fn load(file: &str) -> Value {
    let text = fs::read_to_string(folder().join(file)).expect("a file beside the scenes");
    serde_json::from_str(&text).expect("JSON")
}

/// Every scene with its name, sorted.
pub fn scenes() -> Vec<(String, Scene)> {
    let entries = fs::read_dir(folder()).expect("the folder of scenes");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "yaml"));
    paths.sort();
    paths.into_iter().map(|path| read(&path)).collect()
}

fn read(path: &Path) -> (String, Scene) {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("a scene");
    let documents = serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    let scene = Scene::read(documents, |file| Ok(load(file)));
    let scene = scene.unwrap_or_else(|wrong| panic!("{name}: {wrong:#?}"));
    (name, scene)
}

/// An instance of the Go operator of a version, with all that it made for it.
pub fn adopt(version: &str, name: &str) -> Adopt {
    let file = format!("adoption/{version}.json");
    let mut adopt = Adopt { name: name.to_owned(), file: file.clone(), objects: Vec::new() };
    adopt.load(&load(&file)).expect("it is in the dump");
    adopt
}
