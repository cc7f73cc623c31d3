//! A cluster in memory that performs plans, with the little of Kubernetes that answers them:
//! the StatefulSet controller, the kubelet, the volume binder and the garbage collector.

use std::collections::BTreeMap;

use openclaw_render::{
    Action, Asked, Claim, Effect, Fact, Kind, ObjectKey, Observed, Plan, Question, Read, Settings,
    StoredInstance, Target, claim_facts, diff, owned, plan_stored, pod_facts, seen,
};
use serde_json::{Value, json};

use super::api_server::{ApiServer, Key, Refusal};

mod comparable;
mod config_sync;
mod kubernetes;

/// Everything in the world is in this namespace.
pub const NAMESPACE: &str = "agents";
const MANAGER: &str = "openclaw-operator";
const KUBERNETES: &str = "kube-controller-manager";
const POD_IP: &str = "192.0.2.10";
/// Rounds of reading that a shell goes through.
const ROUNDS: usize = 3;
/// Passes within which every scene must come to rest.
const PASSES: usize = 15;

/// The cluster, and the operator's memory: the question to config-sync that stands, and what its
/// process was started with.
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
    asked: Option<Asked>,
    /// Whether the ClusterDefaults cannot be seen.
    pub hides_defaults: bool,
    /// Objects that the API server refuses to take, as `Kind/name`.
    pub refused: Vec<String>,
    /// Objects of which the cache knows what they were, whatever they are.
    pub stale: BTreeMap<ObjectKey, Value>,
    /// Which kinds of other projects the cluster has.
    pub kinds: BTreeMap<Kind, Fact<()>>,
    tokens: u32,
    seconds: i64,
}

/// A manifest of an instance, pinned to a version.
pub fn instance(name: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec["image"] = json!({"tag": "2026.9.6"});
    json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
    })
}

