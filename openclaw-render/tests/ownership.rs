//! Ownership of fields, against a stand-in for the API server and against what the Go operator
//! really leaves behind in a cluster.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test, in helper functions too"
)]
#![expect(clippy::panic, reason = "a test fails by panicking, in helpers too")]
#![expect(clippy::disallowed_methods, reason = "scenes are read from files")]

mod support;

use openclaw_render::canonical::canonicalise;
use openclaw_render::ownership::{
    Change, Manager, diff, foreign_managers, hash, owned, owned_hash, take_over_patch,
};
use openclaw_render::vocab::FIELD_MANAGER;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::api_server::{ApiServer, Key, Refusal, key_of};

const PREVIOUS: &str = "manager";

/// Every object that the Go operator made, of both versions, as it was stored.
fn dumped() -> Vec<Value> {
    let dumps =
        [include_str!("data/adoption/0.38.3.json"), include_str!("data/adoption/0.30.0.json")];
    let items = dumps.iter().flat_map(|dump| {
        let dump: Value = serde_json::from_str(dump).expect("a list of objects");
        dump["items"].as_array().expect("items").clone()
    });
    items.filter(|object| object["kind"] != "OpenClawInstance").collect()
}

fn dumped_one(kind: &str, name: &str) -> Value {
    let is_wanted = |o: &Value| o["kind"] == kind && o["metadata"]["name"] == name;
    dumped().into_iter().find(is_wanted).expect("an object of that name")
}

/// What a writer would send to get that object.
fn without_server_fields(stored: &Value) -> Value {
    let mut object = stored.clone();
    object.as_object_mut().expect("an object").remove("status");
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for name in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"] {
        metadata.remove(name);
    }
    object
}

fn name_of(object: &Value) -> String {
    format!("{} {}", object["kind"], object["metadata"]["name"])
}

fn live<'a>(server: &'a ApiServer, key: &Key) -> &'a Value {
    server.get(&key.0, &key.1, &key.2).expect("the object exists")
}

fn lines(changes: &[Change]) -> String {
    changes.iter().map(Change::to_string).collect::<Vec<_>>().join("\n")
}

fn config_map(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "notes", "namespace": "agents", "labels": { "team": "blue" } },
            "data": data })
}

fn stateful_set(containers: &Value) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": { "name": "finch", "namespace": "agents" },
            "spec": { "replicas": 1, "serviceName": "finch",
                      "selector": { "matchLabels": { "app": "finch" } },
                      "template": { "metadata": { "labels": { "app": "finch" } },
                                    "spec": { "containers": containers } } } })
}

#[test]
fn what_we_apply_is_what_we_own() {
    for stored in dumped() {
        let wanted = without_server_fields(&stored);
        let mut server = ApiServer::default();
        let live = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
        assert_eq!(owned(&live, FIELD_MANAGER), wanted, "{}", name_of(&wanted));
        assert_eq!(owned_hash(&live, FIELD_MANAGER), hash(&wanted));
        assert_eq!(lines(&diff(&wanted, &live)), "");
        let before = server.clone();
        server.apply(&wanted, FIELD_MANAGER, true).expect("applies again");
        assert_eq!(server, before, "the second apply of {} changes nothing", name_of(&wanted));
    }
}

#[test]
fn what_the_server_stores_is_canonical() {
    for stored in dumped() {
        let mut object = without_server_fields(&stored);
        canonicalise(&mut object);
        assert_eq!(object, without_server_fields(&stored), "{}", name_of(&stored));
    }
}

#[test]
fn an_object_of_another_writer_is_not_ours() {
    for stored in dumped() {
        let identity = json!({
            "apiVersion": stored["apiVersion"], "kind": stored["kind"],
            "metadata": { "name": stored["metadata"]["name"], "namespace": "agents" } });
        assert_eq!(owned(&stored, FIELD_MANAGER), identity);
    }
    let writers = |name: &str| -> Vec<String> {
        let managers = foreign_managers(&dumped_one("PersistentVolumeClaim", name));
        managers.into_iter().map(|manager| manager.manager).collect()
    };
    assert!(writers("plain-data").contains(&PREVIOUS.to_owned()));
    assert!(!writers("data-scaled-0").contains(&PREVIOUS.to_owned()));
}

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

