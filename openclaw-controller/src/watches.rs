//! Watches: they feed the cache, and wake the instances that should look.
//!
//! Every watch is the same loop over a [`Feed`]; what differs is where its objects go, a [`Sink`].

mod defaults;
mod instances;
mod optional;
mod owned;
mod pods;
mod references;
mod requests;
mod shared_storage;
mod single;
mod synced;

use std::sync::Arc;

use futures::StreamExt;
use kube::runtime::watcher::Event;
use openclaw_render::vocab::{labels, names};
use openclaw_render::{Fact, Kind, bounded};
use serde_json::Value;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::answer::Reader;
use crate::cache::Of;
use crate::cluster::{AGENTS, CLUSTER_DEFAULTS, INSTANCES, JOBS, PODS, REQUESTS, Resource};
use crate::context::Context;
use crate::feed::{Feed, Item};
use crate::live::InstanceKey;
use crate::queue::Front;

pub(crate) use synced::Synced;

/// Where the objects of a watch go.
trait Sink: Send + 'static {
    /// A list begins, the first one or another after a failure.
    fn begin(&mut self);

    /// The list names an object, which is then seen.
    fn list(&mut self, item: &Item);

    /// An object is there, new or changed.
    fn see(&mut self, item: &Item);

    /// An object was deleted.
    fn lose(&mut self, item: &Item);

    /// The list is complete: what it did not name is gone.
    fn end(&mut self);
}

/// Which objects are watched, and what of them.
#[derive(Default)]
struct Selection {
    labels: Option<String>,
    fields: Option<String>,
    metadata_only: bool,
    /// What it is called besides its kind.
    called: &'static str,
}

/// What every watch feeds.
#[derive(Clone)]
pub(crate) struct Watches {
    pub(crate) reader: Reader,
    pub(crate) context: Arc<Context>,
    pub(crate) synced: Arc<Synced>,
}

