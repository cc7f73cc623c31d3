//! Every state that the deletion of an instance can come to, by whatever may fail or happen on the
//! way: the finalizer goes only once the volume is safe, and it goes when nothing fails any more.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what is missing in a test is a failed test, in helpers too"
)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use openclaw_render::vocab::FINALIZER;
use openclaw_render::{
    Action, Effect, Fact, Kind, ObjectKey, Observed, Plan, Read, Settings, Target, decode_instance,
    plan,
};
use serde_json::{Value, json};

/// Passes without failure within which the finalizer must go.
const PASSES: usize = 2;
/// Rounds of reading that a shell goes through.
const ROUNDS: usize = 3;
const FOREIGN: &str = "example.com/archive";
const OURS: &str = "uid-ada";

/// Who may be among the owners of the claim, by uid and in this order: an instance of the name that
/// there was before, the instance, and something else.
const OWNERS: [&str; 3] = ["uid-ada-before", OURS, OTHER];
const OTHER: &str = "uid-other";

type Owners = Vec<&'static str>;

/// The cluster, as far as a deletion can tell, and what the operator's cache says of the claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    keeps_volume: bool,
    claim: Option<Owners>,
    cached: Option<Owners>,
    finalizers: Vec<&'static str>,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    /// Nothing was done.
    Refused,
    /// It was done, and the process ended before it heard of it.
    Lost,
}

/// What happens around the operator.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A pass: whether reads succeed, what becomes of its first write, and who writes the claim
    /// between its reads and its writes.
    Pass(bool, Answer, Option<Change>),
    /// Somebody changes the claim.
    Change(Change),
    /// The watch delivers.
    Watch,
    /// The cache forgets, as a restart makes it.
    Restart,
    /// Somebody else's finalizer comes or goes.
    ForeignFinalizer,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    /// An owner is taken in or out.
    Owner(&'static str),
    /// The claim is deleted.
    Delete,
}

fn events() -> Vec<Event> {
    let changes = || OWNERS.into_iter().map(Change::Owner).chain([Change::Delete]);
    let mut events = vec![Event::Watch, Event::Restart, Event::ForeignFinalizer];
    events.extend(changes().map(Event::Change));
    for reads in [true, false] {
        for answer in [Answer::Done, Answer::Refused, Answer::Lost] {
            events.push(Event::Pass(reads, answer, None));
            events.extend(changes().map(|change| Event::Pass(reads, answer, Some(change))));
        }
    }
    events
}

fn begin() -> Vec<World> {
    let mut begin = Vec::new();
    for keeps_volume in [true, false] {
        for finalizers in [vec![FINALIZER], vec![FOREIGN, FINALIZER], vec![FINALIZER, FOREIGN]] {
            for claim in [None, Some(vec![]), Some(vec![OURS]), Some(vec![OURS, "uid-other"])] {
                begin.push(World {
                    keeps_volume,
                    claim,
                    cached: None,
                    finalizers: finalizers.clone(),
                });
            }
        }
    }
    begin
}

fn claim_key() -> ObjectKey {
    ObjectKey::new(Kind::PersistentVolumeClaim, "ada-data")
}

/// The claim as it is stored. Its resource version tells its content.
fn claim_of(owners: &Owners) -> Value {
    let mut claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "ada-data", "namespace": "agents", "uid": "uid-claim",
            "resourceVersion": owners.join(",")},
    });
    if !owners.is_empty() {
        claim["metadata"]["ownerReferences"] = owners
            .iter()
            .map(|uid| {
                let (version, kind) = if *uid == OTHER {
                    ("example.com/v1", "Archive")
                } else {
                    ("openclaw.rocks/v1alpha1", "OpenClawInstance")
                };
                json!({"apiVersion": version, "kind": kind, "name": "ada", "uid": uid,
                    "controller": *uid == OURS})
            })
            .collect();
    }
    claim
}

fn owners_of(claim: &Value) -> Owners {
    let owners = claim["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
    let known = |owner: &Value| OWNERS.into_iter().find(|uid| owner["uid"] == *uid);
    owners.iter().map(|owner| known(owner).expect("a known owner")).collect()
}

/// A JSON patch as the API server carries it out: wholly or not at all.
fn patched(live: &Value, patch: &Value) -> Option<Value> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).expect("a patch");
    let mut live = live.clone();
    json_patch::patch(&mut live, &patch).is_ok().then_some(live)
}

