//! [`Scene`]: what happens to an agent, step by step, as data.

use std::collections::BTreeMap;

use openclaw_render::packs::PackSeen;
use openclaw_render::vocab::annotations::APPROVE_ROLLOUT;
use openclaw_render::vocab::images::AGENT_REPOSITORY;
use openclaw_render::vocab::labels::INSTANCE;
use openclaw_render::vocab::{API_VERSION, KIND};
use openclaw_render::{Fact, Found, Kind, Problem, Registry, Rule, Settings};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::values::{at, set, text};
use crate::world::{NAMESPACE, USER, World, key_of_named};

/// Steps of one scene.
const MAX_STEPS: usize = 100;
/// How deep a step may be nested.
const MAX_DEPTH: usize = 100;
/// Kind of the defaults of a cluster, which are in no namespace.
const DEFAULTS: &str = "OpenClawClusterDefaults";

/// The life of one agent, as far as a file tells it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// At least one, and the first one brings the instance.
    pub steps: Vec<Step>,
    /// Name of the instance.
    pub instance: String,
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
    /// An instance of the Go operator, with all that it made for it.
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
    /// The registry is looked at, and has these tags.
    pub tags: Option<Vec<String>>,
    /// Tags whose pods begin and never become ready.
    pub broken: Vec<String>,
    /// Tags that are there and cannot be pulled.
    pub missing_images: Vec<String>,
    /// Seconds that pass before anything else happens.
    pub later: i64,
    /// What became of the skill packs that are wanted.
    pub packs: Option<BTreeMap<String, PackSeen>>,
    /// The user approves the roll-out that is held.
    pub approve: bool,
    /// Which step it is, counted from 0.
    #[serde(skip)]
    pub number: usize,
}

/// An instance of the Go operator, with everything that it made for it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopt {
    /// A file beside the scene: a list of objects, as `kubectl get -o json` writes them.
    pub file: String,
    /// Name of the instance.
    pub name: String,
    /// What is in the file.
    #[serde(skip)]
    pub objects: Vec<Value>,
}

/// A change of an object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// `Kind/name`.
    pub object: String,
    /// The merge patch.
    pub merge: Value,
}

