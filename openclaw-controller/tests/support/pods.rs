//! Counts the pods of a StatefulSet, those that are gone included.

use std::sync::{Arc, Mutex};

use futures::StreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::task::JoinHandle;

use super::cluster::Cluster;

/// Watches the one pod of a namespace until it is dropped.
pub struct Pods {
    revisions: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Pods {
    pub fn watch(cluster: &Cluster) -> Self {
        let revisions = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&revisions);
        let mut events = watcher(cluster.pods(), watcher::Config::default()).boxed();
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let pod = match event.expect("the API server is there") {
                    Event::Apply(pod) | Event::InitApply(pod) => pod,
                    Event::Delete(_) | Event::Init | Event::InitDone => continue,
                };
                let labels = pod.metadata.labels.unwrap_or_default();
                let revision = labels.get("controller-revision-hash").cloned();
                seen.lock().expect("no panic").extend(revision);
            }
        });
        Self { revisions, task }
    }

    /// How many there were so far, each from another template than the one before it. The
    /// StatefulSet controller now and then makes one twice: it deletes the old one by its name, once
    /// more when the new one is there already. The operator may not delete pods.
    pub fn count(&self) -> usize {
        let mut revisions = self.revisions.lock().expect("no panic").clone();
        revisions.dedup();
        revisions.len()
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.task.abort();
    }
}
