//! The end of a run, so that it can be compared with the end of another.

use std::collections::BTreeMap;

use openclaw_play::World;
use openclaw_play::api_server::{Key, key_of};
use serde_json::{Value, json};

/// All objects as two runs may be compared: without what differs between any two runs.
pub fn end(world: &World) -> BTreeMap<Key, Value> {
    let mut end = BTreeMap::new();
    let managed = world.server.list("openclaw-operator").into_iter();
    for live in managed.chain(world.live_instance()) {
        let mut object = live.clone();
        if object["kind"] == "Pod" {
            // Who nudged the kubelet, and whether a pod needed it, depends on timing.
            object["metadata"]["managedFields"] = Value::Null;
        }
        blank(&mut object);
        let (kind, namespace, name) = key_of(live);
        end.insert((kind, namespace, without_attempt(&name)), object);
    }
    end
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
                        | "lastUpdateTime"
                        | "startTime"
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
            // A pod that is not ready when it is replaced is replaced for nothing but itself.
            map.remove("openclaw.rocks/rollout-cause");
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
        Value::String(text) => *text = without_times(&without_attempt(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The name of a Job for one attempt is another one at another time.
fn without_attempt(text: &str) -> String {
    ["-restore-", "-update-backup-"].iter().fold(text.to_owned(), |text, before| {
        let mut parts = text.split(before);
        let mut found = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take(8).take_while(u8::is_ascii_hexdigit).count();
            found.push_str(before);
            found.push_str(if digits == 8 { &part[8..] } else { part });
        }
        found
    })
}

/// A time that is told is another one where more passes came before.
fn without_times(text: &str) -> String {
    let blank = |word: &str| {
        let is_time = word.ends_with('Z') && word.parse::<jiff::Timestamp>().is_ok();
        if is_time { "<blank>".to_owned() } else { word.to_owned() }
    };
    text.split(' ').map(blank).collect::<Vec<_>>().join(" ")
}
