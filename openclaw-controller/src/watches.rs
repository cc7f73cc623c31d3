//! Watches: they feed the cache, and wake the instances that should look.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DynamicObject, PartialObjectMeta};
use kube::runtime::reflector::Store;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Config, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Client};
use openclaw_render::api::OpenClawClusterDefaults;
use openclaw_render::vocab::{PREVIOUS_MANAGERS, labels};
use openclaw_render::{Fact, Kind, ObjectKey};
use serde_json::Value;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::cache::{self, Cache, InstanceKey, Reference};
use crate::cluster::{CLUSTER_DEFAULTS, INSTANCES, PODS, Resource};
use crate::context::{self, Written};
use crate::instance::{is_changed, key_of};
use crate::metrics::Metrics;
use crate::questions::Questions;
use crate::queue::Queue;

/// Objects of one page of a list: bounds the memory that a first list takes.
const PAGE: u32 = 50;
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
    pub(crate) client: Client,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) written: Arc<Written>,
    pub(crate) questions: Arc<Questions>,
    pub(crate) synced: Arc<Synced>,
}

impl Watches {
    /// Starts every watch of every scope, see [`crate::settings::Settings::scopes`]: the instances of
    /// each, and the tasks, which run until the set is dropped.
    pub(crate) fn start(
        &self,
        scopes: Vec<Option<String>>,
    ) -> (Vec<Store<DynamicObject>>, JoinSet<()>) {
        let mut tasks = JoinSet::new();
        let everywhere = scopes.contains(&None);
        let mut stores = Vec::new();
        for namespace in scopes {
            let writer = Writer::new(INSTANCES.to_api_resource());
            stores.push(writer.as_reader());
            self.start_in(namespace, writer, &mut tasks);
        }
        if everywhere {
            self.synced.expect(CLUSTER_DEFAULTS.kind);
            tasks.spawn(self.clone().cluster_defaults(stores.clone()));
        } else {
            info!("OpenClawClusterDefaults are not read: only some namespaces are watched");
            self.cache.set_cluster_defaults(Fact::Absent);
        }
        (stores, tasks)
    }

    fn start_in(
        &self,
        namespace: Option<String>,
        writer: Writer<DynamicObject>,
        tasks: &mut JoinSet<()>,
    ) {
        let place = namespace.as_deref();
        self.synced.expect(&label(INSTANCES.kind, place));
        tasks.spawn(self.clone().instances(namespace.clone(), writer));
        for kind in Kind::ALL {
            self.synced.expect(&label(kind.as_str(), place));
            tasks.spawn(self.clone().objects(*kind, namespace.clone()));
        }
        self.synced.expect(&label(PODS.kind, place));
        tasks.spawn(self.clone().pods(namespace.clone()));
        for kind in [Kind::Secret, Kind::ConfigMap] {
            self.synced.expect(&label(&metadata_of(kind), place));
        }
        tasks.spawn(self.clone().references::<Secret>(Kind::Secret, namespace.clone()));
        tasks.spawn(self.clone().references::<ConfigMap>(Kind::ConfigMap, namespace));
    }

