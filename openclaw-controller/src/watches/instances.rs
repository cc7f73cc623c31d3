//! The instances: each change gives them a pass.

use std::collections::BTreeSet;

use super::{Sink, Watches};
use crate::feed::Item;
use crate::instance_text::InstanceText;
use crate::live::InstanceKey;

pub(super) struct Instances {
    watches: Watches,
    namespace: Option<String>,
    /// Known before the list that is under way, and not named by it yet.
    missing: BTreeSet<InstanceKey>,
}

impl Instances {
    pub(super) fn new(watches: Watches, namespace: Option<String>) -> Self {
        Self { watches, namespace, missing: BTreeSet::new() }
    }
}

impl Sink for Instances {
    fn begin(&mut self) {
        let known = self.watches.context.instances.keys(self.namespace.as_deref());
        self.missing = known.into_iter().collect();
    }

    fn list(&mut self, item: &Item) {
        self.missing.remove(&key_of(item));
    }

    fn see(&mut self, item: &Item) {
        let instance = InstanceText::from(item);
        let key = instance.key.clone();
        self.watches.context.metrics.know(&key);
        let changed = instance.is_changed();
        if self.watches.context.instances.watched(instance) {
            self.watches.context.queue.see(&key, changed);
        }
    }

    fn lose(&mut self, item: &Item) {
        self.watches.forget(&key_of(item));
    }

    fn end(&mut self) {
        for key in std::mem::take(&mut self.missing) {
            self.watches.forget(&key);
        }
    }
}

fn key_of(item: &Item) -> InstanceKey {
    InstanceKey { namespace: item.namespace.clone(), name: item.name.clone() }
}