/// Kinds that a cluster may lack.
fn optional_kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| kind.project().is_some())
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
            asked: None,
            hides_defaults: false,
            refused: Vec::new(),
            stale: BTreeMap::new(),
            kinds: optional_kinds().map(|kind| (kind, Fact::Known(()))).collect(),
            tokens: 0,
            seconds: 0,
        }
    }

    /// A world in which a user has just created an instance of that spec, pinned to a version.
    pub fn with_instance(name: &str, spec: &Value) -> Self {
        let mut world = Self::new(name);
        world.server.create(&instance(name, spec), "kubectl").expect("the instance is new");
        world
    }

    /// The user patches the instance.
    pub fn merge(&mut self, patch: &Value) {
        let mut live = self.live_instance().expect("the instance").clone();
        json_patch::merge(&mut live, patch);
        self.server.update(&live, "kubectl").expect("it can be changed");
    }

    /// The world at rest.
    pub fn settled(mut self) -> Self {
        self.settle().expect("it settles");
        self
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
            && self.asked == other.asked
    }

    /// What the operator decides now, after all reads that it asks for. `None` without instance.
    pub fn decide(&mut self) -> Option<Plan> {
        self.tokens += 1;
        self.seconds += 1;
        Some(self.decide_after(&Failures::default())?.0)
    }

    /// Everything that the operator knows when it decides.
    pub fn observed(&self) -> Observed {
        self.decide_after(&Failures::default()).expect("an instance").1
    }

    /// The decision after effects of this pass have failed, and what was known by then.
    fn decide_after(&self, failures: &Failures) -> Option<(Plan, Observed)> {
        let live = self.live_instance()?;
        let stored = StoredInstance::read(live, None);
        let decide = |observed: &Observed| plan_stored(&stored, observed, &self.settings);
        let mut observed = self.observe();
        observed.refused.clone_from(&failures.refused);
        observed.withheld.clone_from(&failures.withheld);
        let mut decided = decide(&observed);
        for _ in 0..ROUNDS {
            if decided.reads.is_empty() {
                break;
            }
            for read in &decided.reads {
                self.read(read, &mut observed);
            }
            decided = decide(&observed);
        }
        Some((decided, observed))
    }

    /// One pass: decide, perform, publish.
    pub fn pass(&mut self) -> Option<Plan> {
        let mut plan = self.decide()?;
        let failures = self.execute(&plan.effects);
        if !failures.refused.is_empty() {
            let (report, _) = self.decide_after(&failures)?;
            (plan.status, plan.events) = (report.status, report.events);
        }
        self.publish(&plan);
        self.ask(plan.ask.clone());
        Some(plan)
    }

    /// From now on, this question stands.
    fn ask(&mut self, question: Option<Question>) {
        let stands =
            |asked: &Asked, question: &Question| question.is_about_the_same(&asked.question);
        let asked = self.asked.take();
        self.asked = question.map(|question| Asked {
            answer: asked.filter(|asked| stands(asked, &question)).and_then(|it| it.answer),
            question,
            answered_since: None,
            silent_since: None,
        });
    }

    /// Forgets what a process knows that is killed.
    pub fn restart(&mut self) {
        self.asked = None;
    }

    /// Performs effects as the shell does: what depends on a failed one is left out.
    fn execute(&mut self, effects: &[Effect]) -> Failures {
        let mut failures = Failures::default();
        for effect in effects {
            let object = effect.object().cloned();
            let refused = |key: &ObjectKey| failures.refused.contains_key(key);
            if object.as_ref().is_some_and(refused) {
                continue;
            }
            let failed: Vec<ObjectKey> =
                effect.after.iter().filter(|key| refused(key)).cloned().collect();
            if !failed.is_empty() {
                failures.withheld.extend(object.map(|key| (key, failed)));
                continue;
            }
            match object.filter(|key| self.refused.contains(&key.to_string())) {
                Some(key) => drop(failures.refused.insert(key, "not allowed here".to_owned())),
                None => self.perform(effect),
            }
        }
        failures
    }

    /// Passes and Kubernetes in turn until neither changes anything. The plans, in order.
    pub fn settle(&mut self) -> Result<Vec<Plan>, String> {
        let mut plans = Vec::new();
        for _ in 0..PASSES {
            let before = self.server.version();
            plans.extend(self.pass());
            let news = self.tick();
            if self.server.version() == before && !news {
                return Ok(plans);
            }
        }
        let last: Vec<String> =
            plans.iter().rev().take(2).map(|plan| format!("{:?}", plan.effects)).collect();
        Err(format!("does not settle within {PASSES} passes: {last:#?}"))
    }

    fn observe(&self) -> Observed {
        let managed = self.server.list("openclaw-operator").into_iter();
        let known = managed.filter_map(|live| Some((object_key(live)?, live)));
        let known = known.map(|(key, live)| {
            let live = self.stale.get(&key).unwrap_or(live);
            (key, live)
        });
        let mut objects = BTreeMap::new();
        let mut claims = BTreeMap::new();
        for (key, live) in known {
            if key.kind == Kind::PersistentVolumeClaim {
                claims.insert(key.name.clone(), Fact::Known(claim_of(live)));
            }
            objects.insert(key, Fact::Known(seen(live, &self.instance)));
        }
        let pods = self
            .pods()
            .into_iter()
            .map(|pod| pod_facts(&serde_json::from_value(pod.clone()).expect("a pod")));
        let defaults = self.server.get("OpenClawClusterDefaults", "default", "cluster");
        Observed {
            now: Some(jiff::Timestamp::from_second(1_700_000_000 + self.seconds).expect("a time")),
            random_token: Some(format!("{:064x}", self.tokens)),
            random_password: Some(format!("{:072x}", self.tokens)),
            cluster_defaults: match defaults {
                _ if self.hides_defaults => Fact::Unknown,
                Some(live) => {
                    Fact::Known(serde_json::from_value(live.clone()).expect("cluster defaults"))
                }
                None => Fact::Absent,
            },
            kinds: self.kinds.clone(),
            objects,
            claims,
            pods: Fact::Known(pods.collect()),
            asked: self.asked.clone(),
            ..Observed::default()
        }
    }

    /// Performs one read as the shell would.
    fn read(&self, read: &Read, observed: &mut Observed) {
        if self.unreadable.contains(&format!("{read:?}")) {
            return;
        }
        if let Read::Metadata(key) | Read::Live(key) | Read::Content(key) = read {
            observed.look(read, self.get(key.kind.as_str(), &key.name), &self.instance);
        }
    }

    pub fn perform(&mut self, effect: &Effect) {
        let key = match &effect.target {
            Target::Object(key) => key_of_named(key.kind.as_str(), &key.name),
            Target::Pod(name) => key_of_named("Pod", name),
            Target::Instance => key_of_named("OpenClawInstance", &self.instance.clone()),
        };
        let outcome = match &effect.action {
            Action::Apply(object) => self.apply(object),
            Action::Create(object) => match self.server.create(object, MANAGER) {
                Err(Refusal::AlreadyExists) => Ok(()),
                other => other.map(drop),
            },
            Action::JsonPatch(patch) => self.server.json_patch(&key, patch, MANAGER).map(drop),
            Action::MergePatch(patch) => {
                let mut live = self.get(&key.0, &key.2).expect("it is there").clone();
                json_patch::merge(&mut live, patch);
                self.server.update(&live, MANAGER).map(drop)
            }
            Action::Delete { uid } => self.server.delete(&key, Some(uid)),
        };
        outcome.unwrap_or_else(|refusal| panic!("{effect:?} is refused: {refusal:?}"));
    }

    /// Applies as the shell does: once more where the first time has emptied a map.
    fn apply(&mut self, object: &Value) -> Result<(), Refusal> {
        let is_settled = |live: &Value| owned(live, MANAGER) == *object;
        let mut live = self.server.apply(object, MANAGER, true)?;
        if !is_settled(&live) {
            live = self.server.apply(object, MANAGER, true)?;
        }
        // Or it would be sent again and again.
        assert!(is_settled(&live), "an apply leaves {:#?}", diff(object, &live));
        Ok(())
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
}

/// What became of effects that were not performed.
#[derive(Default)]
struct Failures {
    refused: BTreeMap<ObjectKey, String>,
    withheld: BTreeMap<ObjectKey, Vec<ObjectKey>>,
}

fn claim_of(live: &Value) -> Claim {
    claim_facts(&serde_json::from_value(live.clone()).expect("a claim"))
}

/// The key of a kind that the operator makes.
fn object_key(live: &Value) -> Option<ObjectKey> {
    let kind = Kind::ALL.iter().find(|kind| live["kind"] == kind.as_str())?;
    Some(ObjectKey::new(*kind, live["metadata"]["name"].as_str()?))
}
