//! A change that only takes something out reaches the cluster: what is stored of ours is what is
//! rendered now, and no more.
//!
//! Decided by [`openclaw_render::plan`], performed here; no operator runs.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use openclaw_render::api::OpenClawInstance;
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::vocab::annotations;
use openclaw_render::{
    Action, Effect, Fact, Kind, ObjectKey, Observed, Ownership, Read, Settings, Severity,
    claim_facts, decode_instance, hash, owned_hash, plan, render_instance, secret_hashes, seen,
};
use serde_json::{Map, Value, json};

use crate::support::cluster::Cluster;
use crate::support::random::{Random, seed};

/// Specs that have less than the whole, by chance, besides those of [`REMOVED`].
const CASES: u64 = 40;
const AT_ONCE: usize = 4;
/// Passes until nothing is left to do.
const PASSES: usize = 6;

/// What is taken out, at least one case for every kind, and those that were once forgotten.
const REMOVED: &[&[&str]] = &[
    &["/security/networkPolicy/additionalEgress/1/ports/0/endPort"],
    &["/security/networkPolicy/additionalEgress/0/to/0/ipBlock/except"],
    &["/security/networkPolicy/additionalEgress/0/to/0/ipBlock/except/1"],
    &["/security/networkPolicy/additionalEgress/0/to/1/namespaceSelector"],
    &["/security/networkPolicy/additionalEgress/0/to/1/podSelector"],
    &["/security/networkPolicy/additionalEgress/0/to/1/podSelector/matchLabels"],
    &["/security/networkPolicy/additionalEgress/0/to"],
    &["/security/networkPolicy/additionalEgress/0/ports"],
    &[
        "/security/networkPolicy/additionalEgress/1/ports/0/port",
        "/security/networkPolicy/additionalEgress/1/ports/0/endPort",
    ],
    &[
        "/security/networkPolicy/additionalEgress/1/ports",
        "/security/networkPolicy/additionalEgress/1/to",
    ],
    &["/security/networkPolicy/additionalEgress"],
    &["/security/networkPolicy/allowedIngressCIDRs"],
    &["/security/networkPolicy"],
    &["/security/rbac/additionalRules/0/verbs/1"],
    &["/security/rbac/additionalRules"],
    &["/security/rbac/serviceAccountAnnotations/example.com~1role"],
    &["/security/rbac/serviceAccountName"],
    &["/networking/service/annotations"],
    &["/networking"],
    &["/config/raw/logging/file"],
    &["/workspace/initialFiles/SOUL.md"],
    &["/availability/podDisruptionBudget/maxUnavailable"],
    &[
        "/availability/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm/namespaceSelector",
    ],
    &[
        "/availability/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/preference/matchFields",
    ],
    &["/availability/tolerations/0/tolerationSeconds"],
    &["/availability/topologySpreadConstraints/0/matchLabelKeys"],
    &["/env/3/valueFrom/secretKeyRef/optional"],
    &["/envFrom/0/prefix"],
    &["/probes/liveness/timeoutSeconds"],
    &["/shareProcessNamespace"],
];

fn spec() -> Value {
    serde_saphyr::from_str(include_str!("removed.yaml")).expect("YAML")
}

/// Takes something out. Whether it was there.
fn remove(value: &mut Value, pointer: &str) -> bool {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let last = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&last).is_some(),
        Some(Value::Array(items)) => {
            let index = last.parse().ok().filter(|index| *index < items.len());
            index.map(|index: usize| items.remove(index)).is_some()
        }
        _ => false,
    }
}

/// Every place below a value, deepest last.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, child)| (name.replace('~', "~0").replace('/', "~1"), child))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, child) in children {
        let place = format!("{pointer}/{name}");
        found.push(place.clone());
        places(child, &place, found);
    }
}

/// The spec with a few things taken out.
fn less(random: &mut Random) -> Value {
    let mut less = spec();
    for _ in 0..=random.below(6) {
        let mut all = Vec::new();
        places(&less, "", &mut all);
        let count = u64::try_from(all.len()).expect("few");
        let chosen = usize::try_from(random.below(count)).expect("an index");
        assert!(remove(&mut less, &all[chosen]));
    }
    less
}

