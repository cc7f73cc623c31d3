//! The pods of instances, and the Jobs and pods that make their backups.

use std::collections::BTreeSet;

use super::{Sink, Watches, key_of, value};
use crate::cache::Of;
use crate::cluster::{JOBS, PODS, Resource};
use crate::feed::Item;

pub(super) struct Pods {
    watches: Watches,
    of: Of,
    namespace: Option<String>,
    /// Named by the list that is under way.
    listed: BTreeSet<(String, String)>,
}

impl Pods {
    pub(super) fn new(watches: Watches, of: Of, namespace: Option<String>) -> Self {
        Self { watches, of, namespace, listed: BTreeSet::new() }
    }

    fn resource(&self) -> Resource {
        if self.of == Of::Jobs { JOBS } else { PODS }
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
        let woken = value(self.resource(), item).and_then(|live| {
            let cache = &self.watches.context.cache;
            if self.of == Of::Agents {
                cache.put_pod(&live)
            } else {
                cache.put_backup(self.of, &live)
            }
        });
        self.watches.wake(woken);
    }

    fn lose(&mut self, item: &Item) {
        let woken = value(self.resource(), item)
            .and_then(|live| self.watches.context.cache.remove_pod(self.of, &live));
        self.watches.wake(woken);
    }

    fn end(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        self.watches.wake(self.watches.context.cache.retain_pods(
            self.of,
            self.namespace.as_deref(),
            &listed,
        ));
    }
}
