//! A cluster in memory that performs plans, with the little of Kubernetes that answers them:
//! the StatefulSet controller, the kubelet, the volume binder and the garbage collector.

use std::collections::BTreeMap;

use openclaw_render::seed::content_hash;
use openclaw_render::{
    ConfigSync, Effect, Fact, Kind, ObjectKey, Observed, Plan, Read, Settings, claim_facts,
    decode_instance, hash, plan, pod_facts, secret_hashes, seen,
};
use serde_json::{Value, json};

use super::api_server::{ApiServer, Key, Refusal, key_of};

/// Everything in the world is in this namespace.
pub const NAMESPACE: &str = "agents";
const MANAGER: &str = "openclaw-operator";
const KUBERNETES: &str = "kube-controller-manager";
/// Rounds of reading that a shell goes through.
const ROUNDS: usize = 3;
/// Passes within which every scene must come to rest.
const PASSES: usize = 15;

/// The cluster, and the operator's memory: none, but for what its process was started with.
#[derive(Clone)]
pub struct World {
    pub server: ApiServer,
    pub settings: Settings,
    /// Name of the one instance.
    pub instance: String,
    /// How often a pod took the place of another one.
    pub replaced: usize,
    /// Reads that the operator is refused.
    pub unreadable: Vec<String>,
    tokens: u32,
    seconds: i64,
}

pub fn key_of_named(kind: &str, name: &str) -> Key {
    (kind.to_owned(), NAMESPACE.to_owned(), name.to_owned())
}

impl World {
    pub fn new(instance: &str) -> Self {
        Self {
            server: ApiServer::default(),
            settings: Settings::default(),
            instance: instance.to_owned(),
            replaced: 0,
            unreadable: Vec::new(),
            tokens: 0,
            seconds: 0,
        }
    }

    pub fn get(&self, kind: &str, name: &str) -> Option<&Value> {
        self.server.get(kind, NAMESPACE, name)
    }

    pub fn live_instance(&self) -> Option<&Value> {
        self.get("OpenClawInstance", &self.instance)
    }

    /// Whether the other world would go on in the same way.
    pub fn same_as(&self, other: &Self) -> bool {
        self.server == other.server
            && self.settings == other.settings
            && self.instance == other.instance
    }

    /// What the operator decides now, after all reads that it asks for. `None` without instance.
    pub fn decide(&mut self) -> Option<Plan> {
        let live = self.live_instance()?.clone();
        let (instance, _) = decode_instance(live).expect("the stored instance decodes");
        self.tokens += 1;
        self.seconds += 1;
        let mut observed = self.observe();
        let mut decided = plan(&instance, &observed, &self.settings);
        for _ in 0..ROUNDS {
            if decided.reads.is_empty() {
                return Some(decided);
            }
            for read in &decided.reads {
                self.read(read, &mut observed);
            }
            decided = plan(&instance, &observed, &self.settings);
        }
        Some(decided)
    }

    /// One pass: decide, perform, publish.
    pub fn pass(&mut self) -> Option<Plan> {
        let plan = self.decide()?;
        for effect in &plan.effects {
            self.perform(effect);
        }
        self.publish(&plan);
        Some(plan)
    }

    /// Passes and Kubernetes in turn until neither changes anything. The plans, in order.
    pub fn settle(&mut self) -> Result<Vec<Plan>, String> {
        let mut plans = Vec::new();
        for _ in 0..PASSES {
            let before = self.server.version();
            plans.extend(self.pass());
            self.tick();
            if self.server.version() == before {
                return Ok(plans);
            }
        }
        let last: Vec<String> =
            plans.iter().rev().take(2).map(|plan| format!("{:?}", plan.effects)).collect();
        Err(format!("does not settle within {PASSES} passes: {last:#?}"))
    }

    fn observe(&self) -> Observed {
        let managed = self.server.list("openclaw-operator").into_iter();
        let objects = managed
            .filter_map(|live| Some((object_key(live)?, Fact::Known(seen(live, &self.instance)))))
            .collect();
        let pods = self
            .pods()
            .into_iter()
            .map(|pod| pod_facts(&serde_json::from_value(pod.clone()).expect("a pod")));
        let defaults = self.server.get("OpenClawClusterDefaults", "default", "cluster");
        Observed {
            now: Some(jiff::Timestamp::from_second(1_700_000_000 + self.seconds).expect("a time")),
            random_token: Some(format!("{:064x}", self.tokens)),
            cluster_defaults: defaults.map_or(Fact::Absent, |live| {
                Fact::Known(serde_json::from_value(live.clone()).expect("cluster defaults"))
            }),
            objects,
            pods: Fact::Known(pods.collect()),
            ..Observed::default()
        }
    }

