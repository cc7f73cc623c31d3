//! Watches: they feed the cache, and wake the instances that should look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::runtime::watcher::Event;
use openclaw_render::api::OpenClawClusterDefaults;
use openclaw_render::vocab::labels;
use openclaw_render::{Fact, Kind, ObjectKey, bounded};
use serde_json::Value;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::answer::Reader;
use crate::cache::{Cache, InstanceKey, Reference};
use crate::cluster::{CLUSTER_DEFAULTS, INSTANCES, PODS, Resource};
use crate::context;
use crate::feed::{Feed, FeedError, Item};
use crate::instances::{InstanceText, Instances};
use crate::metrics::Metrics;
use crate::questions::Questions;
use crate::queue::Queue;

/// The only ClusterDefaults that count.
const CLUSTER_DEFAULTS_NAME: &str = "cluster";

/// Which watches have delivered their first list.
#[derive(Default)]
pub(crate) struct Synced {
    missing: Mutex<BTreeSet<String>>,
    done: tokio::sync::Notify,
}

impl Synced {
    pub(crate) fn missing(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    /// Returns once every watch has.
    pub(crate) async fn wait(&self) {
        loop {
            let done = self.done.notified();
            if self.lock().is_empty() {
                return;
            }
            done.await;
        }
    }

    fn expect(&self, name: &str) {
        self.lock().insert(name.to_owned());
    }

    fn reached(&self, name: &str) {
        let mut missing = self.lock();
        if missing.remove(name) && missing.is_empty() {
            self.done.notify_waiters();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every watch feeds.
#[derive(Clone)]
pub(crate) struct Watches {
    pub(crate) reader: Reader,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) instances: Arc<Instances>,
    pub(crate) questions: Arc<Questions>,
    pub(crate) synced: Arc<Synced>,
}

impl Watches {
    /// Starts every watch of every scope, see [`crate::settings::Settings::scopes`]. The tasks run
    /// until the set is dropped.
    pub(crate) fn start(&self, scopes: &[Option<String>]) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let everywhere = scopes.contains(&None);
        for namespace in scopes {
            self.start_in(namespace.as_ref(), &mut tasks);
        }
        if everywhere {
            self.synced.expect(CLUSTER_DEFAULTS.kind);
            tasks.spawn(self.clone().cluster_defaults());
        } else {
            info!("OpenClawClusterDefaults are not read: only some namespaces are watched");
            self.cache.set_cluster_defaults(Fact::Absent);
        }
        tasks
    }

    fn start_in(&self, namespace: Option<&String>, tasks: &mut JoinSet<()>) {
        let place = namespace.map(String::as_str);
        self.synced.expect(&label(INSTANCES.kind, place));
        tasks.spawn(self.clone().instances(namespace.cloned()));
        for kind in Kind::ALL {
            self.synced.expect(&label(kind.as_str(), place));
            tasks.spawn(self.clone().objects(*kind, namespace.cloned()));
        }
        self.synced.expect(&label(PODS.kind, place));
        tasks.spawn(self.clone().pods(namespace.cloned()));
        for kind in [Kind::Secret, Kind::ConfigMap] {
            self.synced.expect(&label(&metadata_of(kind), place));
            tasks.spawn(self.clone().references(kind, namespace.cloned()));
        }
    }

    async fn instances(self, namespace: Option<String>) {
        let label = label(INSTANCES.kind, namespace.as_deref());
        let mut known = BTreeSet::new();
        let mut stream = self.feed(INSTANCES, namespace.as_deref()).events();
        while let Some(event) = self.next(&mut stream, INSTANCES.kind, &label).await {
            match event {
                Event::Init => {
                    known = self.instances.keys(namespace.as_deref()).into_iter().collect();
                }
                Event::InitApply(item) | Event::Apply(item) => {
                    let instance = InstanceText::from(&item);
                    let key = instance.key.clone();
                    known.remove(&key);
                    self.metrics.know(&key);
                    let changed = instance.is_changed();
                    if self.instances.watched(instance) {
                        self.queue.see(&key, changed);
                    }
                }
                Event::Delete(item) => self.forget(&key_of(&item)),
                Event::InitDone => {
                    for key in std::mem::take(&mut known) {
                        self.forget(&key);
                    }
                    self.synced.reached(&label);
                }
            }
        }
    }

    fn forget(&self, key: &InstanceKey) {
        self.queue.forget(key);
        context::forget(key, &self.cache, &self.instances, &self.questions, &self.metrics);
    }

    async fn objects(self, kind: Kind, namespace: Option<String>) {
        let label = label(kind.as_str(), namespace.as_deref());
        let feed = Feed {
            labels: Some(format!("{}={}", labels::MANAGED_BY, labels::MANAGED_BY_VALUE)),
            ..self.feed(kind.into(), namespace.as_deref())
        };
        let mut missing = BTreeMap::new();
        let mut stream = feed.events();
        while let Some(event) = self.next(&mut stream, kind.as_str(), &label).await {
            match event {
                Event::Init => missing = self.cache.versions(kind, namespace.as_deref()),
                Event::InitApply(item) => {
                    missing.remove(&place_of(&item));
                    self.wake(self.take(kind, &item));
                }
                Event::Apply(item) => self.wake(self.take(kind, &item)),
                Event::Delete(item) => {
                    let object = ObjectKey::new(kind, item.name);
                    self.wake(self.cache.remove(&item.namespace, &object, item.version));
                }
                Event::InitDone => {
                    for ((namespace, name), at) in std::mem::take(&mut missing) {
                        self.wake(self.cache.remove(&namespace, &ObjectKey::new(kind, name), at));
                    }
                    self.synced.reached(&label);
                }
            }
        }
    }

    /// The instance that should look. An object that cannot be read is not known any more, and
    /// whoever needs it asks for it.
    fn take(&self, kind: Kind, item: &Item) -> Option<InstanceKey> {
        if let Some(live) = value(kind.into(), item) {
            return self.cache.put(kind, &live);
        }
        let object = ObjectKey::new(kind, item.name.as_str());
        self.cache.remove(&item.namespace, &object, item.version)
    }

    async fn pods(self, namespace: Option<String>) {
        let label = label(PODS.kind, namespace.as_deref());
        let feed = Feed {
            labels: Some(format!("{}={}", labels::NAME, labels::NAME_VALUE)),
            ..self.feed(PODS, namespace.as_deref())
        };
        let mut listed = BTreeSet::new();
        let mut stream = feed.events();
        while let Some(event) = self.next(&mut stream, PODS.kind, &label).await {
            match event {
                Event::Init => listed.clear(),
                Event::InitApply(item) => {
                    listed.insert(place_of(&item));
                    self.wake(value(PODS, &item).and_then(|pod| self.cache.put_pod(&pod)));
                }
                Event::Apply(item) => {
                    self.wake(value(PODS, &item).and_then(|pod| self.cache.put_pod(&pod)));
                }
                Event::Delete(item) => {
                    self.wake(value(PODS, &item).and_then(|pod| self.cache.remove_pod(&pod)));
                }
                Event::InitDone => {
                    self.wake(self.cache.retain_pods(namespace.as_deref(), &listed));
                    self.synced.reached(&label);
                }
            }
        }
    }

    /// Metadata alone: contents are read when a plan asks for them.
    async fn references(self, kind: Kind, namespace: Option<String>) {
        let name = metadata_of(kind);
        let label = label(&name, namespace.as_deref());
        let feed = Feed { metadata_only: true, ..self.feed(kind.into(), namespace.as_deref()) };
        let mut stream = feed.events();
        let mut listed = BTreeSet::new();
        while let Some(event) = self.next(&mut stream, kind.as_str(), &label).await {
            let (item, is_listed, at_its_end) = match event {
                Event::Init => {
                    listed.clear();
                    continue;
                }
                Event::InitApply(item) => (item, true, false),
                Event::Apply(item) => (item, false, false),
                Event::Delete(item) => (item, false, true),
                Event::InitDone => {
                    let gone = self.cache.invalidate_unlisted(kind, namespace.as_deref(), &listed);
                    self.wake(gone);
                    self.synced.reached(&label);
                    listed = BTreeSet::new();
                    continue;
                }
            };
            if is_listed {
                listed.insert(place_of(&item));
            }
            let at = (!at_its_end).then_some(item.version);
            let reference = Reference { kind, namespace: item.namespace, name: item.name };
            self.wake(self.cache.invalidate(&reference, at));
        }
    }

    async fn cluster_defaults(self) {
        let feed = Feed {
            fields: Some(format!("metadata.name={CLUSTER_DEFAULTS_NAME}")),
            ..self.feed(CLUSTER_DEFAULTS, None)
        };
        let mut listed = false;
        let mut stream = feed.events();
        while let Some(event) =
            self.next(&mut stream, CLUSTER_DEFAULTS.kind, CLUSTER_DEFAULTS.kind).await
        {
            let fact = match event {
                Event::Init => {
                    listed = false;
                    continue;
                }
                Event::InitApply(item) | Event::Apply(item) => {
                    listed = true;
                    match decode_defaults(&item) {
                        Some(defaults) => Fact::Known(defaults),
                        None => continue,
                    }
                }
                Event::Delete(_) => Fact::Absent,
                Event::InitDone => {
                    if !listed && self.cache.set_cluster_defaults(Fact::Absent) {
                        self.wake(self.instances.keys(None));
                    }
                    self.synced.reached(CLUSTER_DEFAULTS.kind);
                    continue;
                }
            };
            if self.cache.set_cluster_defaults(fact) {
                self.wake(self.instances.keys(None));
            }
        }
    }

    /// Everything of a resource.
    fn feed(&self, resource: Resource, namespace: Option<&str>) -> Feed {
        Feed {
            reader: self.reader.clone(),
            path: resource.path(namespace),
            labels: None,
            fields: None,
            metadata_only: false,
        }
    }

    /// The next event; failures are reported and tried again.
    async fn next(
        &self,
        stream: &mut BoxStream<'static, Result<Event<Item>, FeedError>>,
        kind: &'static str,
        watch: &str,
    ) -> Option<Event<Item>> {
        loop {
            match stream.next().await? {
                Ok(event) => return Some(event),
                Err(error) => {
                    self.metrics.watch_failed(kind);
                    warn!(watch, %error, "a watch broke off and is begun again");
                }
            }
        }
    }

    fn wake(&self, keys: impl IntoIterator<Item = InstanceKey>) {
        keys.into_iter().for_each(|key| self.queue.wake(&key));
    }
}

fn key_of(item: &Item) -> InstanceKey {
    InstanceKey { namespace: item.namespace.clone(), name: item.name.clone() }
}

/// Namespace and name.
fn place_of(item: &Item) -> (String, String) {
    (item.namespace.clone(), item.name.clone())
}

/// What is waited for, for people.
fn label(kind: &str, namespace: Option<&str>) -> String {
    namespace.map_or(kind.to_owned(), |namespace| format!("{kind} of {namespace}"))
}

fn metadata_of(kind: Kind) -> String {
    format!("{kind} metadata")
}

/// An object within limits. Items of a list do not say what they are.
fn value(resource: Resource, item: &Item) -> Option<Value> {
    match bounded::parse(&item.text) {
        Ok(mut live) => {
            for (field, text) in [("apiVersion", resource.api_version), ("kind", resource.kind)] {
                live.as_object_mut()?.entry(field).or_insert_with(|| text.into());
            }
            Some(live)
        }
        Err(problem) => {
            warn!(
                namespace = item.namespace,
                object = format!("{}/{}", resource.kind, item.name),
                %problem,
                "an object cannot be read and is passed over"
            );
            None
        }
    }
}

/// Defaults that do not decode leave the last known ones in force.
fn decode_defaults(item: &Item) -> Option<OpenClawClusterDefaults> {
    let decoded = serde_json::from_value(value(CLUSTER_DEFAULTS, item)?);
    decoded
        .inspect_err(|error| {
            warn!(%error, "OpenClawClusterDefaults/cluster does not decode: its last content stays");
        })
        .ok()
}
