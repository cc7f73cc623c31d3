//! The requests of agents: each is a matter of the instance that it names.

use std::collections::BTreeSet;

use super::{Sink, Watches, key_of};
use crate::feed::Item;
use crate::queue::Front;

pub(super) struct Requests {
    watches: Watches,
    namespace: Option<String>,
    /// Known before the list that is under way, and not named by it yet.
    missing: BTreeSet<(String, String)>,
}

impl Requests {
    pub(super) fn new(watches: Watches, namespace: Option<String>) -> Self {
        Self { watches, namespace, missing: BTreeSet::new() }
    }

    fn remove(&self, place: &(String, String)) {
        if let Some((instance, true)) = self.watches.context.requests.remove(place) {
            self.watches.context.queue.forget(&instance, Front::Requests);
        }
    }
}

impl Sink for Requests {
    fn begin(&mut self) {
        let known = self.watches.context.requests.places(self.namespace.as_deref());
        self.missing = known.into_iter().collect();
    }

    fn list(&mut self, item: &Item) {
        self.missing.remove(&key_of(item));
    }

    fn see(&mut self, item: &Item) {
        if let Some(instance) = self.watches.context.requests.put(item) {
            self.watches.context.queue.see(&instance, Front::Requests, false);
        }
    }

    fn lose(&mut self, item: &Item) {
        self.remove(&key_of(item));
    }

    fn end(&mut self) {
        for place in std::mem::take(&mut self.missing) {
            self.remove(&place);
        }
    }
}
