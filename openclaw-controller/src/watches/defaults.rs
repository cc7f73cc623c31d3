//! The OpenClawClusterDefaults: a change of them is one for every instance.

use openclaw_render::Fact;
use openclaw_render::api::OpenClawClusterDefaults;
use tracing::warn;

use super::{Sink, Watches, value};
use crate::cluster::CLUSTER_DEFAULTS;
use crate::feed::Item;

/// The only ClusterDefaults that count.
pub(super) const NAME: &str = "cluster";

pub(super) struct Defaults {
    watches: Watches,
    /// Named by the list that is under way.
    listed: bool,
}

impl Defaults {
    pub(super) fn new(watches: Watches) -> Self {
        Self { watches, listed: false }
    }

    fn set(&self, fact: Fact<OpenClawClusterDefaults>) {
        if self.watches.context.cache.set_cluster_defaults(fact) {
            self.watches.wake(self.watches.context.instances.keys(None));
        }
    }
}

impl Sink for Defaults {
    fn begin(&mut self) {
        self.listed = false;
    }

    fn list(&mut self, _: &Item) {
        self.listed = true;
    }

    fn see(&mut self, item: &Item) {
        if let Some(defaults) = decoded(item) {
            self.set(Fact::Known(defaults));
        }
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

/// Defaults that do not decode leave the last known ones in force.
fn decoded(item: &Item) -> Option<OpenClawClusterDefaults> {
    let decoded = serde_json::from_value(value(CLUSTER_DEFAULTS, item)?);
    decoded
        .inspect_err(|error| {
            warn!(%error, "OpenClawClusterDefaults/cluster does not decode: its last content stays");
        })
        .ok()
}
