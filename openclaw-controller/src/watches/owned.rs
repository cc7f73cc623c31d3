//! Objects that instances own: facts about them are kept.

use std::collections::BTreeMap;

use openclaw_render::{Kind, ObjectKey};

use super::{Sink, Watches, key_of, value};
use crate::feed::Item;

pub(super) struct Owned {
    watches: Watches,
    kind: Kind,
    namespace: Option<String>,
    /// Known before the list that is under way, with the version, and not named by it yet. What a
    /// pass makes meanwhile is not among them.
    missing: BTreeMap<(String, String), u64>,
}

impl Owned {
    pub(super) fn new(watches: Watches, kind: Kind, namespace: Option<String>) -> Self {
        Self { watches, kind, namespace, missing: BTreeMap::new() }
    }

    fn remove(&self, namespace: &str, name: &str, at: u64) {
        let object = ObjectKey::new(self.kind, name);
        self.watches.wake(self.watches.context.cache.remove(namespace, &object, at));
    }
}

impl Sink for Owned {
    fn begin(&mut self) {
        self.missing = self.watches.context.cache.versions(self.kind, self.namespace.as_deref());
    }

    /// What is listed is newer than what was known before, unless the cluster was set back.
    fn list(&mut self, item: &Item) {
        let known = self.missing.remove(&key_of(item));
        if let Some(known) = known.filter(|known| *known > item.version) {
            let object = ObjectKey::new(self.kind, item.name.as_str());
            self.watches.context.cache.set_back(&item.namespace, &object, known);
        }
    }

    /// An object that cannot be read is not known any more, and whoever needs it asks for it.
    fn see(&mut self, item: &Item) {
        let object = ObjectKey::new(self.kind, item.name.as_str());
        if self.watches.context.cache.knows(&item.namespace, &object, item.version) {
            return;
        }
        match value(self.kind.into(), item) {
            Some(live) => self.watches.wake(self.watches.context.cache.put(self.kind, &live)),
            None => self.remove(&item.namespace, &item.name, item.version),
        }
    }

    fn lose(&mut self, item: &Item) {
        self.remove(&item.namespace, &item.name, item.version);
    }

    fn end(&mut self) {
        for ((namespace, name), at) in std::mem::take(&mut self.missing) {
            self.remove(&namespace, &name, at);
        }
    }
}