    /// Performs one read as the shell would.
    fn read(&self, read: &Read, observed: &mut Observed) {
        fn fact<T>(live: Option<&Value>, of: impl Fn(&Value) -> T) -> Fact<T> {
            live.map_or(Fact::Absent, |live| Fact::Known(of(live)))
        }
        if self.unreadable.contains(&format!("{read:?}")) {
            return;
        }
        match read {
            Read::Metadata(key) => {
                let live = self.get(key.kind.as_str(), &key.name);
                observed.objects.insert(key.clone(), fact(live, |live| seen(live, &self.instance)));
            }
            Read::Live(key) => {
                if let Some(live) = self.get(key.kind.as_str(), &key.name) {
                    observed.live.insert(key.clone(), live.clone());
                }
            }
            Read::Claim(name) => {
                let live = self.get("PersistentVolumeClaim", name);
                observed.claims.insert(
                    name.clone(),
                    fact(live, |live| {
                        claim_facts(&serde_json::from_value(live.clone()).expect("a claim"))
                    }),
                );
            }
            Read::ConfigMap(name) => {
                let data =
                    |live: &Value| serde_json::from_value(live["data"].clone()).unwrap_or_default();
                observed.config_maps.insert(name.clone(), fact(self.get("ConfigMap", name), data));
            }
            Read::Secret(name) => {
                let hashes = |live: &Value| {
                    secret_hashes(&serde_json::from_value(live.clone()).expect("a secret"))
                };
                observed.secrets.insert(name.clone(), fact(self.get("Secret", name), hashes));
            }
            Read::ConfigSync { pod } => {
                let pod = self.get("Pod", pod).expect("the pod that is asked");
                let ready = pod.pointer("/status/conditions/0/status") == Some(&json!("True"));
                let config = self.get("ConfigMap", &format!("{}-config", self.instance));
                let content = config.and_then(|map| map["data"]["openclaw.json"].as_str());
                // Only a pod that has a config-sync answers, and only once it has started.
                let synced = pod["spec"]["initContainers"].to_string().contains("config-sync");
                if let Some(content) = content.filter(|_| ready && synced) {
                    observed.config_sync = Fact::Known(self.judged(content));
                }
            }
            Read::ClusterDefaults => {}
        }
    }

    /// What config-sync says of a configuration. The application refuses that of one colour, its
    /// disk is too full for that of another, and one key it has retired.
    fn judged(&self, content: &str) -> ConfigSync {
        let hash = Some(content_hash(content.as_bytes()));
        let last = self.live_instance().and_then(|live| {
            live.pointer("/status/config/appliedHash")?.as_str().map(ToOwned::to_owned)
        });
        if content.contains("\"colour\": \"blue\"") {
            let message = Some("rejected by the application: colour: not known".to_owned());
            let before = self.live_instance().and_then(|live| {
                serde_json::from_value(live.pointer("/status/config/migrated")?.clone()).ok()
            });
            ConfigSync {
                applied_hash: last,
                migrated: before.unwrap_or_default(),
                rejected_hash: hash,
                message,
                free_bytes: None,
            }
        } else if content.contains("\"rotateBytes\"") {
            let migrated = vec!["removed session.maintenance.rotateBytes".to_owned()];
            ConfigSync { applied_hash: hash, migrated, ..ConfigSync::default() }
        } else if content.contains("\"colour\": \"red\"") {
            let message = Some("failed to write: No space left on device".to_owned());
            ConfigSync { applied_hash: last, message, ..ConfigSync::default() }
        } else {
            ConfigSync { applied_hash: hash, ..ConfigSync::default() }
        }
    }

