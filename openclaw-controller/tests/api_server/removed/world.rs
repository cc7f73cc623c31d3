//! An instance in the cluster, and passes over it.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::{Patch, PatchParams, PostParams};
use openclaw_render::api::OpenClawInstance;
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::vocab::annotations;
use openclaw_render::{
    Action, Effect, Fact, Kind, ObjectKey, Observed, Ownership, Read, Settings, decode_instance,
    hash, owned_hash, plan, render_instance,
};
use serde_json::{Map, Value, json};

use crate::support::cluster::Cluster;

/// Passes until nothing is left to do.
const PASSES: usize = 6;

/// One instance in the cluster, which exists so that its objects have an owner.
pub(crate) struct World<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) name: String,
    pub(crate) stored: Value,
    /// As the operator remembers them.
    pub(crate) unsettled: BTreeMap<ObjectKey, (String, String)>,
}

impl World<'_> {
    fn instance(&self, spec: &Value) -> OpenClawInstance {
        let mut live = self.stored.clone();
        live["spec"] = spec.clone();
        decode_instance(live).expect("it decodes").0
    }

    async fn live(&self, key: &ObjectKey) -> Option<Value> {
        let mut live = self.cluster.get(key.kind, &key.name).await?;
        live["apiVersion"] = json!(key.kind.api_version());
        live["kind"] = json!(key.kind.as_str());
        Some(live)
    }

    /// Answers what a plan asks for.
    async fn read(&self, read: &Read, observed: &mut Observed) {
        if let Read::Metadata(key) | Read::Live(key) | Read::Content(key) = read {
            observed.look(read, self.live(key).await.as_ref(), &self.name);
        }
    }

    /// Everything that passes do until there is nothing to do. Which kinds were written.
    pub(crate) async fn settle(&mut self, spec: &Value) -> BTreeSet<Kind> {
        let instance = self.instance(spec);
        let mut written = BTreeSet::new();
        for _ in 0..PASSES {
            let mut observed = Observed {
                now: Some(jiff::Timestamp::now()),
                random_token: Some("0".repeat(64)),
                cluster_defaults: Fact::Absent,
                deployment: Fact::Absent,
                pods: Fact::Known(Vec::new()),
                unsettled: self.unsettled.clone(),
                ..Observed::default()
            };
            let mut decided = plan(&instance, &observed, &Settings::default());
            for _ in 0..4 {
                for read in &decided.reads {
                    self.read(read, &mut observed).await;
                }
                decided = plan(&instance, &observed, &Settings::default());
            }
            let mut kinds = Vec::new();
            for effect in &decided.effects {
                kinds.extend(self.perform(effect).await);
            }
            if kinds.is_empty() {
                return written;
            }
            written.extend(kinds);
        }
        panic!("{}: never at rest", self.name);
    }

    /// Which kind was written.
    async fn perform(&mut self, effect: &Effect) -> Option<Kind> {
        let key = effect.object()?;
        match &effect.action {
            Action::Apply(object) => {
                let stored = self.apply(key, object, false).await;
                let pair = (hash(object), owned_hash(&stored, FIELD_MANAGER));
                self.unsettled.remove(key);
                if pair.0 != pair.1 {
                    self.unsettled.insert(key.clone(), pair);
                }
            }
            Action::Create(object) => {
                let object = serde_json::from_value(object.clone()).expect("an object");
                let api = self.cluster.of(key.kind);
                let created = api.create(&PostParams::default(), &object).await;
                created.expect("it is created");
            }
            Action::Delete { .. } => {
                self.cluster.delete(key.kind, &key.name).await;
                let gone = async || self.live(key).await.is_none();
                self.cluster.until(&format!("{key} is gone"), gone).await;
            }
            Action::JsonPatch(_) | Action::MergePatch(_) | Action::DeleteWithDependents { .. } => {
                return None;
            }
        }
        Some(key.kind)
    }

    async fn apply(&self, key: &ObjectKey, object: &Value, dry_run: bool) -> Value {
        let mut parameters = PatchParams::apply(FIELD_MANAGER).force().validation_strict();
        parameters.dry_run = dry_run;
        let api = self.cluster.of(key.kind);
        let stored = api.patch(&key.name, &parameters, &Patch::Apply(object)).await;
        let stored = stored.unwrap_or_else(|error| panic!("{}: {key}: {error}", self.name));
        serde_json::to_value(stored).expect("JSON")
    }

    /// Where what is stored is not what an apply of what is rendered would make of it.
    pub(crate) async fn differences(&self, spec: &Value) -> Vec<String> {
        let observed = Observed { random_token: Some("0".repeat(64)), ..Observed::default() };
        let (objects, _) = render_instance(&self.instance(spec), &observed, &Settings::default());
        assert!(!objects.is_empty());
        let mut found = Vec::new();
        for object in objects.iter().filter(|it| it.ownership() == Ownership::Applied) {
            let key = object.key();
            let Some(live) = self.live(&key).await else {
                found.push(format!("{key} is not there"));
                continue;
            };
            let wanted = self.apply(&key, &object.to_value(), true).await;
            let (live, wanted) = (content(live), content(wanted));
            if live != wanted {
                let patch = json_patch::diff(&live, &wanted);
                found.push(format!("{key}: {}", json!(patch)));
            }
        }
        found
    }
}

/// Removes the annotations of which the operator alone knows the values.
fn without_ours(metadata: &mut Map<String, Value>) {
    if let Some(notes) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        notes.retain(|name, _| !name.starts_with(annotations::PREFIX));
        if notes.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// What somebody asked for: less what changes with every write, and what a pass notes for the next.
fn content(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for field in ["managedFields", "resourceVersion", "generation"] {
        metadata.remove(field);
    }
    without_ours(metadata);
    // The class of the claim that is there, of which only a pass knows.
    let volumes = "/spec/jobTemplate/spec/template/spec/volumes";
    for volume in object.pointer_mut(volumes).and_then(Value::as_array_mut).into_iter().flatten() {
        let claim = volume.pointer_mut("/ephemeral/volumeClaimTemplate/spec");
        if let Some(claim) = claim.and_then(Value::as_object_mut) {
            claim.remove("storageClassName");
        }
    }
    if let Some(template) = object.pointer_mut("/spec/template/metadata") {
        without_ours(template.as_object_mut().expect("an object"));
    }
    // That nothing is said of it is stored in one of two ways, depending on what was there before.
    if let Some(affinity) = object.pointer_mut("/spec/template/spec/affinity") {
        let affinity = affinity.as_object_mut().expect("an object");
        affinity.retain(|_, part| part.as_object().is_none_or(|part| !part.is_empty()));
    }
    let object = object.as_object_mut().expect("an object");
    object.remove("status");
    object.remove("apiVersion");
    object.remove("kind");
    Value::Object(object.clone())
}
