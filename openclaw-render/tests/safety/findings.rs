//! Faults that a hunt found once and that must not come back, by their numbers.

use openclaw_render::{Kind, ObjectKey};
use serde_json::json;

use crate::{adopted, fresh, said};
use openclaw_play::world::{World, key_of_named};

/// What is said and is trouble, as `Type=status reason: message`.
fn trouble(world: &World) -> Vec<String> {
    let live = world.live_instance().expect("the instance");
    let conditions = live["status"]["conditions"].as_array().expect("conditions");
    let text =
        |each: &serde_json::Value, name: &str| each[name].as_str().unwrap_or_default().to_owned();
    let is_bad = |each: &&serde_json::Value| each["status"] == "False";
    let said = conditions.iter().filter(is_bad);
    said.map(|each| {
        format!("{} {}: {}", text(each, "type"), text(each, "reason"), text(each, "message"))
    })
    .collect()
}

const BLUE: &str = "blue";

fn refused_configuration() -> World {
    let mut world = fresh(&json!({"image": {"tag": "2026.8.1"}})).settled().expect("it settles");
    world.merge(
        &json!({"spec": {"config": {"raw": {"gateway": {"controlUi": {"embedSandbox": BLUE}}}}}}),
    );
    let world = world.settled().expect("it settles");
    assert!(said(&world, "ConfigValid").starts_with("False ConfigurationRejected"));
    world
}

fn assert_accepted(world: &World) {
    let said = said(world, "ConfigValid");
    assert!(said.starts_with("True ConfigRendered"), "{said}");
    let status = &world.live_instance().expect("there")["status"];
    assert_eq!(status["config"].get("rejectedHash"), None, "{status}");
    assert_eq!(status["config"]["appliedHash"], status["config"]["renderedHash"]);
    assert_eq!(status["phase"], "Running");
}

#[test]
fn finding_7_what_was_refused_and_is_accepted_by_the_same_pod_later_is_told_so() {
    let mut world = refused_configuration();
    world.takes_every_configuration = true;
    let plans = world.settle().expect("it settles");
    assert!(plans.iter().any(|plan| plan.ask.is_some()), "it is asked for");
    assert_accepted(&world);
    let mut events = plans.iter().flat_map(|plan| &plan.events);
    assert!(events.any(|event| event.reason == "ConfigRendered"), "{plans:#?}");
}

#[test]
fn finding_7_what_one_version_refused_and_the_next_accepts_is_told_so() {
    let mut world = refused_configuration();
    world.takes_every_configuration = true;
    world.merge(&json!({"spec": {"image": {"tag": "2026.9.6"}}}));
    let world = world.settled().expect("it settles");
    let pod = world.get("Pod", "ada-0").expect("a pod");
    assert!(pod["spec"]["containers"].to_string().contains(":2026.9.6"), "{pod}");
    assert_accepted(&world);
}

/// One of everything that needs no other object.
fn with_much_beside() -> World {
    fresh(&json!({
        "image": {"tag": "2026.9.6"},
        "chromium": {"enabled": true, "persistence": {"enabled": true}},
        "backup": {"schedule": "@daily", "storage": {"secretRef": {"name": "bucket"}}},
        "observability": {"metrics": {
            "prometheusRule": {"enabled": true},
            "serviceMonitor": {"enabled": true},
            "grafanaDashboard": {"enabled": true},
        }},
        "networking": {"ingress": {"enabled": true, "className": "nginx", "hosts": [{"host": "a.example.com"}]}},
    }))
}

