//! Scenes: files of `fixtures/lifecycle`, each a sequence of things that happen in a cluster.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use openclaw_render::{Fact, Kind, Settings};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api_server::key_of;
use super::world::{NAMESPACE, World, key_of_named};

/// One file.
pub struct Scene {
    pub name: String,
    pub steps: Vec<Step>,
}

/// Something that happens, after which the operator comes to rest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Step {
    /// What the step is called in the transcript.
    #[serde(rename = "step")]
    pub title: String,
    /// The instance, created by its user.
    pub instance: Option<Value>,
    /// Everything that the Go operator of this version made for an instance of this name.
    pub adopt: Option<Adopt>,
    /// A merge patch of the instance, by its user.
    pub merge: Option<Value>,
    /// Objects that somebody else creates.
    pub create: Vec<Value>,
    /// `Kind/name` of objects that somebody deletes.
    pub delete: Vec<String>,
    /// A merge patch of an object, by somebody else.
    pub edit: Option<Edit>,
    /// A newer operator is started, with these settings.
    pub settings: Option<Settings>,
    /// Kinds that definitions are installed of, or with their objects removed.
    pub kinds: BTreeMap<Kind, Fact<()>>,
    /// The user approves the roll-out that is held.
    pub approve: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Adopt {
    pub version: String,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Edit {
    pub object: String,
    pub merge: Value,
}

/// Every scene, by name.
pub fn scenes() -> Vec<Scene> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lifecycle");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of scenes")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a scene");
            let steps = serde_saphyr::from_multiple(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            Scene { name, steps }
        })
        .collect()
}

impl Scene {
    /// The world before the first step.
    pub fn world(&self) -> World {
        let first = self.steps.first().expect("a step");
        let adopted = first.adopt.as_ref().map(|adopt| adopt.name.as_str());
        let created = first.instance.as_ref().and_then(|it| it["metadata"]["name"].as_str());
        World::new(adopted.or(created).expect("the first step brings the instance"))
    }
}

impl Step {
    /// Lets it happen.
    pub fn happen(&self, world: &mut World) {
        if let Some(settings) = &self.settings {
            world.settings = settings.clone();
        }
        if let Some(adopt) = &self.adopt {
            adopt.restore(world);
        }
        for object in &self.create {
            let mut object = object.clone();
            if object["kind"] != "OpenClawClusterDefaults" {
                object["metadata"]["namespace"] = json!(NAMESPACE);
            }
            world.server.create(&object, "kubectl").expect("the object is new");
        }
        if let Some(instance) = &self.instance {
            let mut instance = instance.clone();
            instance["apiVersion"] = json!("openclaw.rocks/v1alpha1");
            instance["kind"] = json!("OpenClawInstance");
            instance["metadata"]["namespace"] = json!(NAMESPACE);
            world.server.create(&instance, "kubectl").expect("the instance is new");
        }
        if let Some(patch) = &self.merge {
            let instance = world.live_instance().expect("the instance").clone();
            merge(world, instance, patch);
        }
        if let Some(edit) = &self.edit {
            let (kind, name) = edit.object.split_once('/').expect("Kind/name");
            let object = world.get(kind, name).expect("the edited object").clone();
            merge(world, object, &edit.merge);
        }
        for object in &self.delete {
            let (kind, name) = object.split_once('/').expect("Kind/name");
            let key = key_of_named(kind, name);
            world.server.delete(&key, None).expect("the deleted object");
        }
        for (kind, fact) in &self.kinds {
            world.kinds.insert(*kind, fact.clone());
            if matches!(fact, Fact::Absent) {
                world.server.forget(kind.as_str());
            }
        }
        if self.approve {
            approve(world);
        }
    }
}

/// Copies the hash out of the condition, as the user is told to.
fn approve(world: &mut World) {
    let instance = world.live_instance().expect("the instance").clone();
    let conditions = instance["status"]["conditions"].as_array().expect("conditions");
    let held = conditions.iter().find(|each| each["type"] == "RolloutPending");
    let message = held.expect("a held roll-out")["message"].as_str().expect("a message");
    let hash = message.rsplit('=').next().expect("a hash");
    let patch = json!({"metadata": {"annotations": {"openclaw.rocks/approve-rollout": hash}}});
    merge(world, instance, &patch);
}

fn merge(world: &mut World, mut object: Value, patch: &Value) {
    json_patch::merge(&mut object, patch);
    world.server.update(&object, "kubectl").expect("the object can be changed");
}

impl Adopt {
    /// Puts the dumped objects into the world, owner references and pod included.
    fn restore(&self, world: &mut World) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/adoption");
        let text = fs::read_to_string(folder.join(format!("{}.json", self.version)));
        let dump: Value = serde_json::from_str(&text.expect("a dump")).expect("JSON");
        for object in dump["items"].as_array().expect("items") {
            let labels = &object["metadata"]["labels"]["app.kubernetes.io/instance"];
            let is_instance = object["kind"] == "OpenClawInstance"
                && object["metadata"]["name"] == self.name.as_str();
            if labels == self.name.as_str() || is_instance {
                world.server.restore(object.clone());
            }
        }
        // The pod was not dumped; the StatefulSet controller makes it from the old template.
        world.tick();
        world.tick();
        world.replaced = 0;
        let live = world.live_instance().expect("the adopted instance");
        assert_eq!(key_of(live).1, NAMESPACE);
    }
}
