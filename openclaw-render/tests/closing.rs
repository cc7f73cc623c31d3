//! Nothing that publishes an agent stays when its field goes: what is left is what an agent has that
//! never had the field.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test"
)]

use std::collections::BTreeMap;

use openclaw_play::World;
use serde_json::{Value, json};

/// Ways in, each with the spec that opens it and the merge patch that takes its field out.
fn ways() -> Vec<(&'static str, Value, Value)> {
    let ingress = |class: &str, more: Value| {
        let mut ingress = json!({
            "enabled": true, "className": class, "hosts": [{"host": "ada.example.com"}],
            "tls": [{"secretName": "ada-tls"}],
        });
        for (name, value) in more.as_object().expect("an object") {
            ingress[name] = value.clone();
        }
        json!({"networking": {"ingress": ingress}})
    };
    let guarded = json!({"security": {
        "basicAuth": {"enabled": true, "username": "ada"}, "enableHSTS": true,
        "rateLimiting": {"requestsPerSecond": 5},
    }});
    let no_ingress = || json!({"networking": {"ingress": null}});
    let off = || json!({"networking": {"ingress": {"enabled": false}}});
    let service = |spec: Value| json!({"networking": {"service": spec}});
    vec![
        ("an Ingress", ingress("nginx", json!({})), no_ingress()),
        ("an Ingress that is switched off", ingress("nginx", guarded.clone()), off()),
        ("an Ingress of Traefik", ingress("traefik", guarded), no_ingress()),
        ("an Ingress of AWS", ingress("alb", json!({})), no_ingress()),
        ("an Ingress of Tailscale", ingress("tailscale", json!({})), off()),
        (
            "an HTTPRoute",
            json!({"networking": {"httpRoute": {
                "enabled": true, "hostnames": ["ada.example.com"],
                "parentRefs": [{"name": "front", "namespace": "gateways"}],
            }}}),
            json!({"networking": {"httpRoute": null}}),
        ),
        (
            "ports of the Service",
            service(json!({"type": "NodePort", "ports": [
                {"name": "http", "port": 80, "targetPort": 18789, "nodePort": 30789},
                {"name": "webhook", "port": 3978},
            ]})),
            service(Value::Null),
        ),
        (
            "a load balancer",
            service(json!({"type": "LoadBalancer", "annotations": {"example.com/public": "true"}})),
            service(Value::Null),
        ),
        (
            "served metrics",
            json!({
                "plugins": ["@openclaw/diagnostics-otel"],
                "observability": {"metrics": {"enabled": true}},
                "networking": {"metricsIngress": {
                    "from": "AllowedPeers", "allowedNamespaces": ["monitoring"],
                }},
            }),
            json!({"observability": null, "networking": null}),
        ),
        (
            "peers of the network",
            json!({"security": {"networkPolicy": {
                "allowedIngressNamespaces": ["front"], "allowedIngressCIDRs": ["10.0.0.0/8"],
            }}}),
            json!({"security": null}),
        ),
        (
            "a tailnet",
            json!({"tailscale": {
                "enabled": true, "mode": "funnel", "authKeySecretRef": {"name": "tailnet"},
            }}),
            json!({"tailscale": null}),
        ),
        (
            "a web terminal",
            json!({"webTerminal": {
                "enabled": true, "credential": {"secretRef": {"name": "terminal"}},
            }}),
            json!({"webTerminal": null}),
        ),
    ]
}

fn world(spec: &Value) -> World {
    let mut world = World::with_instance("ada", spec);
    for (name, keys) in [("tailnet", ["authkey", "x"]), ("terminal", ["username", "password"])] {
        let data: BTreeMap<&str, &str> = keys.into_iter().map(|key| (key, "eA==")).collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "agents"}, "data": data,
        });
        world.server.create(&secret, "kubectl").expect("it is new");
    }
    world.settled().expect("it settles")
}

/// What leads to an agent or is open for somebody, as it is wanted. A Secret and a claim that are made once stay.
fn published(world: &World) -> BTreeMap<String, Value> {
    let managed = world.server.list("openclaw-operator").into_iter();
    let kept = managed.filter(|live| {
        live["kind"] != "Secret" && live["kind"] != "PersistentVolumeClaim" && live["kind"] != "Pod"
    });
    let entry = |live: &Value| {
        let name = live["metadata"]["name"].as_str().expect("a name");
        let kind = live["kind"].as_str().expect("a kind");
        let content = json!({
            "spec": live["spec"], "data": live["data"], "rules": live["rules"],
            "annotations": match kind {
                // Records of how it came to be.
                "StatefulSet" => Value::Null,
                _ => live["metadata"]["annotations"].clone(),
            },
        });
        (format!("{kind}/{name}"), content)
    };
    kept.map(entry).collect()
}

#[test]
fn what_publishes_an_agent_goes_with_its_field() {
    for (what, spec, gone) in ways() {
        // Plugins publish nothing, and what has installed one stays, to remove it.
        let plugins = spec.get("plugins").map(|plugins| ("plugins".to_owned(), plugins.clone()));
        let never = published(&world(&plugins.into_iter().collect()));
        let mut world = world(&spec);
        assert_ne!(published(&world), never, "{what} changes nothing");
        world.merge(&json!({"spec": gone}));
        let world = world.settled().expect("it settles");
        let left = published(&world);
        for key in left.keys().chain(never.keys()) {
            assert_eq!(left.get(key), never.get(key), "{what}: {key}");
        }
        let pod = world.get("Pod", "ada-0").expect("the agent's pod");
        let wanted = &never["StatefulSet/ada"]["spec"]["template"]["spec"]["containers"];
        assert_eq!(&pod["spec"]["containers"], wanted, "{what}: the pod");
    }
}
