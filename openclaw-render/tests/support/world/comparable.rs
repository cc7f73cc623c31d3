//! The end of a run, so that it can be compared with the end of another.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::World;
use crate::support::api_server::{Key, key_of};

impl World {
    /// All objects as two runs may be compared: without what differs between any two runs.
    pub fn end(&self) -> BTreeMap<Key, Value> {
        let mut end = BTreeMap::new();
        let managed = self.server.list("openclaw-operator").into_iter();
        for live in managed.chain(self.live_instance()) {
            let mut object = live.clone();
            if object["kind"] == "Pod" {
                // Who nudged the kubelet, and whether a pod needed it, depends on timing.
                object["metadata"]["managedFields"] = Value::Null;
            }
            blank(&mut object);
            end.insert(key_of(live), object);
        }
        end
    }
}

/// Takes out uids, versions, times and what is random, with everything that is a hash of it.
fn blank(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                let random = matches!(
                    key.as_str(),
                    "uid"
                        | "auth"
                        | "password"
                        | "resourceVersion"
                        | "generation"
                        | "observedGeneration"
                        | "lastReconcileTime"
                        | "lastTransitionTime"
                        | "token"
                        | "updateRevision"
                        | "controller-revision-hash"
                        | "openclaw.rocks/secret-hash"
                        | "openclaw.rocks/inputs-hash"
                        | "openclaw.rocks/rollout-hash"
                );
                if random && !inner.is_object() {
                    *inner = json!("<blank>");
                } else {
                    blank(inner);
                }
            }
            // Whether somebody owns a map as such says nothing about the object.
            map.remove(".");
            // Only makes the kubelet look again; a pod made later needs none.
            map.remove("openclaw.rocks/rendered-config");
            map.remove("f:openclaw.rocks/rendered-config");
            // The set of fields of an owner reference is keyed by its uid.
            let keyed: Vec<String> =
                map.keys().filter(|key| key.starts_with("k:{\"uid\"")).cloned().collect();
            for key in keyed {
                if let Some(inner) = map.remove(&key) {
                    map.insert("k:{uid}".to_owned(), inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
