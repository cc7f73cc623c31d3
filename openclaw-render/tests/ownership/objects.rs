//! Objects that somebody wrote: those that the Go operator left behind, and small ones.

use openclaw_render::ownership::Change;
use serde_json::{Value, json};

use openclaw_play::api_server::{ApiServer, Key};

pub(crate) const PREVIOUS: &str = "manager";

/// Every object that the Go operator made, of both versions, as it was stored.
pub(crate) fn dumped() -> Vec<Value> {
    let dumps = [
        include_str!("../../../fixtures/lifecycle/adoption/0.38.3.json"),
        include_str!("../../../fixtures/lifecycle/adoption/0.30.0.json"),
    ];
    let items = dumps.iter().flat_map(|dump| {
        let dump: Value = serde_json::from_str(dump).expect("a list of objects");
        dump["items"].as_array().expect("items").clone()
    });
    items.filter(|object| object["kind"] != "OpenClawInstance").collect()
}

pub(crate) fn dumped_one(kind: &str, name: &str) -> Value {
    let is_wanted = |o: &Value| o["kind"] == kind && o["metadata"]["name"] == name;
    dumped().into_iter().find(is_wanted).expect("an object of that name")
}

/// What a writer would send to get that object.
pub(crate) fn without_server_fields(stored: &Value) -> Value {
    let mut object = stored.clone();
    object.as_object_mut().expect("an object").remove("status");
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for name in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"] {
        metadata.remove(name);
    }
    object
}

pub(crate) fn name_of(object: &Value) -> String {
    format!("{} {}", object["kind"], object["metadata"]["name"])
}

pub(crate) fn live<'a>(server: &'a ApiServer, key: &Key) -> &'a Value {
    server.get(&key.0, &key.1, &key.2).expect("the object exists")
}

pub(crate) fn lines(changes: &[Change]) -> String {
    changes.iter().map(Change::to_string).collect::<Vec<_>>().join("\n")
}

pub(crate) fn config_map(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "notes", "namespace": "agents", "labels": { "team": "blue" } },
            "data": data })
}

pub(crate) fn stateful_set(containers: &Value) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": { "name": "finch", "namespace": "agents" },
            "spec": { "replicas": 1, "serviceName": "finch",
                      "selector": { "matchLabels": { "app": "finch" } },
                      "template": { "metadata": { "labels": { "app": "finch" } },
                                    "spec": { "containers": containers } } } })
}
