//! The shared storage of backups: the operator's own Secret, and the copies of it.

use std::collections::BTreeSet;

use openclaw_render::{Fact, Kind};

use super::{Sink, Watches, value};
use crate::feed::Item;
use crate::live;
use crate::shared_storage::SharedStorage;

/// The Secret in the operator's namespace.
pub(super) struct Source {
    watches: Watches,
    listed: bool,
}

impl Source {
    pub(super) fn new(watches: Watches) -> Self {
        Self { watches, listed: false }
    }

    fn set(&self, fact: Fact<u64>) {
        self.watches.context.shared_storage.set_source(fact);
    }
}

impl Sink for Source {
    fn begin(&mut self) {
        self.listed = false;
    }

    fn list(&mut self, _: &Item) {
        self.listed = true;
    }

    fn see(&mut self, item: &Item) {
        self.set(Fact::Known(item.version));
    }

    fn lose(&mut self, _: &Item) {
        self.set(Fact::Absent);
    }

    fn end(&mut self) {
        if !self.listed {
            self.set(Fact::Absent);
        }
    }
}

/// Its copies in namespaces.
pub(super) struct Copies {
    watches: Watches,
    namespace: Option<String>,
    /// Known before the list that is under way, and not named by it yet.
    missing: BTreeSet<String>,
}

impl Copies {
    pub(super) fn new(watches: Watches, namespace: Option<String>) -> Self {
        Self { watches, namespace, missing: BTreeSet::new() }
    }

    fn shared(&self) -> &SharedStorage {
        &self.watches.context.shared_storage
    }
}

impl Sink for Copies {
    fn begin(&mut self) {
        self.missing = self.shared().copies(self.namespace.as_deref());
    }

    fn list(&mut self, item: &Item) {
        self.missing.remove(&item.namespace);
    }

    fn see(&mut self, item: &Item) {
        let live = value(Kind::Secret.into(), item);
        let uid = live.as_ref().and_then(|live| live::text(live, "uid"));
        if let Some(uid) = uid {
            self.shared().set_copy(&item.namespace, Some((uid.to_owned(), item.version)));
        }
    }

    fn lose(&mut self, item: &Item) {
        self.shared().set_copy(&item.namespace, None);
    }

    fn end(&mut self) {
        for namespace in std::mem::take(&mut self.missing) {
            self.shared().set_copy(&namespace, None);
        }
    }
}