    async fn instances(self, namespace: Option<String>, mut writer: Writer<DynamicObject>) {
        let label = label(INSTANCES.kind, namespace.as_deref());
        let store = writer.as_reader();
        let mut known = BTreeSet::new();
        let mut stream =
            self.stream(INSTANCES, namespace.as_deref(), Config::default()).modify(lean);
        while let Some(event) = self.next(&mut stream, INSTANCES.kind, &label).await {
            writer.apply_watcher_event(&event);
            match event {
                Event::Init => known = store.state().iter().map(|each| key_of(each)).collect(),
                Event::InitApply(object) | Event::Apply(object) => {
                    let key = key_of(&object);
                    known.remove(&key);
                    self.metrics.know(&key);
                    if self.written.watched(&key, &object) {
                        self.queue.see(&key, is_changed(&object));
                    }
                }
                Event::Delete(object) => self.forget(&key_of(&object)),
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
        context::forget(key, &self.cache, &self.written, &self.questions, &self.metrics);
    }

    async fn objects(self, kind: Kind, namespace: Option<String>) {
        let label = label(kind.as_str(), namespace.as_deref());
        let selector = format!("{}={}", labels::MANAGED_BY, labels::MANAGED_BY_VALUE);
        let config = Config::default().labels(&selector);
        let mut missing = BTreeMap::new();
        let mut stream = self.stream(kind.into(), namespace.as_deref(), config);
        while let Some(event) = self.next(&mut stream, kind.as_str(), &label).await {
            match event {
                Event::Init => missing = self.cache.versions(kind, namespace.as_deref()),
                Event::InitApply(object) => {
                    missing.remove(&place_of(&object));
                    self.wake(self.cache.put(kind, &value(kind.into(), object)));
                }
                Event::Apply(object) => {
                    self.wake(self.cache.put(kind, &value(kind.into(), object)));
                }
                Event::Delete(object) => {
                    let (namespace, name) = place_of(&object);
                    let at = cache::version(&object.metadata.resource_version.unwrap_or_default());
                    self.wake(self.cache.remove(&namespace, &ObjectKey::new(kind, name), at));
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

    async fn pods(self, namespace: Option<String>) {
        let label = label(PODS.kind, namespace.as_deref());
        let selector = format!("{}={}", labels::NAME, labels::NAME_VALUE);
        let config = Config::default().labels(&selector);
        let mut listed = BTreeSet::new();
        let mut stream = self.stream(PODS, namespace.as_deref(), config);
        while let Some(event) = self.next(&mut stream, PODS.kind, &label).await {
            match event {
                Event::Init => listed.clear(),
                Event::InitApply(object) => {
                    listed.insert(place_of(&object));
                    self.wake(self.cache.put_pod(&value(PODS, object)));
                }
                Event::Apply(object) => self.wake(self.cache.put_pod(&value(PODS, object))),
                Event::Delete(object) => self.wake(self.cache.remove_pod(&value(PODS, object))),
                Event::InitDone => {
                    self.wake(self.cache.retain_pods(namespace.as_deref(), &listed));
                    self.synced.reached(&label);
                }
            }
        }
    }

    /// Metadata alone: contents are read when a plan asks for them.
    async fn references<K>(self, kind: Kind, namespace: Option<String>)
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + Send
            + 'static,
    {
        let name = metadata_of(kind);
        let label = label(&name, namespace.as_deref());
        let api: Api<PartialObjectMeta<K>> = match namespace.as_deref() {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let mut stream = watch(api, Config::default().page_size(PAGE)).default_backoff().boxed();
        let mut listed = BTreeSet::new();
        while let Some(event) = self.next(&mut stream, kind.as_str(), &label).await {
            let (metadata, is_listed, at_its_end) = match event {
                Event::Init => {
                    listed.clear();
                    continue;
                }
                Event::InitApply(object) => (object.metadata, true, false),
                Event::Apply(object) => (object.metadata, false, false),
                Event::Delete(object) => (object.metadata, false, true),
                Event::InitDone => {
                    let gone = self.cache.touch_missing(kind, namespace.as_deref(), &listed);
                    self.wake(gone);
                    self.synced.reached(&label);
                    listed = BTreeSet::new();
                    continue;
                }
            };
            let reference = Reference {
                kind,
                namespace: metadata.namespace.unwrap_or_default(),
                name: metadata.name.unwrap_or_default(),
            };
            if is_listed {
                listed.insert((reference.namespace.clone(), reference.name.clone()));
            }
            let at = metadata.resource_version.as_deref().map(cache::version);
            self.wake(self.cache.touch(&reference, at.filter(|_| !at_its_end)));
        }
    }

    async fn cluster_defaults(self, stores: Vec<Store<DynamicObject>>) {
        let selector = format!("metadata.name={CLUSTER_DEFAULTS_NAME}");
        let config = Config::default().fields(&selector);
        let mut listed = false;
        let mut stream = self.stream(CLUSTER_DEFAULTS, None, config);
        while let Some(event) =
            self.next(&mut stream, CLUSTER_DEFAULTS.kind, CLUSTER_DEFAULTS.kind).await
        {
            let fact = match event {
                Event::Init => {
                    listed = false;
                    continue;
                }
                Event::InitApply(object) | Event::Apply(object) => {
                    listed = true;
                    match decode_defaults(object) {
                        Some(defaults) => Fact::Known(defaults),
                        None => continue,
                    }
                }
                Event::Delete(_) => Fact::Absent,
                Event::InitDone => {
                    if !listed && self.cache.set_cluster_defaults(Fact::Absent) {
                        wake_all(&stores, &self.queue);
                    }
                    self.synced.reached(CLUSTER_DEFAULTS.kind);
                    continue;
                }
            };
            if self.cache.set_cluster_defaults(fact) {
                wake_all(&stores, &self.queue);
            }
        }
    }

    fn stream(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        config: Config,
    ) -> impl Stream<Item = watcher::Result<Event<DynamicObject>>> + Unpin + use<> {
        let kind = resource.to_api_resource();
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind),
            None => Api::all_with(self.client.clone(), &kind),
        };
        watch(api, config.page_size(PAGE)).default_backoff().boxed()
    }

    /// The next event; failures are reported and tried again.
    async fn next<T>(
        &self,
        stream: &mut (impl Stream<Item = watcher::Result<Event<T>>> + Unpin),
        kind: &'static str,
        watch: &str,
    ) -> Option<Event<T>> {
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

/// Namespace and name.
fn place_of(object: &DynamicObject) -> (String, String) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&object.metadata.namespace), text(&object.metadata.name))
}

/// What is waited for, for people.
fn label(kind: &str, namespace: Option<&str>) -> String {
    namespace.map_or(kind.to_owned(), |namespace| format!("{kind} of {namespace}"))
}

fn metadata_of(kind: Kind) -> String {
    format!("{kind} metadata")
}

/// Of who set which field of an instance, only a previous operator's part is asked for.
fn lean(object: &mut DynamicObject) {
    let entries = object.metadata.managed_fields.get_or_insert_default();
    entries.retain(|it| PREVIOUS_MANAGERS.contains(&it.manager.as_deref().unwrap_or_default()));
}

/// Items of a list do not say what they are.
fn value(resource: Resource, mut object: DynamicObject) -> Value {
    object.types.get_or_insert_with(|| kube::core::TypeMeta {
        api_version: resource.api_version.to_owned(),
        kind: resource.kind.to_owned(),
    });
    serde_json::to_value(object).unwrap_or_default()
}

/// Defaults that do not decode leave the last known ones in force.
fn decode_defaults(object: DynamicObject) -> Option<OpenClawClusterDefaults> {
    let decoded = serde_json::from_value(value(CLUSTER_DEFAULTS, object));
    decoded
        .inspect_err(|error| {
            warn!(%error, "OpenClawClusterDefaults/cluster does not decode: its last content stays");
        })
        .ok()
}

fn wake_all(stores: &[Store<DynamicObject>], queue: &Queue) {
    for object in stores.iter().flat_map(Store::state) {
        queue.wake(&key_of(&object));
    }
}
