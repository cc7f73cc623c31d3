//! Waits for the operator to come to rest.

use std::time::Instant;

use super::cluster::{Cluster, PATIENCE, condition_of};
use super::operator::Operator;
use super::proxy::Proxy;

/// Waits until the operator asks for nothing but watches, nobody waits for a pass, and the status
/// is of the newest spec. An instance that is gone has no status.
pub async fn at_rest(cluster: &Cluster, operator: &Operator, proxy: &Proxy, name: &str) {
    let began = Instant::now();
    loop {
        cluster.until_quiet(proxy).await;
        let waiting = operator.metric("openclaw_queue_depth").await;
        if waiting < 1.0 && reports_newest(cluster, name).await {
            assert!(!operator.log().contains(" panicked at "), "{}", operator.log());
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{name} is not at rest: {:#?}", proxy.tally());
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
        assert!(began.elapsed() < PATIENCE, "{name} is at rest, but not ready: {ready:#?}");
    }
}

async fn reports_newest(cluster: &Cluster, name: &str) -> bool {
    let live = cluster.instance(name).await;
    live.is_none_or(|live| live["status"]["observedGeneration"] == live["metadata"]["generation"])
}
