//! What is there when a story has ended, as two runs of it may be compared.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::ListParams;
use serde_json::{Value, json};

use super::cluster::Cluster;

/// Objects, instance and pods by kind and name, without what differs between any two runs.
pub type End = BTreeMap<String, Value>;

/// Fields that are random, count something, or are a hash of what is random.
const BLANK: &[&str] = &[
    "uid",
    "resourceVersion",
    "generation",
    "observedGeneration",
    "creationTimestamp",
    "lastReconcileTime",
    "lastTransitionTime",
    "time",
    "token",
    "clusterIP",
    "clusterIPs",
    "volumeName",
    "nodeName",
    "controller-revision-hash",
    "openclaw.rocks/approve-rollout",
    "openclaw.rocks/secret-hash",
    "openclaw.rocks/inputs-hash",
    "openclaw.rocks/rollout-hash",
];

pub async fn end(cluster: &Cluster, name: &str) -> End {
    let mut end = End::new();
    for (key, mut live) in cluster.objects().await {
        // Not ours, and not about what we do.
        live["status"] = Value::Null;
        end.insert(key.to_string(), live);
    }
    if let Some(instance) = cluster.instance(name).await {
        end.insert(format!("OpenClawInstance/{name}"), instance);
    }
    for pod in cluster.pods().list(&ListParams::default()).await.expect("a list") {
        let mut live = serde_json::to_value(&pod).expect("JSON");
        live["status"] = Value::Null;
        // Who nudged the kubelet, and whether a pod needed it, depends on timing.
        live["metadata"]["managedFields"] = Value::Null;
        end.insert(format!("Pod/{}", pod.metadata.name.expect("a name")), live);
    }
    for live in end.values_mut() {
        without_kubernetes(live);
        blank(live, &cluster.namespace);
    }
    end
}

/// Panics with what differs, and nothing else.
pub fn assert_same(found: &End, expected: &End, what: &str) {
    let keys: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    for key in keys {
        let text = |end: &End| {
            let object = end.get(key).map(|object| format!("{object:#}"));
            object.unwrap_or_else(|| "nothing".to_owned())
        };
        let (found, expected) = (text(found), text(expected));
        let changed = found.lines().zip(expected.lines()).find(|(left, right)| left != right);
        assert_eq!(found, expected, "{what}: {key} ends differently, first at {changed:?}");
    }
}

/// Only what we and users own, in an order that does not depend on time. A field of a report is of
/// whoever changed it last, which depends on whether a time stayed the same.
fn without_kubernetes(live: &mut Value) {
    let Some(entries) = live["metadata"]["managedFields"].as_array_mut() else { return };
    entries.retain(|entry| {
        let manager = entry["manager"].as_str().unwrap_or_default();
        !manager.starts_with("kube-") && manager != "kwok" && entry.get("subresource").is_none()
    });
    entries.sort_by_key(|entry| ["manager", "operation"].map(|field| entry[field].to_string()));
}

fn blank(value: &mut Value, namespace: &str) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if BLANK.contains(&key.as_str()) && !inner.is_object() {
                    *inner = json!("<blank>");
                } else {
                    blank(inner, namespace);
                }
            }
            // Whether somebody owns a map as such says nothing about the object.
            map.remove(".");
            // Only makes the kubelet look again; a pod made later needs none.
            map.remove("openclaw.rocks/rendered-config");
            // The set of fields of an owner reference is keyed by its uid.
            let keyed: Vec<String> =
                map.keys().filter(|key| key.starts_with("k:{\"uid\"")).cloned().collect();
            for key in keyed {
                if let Some(inner) = map.remove(&key) {
                    map.insert("k:{uid}".to_owned(), inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| blank(item, namespace)),
        Value::String(text) => *text = text.replace(namespace, "<namespace>"),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