impl World {
    fn instance(&self) -> Value {
        json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
            "metadata": {"name": "ada", "namespace": "agents", "uid": OURS,
                "deletionTimestamp": "2026-01-02T03:04:05Z", "finalizers": self.finalizers},
            "spec": {"storage": {"persistence": {"orphan": self.keeps_volume}}},
        })
    }

    fn is_held(&self) -> bool {
        self.finalizers.contains(&FINALIZER)
    }

    /// Whether Kubernetes would collect the claim for this instance, or for an earlier one.
    fn owns_claim(&self) -> bool {
        self.claim.as_ref().is_some_and(|owners| owners.iter().any(|uid| *uid != OTHER))
    }

    fn change(&mut self, change: Change) {
        match (change, &mut self.claim) {
            (Change::Owner(uid), Some(owners)) => {
                let was_in = owners.contains(&uid);
                let stays =
                    |each: &&str| if *each == uid { !was_in } else { owners.contains(each) };
                *owners = OWNERS.into_iter().filter(stays).collect();
            }
            (Change::Delete, claim) => *claim = None,
            (Change::Owner(_), None) => {}
        }
    }

    fn observed(&self) -> Observed {
        let mut observed = Observed { cluster_defaults: Fact::Absent, ..Observed::default() };
        if let Some(owners) = &self.cached {
            observed.look(&Read::Content(claim_key()), Some(&claim_of(owners)), "ada");
        }
        observed
    }

    /// What a pass decides, and whether it has read the claim.
    fn decide(&self, reads: bool) -> (Plan, bool) {
        let (instance, _) = decode_instance(self.instance()).expect("it decodes");
        let mut observed = self.observed();
        let mut has_read = false;
        let mut decided = plan(&instance, &observed, &Settings::default());
        for _ in 0..ROUNDS {
            for read in &decided.reads {
                assert_eq!(*read, Read::Live(claim_key()), "nothing else matters");
                if reads {
                    let live = self.claim.as_ref().map(claim_of);
                    observed.look(&Read::Content(claim_key()), live.as_ref(), "ada");
                    observed.live.extend(live.map(|live| (claim_key(), live)));
                    has_read = true;
                }
            }
            decided = plan(&instance, &observed, &Settings::default());
        }
        (decided, has_read)
    }

    fn perform(&mut self, effect: &Effect) -> bool {
        let Action::JsonPatch(patch) = &effect.action else { panic!("{effect:?}") };
        match &effect.target {
            Target::Object(key) => {
                assert_eq!(*key, claim_key(), "of the objects, only the claim is touched");
                let stored = self.claim.as_ref().and_then(|it| patched(&claim_of(it), patch));
                let Some(stored) = stored else { return false };
                let before = self.claim.replace(owners_of(&stored)).unwrap_or_default();
                let others: Owners = before.into_iter().filter(|uid| *uid == OTHER).collect();
                assert_eq!(self.claim, Some(others), "only instances are taken out of it");
                true
            }
            Target::Instance => {
                let Some(stored) = patched(&self.instance(), patch) else { return false };
                let left = &stored["metadata"]["finalizers"];
                assert!(left.as_array().expect("a list").iter().all(|it| it != FINALIZER));
                self.finalizers.retain(|finalizer| *finalizer != FINALIZER);
                assert_eq!(json!(self.finalizers), *left, "those of others stay");
                true
            }
            Target::Pod(_) | Target::Deployment(_) => {
                panic!("a pod is none of its business")
            }
        }
    }

    fn pass(&mut self, reads: bool, answer: Answer, meanwhile: Option<Change>) {
        let (decided, has_read) = self.decide(reads);
        let as_read = self.owns_claim();
        assert!(decided.effects.len() <= 1, "one step at a time: {:?}", decided.effects);
        self.assert_it_says_what_it_waits_for(&decided);
        if let Some(change) = meanwhile {
            self.change(change);
        }
        if answer == Answer::Refused {
            return;
        }
        for effect in &decided.effects {
            let done = self.perform(effect);
            if effect.target == Target::Instance {
                assert!(done, "the finalizer can always be taken off");
                assert!(!self.keeps_volume || has_read && !as_read, "the volume was not safe");
            }
            if done && answer == Answer::Done && effect.target != Target::Instance {
                // What was written is seen at once.
                self.cached.clone_from(&self.claim);
            }
        }
    }

    fn assert_it_says_what_it_waits_for(&self, decided: &Plan) {
        let goes = decided.effects.iter().any(|effect| effect.target == Target::Instance);
        let conditions = decided.status.conditions.as_deref().unwrap_or_default();
        assert_eq!(conditions[0].type_, "Ready");
        let waits = conditions[0].message.contains("claim ada-data");
        assert_eq!(waits, self.is_held() && !goes, "{self:?}: {}", conditions[0].message);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pass(reads, answer, meanwhile) => self.pass(reads, answer, meanwhile),
            Event::Change(change) => self.change(change),
            Event::Watch => self.cached.clone_from(&self.claim),
            Event::Restart => self.cached = None,
            Event::ForeignFinalizer => match self.finalizers.iter().position(|it| *it == FOREIGN) {
                Some(position) => drop(self.finalizers.remove(position)),
                None => self.finalizers.insert(0, FOREIGN),
            },
        }
    }
}

/// Every state that can be reached, and how. The laws of each step are checked on the way, in
/// [`World::pass`].
static REACHABLE: LazyLock<BTreeMap<World, Option<(World, Event)>>> = LazyLock::new(|| {
    let mut known: BTreeMap<World, Option<(World, Event)>> =
        begin().into_iter().map(|world| (world, None)).collect();
    let mut new: Vec<World> = known.keys().cloned().collect();
    while let Some(world) = new.pop() {
        for event in events() {
            let mut next = world.clone();
            next.happen(event);
            if next.is_held() && !known.contains_key(&next) {
                known.insert(next.clone(), Some((world.clone(), event)));
                new.push(next);
            }
        }
    }
    known
});

#[test]
fn the_finalizer_goes_from_every_state_as_soon_as_reads_and_writes_succeed() {
    assert!(REACHABLE.len() > 400, "only {} states", REACHABLE.len());
    for (world, origin) in REACHABLE.iter() {
        let mut end = world.clone();
        for _ in 0..PASSES {
            end.pass(true, Answer::Done, None);
        }
        assert!(!end.is_held(), "{world:?}, from {origin:?}, never ends");
        assert!(!end.keeps_volume || !end.owns_claim(), "{world:?} would lose its volume");
        assert_eq!(end.claim.is_some(), world.claim.is_some(), "{world:?}");
    }
}

#[test]
fn without_reads_nothing_of_a_volume_that_is_kept_is_decided() {
    for world in REACHABLE.keys().filter(|world| world.keeps_volume) {
        let (decided, _) = world.decide(false);
        assert_eq!(decided.effects, [], "{world:?}");
        assert_eq!(decided.reads, [Read::Live(claim_key())], "{world:?}");
    }
}
