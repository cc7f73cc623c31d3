//! What is kept of the pods of every instance, and of Jobs.

use std::collections::{BTreeMap, BTreeSet};

use openclaw_render::{
    BackupJob, BackupPod, Pod, backup_job_facts, backup_pod_facts, is_agents_pod,
    labelled_instance, pod_facts,
};
use serde_json::Value;

use super::{Cache, decoded, in_namespace_of};
use crate::live::{InstanceKey, text, version};

/// What is kept of an object.
pub(super) trait Facts: Clone + PartialEq {
    /// Takes them out of a live object.
    fn read(live: &Value) -> Option<Self>;
}

impl Facts for Pod {
    fn read(live: &Value) -> Option<Self> {
        decoded(live).as_ref().map(pod_facts)
    }
}

impl Facts for BackupPod {
    fn read(live: &Value) -> Option<Self> {
        decoded(live).as_ref().map(backup_pod_facts)
    }
}

impl Facts for BackupJob {
    fn read(live: &Value) -> Option<Self> {
        decoded(live).as_ref().map(backup_job_facts)
    }
}

struct Entry<F> {
    facts: F,
    version: u64,
}

pub(super) struct Pods<F>(BTreeMap<InstanceKey, BTreeMap<String, Entry<F>>>);

impl<F> Default for Pods<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Facts> Pods<F> {
    pub(super) fn of(&self, key: &InstanceKey) -> Vec<F> {
        let pods = self.0.get(key).into_iter().flatten();
        pods.map(|(_, pod)| pod.facts.clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// The instance, if the pod is news to it.
    pub(super) fn put(&mut self, instance: InstanceKey, live: &Value) -> Option<InstanceKey> {
        let facts = F::read(live)?;
        let name = text(live, "name")?.to_owned();
        let version = version(text(live, "resourceVersion").unwrap_or_default());
        let entry = Entry { facts, version };
        let pods = self.0.entry(instance.clone()).or_default();
        let known = pods.get(&name);
        if known.is_some_and(|known| known.version > version) {
            return None;
        }
        let same = known.is_some_and(|known| known.facts == entry.facts);
        pods.insert(name, entry);
        (!same).then_some(instance)
    }

    /// The instance that it was of, if it was known.
    pub(super) fn remove(&mut self, instance: InstanceKey, name: &str) -> Option<InstanceKey> {
        let pods = self.0.get_mut(&instance)?;
        pods.remove(name)?;
        if pods.is_empty() {
            self.0.remove(&instance);
        }
        Some(instance)
    }

    /// Takes out every pod that a complete list did not name. The instances that lost one.
    pub(super) fn retain(
        &mut self,
        namespace: Option<&str>,
        listed: &BTreeSet<(String, String)>,
    ) -> Vec<InstanceKey> {
        let mut changed = Vec::new();
        self.0.retain(|instance, pods| {
            if namespace.is_none_or(|namespace| namespace == instance.namespace) {
                let before = pods.len();
                pods.retain(|name, _| listed.contains(&(instance.namespace.clone(), name.clone())));
                if pods.len() != before {
                    changed.push(instance.clone());
                }
            }
            !pods.is_empty()
        });
        changed
    }
}

/// Pods, and Jobs, each kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// Pods of agents.
    Agents,
    /// Pods that make backups.
    Backups,
    /// Jobs that make backups.
    Jobs,
}

impl Cache {
    /// Takes in a pod. The instance that should look at it, if it is news.
    pub(crate) fn put_pod(&self, live: &Value) -> Option<InstanceKey> {
        let instance = instance_of_pod(live)?;
        let mut state = self.state();
        if is_agents_pod(live) {
            state.pods.put(instance, live)
        } else {
            // It may have been one of the agent's.
            state.pods.remove(instance, text(live, "name")?)
        }
    }

    /// Takes in a pod or Job that makes a backup. The instance that should look at it, if it is news.
    pub(crate) fn put_backup(&self, of: Of, live: &Value) -> Option<InstanceKey> {
        let instance = instance_of_pod(live)?;
        let mut state = self.state();
        match of {
            Of::Agents => None,
            Of::Backups => state.backup_pods.put(instance, live),
            Of::Jobs => state.backup_jobs.put(instance, live),
        }
    }

    /// Takes out a pod or Job that is gone.
    pub(crate) fn remove_pod(&self, of: Of, live: &Value) -> Option<InstanceKey> {
        let (instance, name) = (instance_of_pod(live)?, text(live, "name")?);
        let mut state = self.state();
        match of {
            Of::Agents => state.pods.remove(instance, name),
            Of::Backups => state.backup_pods.remove(instance, name),
            Of::Jobs => state.backup_jobs.remove(instance, name),
        }
    }

    /// Takes out every pod or Job that a complete list did not name.
    pub(crate) fn retain_pods(
        &self,
        of: Of,
        namespace: Option<&str>,
        listed: &BTreeSet<(String, String)>,
    ) -> Vec<InstanceKey> {
        let mut state = self.state();
        match of {
            Of::Agents => state.pods.retain(namespace, listed),
            Of::Backups => state.backup_pods.retain(namespace, listed),
            Of::Jobs => state.backup_jobs.retain(namespace, listed),
        }
    }
}

fn instance_of_pod(live: &Value) -> Option<InstanceKey> {
    in_namespace_of(live, labelled_instance(live)?)
}
