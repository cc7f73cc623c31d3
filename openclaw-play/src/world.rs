//! [`World`]: a cluster in memory that performs plans.
//!
//! With the little of Kubernetes that answers them: the StatefulSet controller, the kubelet, the
//! volume binder and the garbage collector.

use std::collections::BTreeMap;

use openclaw_render::pacing::{Pacing, Turn, Turns};
use openclaw_render::packs::PackSeen;
use openclaw_render::vocab::{API_VERSION, KIND};
use openclaw_render::{
    Asked, Fact, Kind, ObjectKey, Observed, Plan, Question, Registry, Settings, StoredInstance,
    plan_stored,
};
use serde_json::{Value, json};

use crate::api_server::{ApiServer, Key};
use crate::values::set;

mod config_sync;
mod kubernetes;
mod observe;
mod perform;
mod sees;

use perform::Failures;
pub use perform::Trouble;

/// Everything in the world is in this namespace.
pub const NAMESPACE: &str = "agents";
/// The field manager of people.
pub const USER: &str = "kubectl";
const KUBERNETES: &str = "kube-controller-manager";
const POD_IP: &str = "192.0.2.10";
/// The clock when a world begins.
const BEGIN: i64 = 1_700_000_000;
/// Rounds of reading that a shell goes through.
const ROUNDS: usize = 3;
/// Passes within which every scene must come to rest.
const PASSES: usize = 15;
/// Longest time that passes in a world, in seconds: thirty years.
const MAX_LATER: i64 = 30 * 365 * 86_400;

/// One pass of the operator: what was new to it, and what it decided.
#[derive(Clone, Debug)]
pub struct Pass {
    /// What others changed since the last pass.
    pub sees: Vec<String>,
    /// The decision, with what became of it.
    pub plan: Plan,
}

/// The cluster, and the operator's memory: the question to config-sync that stands, and what its
/// process was started with.
#[derive(Clone, Debug)]
pub struct World {
    /// Where the objects are.
    pub server: ApiServer,
    /// What the operator was started with.
    pub settings: Settings,
    /// Name of the one instance.
    pub instance: String,
    /// How often a pod took the place of another one.
    pub replaced: usize,
    /// Reads that the operator is refused.
    pub unreadable: Vec<String>,
    asked: Option<Asked>,
    /// What became of skill packs.
    pub packs: BTreeMap<String, PackSeen>,
    /// Whether the ClusterDefaults cannot be seen.
    pub hides_defaults: bool,
    /// Objects that the API server refuses to take, as `Kind/name`.
    pub refused: Vec<String>,
    /// Whether the application takes whatever it refused before.
    pub takes_every_configuration: bool,
    /// Objects of which the cache knows what they were, whatever they are.
    pub stale: BTreeMap<ObjectKey, Value>,
    /// Which kinds of other projects the cluster has.
    pub kinds: BTreeMap<Kind, Fact<()>>,
    /// What the registry said of the agent's image.
    pub registry: Option<Registry>,
    /// Tags of images whose pods begin and never become ready.
    pub broken: Vec<String>,
    /// Tags of images that are not there.
    pub missing_images: Vec<String>,
    /// Whose turn it is, where more than one agent is to be replaced; `None` if somebody else keeps
    /// the turns, and says in `told` what the agent is told.
    pub turns: Option<Turns<()>>,
    /// What the agent is told of its turn.
    pub told: Vec<Turn>,
    /// Seconds that passed while nothing happened.
    later: i64,
    /// What should not have happened.
    trouble: Option<Trouble>,
    /// What the operator saw last.
    looked: sees::Looked,
    /// Whether the last pass was told something for the next one.
    woken: bool,
    tokens: u32,
    seconds: i64,
}

/// Returns a manifest of an instance, pinned to a version.
#[must_use]
pub fn instance(name: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    set(&mut spec, &["image"], json!({"tag": "2026.9.6"}));
    json!({
        "apiVersion": API_VERSION, "kind": KIND,
        "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
    })
}

/// Kinds that a cluster may lack.
fn optional_kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| kind.project().is_some())
}

/// Returns the key of an object in the world's namespace.
#[must_use]
pub fn key_of_named(kind: &str, name: &str) -> Key {
    (kind.to_owned(), NAMESPACE.to_owned(), name.to_owned())
}

impl World {
    /// Returns a world in which there is nothing, of an instance of that name.
    #[must_use]
    pub fn new(instance: &str) -> Self {
        Self {
            server: ApiServer::default(),
            settings: Settings::default(),
            instance: instance.to_owned(),
            replaced: 0,
            unreadable: Vec::new(),
            asked: None,
            packs: BTreeMap::new(),
            hides_defaults: false,
            refused: Vec::new(),
            takes_every_configuration: false,
            stale: BTreeMap::new(),
            kinds: optional_kinds().map(|kind| (kind, Fact::Known(()))).collect(),
            registry: None,
            broken: Vec::new(),
            missing_images: Vec::new(),
            turns: Some(Turns::new(Pacing::default())),
            told: Vec::new(),
            later: 0,
            trouble: None,
            looked: sees::Looked::default(),
            woken: false,
            tokens: 0,
            seconds: 0,
        }
    }

