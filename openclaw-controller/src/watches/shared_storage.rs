//! The shared storage of backups: the operator's own Secret, and the copies of it.

use std::collections::BTreeSet;

use openclaw_render::{Fact, Kind};

use super::single::Single;
use super::{Sink, Watches, value};
use crate::feed::Item;
use crate::live;
use crate::shared_storage::SharedStorage;

/// Takes in the Secret in the operator's namespace.
pub(super) fn source(watches: Watches) -> impl Sink {
    Single::new(move |item| {
        let fact = item.map_or(Fact::Absent, |item| Fact::Known(item.version));
        watches.context.shared_storage.set_source(fact);
    })
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