    pub fn perform(&mut self, effect: &Effect) {
        let outcome = match effect {
            Effect::Apply { object, .. } => self.server.apply(object, MANAGER, true).map(drop),
            Effect::CreateOnce { object, .. } => match self.server.create(object, MANAGER) {
                Err(Refusal::AlreadyExists) => Ok(()),
                other => other.map(drop),
            },
            Effect::TakeOver { key, patch } => {
                let key = key_of_named(key.kind.as_str(), &key.name);
                self.server.json_patch(&key, patch, MANAGER).map(drop)
            }
            Effect::PatchClaim { name, patch, .. } => {
                let key = key_of_named("PersistentVolumeClaim", name);
                self.server.json_patch(&key, patch, MANAGER).map(drop)
            }
            Effect::Delete { key, uid } => {
                let key = key_of_named(key.kind.as_str(), &key.name);
                self.server.delete(&key, Some(uid))
            }
            Effect::AnnotatePod { name, patch } => {
                let mut pod = self.get("Pod", name).expect("the pod").clone();
                json_patch::merge(&mut pod, patch);
                self.server.update(&pod, MANAGER).map(drop)
            }
            Effect::PatchFinalizers { patch } => {
                let key = key_of_named("OpenClawInstance", &self.instance.clone());
                self.server.json_patch(&key, patch, MANAGER).map(drop)
            }
        };
        outcome.unwrap_or_else(|refusal| panic!("{effect:?} is refused: {refusal:?}"));
    }

    fn publish(&mut self, plan: &Plan) {
        let key = key_of_named("OpenClawInstance", &self.instance.clone());
        let Some(live) = self.live_instance() else { return };
        let status = serde_json::to_value(&plan.status).expect("status");
        if live.get("status") == Some(&status) {
            return;
        }
        let patch = json!([{"op": "add", "path": "/status", "value": status}]);
        self.server.json_patch(&key, &patch, MANAGER).expect("status is written");
    }

    /// One round of everything in Kubernetes that answers.
    pub fn tick(&mut self) {
        self.bind_claims();
        self.run_stateful_sets();
        self.collect_garbage();
    }

    fn all(&self, kind: Kind) -> Vec<Value> {
        let managed = self.server.list("openclaw-operator").into_iter();
        managed.filter(|live| live["kind"] == kind.as_str()).cloned().collect()
    }

    fn pods(&self) -> Vec<&Value> {
        let managed = self.server.list("openclaw-operator").into_iter();
        managed.filter(|live| live["kind"] == "Pod").collect()
    }

    fn bind_claims(&mut self) {
        for claim in self.all(Kind::PersistentVolumeClaim) {
            self.set_status(&claim, &json!({"phase": "Bound"}));
        }
    }

    fn set_status(&mut self, object: &Value, status: &Value) {
        if object.get("status") != Some(status) {
            let patch = json!([{"op": "add", "path": "/status", "value": status}]);
            self.server.json_patch(&key_of(object), &patch, KUBERNETES).expect("a status");
        }
    }

