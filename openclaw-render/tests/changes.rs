//! Whatever a spec was before, what is stored of our part is what is rendered for it now.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test, in helpers too"
)]

use openclaw_play::World;
use openclaw_render::{
    Object, Ownership, Severity, decode_instance, diff, hash, owned, owned_hash, render_instance,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const MANAGER: &str = "openclaw-operator";

fn fresh(spec: &Value) -> World {
    World::with_instance("ada", spec)
}

/// Rules of a NetworkPolicy before and after, of which the second lacks something.
fn narrower() -> Vec<(&'static str, Value, Value)> {
    let block = |block: Value| json!([{"to": [{"ipBlock": block}]}]);
    let ports =
        |port: Value| json!([{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [port]}]);
    let both = json!({"namespaceSelector": {"matchLabels": {"a": "b"}},
                      "podSelector": {"matchLabels": {"x": "y"}}});
    vec![
        (
            "endPort",
            ports(json!({"port": 1, "endPort": 65535, "protocol": "TCP"})),
            ports(json!({"port": 1, "protocol": "TCP"})),
        ),
        (
            "except",
            block(json!({"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]})),
            block(json!({"cidr": "10.0.0.0/8"})),
        ),
        (
            "ports",
            ports(json!({"port": 443, "protocol": "TCP"})),
            block(json!({"cidr": "10.0.0.0/8"})),
        ),
        (
            "a port's number",
            ports(json!({"port": 443, "protocol": "UDP"})),
            ports(json!({"protocol": "UDP"})),
        ),
        (
            "namespaceSelector",
            json!([{"to": [both]}]),
            json!([{"to": [{"podSelector": {"matchLabels": {"x": "y"}}}]}]),
        ),
        (
            "what a selector matches",
            json!([{"to": [{"podSelector": {"matchLabels": {"x": "y"}}}]}]),
            json!([{"to": [{"podSelector": {}}]}]),
        ),
        ("the whole rule", json!([{"to": [both]}]), json!([{}])),
    ]
}

#[test]
fn a_change_of_the_policy_that_only_removes_is_sent() {
    for (what, before, after) in narrower() {
        let spec = |rules: &Value| json!({"security": {"networkPolicy": {"allowHTTPS": false, "additionalEgress": rules}}});
        let mut world = fresh(&spec(&before)).settled().expect("it settles");
        world.merge(&json!({"spec": spec(&after)}));
        let world = world.settled().expect("it settles");
        let live = world.get("NetworkPolicy", "ada").expect("there");
        let rules = live["spec"]["egress"].as_array().expect("rules");
        assert_eq!(rules.last(), after.as_array().and_then(|rules| rules.last()), "{what}");
        let fresh = fresh(&spec(&after)).settled().expect("it settles");
        let expected = fresh.get("NetworkPolicy", "ada").expect("there");
        assert_eq!(live["spec"], expected["spec"], "{what}");
    }
}

/// Something of everything that reaches an object, atomic parts above all.
fn everything() -> Value {
    json!({
        "registry": "mirror.example.com",
        "config": {"raw": {
            "session": {"scope": "per-sender"},
            "logging": {"level": "debug"},
            "gateway": {"bind": "lan", "controlUi": {"allowedOrigins": ["https://a.example.com"]}},
        }},
        "workspace": {
            "initialFiles": {"a.md": "a", "b/c.md": "c"}, "initialDirectories": ["d", "e/f"],
        },
        "resources": {"requests": {"cpu": 1}, "limits": {"memory": "2Gi", "cpu": 2}},
        "env": [
            {"name": "A", "value": "a"}, {"name": "B", "value": "b"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
        "podAnnotations": {"example.com/a": "a", "example.com/b": "b"},
        "security": {
            "podSecurityContext": {"fsGroup": 2000, "supplementalGroups": [3000, 4000]},
            "containerSecurityContext": {
                "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            },
            "networkPolicy": {
                "allowHTTPS": false, "allowDNS": false, "allowSameNamespaceIngress": false,
                "allowedIngressNamespaces": ["a", "b"], "allowedIngressCIDRs": ["10.0.0.0/8"],
                "allowedEgressCIDRs": ["10.0.0.0/8", "fd00::/8"],
                "additionalEgress": [
                    {
                        "to": [
                            {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}},
                            {
                                "namespaceSelector": {"matchLabels": {"a": "b", "c": "d"}},
                                "podSelector": {
                                    "matchLabels": {"x": "y"},
                                    "matchExpressions": [{"key": "z", "operator": "Exists"}],
                                },
                            },
                        ],
                        "ports": [{"port": 1, "endPort": 65535}, {"port": 53, "protocol": "UDP"}],
                    },
                    {"to": [{"podSelector": {}}], "ports": [{"port": 443}]},
                ],
            },
            "rbac": {
                "serviceAccountAnnotations": {"example.com/a": "a", "example.com/b": "b"},
                "additionalRules": [
                    {"apiGroups": ["", "apps"], "resources": ["configmaps", "pods"],
                     "verbs": ["get", "list"], "resourceNames": ["a", "b"]},
                    {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]},
                ],
            },
        },
        "networking": {"service": {
            "type": "NodePort", "annotations": {"example.com/a": "a", "example.com/b": "b"},
        }},
        "availability": {
            "podDisruptionBudget": {"enabled": true, "maxUnavailable": 1},
            "nodeSelector": {"disk": "ssd", "zone": "a"},
            "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoSchedule"}, {"key": "b"}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "disk", "operator": "In", "values": ["ssd", "nvme"]},
                    {"key": "arch", "operator": "Exists"},
                ]}],
            }}},
        },
        "storage": {"persistence": {"size": "20Gi"}},
        "probes": {"diskReadiness": {"enabled": true}, "liveness": {"periodSeconds": 20}},
    })
}

