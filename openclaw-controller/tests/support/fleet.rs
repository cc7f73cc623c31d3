//! Many agents at once, some of which do not answer the operator, and how long they take.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::api::{DynamicObject, ListParams};
use kube::runtime::{WatchStreamExt, watcher};
use openclaw_render::Kind;
use serde_json::json;

use super::cluster::{Cluster, condition_of};
use super::config_syncs::{ConfigSyncs, Manner};
use super::fixtures::Fixture;
use super::operator::Operator;

/// Users who create agents at the same time.
const USERS: usize = 8;

/// Agents of `minimal.yaml` in a namespace of their own, and the operator of that namespace.
pub struct Fleet {
    pub cluster: Cluster,
    operator: Operator,
    agents: usize,
    deaf: usize,
    patience: Duration,
    _config_syncs: ConfigSyncs,
}

/// What happened first, seen by a watch.
enum Sight {
    Instance(DynamicObject),
    StatefulSet(DynamicObject),
}

/// How long it took until agents were there.
pub struct Birth {
    /// From an agent's creation to Ready, by its number; the deaf ones aside.
    pub ready: BTreeMap<usize, Duration>,
    /// From the first creation until every object of all agents was there.
    pub objects: Duration,
}

impl Birth {
    /// p95 of the agents from that number on.
    pub fn p95_from(&self, first: usize) -> f64 {
        p95(self.ready.range(first..).map(|(_, took)| *took).collect())
    }
}

impl Fleet {
    /// The first so many agents will be deaf, by turns to packets and to questions.
    pub async fn new(agents: usize, deaf: usize, patience: Duration) -> Self {
        let cluster = Cluster::namespace("fleet").await;
        let config_syncs = ConfigSyncs::of(&cluster, move |name| match number_of(name) {
            number if number >= deaf => Manner::Answers,
            number if number % 2 == 0 => Manner::SwallowsPackets,
            _ => Manner::SaysNothing,
        });
        let operator = Operator::start(&cluster).await;
        operator.until_synced().await;
        Self { cluster, operator, agents, deaf, patience, _config_syncs: config_syncs }
    }

    /// Creates all agents, and waits until all objects are there and all are ready that answer.
    pub async fn create(&self) -> Birth {
        let began = Instant::now();
        let create = stream::iter(0..self.agents)
            .map(async |number| {
                let created = Instant::now();
                self.cluster.apply(&agent(number)).await.expect("the instance is taken");
                (number, created)
            })
            .buffer_unordered(USERS)
            .collect::<BTreeMap<_, _>>();
        let all = async { tokio::join!(create, self.watch_birth()) };
        let all = tokio::time::timeout(self.patience, all).await;
        let (created, (ready, last)) = all.expect("all agents are there in time");
        self.every_object_is_there().await;
        let ready = ready.into_iter().map(|(number, at)| (number, at - created[&number]));
        Birth { ready: ready.collect(), objects: last - began }
    }

    /// When agents were ready that answer, and when the last StatefulSet was there.
    async fn watch_birth(&self) -> (BTreeMap<usize, Instant>, Instant) {
        let watch = |api| watcher(api, watcher::Config::default()).applied_objects();
        let instances = watch(self.cluster.instances()).map(|it| it.map(Sight::Instance));
        let sets = watch(self.cluster.of(Kind::StatefulSet)).map(|it| it.map(Sight::StatefulSet));
        let mut sights = stream::select(instances.boxed(), sets.boxed());
        let (mut ready, mut sets) = (BTreeMap::new(), BTreeMap::new());
        while ready.len() < self.agents - self.deaf || sets.len() < self.agents {
            let now = || Instant::now();
            match sights.next().await.expect("it goes on").expect("a change") {
                Sight::Instance(instance) => {
                    let number = number_of(instance.metadata.name.as_deref().expect("a name"));
                    let live = serde_json::to_value(&instance).expect("JSON");
                    let is_ready =
                        condition_of(&live, "Ready").is_some_and(|it| it["status"] == "True");
                    if number >= self.deaf && is_ready {
                        ready.entry(number).or_insert_with(now);
                    }
                }
                Sight::StatefulSet(set) => {
                    sets.entry(set.metadata.name).or_insert_with(now);
                }
            }
        }
        (ready, sets.into_values().max().expect("agents"))
    }

    /// The StatefulSet comes last, so everything else is there too.
    async fn every_object_is_there(&self) {
        for kind in Fixture::named("minimal").kinds() {
            let list = self.cluster.of(kind).list(&ListParams::default()).await.expect("a list");
            assert!(list.items.len() >= self.agents, "{kind}: only {}", list.items.len());
        }
    }

    /// Changes the configuration of so many agents that answer, and waits until each has applied
    /// its own. p95 of how long that took.
    pub async fn change(&self, agents: usize) -> f64 {
        let chosen: Vec<usize> = (self.deaf..self.agents).take(agents).collect();
        let change = stream::iter(chosen.clone())
            .map(async |number| {
                let changed = Instant::now();
                let spec = json!({"config": {"raw": {"session": {"scope": "global"}}}});
                self.cluster.merge_instance(&name_of(number), &json!({"spec": spec})).await;
                (number, changed)
            })
            .buffer_unordered(USERS)
            .collect::<BTreeMap<_, _>>();
        let mut applied = BTreeMap::new();
        let watch = async {
            let instances = watcher(self.cluster.instances(), watcher::Config::default());
            let mut instances = instances.applied_objects().boxed();
            while applied.len() < chosen.len() {
                let instance = instances.next().await.expect("it goes on").expect("a change");
                let number = number_of(instance.metadata.name.as_deref().expect("a name"));
                if chosen.contains(&number) && has_applied(&instance) {
                    applied.entry(number).or_insert_with(Instant::now);
                }
            }
        };
        let both = async { tokio::join!(change, watch) };
        let (changed, ()) =
            tokio::time::timeout(self.patience, both).await.expect("all changes are made in time");
        p95(applied.into_iter().map(|(number, at)| at - changed[&number]).collect())
    }

    /// Takes the agents away.
    pub async fn end(self) {
        let namespaces = self.cluster.everywhere("v1", "Namespace", "namespaces");
        let name = self.cluster.namespace.clone();
        self.cluster.clone().end().await;
        let gone = async || namespaces.get_opt(&name).await.expect("an answer").is_none();
        self.cluster.until_within(self.patience, "the namespace is gone", gone).await;
        drop(self.operator);
    }
}

/// Whether the newest spec is the one that the agent runs with.
fn has_applied(instance: &DynamicObject) -> bool {
    let status = &instance.data["status"];
    let config = &status["config"];
    status["observedGeneration"] == json!(instance.metadata.generation)
        && instance.data["spec"]["config"]["raw"]["session"]["scope"] == "global"
        && config["renderedHash"].is_string()
        && config["appliedHash"] == config["renderedHash"]
}

fn agent(number: usize) -> serde_json::Value {
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["metadata"]["name"] = json!(name_of(number));
    instance
}

fn name_of(number: usize) -> String {
    format!("agent-{number}")
}

fn number_of(name: &str) -> usize {
    name.trim_start_matches("agent-").parse().expect("a number")
}

/// The time within which nineteen of twenty were done, in seconds.
fn p95(mut times: Vec<Duration>) -> f64 {
    times.sort();
    let rank = (times.len() * 95).div_ceil(100);
    times[rank - 1].as_secs_f64()
}
