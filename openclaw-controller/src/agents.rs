//! The `AgentInstance`s of the cluster, and what became of the instances that were made for them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::instances::Instances;
use crate::live::InstanceKey;

/// See the module.
pub(crate) struct Agents {
    /// As they are stored.
    pub(crate) texts: Instances,
    /// Applies after which the API server had something else than what was sent, as hashes.
    unsettled: Mutex<BTreeMap<InstanceKey, (String, String)>>,
}

impl Default for Agents {
    fn default() -> Self {
        Self { texts: Instances::of_agents(), unsettled: Mutex::default() }
    }
}

impl Agents {
    /// What was applied last, if the API server made something else of it.
    pub(crate) fn unsettled(&self, key: &InstanceKey) -> Option<(String, String)> {
        self.lock().get(key).cloned()
    }

    /// What an apply sent and what is stored, as hashes.
    pub(crate) fn applied(&self, key: &InstanceKey, sent: String, stored: String) {
        if sent == stored {
            self.lock().remove(key);
        } else {
            self.lock().insert(key.clone(), (sent, stored));
        }
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.texts.forget(key);
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceKey, (String, String)>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
