//! The instances, and the agents that stand for some: each change gives them a pass.

use std::collections::BTreeSet;

use super::{Sink, Watches};
use crate::feed::Item;
use crate::instance_text::InstanceText;
use crate::instances;
use crate::live::InstanceKey;
use crate::queue::Front;

pub(super) struct Instances {
    watches: Watches,
    front: Front,
    namespace: Option<String>,
    /// Known before the list that is under way, and not named by it yet.
    missing: BTreeSet<InstanceKey>,
}

impl Instances {
    pub(super) fn new(watches: Watches, front: Front, namespace: Option<String>) -> Self {
        Self { watches, front, namespace, missing: BTreeSet::new() }
    }

    fn texts(&self) -> &instances::Instances {
        match self.front {
            Front::Instance | Front::Requests => &self.watches.context.instances,
            Front::Agent => &self.watches.context.agents.texts,
        }
    }
}

impl Sink for Instances {
    fn begin(&mut self) {
        self.missing = self.texts().keys(self.namespace.as_deref()).into_iter().collect();
    }

    fn list(&mut self, item: &Item) {
        self.missing.remove(&key_of(item));
    }

    fn see(&mut self, item: &Item) {
        let instance = InstanceText::from(item);
        let key = instance.key.clone();
        if self.front == Front::Instance {
            self.watches.context.metrics.know(&key);
        }
        let changed = instance.is_changed();
        if self.texts().watched(instance) {
            self.watches.context.queue.see(&key, self.front, changed);
        }
    }

    fn lose(&mut self, item: &Item) {
        self.watches.forget(&key_of(item), self.front);
    }

    fn end(&mut self) {
        for key in std::mem::take(&mut self.missing) {
            self.watches.forget(&key, self.front);
        }
    }
}

fn key_of(item: &Item) -> InstanceKey {
    InstanceKey { namespace: item.namespace.clone(), name: item.name.clone() }
}