/// Fields without which an item is none.
const KEPT: [&str; 9] =
    ["name", "cidr", "key", "operator", "apiGroups", "resources", "verbs", "value", "valueFrom"];

/// The value without some of its parts, as the bits say.
fn part_of(value: &Value, bits: &mut impl Iterator<Item = u8>) -> Value {
    let mut stays = || bits.next().is_none_or(|bits| bits % 5 > 0);
    match value {
        Value::Object(map) => {
            let kept: Vec<_> =
                map.iter().filter(|(name, _)| KEPT.contains(&name.as_str()) || stays()).collect();
            let part = |(name, value): (&String, &Value)| (name.clone(), part_of(value, bits));
            Value::Object(kept.into_iter().map(part).collect())
        }
        Value::Array(items) => {
            let kept: Vec<_> = items.iter().filter(|_| stays()).collect();
            kept.into_iter().map(|item| part_of(item, bits)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// What is rendered for the instance as it is, unless something is wrong with it.
fn rendered(world: &World) -> Option<Vec<Object>> {
    let live = world.live_instance().expect("the instance").clone();
    let (instance, _) = decode_instance(live).ok()?;
    let (objects, problems) =
        render_instance(&instance, &world.observed().expect("an instance"), &world.settings);
    let is_good = problems.iter().all(|problem| problem.severity == Severity::Advice);
    is_good.then_some(objects)
}

/// Without the record of the last roll-out, which is not rendered.
fn unrecorded(mut object: Value) -> Value {
    if object["kind"] == "StatefulSet" {
        object["metadata"].as_object_mut().expect("metadata").remove("annotations");
    }
    object
}

fn any_part() -> impl Strategy<Value = Value> {
    prop::collection::vec(any::<u8>(), 0..200)
        .prop_map(|bits| part_of(&everything(), &mut bits.into_iter()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_stored_of_our_part_is_what_is_rendered_whatever_was_there_before(
        before in any_part(), after in any_part(),
    ) {
        let mut world = fresh(&before);
        prop_assume!(rendered(&world).is_some());
        world = world.settled().expect("it settles");
        let mut live = world.live_instance().expect("there").clone();
        let image = live["spec"]["image"].clone();
        live["spec"] = after;
        live["spec"]["image"] = image;
        world.server.update(&live, "kubectl").expect("it can be changed");
        let objects = rendered(&world);
        prop_assume!(objects.is_some());
        let objects: Vec<Value> = objects
            .iter()
            .flatten()
            .filter(|object| object.ownership() == Ownership::Applied)
            .map(Object::to_value)
            .collect();
        let found = |world: &World, object: &Value| {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            world.get(&text(&object["kind"]), &text(&object["metadata"]["name"])).cloned()
        };
        // What is shown of a change is the truth: nothing only where nothing would change.
        for wanted in &objects {
            let live = found(&world, wanted).unwrap_or_default();
            let is_same = hash(wanted) == owned_hash(&live, MANAGER);
            prop_assert_eq!(diff(wanted, &live).is_empty(), is_same, "{:#}", wanted);
        }
        let world = world.settled().expect("it settles");
        for wanted in &objects {
            let live = found(&world, wanted).expect("it is there");
            prop_assert_eq!(&unrecorded(owned(&live, MANAGER)), wanted);
            prop_assert_eq!(diff(wanted, &unrecorded(live)), []);
        }
    }
}
