//! The OpenClawClusterDefaults: a change of them is one for every instance.

use openclaw_render::Fact;
use openclaw_render::api::OpenClawClusterDefaults;
use tracing::warn;

use super::single::Single;
use super::{Sink, Watches, value};
use crate::cluster::CLUSTER_DEFAULTS;
use crate::feed::Item;

/// The only ClusterDefaults that count.
pub(super) const NAME: &str = "cluster";

/// Takes them in. Those that do not decode leave the last known ones in force.
pub(super) fn sink(watches: Watches) -> impl Sink {
    Single::new(move |item| {
        let Some(fact) = item.map_or(Some(Fact::Absent), |item| decoded(item).map(Fact::Known))
        else {
            return;
        };
        if watches.context.cache.set_cluster_defaults(fact) {
            watches.wake(watches.context.instances.keys(None));
        }
    })
}

fn decoded(item: &Item) -> Option<OpenClawClusterDefaults> {
    let decoded = serde_json::from_value(value(CLUSTER_DEFAULTS, item)?);
    decoded
        .inspect_err(|error| {
            warn!(%error, "OpenClawClusterDefaults/cluster does not decode: its last content stays");
        })
        .ok()
}
