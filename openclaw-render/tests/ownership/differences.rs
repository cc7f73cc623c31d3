//! What we own of an object, and where it differs from what we want.

use openclaw_render::canonical::canonicalise;
use openclaw_render::ownership::{Manager, diff, foreign_managers, hash, owned, owned_hash};
use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::{Value, json};

use crate::objects::{
    PREVIOUS, config_map, dumped, dumped_one, lines, name_of, stateful_set, without_server_fields,
};
use openclaw_play::api_server::ApiServer;

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
