//! Agents that become ready, and what that asks of the API server.

use std::collections::BTreeMap;

use serde_json::json;

use crate::agent::ready;
use crate::support::cluster::Cluster;
use crate::support::operator::Operator;
use crate::support::proxy::Proxy;

/// Requests for one agent from nothing to ready: eleven objects are looked for and made, a Deployment
/// of an earlier operator is looked for, and a finalizer is set. How often it is reported meanwhile depends on how slowly the cluster answers.
const MOST_REQUESTS: usize = 24;

#[tokio::test]
async fn an_instance_becomes_ready_and_every_apply_settles() {
    let cluster = Cluster::namespace("ready").await;
    let operator = Operator::start(&cluster).await;
    let name = ready(&cluster).await;
    let live = cluster.instance(name).await.expect("the instance is there");
    assert_eq!(live["status"]["phase"], "Running");
    assert_eq!(live["status"]["observedGeneration"], live["metadata"]["generation"]);
    assert_eq!(cluster.objects().await.len(), 11);
    assert!(operator.metric("openclaw_effects_total").await > 10.0);
    assert!(operator.metric("openclaw_applies_unsettled_total").await < 1.0);
    cluster.end().await;
}

#[tokio::test]
async fn an_agent_takes_few_requests_and_a_settled_one_none() {
    let cluster = Cluster::namespace("requests").await;
    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    operator.until_synced().await;
    proxy.clear();
    let name = ready(&cluster).await;
    cluster.until_quiet(&proxy).await;
    let report = |path: &str| path.ends_with("/status") || path.contains("/events");
    let requests: Vec<_> = proxy
        .seen()
        .into_iter()
        .filter(|seen| !seen.is_watch() && !seen.looks_for_a_kind() && !report(&seen.path))
        .collect();
    assert!(
        requests.len() <= MOST_REQUESTS,
        "{} requests: {:#?}
events: {:#?}",
        requests.len(),
        proxy.tally(),
        cluster.events().await
    );
    proxy.clear();
    // News that change nothing: the pass that they cause reads and writes nothing.
    let passes = async || operator.metric("openclaw_reconcile_total").await;
    let before = passes().await;
    cluster.merge_instance(name, &json!({"metadata": {"labels": {"team": "sea"}}})).await;
    cluster.until("a pass", async || passes().await > before).await;
    cluster.until_quiet(&proxy).await;
    assert_eq!(proxy.tally(), BTreeMap::new());
    cluster.end().await;
}