impl Scene {
    /// Returns a scene out of its documents, a step each. `load` reads a file beside the scene, or says
    /// why it cannot be read.
    ///
    /// # Errors
    /// Everything that is wrong with the documents.
    pub fn read(
        documents: Vec<Value>,
        load: impl Fn(&str) -> Result<Value, String>,
    ) -> Result<Self, Vec<Found<Problem>>> {
        let mut wrong = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        if documents.len() > MAX_STEPS {
            let message = format!("a scene has at most {MAX_STEPS} steps");
            wrong.push(found(MAX_STEPS, invalid("document", message)));
        }
        for (number, document) in documents.into_iter().take(MAX_STEPS).enumerate() {
            // As after a last `---`.
            if document.is_null() {
                continue;
            }
            match Step::read(document, number, &load) {
                Ok(step) => steps.push(step),
                Err(problem) => wrong.push(found(number, problem)),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let Some(instance) = steps.first().and_then(Step::brings).map(str::to_owned) else {
            let message =
                "the first step brings the agent: give `instance` with `metadata.name`, or `adopt`";
            let number = steps.first().map_or(0, |step| step.number);
            return Err(vec![found(number, invalid("document", message))]);
        };
        for step in &steps {
            if let Some(other) = step.brings().filter(|other| *other != instance) {
                let message =
                    format!("a scene is about one agent, {instance:?}, and this is {other:?}");
                let path = if step.adopt.is_some() { "adopt.name" } else { "instance" };
                wrong.push(found(step.number, invalid(path, message)));
            }
        }
        if wrong.is_empty() { Ok(Self { steps, instance }) } else { Err(wrong) }
    }

    /// Returns the world before the first step.
    #[must_use]
    pub fn world(&self) -> World {
        World::new(&self.instance)
    }
}

fn found(document: usize, value: Problem) -> Found<Problem> {
    Found { value, document, within: String::new() }
}

fn invalid(path: &str, message: impl Into<String>) -> Problem {
    Problem::error(path, Rule::Invalid, message)
}

/// Does not go deeper than it must, so any value will do.
fn is_deep(value: &Value, left: usize) -> bool {
    let Some(left) = left.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deep(item, left)),
        Value::Object(fields) => fields.values().any(|field| is_deep(field, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether something can be in a cluster.
fn check_object(path: &str, object: &Value) -> Result<(), Problem> {
    for field in ["/kind", "/metadata/name"] {
        if text(object, field).is_empty() {
            let field = field.trim_start_matches('/').replace('/', ".");
            return Err(invalid(path, format!("is no object: `{field}` is not there")));
        }
    }
    Ok(())
}

impl Step {
    fn read(
        document: Value,
        number: usize,
        load: impl Fn(&str) -> Result<Value, String>,
    ) -> Result<Self, Problem> {
        if is_deep(&document, MAX_DEPTH) {
            return Err(invalid("document", format!("is nested deeper than {MAX_DEPTH} levels")));
        }
        let mut step: Self = serde_path_to_error::deserialize(document).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { "document" } else { &path };
            invalid(path, error.inner().to_string())
        })?;
        step.number = number;
        if step.title.is_empty() {
            step.title = format!("Step {}.", number + 1);
        }
        if step.later < 0 {
            return Err(invalid("later", "no time can be taken back: give seconds, at least 0"));
        }
        if let Some(instance) = &step.instance
            && text(instance, "/metadata/name").is_empty()
        {
            return Err(invalid("instance", "has no name: give `metadata.name`"));
        }
        for (index, object) in step.create.iter().enumerate() {
            check_object(&format!("create[{index}]"), object)?;
        }
        if let Some(adopt) = &mut step.adopt {
            adopt.load(&load(&adopt.file).map_err(|why| invalid("adopt.file", why))?)?;
        }
        Ok(step)
    }

    /// The name of the instance that comes with it.
    fn brings(&self) -> Option<&str> {
        let adopted = self.adopt.as_ref().map(|adopt| adopt.name.as_str());
        adopted.or_else(|| self.instance.as_ref()?.pointer("/metadata/name")?.as_str())
    }

    /// Lets it happen.
    ///
    /// # Errors
    /// What cannot happen in this world, such as a change of an object that is not there.
    pub fn happen(&self, world: &mut World) -> Result<(), Problem> {
        world.wait(self.later);
        world.broken.extend(self.broken.iter().cloned());
        world.missing_images.extend(self.missing_images.iter().cloned());
        if let Some(tags) = &self.tags {
            world.registry = Some(Registry {
                repository: AGENT_REPOSITORY.to_owned(),
                looked_at: Some(world.looked_at()),
                tags: tags.iter().cloned().collect(),
                failure: None,
            });
        }
        if let Some(settings) = &self.settings {
            world.settings = settings.clone();
        }
        if let Some(packs) = &self.packs {
            world.packs.clone_from(packs);
        }
        if let Some(adopt) = &self.adopt {
            adopt.restore(world);
        }
        for (index, object) in self.create.iter().enumerate() {
            let mut object = object.clone();
            if at(&object, "/kind") != DEFAULTS {
                set(&mut object, &["metadata", "namespace"], json!(NAMESPACE));
            }
            let path = format!("create[{index}]");
            world.server.create(&object, USER).map_err(|why| cannot(&path, &why))?;
        }
        if let Some(instance) = &self.instance {
            let mut instance = instance.clone();
            set(&mut instance, &["apiVersion"], json!(API_VERSION));
            set(&mut instance, &["kind"], json!(KIND));
            set(&mut instance, &["metadata", "namespace"], json!(NAMESPACE));
            world.server.create(&instance, USER).map_err(|why| cannot("instance", &why))?;
        }
        if let Some(patch) = &self.merge {
            let name = world.instance.clone();
            change(world, "merge", (KIND, &name), patch)?;
        }
        if let Some(edit) = &self.edit {
            change(world, "edit.object", kind_and_name("edit.object", &edit.object)?, &edit.merge)?;
        }
        for (index, object) in self.delete.iter().enumerate() {
            let path = format!("delete[{index}]");
            let (kind, name) = kind_and_name(&path, object)?;
            let deleted = world.server.delete(&key_of_named(kind, name), None);
            deleted.map_err(|why| cannot(&path, &why))?;
        }
        for (kind, fact) in &self.kinds {
            world.kinds.insert(*kind, fact.clone());
            if matches!(fact, Fact::Absent) {
                world.server.forget(kind.as_str());
            }
        }
        if self.approve { approve(world) } else { Ok(()) }
    }
}

fn cannot(path: &str, why: &impl std::fmt::Display) -> Problem {
    invalid(path, format!("cannot happen now: {why}"))
}

fn kind_and_name<'a>(path: &str, object: &'a str) -> Result<(&'a str, &'a str), Problem> {
    object.split_once('/').ok_or_else(|| invalid(path, "is not `Kind/name`"))
}

/// Copies the hash out of the condition, as the user is told to.
fn approve(world: &mut World) -> Result<(), Problem> {
    let conditions = world.live_instance().and_then(|it| at(it, "/status/conditions").as_array());
    let held = conditions.into_iter().flatten().find(|each| at(each, "/type") == "RolloutPending");
    let Some(hash) = held.and_then(|held| at(held, "/message").as_str()?.rsplit('=').next()) else {
        return Err(cannot("approve", &"no roll-out is held"));
    };
    let patch = json!({"metadata": {"annotations": {APPROVE_ROLLOUT: hash}}});
    let name = world.instance.clone();
    change(world, "approve", (KIND, &name), &patch)
}

/// Merges a patch into an object.
fn change(
    world: &mut World,
    path: &str,
    (kind, name): (&str, &str),
    change: &Value,
) -> Result<(), Problem> {
    let absent = || cannot(path, &format!("there is no {kind}/{name}"));
    let mut object = world.get(kind, name).cloned().ok_or_else(absent)?;
    json_patch::merge(&mut object, change);
    // What an object is called cannot be changed.
    set(&mut object, &["kind"], json!(kind));
    set(&mut object, &["metadata", "name"], json!(name));
    set(&mut object, &["metadata", "namespace"], json!(NAMESPACE));
    world.server.update(&object, USER).map(drop).map_err(|why| cannot(path, &why))
}

impl Adopt {
    /// Takes out of a dump what is the instance's.
    ///
    /// # Errors
    /// The dump is no list of objects, or the instance is not in it.
    pub fn load(&mut self, dump: &Value) -> Result<(), Problem> {
        let items = at(dump, "/items").as_array();
        let items = items.ok_or_else(|| {
            invalid("adopt.file", "holds no list of objects, as `kubectl get -o json` writes one")
        })?;
        let is_instance =
            |it: &Value| at(it, "/kind") == KIND && text(it, "/metadata/name") == self.name;
        if !items.iter().any(is_instance) {
            let message = format!("{} holds no {KIND} {:?}", self.file, self.name);
            return Err(invalid("adopt.name", message));
        }
        let is_of_it = |it: &&Value| {
            let label = at(it, "/metadata/labels").get(INSTANCE).and_then(Value::as_str);
            label == Some(&self.name) || is_instance(it)
        };
        for object in items.iter().filter(is_of_it) {
            if is_deep(object, MAX_DEPTH) {
                return Err(invalid("adopt.file", "holds an object that is nested too deep"));
            }
            check_object("adopt.file", object)?;
            let mut object = object.clone();
            set(&mut object, &["metadata", "namespace"], json!(NAMESPACE));
            self.objects.push(object);
        }
        Ok(())
    }

    /// Puts the dumped objects into the world, owner references and pod included.
    fn restore(&self, world: &mut World) {
        for object in &self.objects {
            world.server.restore(object.clone());
        }
        // The pod was not dumped; the StatefulSet controller makes it from the old template.
        world.tick();
        world.tick();
        world.replaced = 0;
    }
}
