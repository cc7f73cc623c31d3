//! The pods of instances.

use std::collections::BTreeSet;

use super::{Sink, Watches, key_of, value};
use crate::cluster::PODS;
use crate::feed::Item;

pub(super) struct Pods {
    watches: Watches,
    namespace: Option<String>,
    /// Named by the list that is under way.
    listed: BTreeSet<(String, String)>,
}

impl Pods {
    pub(super) fn new(watches: Watches, namespace: Option<String>) -> Self {
        Self { watches, namespace, listed: BTreeSet::new() }
    }
}

impl Sink for Pods {
    fn begin(&mut self) {
        self.listed.clear();
    }

    fn list(&mut self, item: &Item) {
        self.listed.insert(key_of(item));
    }

    fn see(&mut self, item: &Item) {
        let woken = value(PODS, item).and_then(|pod| self.watches.context.cache.put_pod(&pod));
        self.watches.wake(woken);
    }

    fn lose(&mut self, item: &Item) {
        let woken = value(PODS, item).and_then(|pod| self.watches.context.cache.remove_pod(&pod));
        self.watches.wake(woken);
    }

    fn end(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        self.watches
            .wake(self.watches.context.cache.retain_pods(self.namespace.as_deref(), &listed));
    }
}
