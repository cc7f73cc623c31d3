//! Secrets and ConfigMaps that specs may refer to: metadata alone. Contents are read when a plan asks
//! for them.

use std::collections::BTreeSet;

use openclaw_render::Kind;

use super::{Sink, Watches, key_of};
use crate::cache::Reference;
use crate::feed::Item;

pub(super) struct References {
    watches: Watches,
    kind: Kind,
    namespace: Option<String>,
    /// Named by the list that is under way.
    listed: BTreeSet<(String, String)>,
}

impl References {
    pub(super) fn new(watches: Watches, kind: Kind, namespace: Option<String>) -> Self {
        Self { watches, kind, namespace, listed: BTreeSet::new() }
    }

    fn invalidate(&self, item: &Item, at: Option<u64>) {
        let (namespace, name) = key_of(item);
        let reference = Reference { kind: self.kind, namespace, name };
        self.watches.wake(self.watches.context.cache.invalidate(&reference, at));
    }
}

impl Sink for References {
    fn begin(&mut self) {
        self.listed.clear();
    }

    fn list(&mut self, item: &Item) {
        self.listed.insert(key_of(item));
    }

    fn see(&mut self, item: &Item) {
        self.invalidate(item, Some(item.version));
    }

    fn lose(&mut self, item: &Item) {
        self.invalidate(item, None);
    }

    fn end(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        let namespace = self.namespace.as_deref();
        self.watches
            .wake(self.watches.context.cache.invalidate_unlisted(self.kind, namespace, &listed));
    }
}