#[test]
fn finding_14_whatever_the_api_server_refuses_of_a_running_agent_is_told() {
    let calm = with_much_beside().settled().expect("it settles");
    let objects: Vec<ObjectKey> = (crate::end(&calm).into_keys())
        .filter_map(|(kind, _, name)| {
            let kind = Kind::ALL.iter().find(|known| known.as_str() == kind)?;
            Some(ObjectKey::new(*kind, name))
        })
        .collect();
    assert!(objects.len() > 12, "{objects:?}");
    for key in objects {
        let mut world = calm.clone();
        world.refused.push(key.to_string());
        world
            .server
            .delete(&key_of_named(key.kind.as_str(), &key.name), None)
            .expect("it is there");
        world.settle().unwrap_or_else(|error| panic!("{key}: {error}"));
        let told = trouble(&world);
        let tells = |it: &String| it.contains(&key.name) && it.contains("not allowed here");
        assert!(told.iter().any(tells), "{key}: {told:#?}");
    }
}

#[test]
fn finding_14_a_change_that_the_api_server_refuses_is_told_of_a_running_agent() {
    let calm = fresh(&json!({})).settled().expect("it settles");
    for (key, change) in [
        (
            "ConfigMap/ada-config",
            json!({"config": {"raw": {"session": {"reset": {"mode": "daily"}}}}}),
        ),
        ("ConfigMap/ada-workspace", json!({"workspace": {"initialFiles": {"a.md": "b"}}})),
        (
            "ServiceAccount/ada",
            json!({"security": {"rbac": {"serviceAccountAnnotations": {"a": "b"}}}}),
        ),
        ("PersistentVolumeClaim/ada-data", json!({"storage": {"persistence": {"size": "20Gi"}}})),
    ] {
        let mut world = calm.clone();
        world.refused.push(key.to_owned());
        world.merge(&json!({"spec": change}));
        let mut world = world.settled().expect("it settles");
        assert!(said(&world, "Ready").starts_with("True"), "{key}: the agent goes on");
        let told = trouble(&world);
        assert!(told.iter().any(|it| it.contains("not allowed here")), "{key}: {told:#?}");
        world.refused.clear();
        let told = trouble(&world.settled().expect("it settles"));
        assert!(told.iter().all(|it| !it.contains("not allowed")), "{key}: {told:#?}");
    }
}

#[test]
fn a_finalizer_that_is_refused_is_told() {
    let mut world = fresh(&json!({}));
    world.refused.push("OpenClawInstance".to_owned());
    world.settle().expect("it settles");
    let told = trouble(&world);
    assert!(
        told.iter()
            .any(|it| it.starts_with("Ready ApplyRefused") && it.contains("not allowed here")),
        "{told:#?}"
    );
    world.refused.clear();
    assert!(said(&world.settled().expect("it settles"), "Ready").starts_with("True"));
}

#[test]
fn finding_20_what_was_switched_off_goes_and_what_cannot_go_is_named() {
    for (name, gone) in [
        ("rich", &["Ingress/rich", "CronJob/rich-backup-periodic"][..]),
        ("scaled", &["HorizontalPodAutoscaler/scaled"]),
    ] {
        let before = adopted(name).settled().expect("it settles");
        let is_there = |world: &World, object: &str| {
            let (kind, name) = object.split_once('/').expect("a kind and a name");
            world.get(kind, name).is_some()
        };
        let had: Vec<&str> = gone.iter().copied().filter(|it| is_there(&before, it)).collect();
        assert!(!had.is_empty(), "{name}: {:#?}", crate::names(&before));
        let switched_off = |world: &World| {
            let mut live = world.live_instance().expect("there").clone();
            live["spec"] = json!({"image": {"tag": "2026.9.6"}});
            let mut world = world.clone();
            world.server.update(&live, "kubectl").expect("it can be changed");
            world
        };
        let world = switched_off(&before).settled().expect("it settles");
        for object in &had {
            assert!(!is_there(&world, object), "{object} stays: {:#?}", trouble(&world));
        }
        let mut world = switched_off(&before);
        world.refused.extend(had.iter().map(|it| (*it).to_owned()));
        let world = world.settled().expect("it settles");
        for object in &had {
            let told = trouble(&world);
            let tells = |it: &String| it.contains(*object) && it.contains("not allowed here");
            assert!(told.iter().any(tells), "{object}: {told:#?}");
        }
    }
}