/// One instance in the cluster, which exists so that its objects have an owner.
struct World<'a> {
    cluster: &'a Cluster,
    name: String,
    stored: Value,
    /// As the operator remembers them.
    unsettled: BTreeMap<ObjectKey, (String, String)>,
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

    async fn look(&self, key: &ObjectKey, observed: &mut Observed) {
        let live = self.live(key).await;
        let fact = live.as_ref().map_or(Fact::Absent, |live| Fact::Known(seen(live, &self.name)));
        observed.objects.insert(key.clone(), fact);
        observed.live.extend(live.map(|live| (key.clone(), live)));
    }

    /// Answers what a plan asks for.
    async fn read(&self, read: &Read, observed: &mut Observed) {
        if let Read::Metadata(key) | Read::Live(key) = read {
            self.look(key, observed).await;
        }
        if let Read::Claim(name) = read {
            let live = self.live(&ObjectKey::new(Kind::PersistentVolumeClaim, name)).await;
            let claim = live.map(|live| claim_facts(&serde_json::from_value(live).expect("it")));
            observed.claims.insert(name.clone(), claim.map_or(Fact::Absent, Fact::Known));
        }
        if let Read::Secret(name) = read {
            let live = self.live(&ObjectKey::new(Kind::Secret, name)).await;
            let keys = live.map(|live| secret_hashes(&serde_json::from_value(live).expect("it")));
            observed.secrets.insert(name.clone(), keys.map_or(Fact::Absent, Fact::Known));
        }
        if let Read::ConfigMap(name) = read {
            let live = self.live(&ObjectKey::new(Kind::ConfigMap, name)).await;
            let data = live.map(|live| serde_json::from_value(live["data"].clone()).expect("it"));
            observed.config_maps.insert(name.clone(), data.map_or(Fact::Absent, Fact::Known));
        }
    }

    /// Everything that passes do until there is nothing to do. Which kinds were written.
    async fn settle(&mut self, spec: &Value) -> BTreeSet<Kind> {
        let instance = self.instance(spec);
        let mut written = BTreeSet::new();
        for _ in 0..PASSES {
            let mut observed = Observed {
                now: Some(jiff::Timestamp::now()),
                random_token: Some("0".repeat(64)),
                cluster_defaults: Fact::Absent,
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
            Action::JsonPatch(_) | Action::MergePatch(_) => return None,
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
    async fn differences(&self, spec: &Value) -> Vec<String> {
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

/// Whether a spec is one that users can have, and that starts.
async fn is_possible(cluster: &Cluster, spec: &Value) -> bool {
    let document = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": cluster.namespace}, "spec": spec,
    });
    let Ok((instance, _)) = decode_instance(document.clone()) else { return false };
    let observed = Observed { random_token: Some("0".repeat(64)), ..Observed::default() };
    let (objects, problems) = render_instance(&instance, &observed, &Settings::default());
    if problems.iter().any(|problem| problem.severity != Severity::Advice)
        || cluster.try_create(&document).await.is_err()
    {
        return false;
    }
    // A selector without its values, for example, is one that only the object shows to be none.
    let mut parameters = PatchParams::apply(FIELD_MANAGER).force().validation_strict();
    parameters.dry_run = true;
    for object in objects {
        let (key, object) = (object.key(), object.to_value());
        let applied =
            cluster.of(key.kind).patch(&key.name, &parameters, &Patch::Apply(&object)).await;
        if applied.is_err() {
            return false;
        }
    }
    true
}

/// Applies the whole spec, then less of it. What was written then, and what is wrong.
async fn case(cluster: &Cluster, number: usize, less: &Value) -> (BTreeSet<Kind>, Vec<String>) {
    let name = format!("case-{number}");
    let (mut whole, mut less) = (spec(), less.clone());
    // Each has an account of its own.
    for spec in [&mut whole, &mut less] {
        if let Some(account) = spec.pointer_mut("/security/rbac/serviceAccountName") {
            *account = json!(format!("account-{number}"));
        }
    }
    let stored = cluster
        .apply(&json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
            "metadata": {"name": name}, "spec": whole,
        }))
        .await
        .expect("the instance is taken");
    let mut world = World { cluster, name: name.clone(), stored, unsettled: BTreeMap::new() };
    world.settle(&whole).await;
    let wrong = world.differences(&whole).await;
    assert!(wrong.is_empty(), "{name} as a whole: {wrong:#?}");
    let written = world.settle(&less).await;
    let wrong = world.differences(&less).await;
    let instances = cluster.instances();
    instances.delete(&name, &DeleteParams::background()).await.expect("it is deleted");
    (written, wrong)
}

#[tokio::test]
async fn what_is_taken_out_of_a_spec_is_taken_out_of_the_cluster() {
    let seed = seed();
    eprintln!("OPENCLAW_SEED={seed}");
    let mut random = Random::new(seed);
    let cluster = Cluster::with_security("removed", "privileged").await;
    for kind in ["ConfigMap", "Secret"] {
        let referenced = json!({
            "apiVersion": "v1", "kind": kind,
            "metadata": {"name": "referenced"}, "data": {"key": "dmFsdWU="},
        });
        cluster.apply(&referenced).await.expect("it is taken");
    }
    let mut cases = Vec::new();
    for removed in REMOVED {
        let mut less = spec();
        for pointer in *removed {
            assert!(remove(&mut less, pointer), "{pointer} is not in the spec");
        }
        assert!(is_possible(&cluster, &less).await, "{removed:?}");
        cases.push(less);
    }
    for _ in 0..CASES {
        let less = less(&mut random);
        if is_possible(&cluster, &less).await {
            cases.push(less);
        }
    }
    let found: Vec<(usize, BTreeSet<Kind>, Vec<String>)> = stream::iter(cases.iter().enumerate())
        .map(async |(number, less)| {
            let (written, wrong) = case(&cluster, number, less).await;
            (number, written, wrong)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut report = Vec::new();
    for (number, _, wrong) in found.iter().filter(|(.., wrong)| !wrong.is_empty()) {
        let what =
            REMOVED.get(*number).map_or(format!("{}", cases[*number]), |it| format!("{it:?}"));
        report.push(format!("without {what}:\n  {}", wrong.join("\n  ")));
    }
    assert!(
        report.is_empty(),
        "{} of {} cases, seed {seed}:\n{}",
        report.len(),
        cases.len(),
        report.join("\n")
    );
    let written: BTreeSet<Kind> = found.into_iter().flat_map(|(_, written, _)| written).collect();
    let applied = Kind::ALL.iter().filter(|kind| kind.ownership() == Ownership::Applied);
    let untouched: Vec<_> = applied.filter(|kind| !written.contains(kind)).collect();
    assert!(untouched.is_empty(), "nothing was taken out of {untouched:?}");
    cluster.end().await;
}
