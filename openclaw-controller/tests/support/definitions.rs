//! Kinds of other projects, which a cluster may have.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use openclaw_render::Kind;
use serde_json::{Value, json};

use super::cluster::Cluster;

const NAME: &str = "servicemonitors.monitoring.coreos.com";

/// Adds the kinds that the cluster lacks, and waits until it serves them.
pub async fn install(cluster: &Cluster) {
    if is_served(cluster).await {
        return;
    }
    match definitions(cluster).create(&PostParams::default(), &monitors()).await {
        // Another test was faster.
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
        created => drop(created.expect("the definition is taken")),
    }
    cluster.until("monitors are served", async || is_served(cluster).await).await;
}

/// Takes the kinds away, and waits until they are gone.
pub async fn remove(cluster: &Cluster) {
    definitions(cluster)
        .delete(NAME, &DeleteParams::default())
        .await
        .expect("the definition is removed");
    cluster.until("monitors are gone", async || !is_served(cluster).await).await;
}

async fn is_served(cluster: &Cluster) -> bool {
    cluster.of(Kind::ServiceMonitor).list(&ListParams::default().limit(1)).await.is_ok()
}

fn definitions(cluster: &Cluster) -> Api<CustomResourceDefinition> {
    Api::all(cluster.client.clone())
}

/// Of the Prometheus Operator's own definition, the fields that we set.
fn monitors() -> CustomResourceDefinition {
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
        "metadata": {"name": NAME},
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
