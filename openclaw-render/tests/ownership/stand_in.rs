//! The stand-in for the API server, against what real ones refuse and keep.

use openclaw_render::ownership::{diff, foreign_managers, owned};
use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::{Value, json};

use crate::objects::{config_map, lines, live, stateful_set, without_server_fields};
use openclaw_play::api_server::{ApiServer, Refusal, key_of};

#[test]
fn the_server_refuses_what_a_real_one_refuses() {
    let mut server = ApiServer::default();
    let object = config_map(&json!({ "a": "1" }));
    let stored = server.create(&object, "somebody").expect("creates");
    assert_eq!(server.create(&object, "somebody"), Err(Refusal::AlreadyExists));
    let other = config_map(&json!({ "a": "2" }));
    assert!(matches!(server.apply(&other, "us", false), Err(Refusal::Conflict(_))));
    assert!(server.apply(&object, "us", false).is_ok(), "the same value is shared");
    assert!(matches!(server.update(&stored, "somebody"), Err(Refusal::Conflict(_))));
    let key = key_of(&object);
    assert!(matches!(server.delete(&key, Some("another")), Err(Refusal::Conflict(_))));
    let uid = stored["metadata"]["uid"].as_str().expect("a uid");
    assert_eq!(server.delete(&key, Some(uid)), Ok(()));
    assert_eq!(server.delete(&key, None), Err(Refusal::NotFound));
    assert_eq!(server.update(&object, "somebody"), Err(Refusal::NotFound));
    let reborn = server.create(&object, "somebody").expect("creates");
    assert_ne!(reborn["metadata"]["uid"], stored["metadata"]["uid"]);
}

#[test]
fn a_deleted_object_stays_until_its_finalizers_are_gone() {
    let mut server = ApiServer::default();
    let mut object = config_map(&json!({}));
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let key = key_of(&object);
    server.create(&object, "somebody").expect("creates");
    server.delete(&key, None).expect("deletes");
    assert!(live(&server, &key)["metadata"]["deletionTimestamp"].is_string());
    let patch = json!([
        { "op": "test", "path": "/metadata/finalizers/0", "value": "example.com/hold" },
        { "op": "remove", "path": "/metadata/finalizers/0" } ]);
    server.json_patch(&key, &patch, "somebody").expect("patches");
    assert_eq!(server.get(&key.0, &key.1, &key.2), None);
}

#[test]
fn generation_counts_changes_of_the_spec_alone() {
    let mut server = ApiServer::default();
    let object = stateful_set(&json!([{ "name": "agent", "image": "good:1" }]));
    let key = key_of(&object);
    server.apply(&object, FIELD_MANAGER, true).expect("applies");
    let status = json!([{ "op": "add", "path": "/status", "value": { "replicas": 1 } }]);
    let stored = server.json_patch(&key, &status, "controller").expect("patches");
    assert_eq!(stored["metadata"]["generation"], 1);
    assert_eq!(foreign_managers(&stored)[0].subresource.as_deref(), Some("status"));
    let object = stateful_set(&json!([{ "name": "agent", "image": "good:2" }]));
    let stored = server.apply(&object, FIELD_MANAGER, true).expect("applies");
    assert_eq!(stored["metadata"]["generation"], 2);
    assert_eq!(stored["status"]["replicas"], 1);
}

/// Sequences of writes with what Kubernetes makes of them: random objects, recorded from the package
/// `managedfields` of k8s.io/apimachinery v0.36.3 with the merge schema of k8s.io/client-go.
fn recorded_writes() -> Vec<Vec<Value>> {
    let recorded = include_str!("../data/server_side_apply.json");
    serde_json::from_str(recorded).expect("lists of steps")
}

/// The object with its managers in one order. Left out is what Kubernetes does differently for
/// plain JSON, as recorded, than for its own types, where these are never absent.
fn comparable(object: &Value) -> Value {
    fn strip(set: &mut Value) {
        let Some(set) = set.as_object_mut() else { return };
        for name in ["f:spec", "f:template", "f:metadata", "f:containers", "f:updateStrategy"] {
            let Some(part) = set.get_mut(name) else { continue };
            strip(part);
            let part = part.as_object_mut().expect("a set");
            part.remove(".");
            if part.is_empty() {
                set.remove(name);
            }
        }
    }
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut entries: Vec<Value> = entries.cloned().collect();
    for entry in &mut entries {
        strip(&mut entry["fieldsV1"]);
    }
    entries.retain(|entry| entry["fieldsV1"] != json!({}));
    entries.sort_by_key(Value::to_string);
    json!({ "object": without_server_fields(object), "managers": entries })
}

/// The value with all lists sorted: an apply keeps the order of others' items.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn the_stand_in_agrees_with_kubernetes() {
    for (number, steps) in recorded_writes().iter().enumerate() {
        let mut server = ApiServer::default();
        for (index, step) in steps.iter().enumerate() {
            let object = &step["object"];
            let manager = step["manager"].as_str().expect("a manager");
            let result = match (step["op"].as_str(), index) {
                (Some("update"), 0) => server.create(object, manager),
                (Some("update"), _) => server.update(object, manager),
                _ => server.apply(object, manager, step["force"] == true),
            };
            match result {
                Ok(live) => assert_eq!(
                    comparable(&live),
                    comparable(&step["live"]),
                    "step {index} of {number}"
                ),
                Err(refusal) => {
                    assert!(matches!(refusal, Refusal::Conflict(_)), "{refusal:?}");
                    assert_eq!(step["conflict"], true, "step {index} of {number}");
                }
            }
        }
    }
}

#[test]
fn what_kubernetes_records_for_us_is_what_we_applied() {
    let mut applies = 0;
    for steps in recorded_writes() {
        let is_ours = |step: &&Value| {
            step["op"] == "apply" && step["manager"] == FIELD_MANAGER && step["conflict"] != true
        };
        // Where an apply takes the last field out of a map that it wants to keep, the map goes too.
        let is_emptied = |step: &&Value| step["emptied"] == true;
        for step in steps.iter().filter(is_ours).filter(|step| !is_emptied(step)) {
            applies += 1;
            let (object, live) = (&step["object"], &step["live"]);
            assert_eq!(sorted(&owned(live, FIELD_MANAGER)), sorted(object));
            assert_eq!(lines(&diff(object, live)), "");
        }
    }
    assert!(applies > 50, "only {applies} applies are recorded");
}