#[test]
fn drift_of_one_field_is_one_change_and_heals() {
    let wanted = stateful_set(&json!([
        { "name": "agent", "image": "good:1", "args": ["a", "b"] },
        { "name": "proxy", "image": "proxy:1" } ]));
    let mut server = ApiServer::default();
    let mut drifted = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    drifted["spec"]["template"]["spec"]["containers"][0]["image"] = json!("evil:1");
    drifted["spec"]["template"]["spec"]["containers"].as_array_mut().expect("a list").remove(1);
    drifted["spec"]["selector"]["matchLabels"]["app"] = json!("wren");
    let drifted = server.update(&drifted, "kubectl-edit").expect("updates");
    insta::assert_snapshot!(lines(&diff(&wanted, &drifted)), @r#"
    spec.selector.matchLabels.app: "wren" -> "finch"
    spec.template.spec.containers[name=agent].image: "evil:1" -> "good:1"
    spec.template.spec.containers[name=proxy]: {"image":"proxy:1","name":"proxy"} (added)
    "#);
    let healed = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    assert_eq!(lines(&diff(&wanted, &healed)), "");
    assert_eq!(owned(&healed, FIELD_MANAGER), wanted);
}

#[test]
fn what_we_no_longer_want_is_reported_and_removed() {
    let before = stateful_set(&json!([
        { "name": "agent", "image": "good:1", "args": ["a"], "tty": true,
          "ports": [{ "containerPort": 80, "protocol": "TCP" }, { "containerPort": 81, "protocol": "UDP" }] },
        { "name": "proxy", "image": "proxy:1" } ]));
    let after = stateful_set(&json!([
        { "name": "agent", "image": "good:1", "args": ["a", "b"],
          "ports": [{ "containerPort": 80, "protocol": "TCP", "name": "web" }] } ]));
    let mut server = ApiServer::default();
    let live = server.apply(&before, FIELD_MANAGER, true).expect("applies");
    insta::assert_snapshot!(lines(&diff(&after, &live)), @r#"
    spec.template.spec.containers[name=agent].args: ["a"] -> ["a","b"]
    spec.template.spec.containers[name=agent].ports[containerPort=80,protocol=TCP].name: "web" (added)
    spec.template.spec.containers[name=agent].ports[containerPort=81,protocol=UDP]: {"containerPort":81,"protocol":"UDP"} (removed)
    spec.template.spec.containers[name=agent].tty: true (removed)
    spec.template.spec.containers[name=proxy]: {"image":"proxy:1","name":"proxy"} (removed)
    "#);
    let live = server.apply(&after, FIELD_MANAGER, true).expect("applies");
    assert_eq!(without_server_fields(&live), after);
}

#[test]
fn fields_of_others_survive_and_are_no_difference() {
    let wanted = stateful_set(&json!([{ "name": "agent", "image": "good:1" }]));
    let mut server = ApiServer::default();
    let mut edited = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    edited["metadata"]["labels"] = json!({ "cost-centre": "42" });
    edited["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let containers = &mut edited["spec"]["template"]["spec"]["containers"];
    containers[0]["env"] = json!([{ "name": "INJECTED", "value": "1" }]);
    containers.as_array_mut().expect("a list").insert(0, json!({ "name": "mesh", "image": "m" }));
    let edited = server.update(&edited, "mesh-injector").expect("updates");
    assert_eq!(owned(&edited, FIELD_MANAGER), wanted);
    assert_eq!(lines(&diff(&wanted, &edited)), "");
    let wanted = stateful_set(&json!([{ "name": "agent", "image": "good:2" }]));
    let after = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    assert_eq!(after["metadata"]["labels"], edited["metadata"]["labels"]);
    assert_eq!(after["metadata"]["finalizers"], edited["metadata"]["finalizers"]);
    let containers = &after["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["name"], "mesh");
    assert_eq!(containers[1]["image"], "good:2");
    assert_eq!(containers[1]["env"][0]["name"], "INJECTED");
    let injector =
        Manager { manager: "mesh-injector".into(), operation: "Update".into(), subresource: None };
    assert_eq!(foreign_managers(&after), [injector]);
}

#[test]
fn an_empty_map_of_ours_does_not_own_what_others_put_into_it() {
    let wanted = stateful_set(&json!([{ "name": "agent", "resources": {} }]));
    let mut server = ApiServer::default();
    let mut edited = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    let agent = &mut edited["spec"]["template"]["spec"]["containers"][0];
    agent["resources"] = json!({ "limits": { "memory": "1Gi" } });
    let edited = server.update(&edited, "kubectl-edit").expect("updates");
    assert_eq!(owned(&edited, FIELD_MANAGER), wanted);
    assert_eq!(lines(&diff(&wanted, &edited)), "");
    let more = stateful_set(&json!([
        { "name": "agent", "resources": { "limits": { "memory": "1Gi" } } } ]));
    insta::assert_snapshot!(lines(&diff(&more, &edited)), @r#"spec.template.spec.containers[name=agent].resources.limits.memory: "1Gi" (taken over)"#);
}

#[test]
fn a_map_that_our_apply_empties_is_there_after_the_next_one() {
    // Kubernetes drops a map whose last field goes, even if the same apply wants the empty map.
    let with =
        |context: &Value| stateful_set(&json!([{ "name": "a", "securityContext": context }]));
    let mut server = ApiServer::default();
    server.apply(&with(&json!({ "runAsUser": 1 })), FIELD_MANAGER, true).expect("applies");
    let wanted = with(&json!({}));
    let live = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    insta::assert_snapshot!(lines(&diff(&wanted, &live)), @"spec.template.spec.containers[name=a].securityContext: {} (added)");
    let live = server.apply(&wanted, FIELD_MANAGER, true).expect("applies");
    assert_eq!(lines(&diff(&wanted, &live)), "");
}

#[test]
fn order_matters_only_in_lists_without_keys() {
    let container = |name: &str, args: &Value| json!({ "name": name, "args": args });
    let a = container("a", &json!(["1", "2"]));
    let b = container("b", &json!(["1"]));
    let live = ApiServer::default()
        .apply(&stateful_set(&json!([a, b])), FIELD_MANAGER, true)
        .expect("applies");
    assert_eq!(lines(&diff(&stateful_set(&json!([b, a])), &live)), "");
    let swapped = container("a", &json!(["2", "1"]));
    let changes = diff(&stateful_set(&json!([swapped, b])), &live);
    insta::assert_snapshot!(lines(&changes), @r#"
    spec.template.spec.containers[name=a].args[0]: "1" -> "2"
    spec.template.spec.containers[name=a].args[1]: "2" -> "1"
    "#);
}

#[test]
fn defaults_inside_atomic_parts_are_no_difference() {
    let policy = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": { "name": "finch", "namespace": "agents" },
        "spec": { "podSelector": {}, "ingress": [{ "ports": [{ "port": 80 }] }] } });
    let mut live = ApiServer::default().apply(&policy, FIELD_MANAGER, true).expect("applies");
    live["spec"]["ingress"][0]["ports"][0]["protocol"] = json!("TCP");
    assert_eq!(lines(&diff(&policy, &live)), "");
    assert_ne!(owned_hash(&live, FIELD_MANAGER), hash(&policy));
    let mut sent = policy.clone();
    canonicalise(&mut sent);
    assert_eq!(owned_hash(&live, FIELD_MANAGER), hash(&sent));
}

#[test]
fn no_value_of_a_secret_appears_in_a_difference() {
    let secret = |data: &Value| {
        json!({ "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": { "name": "keys", "namespace": "agents",
                      "annotations": { "last": "c2VjcmV0LWE=" } }, "data": data })
    };
    let before = secret(&json!({ "a": "c2VjcmV0LWE=", "gone": "c2VjcmV0LWI=" }));
    let after = secret(&json!({ "a": "c2VjcmV0LWM=", "new": "c2VjcmV0LWQ=" }));
    let live = ApiServer::default().apply(&before, FIELD_MANAGER, true).expect("applies");
    insta::assert_snapshot!(lines(&diff(&after, &live)), @r#"
    data.a: "<hidden>" -> "<hidden>"
    data.gone: "<hidden>" (removed)
    data.new: "<hidden>" (added)
    "#);
    for seen in [live, json!({}), Value::Null] {
        let text = json!(diff(&after, &seen)).to_string();
        assert!(text.contains("<hidden>") && !text.contains("c2VjcmV0"), "{text}");
    }
}

#[test]
fn a_missing_object_differs_in_everything_it_has() {
    let changes = diff(&config_map(&json!({ "a": "1" })), &Value::Null);
    insta::assert_snapshot!(lines(&changes), @r#"
    data: {"a":"1"} (added)
    metadata: {"labels":{"team":"blue"},"name":"notes","namespace":"agents"} (added)
    "#);
}

#[test]
fn set_lists_are_compared_value_by_value() {
    let with = |finalizers: &Value| {
        let mut object = config_map(&json!({}));
        object["metadata"]["finalizers"] = finalizers.clone();
        object
    };
    let live = ApiServer::default()
        .apply(&with(&json!(["a/a", "b/b"])), FIELD_MANAGER, true)
        .expect("applies");
    assert_eq!(lines(&diff(&with(&json!(["b/b", "a/a"])), &live)), "");
    insta::assert_snapshot!(lines(&diff(&with(&json!(["b/b", "c/c"])), &live)), @r#"
    metadata.finalizers["a/a"]: "a/a" (removed)
    metadata.finalizers["c/c"]: "c/c" (added)
    "#);
}

#[test]
fn a_hash_is_that_of_sorted_compact_json() {
    // printf '%s' '{"a":[1,2],"b":null}' | sha256sum
    assert_eq!(hash(&json!({ "b": null, "a": [1, 2] })), "f25109c4111335e4");
    assert_ne!(hash(&json!([1, 2])), hash(&json!([2, 1])));
}

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

/// Any JSON, with a taste for what managedFields are made of.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "metadata",
        "managedFields",
        "fieldsV1",
        "manager",
        "operation",
        "Apply",
        "Update",
        ".",
        "f:spec",
        "f:a",
        "k:{\"name\":\"a\"}",
        "k:{",
        "v:1",
        "v:",
        "i:0",
        "i:-1",
        "name",
        "a",
        "spec",
        "kind",
        "Secret",
        "StatefulSet",
        "resources",
        "limits",
        "ports",
        "fieldRef",
        FIELD_MANAGER,
        "",
        "roleRef",
        "volumeClaimTemplates",
        "status",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, move |inner| {
        let key = word.clone().prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_is_too_strange(object in any_json(), set in any_json(), other in any_json()) {
        let mut live = json!({ "metadata": { "resourceVersion": "1", "managedFields": [
            { "manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": set },
            { "manager": PREVIOUS, "operation": "Update", "fieldsV1": other }, object.clone() ] } });
        if let (Some(live), Some(object)) = (live.as_object_mut(), object.as_object()) {
            live.extend(object.iter().filter(|(k, _)| *k != "metadata").map(|(k, v)| (k.clone(), v.clone())));
        }
        for live in [&live, &object] {
            let ours = owned(live, FIELD_MANAGER);
            prop_assert!(ours.is_object());
            prop_assert_eq!(hash(&ours).len(), 16);
            let _ = (diff(&other, live), foreign_managers(live));
            let _ = take_over_patch(live, &[PREVIOUS, ""]);
        }
        let mut once = object;
        canonicalise(&mut once);
        let mut twice = once.clone();
        canonicalise(&mut twice);
        prop_assert_eq!(once, twice);
    }

    /// Whatever others do in between, after our apply we own exactly what we applied, and what
    /// `diff` said before is what an apply changed.
    #[test]
    fn our_apply_always_wins_and_never_takes_more(
        steps in prop::collection::vec(
            (any::<bool>(), prop::collection::btree_map("[a-d]", "[xyz]", 1..4)), 1..8)
    ) {
        let mut server = ApiServer::default();
        for (is_ours, data) in steps {
            let env: Vec<_> =
                data.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
            let mut object = stateful_set(&json!([{ "name": "agent", "env": env }]));
            object["metadata"]["labels"] = json!(data);
            let key = key_of(&object);
            if is_ours {
                let before = server.get(&key.0, &key.1, &key.2).cloned().unwrap_or_default();
                let changes = diff(&object, &before);
                let live = server.apply(&object, FIELD_MANAGER, true).expect("applies");
                prop_assert_eq!(changes.is_empty(), live == before, "{}", lines(&changes));
                prop_assert_eq!(lines(&diff(&object, &live)), "");
                let mut ours = owned(&live, FIELD_MANAGER);
                let env = &mut ours["spec"]["template"]["spec"]["containers"][0]["env"];
                env.as_array_mut().expect("a list").sort_by_key(|item| item["name"].to_string());
                prop_assert_eq!(ours, object);
            } else if server.get(&key.0, &key.1, &key.2).is_some() {
                server.update(&object, "somebody").expect("updates");
            } else {
                server.create(&object, "somebody").expect("creates");
            }
        }
    }
}

/// Sequences of writes with what Kubernetes makes of them: random objects, recorded from the package
/// `managedfields` of k8s.io/apimachinery v0.36.3 with the merge schema of k8s.io/client-go.
fn recorded_writes() -> Vec<Vec<Value>> {
    let recorded = include_str!("data/server_side_apply.json");
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
