//! Fills [`Observed`]: from the cache what it has, from the API server what a plan asks for.
//!
//! Reads and never decides. A read that fails stays unknown and is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use futures::future::join_all;
use openclaw_render::{
    Deployment, Fact, Kind, ObjectKey, Observed, Plan, Read, StoredInstance, deployment_facts,
    namespace_facts, plan_stored, secret_hashes,
};
use serde_json::Value;

use crate::cache::{self, Content, Entry, Reference};
use crate::cluster::{DEPLOYMENTS, Place};
use crate::context::Context;
use crate::error::{CallError, PassFailed};
use crate::execute::Outcome;
use crate::live::{self, InstanceKey};

/// Rounds of reading that a plan may ask for, see [`openclaw_render::plan`].
const ROUNDS: usize = 3;

/// What one pass knows so far.
pub(crate) struct Pass<'a> {
    pub(crate) key: &'a InstanceKey,
    pub(crate) observed: Observed,
    /// Calls that failed.
    pub(crate) failures: Vec<CallError>,
    stored: &'a StoredInstance,
    context: &'a Context,
    tried: BTreeSet<Read>,
}

/// What a read found.
enum Found {
    Object(ObjectKey, Box<Fact<Entry>>),
    Live(ObjectKey, Option<Value>),
    Content(Reference, Fact<Content>),
    Deployment(Fact<Deployment>),
    Namespace(Fact<BTreeMap<String, String>>),
    /// The cache has it, or nobody does.
    Nothing,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        key: &'a InstanceKey,
        stored: &'a StoredInstance,
        context: &'a Context,
    ) -> Self {
        let mut observed = context.cache.observed(key);
        observed.now = Some(jiff::Timestamp::now());
        observed.random_token = random_text::<32>();
        observed.random_password = random_text::<36>();
        observed.asked = context.questions.asked(key);
        observed.registry = context.registries.said(key);
        observed.packs = context.packs.seen(key);
        observed.requests = context.requests.told(key);
        observed.turns = context.turns.told(key);
        observed.shared_storage = context.shared_storage.told(key);
        Self { key, observed, failures: Vec::new(), stored, context, tried: BTreeSet::new() }
    }

    /// Plans, and once more if it is the agent's turn now to be replaced with others.
    pub(crate) async fn plan_in_turn(&mut self) -> Plan {
        let plan = self.plan().await;
        if !self.note_turn(&plan) {
            return plan;
        }
        self.observed.turns = self.context.turns.told(self.key);
        self.plan().await
    }

    /// Says where the agent stands. Whether it is told something else than before.
    pub(crate) fn note_turn(&self, plan: &Plan) -> bool {
        let Context { turns, instances, queue, .. } = self.context;
        turns.note(self.key, &plan.standings, instances, queue)
    }

    /// Plans, reading what the plan asks for, until nothing more can be read. What the spec refers to
    /// is noted, so that a change of it wakes the instance.
    async fn plan(&mut self) -> Plan {
        let mut decided = self.decide();
        self.note_references(&decided);
        for _ in 0..ROUNDS {
            let reads: Vec<Read> =
                decided.reads.iter().filter(|read| !self.tried.contains(read)).cloned().collect();
            if reads.is_empty() {
                break;
            }
            self.read(reads).await;
            decided = self.decide();
            self.note_references(&decided);
        }
        decided
    }

    fn decide(&self) -> Plan {
        plan_stored(self.stored, &self.observed, &self.context.settings)
    }

    fn note_references(&self, plan: &Plan) {
        if let Some(references) = &plan.references {
            let content =
                references.iter().filter(|key| [Kind::Secret, Kind::ConfigMap].contains(&key.kind));
            self.context.cache.set_references(
                self.key,
                &content.map(|object| reference(self.key, object)).collect(),
            );
        }
    }

    /// Plans once more, after effects: what is reported is what they did.
    pub(crate) fn plan_after(&mut self, plan: Plan, outcome: &Outcome) -> Plan {
        if plan.effects.is_empty() {
            return plan;
        }
        self.look_again();
        self.observed.refused.clone_from(&outcome.refused);
        self.observed.refused_besides.clone_from(&outcome.refused_besides);
        self.observed.withheld.clone_from(&outcome.withheld);
        plan.reporting(self.decide())
    }

    /// Ends with the calls that failed, if any did.
    pub(crate) fn end(mut self, published: Result<(), CallError>) -> Result<(), PassFailed> {
        self.failures.extend(published.err());
        if self.failures.is_empty() { Ok(()) } else { Err(PassFailed(self.failures)) }
    }

    /// Looks at the cache again; what this pass has read stays known.
    fn look_again(&mut self) {
        fn keep<T>(new: &mut BTreeMap<String, Fact<T>>, old: BTreeMap<String, Fact<T>>) {
            for (name, fact) in old {
                new.entry(name).or_insert(fact);
            }
        }
        let old = std::mem::replace(&mut self.observed, self.context.cache.observed(self.key));
        let new = &mut self.observed;
        new.now = old.now;
        new.random_token = old.random_token;
        new.random_password = old.random_password;
        new.asked = old.asked;
        new.registry = old.registry;
        new.packs = old.packs;
        new.requests = old.requests;
        new.turns = old.turns;
        new.shared_storage = old.shared_storage;
        new.namespace = old.namespace;
        new.live = old.live;
        new.deployment = old.deployment;
        for (object, fact) in old.objects {
            new.objects.entry(object).or_insert(fact);
        }
        keep(&mut new.claims, old.claims);
        keep(&mut new.secrets, old.secrets);
        keep(&mut new.config_maps, old.config_maps);
    }

    /// Concurrently: each read costs a round trip.
    async fn read(&mut self, reads: Vec<Read>) {
        let answers = join_all(reads.iter().map(|read| self.answer(read))).await;
        self.tried.extend(reads);
        for answer in answers {
            match answer {
                Ok(found) => self.take(found),
                Err(error) => self.failures.push(error),
            }
        }
    }

    async fn answer(&self, read: &Read) -> Result<Found, CallError> {
        let cluster = &self.context.cluster;
        let namespace = self.key.namespace.as_str();
        match read {
            Read::Metadata(object) => {
                let place = Place { resource: object.kind.into(), namespace, name: &object.name };
                let live = cluster.get_metadata(place).await?;
                Ok(Found::Object(object.clone(), Box::new(self.entry(object, live.as_ref()))))
            }
            Read::Live(object) => {
                Ok(Found::Live(object.clone(), cluster.get(namespace, object).await?))
            }
            Read::Content(object)
                if [Kind::PersistentVolumeClaim, Kind::StatefulSet].contains(&object.kind) =>
            {
                let live = cluster.get(namespace, object).await?;
                Ok(Found::Object(object.clone(), Box::new(self.entry(object, live.as_ref()))))
            }
            Read::Content(object) => self.content(reference(self.key, object)).await,
            Read::Deployment(name) => {
                let place = Place { resource: DEPLOYMENTS, namespace, name };
                let live = cluster.get_metadata(place).await?;
                let fact = live.map_or(Fact::Absent, |live| Fact::Known(deployment_facts(&live)));
                Ok(Found::Deployment(fact))
            }
            Read::Namespace => {
                let live = cluster.get_namespace(namespace).await?;
                let fact = live.map_or(Fact::Absent, |live| Fact::Known(namespace_facts(&live)));
                Ok(Found::Namespace(fact))
            }
            Read::ClusterDefaults => Ok(Found::Nothing),
        }
    }

    /// What a Secret or ConfigMap holds. The cache keeps it until the watch reports a change.
    async fn content(&self, reference: Reference) -> Result<Found, CallError> {
        let object = ObjectKey::new(reference.kind, reference.name.as_str());
        let asked = self.context.cache.expect_content(self.key, &reference);
        let live = self.context.cluster.get(&reference.namespace, &object).await?;
        let at = live.as_ref().and_then(|live| live::text(live, "resourceVersion"));
        let at = at.map(live::version).unwrap_or_default();
        let content = live.map_or(Fact::Absent, |live| content(reference.kind, &live));
        self.context.cache.store_content(&reference, asked, content.clone(), at);
        Ok(Found::Content(reference, content))
    }

    fn entry(&self, object: &ObjectKey, live: Option<&Value>) -> Fact<Entry> {
        live.map_or(Fact::Absent, |live| Fact::Known(Entry::new(object.kind, live, &self.key.name)))
    }

    fn take(&mut self, found: Found) {
        match found {
            Found::Object(object, fact) => cache::add(&mut self.observed, &object, *fact),
            Found::Live(object, None) => {
                cache::add(&mut self.observed, &object, Fact::Absent);
            }
            Found::Live(object, Some(live)) => {
                let entry = Entry::new(object.kind, &live, &self.key.name);
                cache::add(&mut self.observed, &object, Fact::Known(entry));
                self.observed.live.insert(object, live);
            }
            Found::Content(reference, content) => {
                cache::add_content(&mut self.observed, &reference, &content);
                // An object that is not there is nobody's.
                if content == Fact::Absent {
                    let object = ObjectKey::new(reference.kind, reference.name);
                    self.observed.objects.entry(object).or_insert(Fact::Absent);
                }
            }
            Found::Deployment(fact) => self.observed.deployment = fact,
            Found::Namespace(fact) => self.observed.namespace = fact,
            Found::Nothing => {}
        }
    }
}

/// A Secret or ConfigMap beside the instance.
fn reference(key: &InstanceKey, ObjectKey { kind, name }: &ObjectKey) -> Reference {
    Reference { kind: *kind, namespace: key.namespace.clone(), name: name.clone() }
}

fn content(kind: Kind, live: &Value) -> Fact<Content> {
    if kind == Kind::Secret {
        let secret = serde_json::from_value(live.clone());
        return secret
            .map_or(Fact::Unknown, |secret| Fact::Known(Content::Hashes(secret_hashes(&secret))));
    }
    let texts = live.get("data").cloned().map_or(Ok(BTreeMap::new()), serde_json::from_value);
    texts.map_or(Fact::Unknown, |texts| Fact::Known(Content::Texts(texts)))
}

/// `None` without randomness: then neither token nor password is made.
fn random_text<const BYTES: usize>() -> Option<String> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
