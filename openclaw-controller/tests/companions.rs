//! Kinds of other projects, which come and go while an agent runs.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use openclaw_render::{Kind, hash, owned_hash, vocab};
use serde_json::{Value, json};
use support::cluster::{Cluster, condition_of};
use support::fixtures::Fixture;
use support::operator::Operator;

const DEFINITION: &str = "servicemonitors.monitoring.coreos.com";
const NAME: &str = "ada";
/// In which a kind that is installed is found: the operator looks for it now and then.
const FOUND_WITHIN: Duration = Duration::from_mins(5);

/// Of the Prometheus Operator's own definition, the fields that we set.
fn definition() -> CustomResourceDefinition {
    let spec = json!({
        "type": "object",
        "required": ["endpoints", "selector"],
        "properties": {
            "endpoints": {"type": "array", "items": endpoint()},
            "namespaceSelector": {
                "type": "object",
                "properties": {"any": {"type": "boolean"}, "matchNames": texts()},
            },
            "selector": selector(),
        },
    });
    let text = json!({"type": "string"});
    let schema = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": text, "kind": text, "metadata": {"type": "object"}, "spec": spec,
        },
    });
    serde_json::from_value(json!({
        "metadata": {"name": DEFINITION},
        "spec": {
            "group": "monitoring.coreos.com",
            "names": {
                "kind": "ServiceMonitor", "listKind": "ServiceMonitorList",
                "plural": "servicemonitors", "singular": "servicemonitor",
            },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    }))
    .expect("a definition")
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn endpoint() -> Value {
    let interval = "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?\
                    (([0-9]+)ms)?)$";
    json!({
        "type": "object",
        "properties": {
            "honorLabels": {"type": "boolean"},
            "interval": {"type": "string", "pattern": interval},
            "path": {"type": "string"},
            "port": {"type": "string"},
        },
    })
}

fn selector() -> Value {
    let expression = json!({
        "type": "object",
        "required": ["key", "operator"],
        "properties": {
            "key": {"type": "string"}, "operator": {"type": "string"}, "values": texts(),
        },
    });
    json!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "matchExpressions": {
                "type": "array", "x-kubernetes-list-type": "atomic", "items": expression,
            },
            "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    })
}

/// An agent whose user asks for a monitor.
fn monitored() -> Value {
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["metadata"]["name"] = json!(NAME);
    // A version that brings what hands metrics out.
    instance["spec"]["image"]["tag"] = json!("2026.4.24");
    instance["spec"]["observability"] =
        json!({"metrics": {"enabled": true, "serviceMonitor": {"enabled": true}}});
    instance
}

fn definitions(cluster: &Cluster) -> Api<CustomResourceDefinition> {
    Api::all(cluster.client.clone())
}

/// The monitor, if the cluster knows of such a thing and has one.
async fn monitor(cluster: &Cluster) -> Option<Value> {
    let found = cluster.of(Kind::ServiceMonitor).get_opt(NAME).await.ok().flatten();
    found.map(|object| serde_json::to_value(object).expect("JSON"))
}

async fn until_companions(cluster: &Cluster, reason: &str) -> Value {
    let said = async || {
        let live = cluster.instance(NAME).await.expect("the instance");
        condition_of(&live, "CompanionsReady").cloned().unwrap_or_default()
    };
    cluster
        .until_within(FOUND_WITHIN, &format!("CompanionsReady says {reason}"), async || {
            said().await["reason"] == reason
        })
        .await;
    said().await
}

#[tokio::test]
async fn a_monitor_comes_and_goes_with_its_kind_and_the_agent_runs() {
    let cluster = Cluster::namespace("companions").await;
    let operator = Operator::start(&cluster).await;
    operator.until_synced().await;
    cluster.apply(&monitored()).await.expect("the instance is taken");
    cluster.until_ready(NAME).await;
    let said = until_companions(&cluster, "KindMissing").await;
    let message = said["message"].as_str().expect("a message");
    assert!(message.contains("install the Prometheus Operator"), "{message}");

    definitions(&cluster)
        .create(&PostParams::default(), &definition())
        .await
        .expect("the definition is new");
    until_companions(&cluster, "Applied").await;
    let live = monitor(&cluster).await.expect("it is made");
    assert_eq!(live["spec"]["endpoints"][0]["port"], "metrics");
    assert!(operator.metric("openclaw_applies_unsettled_total").await < 1.0);
    let mut sent = live.clone();
    sent["metadata"] = json!({
        "labels": live["metadata"]["labels"], "name": NAME, "namespace": cluster.namespace,
        "ownerReferences": live["metadata"]["ownerReferences"],
    });
    assert_eq!(owned_hash(&live, vocab::FIELD_MANAGER), hash(&sent), "all of it is ours: {live:#}");

    // Somebody bends it, and then deletes it.
    let bent = json!({"spec": {"endpoints": [{"port": "other"}]}});
    cluster.merge(Kind::ServiceMonitor, NAME, &bent).await;
    cluster
        .until("it is as it was", async || {
            monitor(&cluster).await.is_some_and(|now| now["spec"] == live["spec"])
        })
        .await;
    cluster.delete(Kind::ServiceMonitor, NAME).await;
    cluster
        .until("another one is made", async || {
            monitor(&cluster)
                .await
                .is_some_and(|now| now["metadata"]["uid"] != live["metadata"]["uid"])
        })
        .await;

    // The user asks for none any more, and for one again.
    let switch = async |on: bool| {
        let metrics = json!({"serviceMonitor": {"enabled": on}});
        let spec = json!({"spec": {"observability": {"metrics": metrics}}});
        cluster.merge_instance(NAME, &spec).await;
    };
    switch(false).await;
    cluster.until("it is pruned", async || monitor(&cluster).await.is_none()).await;
    switch(true).await;
    cluster.until("it is made again", async || monitor(&cluster).await.is_some()).await;

    definitions(&cluster)
        .delete(DEFINITION, &DeleteParams::default())
        .await
        .expect("the definition is removed");
    until_companions(&cluster, "KindMissing").await;
    cluster.until_ready(NAME).await;
    assert_eq!(operator.readiness().await, Some(200));
    switch(false).await;
    cluster.until_observed(NAME).await;
    let live = cluster.instance(NAME).await.expect("there");
    assert_eq!(condition_of(&live, "CompanionsReady").expect("said")["reason"], "Applied");
    assert_eq!(live["status"]["phase"], "Running");
    cluster.end().await;
}
