//! Waits for the operator to come to rest.

use std::time::{Duration, Instant};

use super::cluster::{Cluster, condition_of};
use super::operator::Operator;
use super::proxy::Proxy;

/// Longer than an operator at work is ever silent: it asks nobody else who does not answer at once.
const QUIET: Duration = Duration::from_millis(1500);
const PATIENCE: Duration = Duration::from_secs(90);
const GLANCE: Duration = Duration::from_millis(50);

/// Waits until nobody waits for a pass, nothing but watches goes through the proxy, and the status
/// is of the newest spec. An instance that is gone has no status.
pub async fn at_rest(cluster: &Cluster, operator: &Operator, proxy: &Proxy, name: &str) {
    let began = Instant::now();
    loop {
        if proxy.quiet() >= QUIET
            && operator.metric("openclaw_queue_depth").await == 0.0
            && reports_newest(cluster, name).await
        {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "not at rest within {} s: {:#?}",
            PATIENCE.as_secs(),
            proxy.tally()
        );
        tokio::time::sleep(GLANCE).await;
    }
}

/// As [`at_rest`], with a pod that is ready.
pub async fn at_rest_and_ready(cluster: &Cluster, operator: &Operator, proxy: &Proxy, name: &str) {
    let began = Instant::now();
    loop {
        cluster.until_ready(name).await;
        at_rest(cluster, operator, proxy, name).await;
        let live = cluster.instance(name).await;
        let ready = live.as_ref().and_then(|live| condition_of(live, "Ready"));
        if ready.is_some_and(|ready| ready["status"] == "True") {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "at rest, but not ready: {ready:#?}");
    }
}

async fn reports_newest(cluster: &Cluster, name: &str) -> bool {
    let live = cluster.instance(name).await;
    live.is_none_or(|live| live["status"]["observedGeneration"] == live["metadata"]["generation"])
}