impl Watches {
    /// Starts every watch of every scope, see [`crate::settings::Settings::scopes`]. The tasks run
    /// until the set is dropped.
    pub(crate) fn start(&self, scopes: &[Option<String>]) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for namespace in scopes {
            self.start_in(namespace.as_ref(), &mut tasks);
        }
        self.start_shared_storage(&mut tasks);
        if scopes.contains(&None) {
            let fields = Some(format!("metadata.name={}", defaults::NAME));
            let selection = Selection { fields, ..Selection::default() };
            let sink = defaults::sink(self.clone());
            self.watch(&mut tasks, CLUSTER_DEFAULTS, None, selection, sink);
        } else {
            info!("OpenClawClusterDefaults are not read: only some namespaces are watched");
            self.context.cache.set_cluster_defaults(Fact::Absent);
        }
        tasks
    }

    /// Nobody waits for it: where the operator may not read that Secret, all else goes on.
    fn start_shared_storage(&self, tasks: &mut JoinSet<()>) {
        let settings = &self.context.settings;
        if settings.backup_share_with.is_empty() {
            return;
        }
        let selection = Selection {
            fields: Some(format!("metadata.name={}", settings.backup_secret)),
            metadata_only: true,
            called: " of the shared storage",
            ..Selection::default()
        };
        let place = Some(&settings.operator_namespace);
        let (label, feed) = self.feed(Kind::Secret.into(), place, selection);
        let sink = shared_storage::source(self.clone());
        tasks.spawn(self.clone().run(Kind::Secret.as_str(), label, feed, sink));
    }

    fn start_in(&self, namespace: Option<&String>, tasks: &mut JoinSet<()>) {
        let labelled = |label: &str, value: &str| Selection {
            labels: Some(format!("{label}={value}")),
            ..Selection::default()
        };
        let instances = |front| instances::Instances::new(self.clone(), front, namespace.cloned());
        let sink = instances(Front::Instance);
        self.watch(tasks, INSTANCES, namespace, Selection::default(), sink);
        let (_, feed) = self.feed(AGENTS, namespace, Selection::default());
        let optional = optional::Optional::new(self.clone(), AGENTS.kind, namespace.cloned());
        tasks.spawn(optional.run(feed, instances(Front::Agent)));
        let (_, feed) = self.feed(REQUESTS, namespace, Selection::default());
        let optional = optional::Optional::new(self.clone(), REQUESTS.kind, namespace.cloned());
        tasks.spawn(optional.run(feed, requests::Requests::new(self.clone(), namespace.cloned())));
        for kind in Kind::ALL {
            let ours = labelled(labels::MANAGED_BY, labels::MANAGED_BY_VALUE);
            let sink = owned::Owned::new(self.clone(), *kind, namespace.cloned());
            if kind.project().is_some() {
                let (_, feed) = self.feed((*kind).into(), namespace, ours);
                let optional =
                    optional::Optional::new(self.clone(), kind.as_str(), namespace.cloned());
                tasks.spawn(optional.of(*kind).run(feed, sink));
            } else {
                self.watch(tasks, (*kind).into(), namespace, ours, sink);
            }
        }
        let agents = labelled(labels::NAME, labels::NAME_VALUE);
        let sink = pods::Pods::new(self.clone(), Of::Agents, namespace.cloned());
        self.watch(tasks, PODS, namespace, agents, sink);
        for (of, resource) in [(Of::Backups, PODS), (Of::Jobs, JOBS)] {
            let backups = labelled(labels::NAME, labels::BACKUP_NAME_VALUE);
            let backups = Selection { called: " of backups", ..backups };
            let sink = pods::Pods::new(self.clone(), of, namespace.cloned());
            self.watch(tasks, resource, namespace, backups, sink);
        }
        let copies = Selection {
            metadata_only: true,
            called: " with copies of the shared storage",
            fields: Some(format!("metadata.name={}", names::SHARED_BACKUP)),
            ..labelled(labels::SHARED_BACKUP, "true")
        };
        let sink = shared_storage::Copies::new(self.clone(), namespace.cloned());
        self.watch(tasks, Kind::Secret.into(), namespace, copies, sink);
        for kind in [Kind::Secret, Kind::ConfigMap] {
            let metadata =
                Selection { metadata_only: true, called: " metadata", ..Selection::default() };
            let sink = references::References::new(self.clone(), kind, namespace.cloned());
            self.watch(tasks, kind.into(), namespace, metadata, sink);
        }
    }

    /// Starts one watch.
    fn watch(
        &self,
        tasks: &mut JoinSet<()>,
        resource: Resource,
        namespace: Option<&String>,
        selection: Selection,
        sink: impl Sink,
    ) {
        let (label, feed) = self.feed(resource, namespace, selection);
        self.synced.expect(&label);
        tasks.spawn(self.clone().run(resource.kind, label, feed, sink));
    }

    /// Returns a feed, and what it is called.
    fn feed(
        &self,
        resource: Resource,
        namespace: Option<&String>,
        selection: Selection,
    ) -> (String, Feed) {
        let Selection { labels, fields, metadata_only, called } = selection;
        let place = namespace.map(|namespace| format!(" of {namespace}")).unwrap_or_default();
        let label = format!("{}{called}{place}", resource.kind);
        let path = resource.path(namespace.map(String::as_str));
        (label, Feed { reader: self.reader.clone(), path, labels, fields, metadata_only })
    }

    /// Hands everything that a feed delivers to the sink; failures are reported and tried again.
    async fn run(self, kind: &'static str, label: String, feed: Feed, mut sink: impl Sink) {
        let mut events = feed.events();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if deliver(event, &mut sink) {
                        self.synced.reached(&label);
                    }
                }
                Err(error) => {
                    self.context.metrics.watch_failed(kind);
                    warn!(watch = label, %error, "a watch broke off and is begun again");
                }
            }
        }
    }

    /// That of an instance is gone.
    fn forget(&self, key: &InstanceKey, front: Front) {
        match front {
            Front::Instance => self.context.forget_instance(key),
            Front::Agent => self.context.agents.forget(key),
            // They are forgotten one by one.
            Front::Requests => {}
        }
        // Afterwards: whoever is left and looks does not see it any more.
        self.context.queue.forget(key, front);
    }

    fn wake(&self, keys: impl IntoIterator<Item = InstanceKey>) {
        keys.into_iter().for_each(|key| self.context.queue.wake(&key));
    }
}

/// Hands an event to the sink. Returns whether a list is complete with it.
fn deliver(event: Event<Item>, sink: &mut impl Sink) -> bool {
    let is_complete = matches!(event, Event::InitDone);
    match event {
        Event::Init => sink.begin(),
        Event::InitApply(item) => {
            sink.list(&item);
            sink.see(&item);
        }
        Event::Apply(item) => sink.see(&item),
        Event::Delete(item) => sink.lose(&item),
        Event::InitDone => sink.end(),
    }
    is_complete
}

fn key_of(item: &Item) -> (String, String) {
    (item.namespace.clone(), item.name.clone())
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

#[cfg(test)]
mod tests;
