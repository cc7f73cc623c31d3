//! What only a node that runs pods can show: the real application under the operator that the chart
//! has installed.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails, in helpers too"
)]

#[path = "../support/mod.rs"]
mod support;

mod backups;
mod browser;
mod configuration;
mod ending;
mod isolation;
mod merging;
mod own;
mod providers;
mod seeding;
mod serving;
mod skills;
mod trouble;
mod users;
mod versions;
mod volumes;
mod ways;

use serde_json::json;
use support::agent::Agent;
use support::cluster::Cluster;
use tokio::sync::OnceCell;

/// The agent of all tests that only look at one: it takes long to start. Their last one is not
/// known, so it stays; scripts/test removes it.
async fn onlooked() -> Agent {
    static NAMESPACE: OnceCell<String> = OnceCell::const_new();
    let start = async || Agent::ready("onlooked", &json!({})).await.cluster.namespace;
    let namespace = NAMESPACE.get_or_init(start).await;
    // Each test has a runtime of its own, which no connection outlives.
    Agent { cluster: Cluster::existing(namespace).await }
}