    /// Returns a world in which a user has just created an instance of that spec, pinned to a
    /// version.
    #[must_use]
    pub fn with_instance(name: &str, spec: &Value) -> Self {
        let mut world = Self::new(name);
        let created = world.server.create(&instance(name, spec), USER);
        world.expect_taken("create", &key_of_named(KIND, name), created);
        world
    }

    /// Lets the user patch the instance.
    pub fn merge(&mut self, patch: &Value) {
        let key = key_of_named(KIND, &self.instance);
        let mut live = self.live_instance().cloned().unwrap_or_default();
        json_patch::merge(&mut live, patch);
        let updated = self.server.update(&live, USER);
        self.expect_taken("update", &key, updated);
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: i64) {
        self.later = self.later.saturating_add(seconds.max(0)).min(MAX_LATER);
    }

    /// Returns the world at rest.
    ///
    /// # Errors
    /// It does not come to rest.
    pub fn settled(mut self) -> Result<Self, Trouble> {
        self.settle()?;
        Ok(self)
    }

    /// Returns an object.
    #[must_use]
    pub fn get(&self, kind: &str, name: &str) -> Option<&Value> {
        self.server.get(kind, NAMESPACE, name)
    }

    /// Returns the instance as it is stored.
    #[must_use]
    pub fn live_instance(&self) -> Option<&Value> {
        self.get(KIND, &self.instance)
    }

    /// Returns whether the other world would go on in the same way.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.server == other.server
            && self.settings == other.settings
            && self.instance == other.instance
            && self.asked == other.asked
            && self.later == other.later
            && self.registry == other.registry
            && self.broken == other.broken
            && self.missing_images == other.missing_images
            && self.told == other.told
    }

    /// Returns what the operator decides now, after all reads that it asks for. `None` without instance.
    pub fn decide(&mut self) -> Option<Plan> {
        self.tokens += 1;
        self.seconds += 1;
        Some(self.decide_after(&Failures::default())?.0)
    }

    /// Returns everything that the operator knows when it decides. `None` without instance.
    #[must_use]
    pub fn observed(&self) -> Option<Observed> {
        Some(self.decide_after(&Failures::default())?.1)
    }

    /// The decision after effects of this pass have failed, and what was known by then.
    fn decide_after(&self, failures: &Failures) -> Option<(Plan, Observed)> {
        let live = self.live_instance()?;
        let stored = StoredInstance::read(live, None);
        let decide = |observed: &Observed| plan_stored(&stored, observed, &self.settings);
        let mut observed = self.observe();
        observed.refused.clone_from(&failures.refused);
        observed.refused_besides.clone_from(&failures.besides);
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

    /// One pass: decide, perform, publish. Returns the decision; `None` without instance.
    pub fn pass(&mut self) -> Option<Plan> {
        Some(self.look_and_act()?.plan)
    }

    fn look_and_act(&mut self) -> Option<Pass> {
        let sees = self.sees();
        let mut plan = self.decide()?;
        let told = self.note(&plan);
        let failures = self.execute(&plan.effects);
        if !failures.refused.is_empty() || !failures.besides.is_empty() {
            let (report, _) = self.decide_after(&failures)?;
            (plan.status, plan.events) = (report.status, report.events);
        }
        self.publish(&plan);
        self.ask(plan.ask.clone());
        self.woken = told;
        self.remember();
        Some(Pass { sees, plan })
    }

    /// What the agent says of its turn. Whether it is told something else from now on.
    fn note(&mut self, plan: &Plan) -> bool {
        let now = self.now();
        let Some(turns) = &mut self.turns else { return false };
        turns.note(&(), &plan.standings, now);
        turns.grant(now);
        let told = std::mem::replace(&mut self.told, turns.told(&()));
        told != self.told
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        // In range: both are bounded.
        jiff::Timestamp::from_second(BEGIN + self.later + self.seconds).unwrap_or_default()
    }

    /// When a registry is looked at: right now, as far as steps count.
    pub(crate) fn looked_at(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(BEGIN + self.later).unwrap_or_default()
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
        self.turns = self.turns.as_ref().map(|_| Turns::new(Pacing::default()));
        self.told.clear();
    }

    /// Passes and Kubernetes in turn until neither changes anything. Returns the plans, in order.
    ///
    /// # Errors
    /// Something happened that should not have.
    pub fn settle(&mut self) -> Result<Vec<Plan>, Trouble> {
        Ok(self.play()?.into_iter().map(|pass| pass.plan).collect())
    }

    /// As [`settle`](Self::settle), with what the operator saw.
    ///
    /// # Errors
    /// Something happened that should not have.
    pub fn play(&mut self) -> Result<Vec<Pass>, Trouble> {
        let mut passes = Vec::new();
        for _ in 0..PASSES {
            let before = self.server.version();
            passes.extend(self.look_and_act());
            let news = self.tick() || self.woken;
            if let Some(trouble) = self.trouble.take() {
                return Err(trouble);
            }
            if self.server.version() == before && !news {
                return Ok(passes);
            }
        }
        let effects = passes.iter().rev().take(2).flat_map(|pass| &pass.plan.effects);
        let last: Vec<String> =
            effects.map(|effect| format!("{} {}", effect.verb(), effect.target)).collect();
        Err(Trouble::Restless { last: last.join(", ") })
    }
}
