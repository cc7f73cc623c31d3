//! What the previous writer owned becomes ours, and nothing else does.

use openclaw_render::ownership::{diff, foreign_managers, owned, take_over_patch};
use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::{Value, json};

use crate::objects::{
    PREVIOUS, config_map, dumped, dumped_one, lines, live, name_of, without_server_fields,
};
use openclaw_play::api_server::{ApiServer, Refusal, key_of};

#[test]
fn without_take_over_the_previous_writers_items_stay() {
    let stored = dumped_one("StatefulSet", "plain");
    let key = key_of(&stored);
    let mut wanted = without_server_fields(&stored);
    keep_first(&mut wanted, "containers");
    let mut server = ApiServer::default();
    server.restore(stored.clone());
    server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    assert_eq!(count(live(&server, &key), "containers"), count(&stored, "containers"));
}

#[test]
fn after_take_over_what_we_do_not_want_goes() {
    for stored in dumped().iter().filter(|object| object["kind"] == "StatefulSet") {
        let key = key_of(stored);
        let mut wanted = without_server_fields(stored);
        for list in ["containers", "initContainers", "volumes"] {
            keep_first(&mut wanted, list);
        }
        let first = &mut wanted["spec"]["template"]["spec"]["containers"][0];
        first.as_object_mut().expect("a container").remove("securityContext");
        let mut server = ApiServer::default();
        server.restore(stored.clone());
        let patch = take_over_patch(live(&server, &key), &[PREVIOUS]).expect("something to take");
        server.json_patch(&key, &patch, "patcher").expect("patches");
        server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
        let live = live(&server, &key);
        for list in ["containers", "initContainers", "volumes"] {
            assert_eq!(count(live, list), 1, "{list} of {}", name_of(stored));
        }
        assert_eq!(live["spec"]["template"]["spec"]["containers"][0].get("securityContext"), None);
        assert_eq!(live["status"], stored["status"]);
        assert_eq!(lines(&diff(&wanted, live)), "");
    }
}

fn keep_first(object: &mut Value, list: &str) {
    object["spec"]["template"]["spec"][list].as_array_mut().expect("a list").truncate(1);
}

fn count(object: &Value, list: &str) -> usize {
    object["spec"]["template"]["spec"][list].as_array().expect("a list").len()
}

#[test]
fn take_over_moves_exactly_what_the_previous_writer_owned() {
    for stored in dumped() {
        let key = key_of(&stored);
        let mut server = ApiServer::default();
        server.restore(stored.clone());
        let Some(patch) = take_over_patch(live(&server, &key), &[PREVIOUS]) else {
            assert_eq!(stored["metadata"]["name"], "data-scaled-0");
            continue;
        };
        let mut foreign = foreign_managers(&stored);
        foreign.retain(|m| m.manager != PREVIOUS || m.subresource.is_some());
        foreign.sort();
        server.json_patch(&key, &patch, "patcher").expect("patches");
        let taken = live(&server, &key);
        let mut rest = foreign_managers(taken);
        rest.sort();
        assert_eq!(rest, foreign, "{}", name_of(&stored));
        assert_eq!(without_server_fields(taken), without_server_fields(&stored));
        assert_eq!(taken["metadata"].get("generation"), stored["metadata"].get("generation"));
        // All that the object has but what the server and its controllers added to it.
        let ours = owned(taken, FIELD_MANAGER);
        assert_eq!(lines(&diff(&ours, taken)), "");
        assert_eq!(ours["metadata"]["labels"], stored["metadata"]["labels"]);
        assert_eq!(take_over_patch(taken, &[PREVIOUS]), None);
    }
}

#[test]
fn take_over_joins_the_old_entry_with_ours() {
    let mut server = ApiServer::default();
    server.create(&config_map(&json!({ "old": "1", "both": "1" })), PREVIOUS).expect("creates");
    let wanted = config_map(&json!({ "both": "1", "new": "1" }));
    let live = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    let patch = take_over_patch(&live, &[PREVIOUS]).expect("something to take");
    let ops: Vec<_> = patch.as_array().expect("a list").iter().map(|op| &op["op"]).collect();
    assert_eq!(ops, ["test", "replace", "remove"]);
    let live = server.json_patch(&key_of(&wanted), &patch, "patcher").expect("patches");
    assert_eq!(foreign_managers(&live), []);
    assert_eq!(owned(&live, FIELD_MANAGER)["data"], json!({ "both": "1", "new": "1", "old": "1" }));
    let live = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    assert_eq!(live["data"], wanted["data"]);
}

#[test]
fn entries_of_another_api_version_are_not_mixed_with_ours() {
    let mut live = ApiServer::default()
        .apply(&config_map(&json!({ "a": "1" })), FIELD_MANAGER, true)
        .expect("applies");
    let entries = live["metadata"]["managedFields"].as_array_mut().expect("entries");
    entries.push(json!({ "manager": PREVIOUS, "operation": "Update", "apiVersion": "v1beta1",
                         "fieldsV1": { "f:data": { "f:b": {} } } }));
    assert_eq!(take_over_patch(&live, &[PREVIOUS]), None);
}

#[test]
fn a_stale_take_over_is_a_conflict() {
    let mut server = ApiServer::default();
    let stored = server.create(&config_map(&json!({ "a": "1" })), PREVIOUS).expect("creates");
    let patch = take_over_patch(&stored, &[PREVIOUS]).expect("something to take");
    server.update(&config_map(&json!({ "a": "2" })), "somebody").expect("updates");
    let refused = server.json_patch(&key_of(&stored), &patch, "patcher");
    assert!(matches!(refused, Err(Refusal::Conflict(_))), "{refused:?}");
}
