//! The pods of every instance.

use std::collections::{BTreeMap, BTreeSet};

use openclaw_render::{Pod, pod_facts};
use serde_json::Value;

use super::decoded;
use crate::live::{InstanceKey, version};

struct Entry {
    facts: Pod,
    version: u64,
}

#[derive(Default)]
pub(super) struct Pods(BTreeMap<InstanceKey, BTreeMap<String, Entry>>);

impl Pods {
    pub(super) fn of(&self, key: &InstanceKey) -> Vec<Pod> {
        let pods = self.0.get(key).into_iter().flatten();
        pods.map(|(_, pod)| pod.facts.clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// The instance, if the pod is news to it.
    pub(super) fn put(&mut self, instance: InstanceKey, live: &Value) -> Option<InstanceKey> {
        let pod: k8s_openapi::api::core::v1::Pod = decoded(live)?;
        let version = version(pod.metadata.resource_version.as_deref().unwrap_or_default());
        let entry = Entry { facts: pod_facts(&pod), version };
        let pods = self.0.entry(instance.clone()).or_default();
        let known = pods.get(&entry.facts.name);
        if known.is_some_and(|known| known.version > version) {
            return None;
        }
        let same = known.is_some_and(|known| known.facts == entry.facts);
        pods.insert(entry.facts.name.clone(), entry);
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
