//! Counts the pods of a namespace, those that are gone included.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::task::JoinHandle;

use super::cluster::Cluster;

/// Watches until it is dropped.
pub struct Pods {
    uids: Arc<Mutex<BTreeSet<String>>>,
    task: JoinHandle<()>,
}

impl Pods {
    pub fn watch(cluster: &Cluster) -> Self {
        let uids = Arc::<Mutex<BTreeSet<String>>>::default();
        let known = Arc::clone(&uids);
        let mut events = watcher(cluster.pods(), watcher::Config::default()).boxed();
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let pod = match event.expect("the API server is there") {
                    Event::Apply(pod) | Event::InitApply(pod) | Event::Delete(pod) => pod,
                    Event::Init | Event::InitDone => continue,
                };
                known.lock().expect("no panic").extend(pod.metadata.uid);
            }
        });
        Self { uids, task }
    }

    /// How many there were so far.
    pub fn count(&self) -> usize {
        self.uids.lock().expect("no panic").len()
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.task.abort();
    }
}