    /// One pod per StatefulSet, replaced when the template changes, ready one round later if all
    /// that it mounts and reads is there.
    fn run_stateful_sets(&mut self) {
        for set in self.all(Kind::StatefulSet) {
            let template = &set["spec"]["template"];
            let revision = hash(template);
            let name = format!("{}-0", set["metadata"]["name"].as_str().expect("a name"));
            let pod = self.get("Pod", &name).cloned();
            let wanted = set["spec"]["replicas"] != 0;
            let label = "/metadata/labels/controller-revision-hash";
            let current =
                pod.as_ref().is_some_and(|pod| pod.pointer(label) == Some(&json!(revision)));
            match pod {
                Some(pod) if !wanted || !current => {
                    self.replaced += usize::from(wanted);
                    self.server.delete(&key_of(&pod), None).expect("the pod is there");
                }
                Some(pod) => {
                    let missing = self.missing(template);
                    let status = if missing.is_empty() {
                        json!({"conditions": [{"type": "Ready", "status": "True"}]})
                    } else {
                        json!({
                            "conditions": [{"type": "Ready", "status": "False"}],
                            "containerStatuses": [{
                                "name": "openclaw", "ready": false, "image": "", "imageID": "",
                                "restartCount": 0,
                                "state": {"waiting": {"reason": "CreateContainerConfigError"}},
                            }],
                        })
                    };
                    self.set_status(&pod, &status);
                }
                None if wanted => {
                    let mut pod = json!({
                        "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"],
                        "spec": template["spec"],
                    });
                    pod["metadata"]["name"] = json!(name);
                    pod["metadata"]["namespace"] = json!(NAMESPACE);
                    pod["metadata"]["labels"]["controller-revision-hash"] = json!(revision);
                    self.server.create(&pod, KUBERNETES).expect("a pod");
                }
                None => {}
            }
            let running = i32::from(self.get("Pod", &name).is_some());
            let status = json!({
                "observedGeneration": set["metadata"]["generation"], "replicas": running,
                "updateRevision": revision,
            });
            self.set_status(&set, &status);
        }
    }

    /// What the kubelet would wait for.
    fn missing(&self, template: &Value) -> Vec<String> {
        let spec = &template["spec"];
        let mut wanted: Vec<(&str, &Value)> = Vec::new();
        for volume in spec["volumes"].as_array().into_iter().flatten() {
            wanted.push(("ConfigMap", &volume["configMap"]["name"]));
            wanted.push(("PersistentVolumeClaim", &volume["persistentVolumeClaim"]["claimName"]));
        }
        let container = &spec["containers"][0];
        for entry in container["env"].as_array().into_iter().flatten() {
            wanted.push(("Secret", &entry["valueFrom"]["secretKeyRef"]["name"]));
        }
        for source in container["envFrom"].as_array().into_iter().flatten() {
            wanted.push(("Secret", &source["secretRef"]["name"]));
        }
        let named = wanted.into_iter().filter_map(|(kind, name)| Some((kind, name.as_str()?)));
        named
            .filter(|(kind, name)| self.get(kind, name).is_none())
            .map(|(kind, name)| format!("{kind}/{name}"))
            .collect()
    }

    /// Objects whose owner is gone go too.
    fn collect_garbage(&mut self) {
        let uid = self.live_instance().map(|live| live["metadata"]["uid"].clone());
        for object in self.server.list("openclaw-operator").into_iter().cloned().collect::<Vec<_>>()
        {
            let owners = object["metadata"]["ownerReferences"].as_array().cloned();
            let orphaned = owners.is_some_and(|owners| {
                !owners.is_empty() && owners.iter().all(|owner| Some(&owner["uid"]) != uid.as_ref())
            });
            let podless =
                object["kind"] == "Pod" && self.get("StatefulSet", &self.instance).is_none();
            if orphaned || podless {
                self.server.delete(&key_of(&object), None).expect("the object is there");
            }
        }
    }

    /// All objects as two runs may be compared: without what differs between any two runs.
    pub fn end(&self) -> BTreeMap<Key, Value> {
        let mut end = BTreeMap::new();
        let managed = self.server.list("openclaw-operator").into_iter();
        for live in managed.chain(self.live_instance()) {
            let mut object = live.clone();
            if object["kind"] == "Pod" {
                // Who nudged the kubelet, and whether a pod needed it, depends on timing.
                object["metadata"]["managedFields"] = Value::Null;
            }
            blank(&mut object);
            end.insert(key_of(live), object);
        }
        end
    }
}

/// The key of a kind that the operator makes.
fn object_key(live: &Value) -> Option<ObjectKey> {
    let kind = Kind::ALL.iter().find(|kind| live["kind"] == kind.as_str())?;
    Some(ObjectKey::new(*kind, live["metadata"]["name"].as_str()?))
}

/// Takes out uids, versions, times and the token with everything that is a hash of it.
fn blank(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                let random = matches!(
                    key.as_str(),
                    "uid"
                        | "resourceVersion"
                        | "generation"
                        | "observedGeneration"
                        | "lastTransitionTime"
                        | "token"
                        | "updateRevision"
                        | "controller-revision-hash"
                        | "openclaw.rocks/secret-hash"
                        | "openclaw.rocks/inputs-hash"
                        | "openclaw.rocks/rollout-hash"
                );
                if random && !inner.is_object() {
                    *inner = json!("<blank>");
                } else {
                    blank(inner);
                }
            }
            // Whether somebody owns a map as such says nothing about the object.
            map.remove(".");
            // Only makes the kubelet look again; a pod made later needs none.
            map.remove("openclaw.rocks/rendered-config");
            map.remove("f:openclaw.rocks/rendered-config");
            // The set of fields of an owner reference is keyed by its uid.
            let keyed: Vec<String> =
                map.keys().filter(|key| key.starts_with("k:{\"uid\"")).cloned().collect();
            for key in keyed {
                if let Some(inner) = map.remove(&key) {
                    map.insert("k:{uid}".to_owned(), inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
