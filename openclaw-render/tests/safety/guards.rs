//! What its user closes is closed, whatever else is wrong; what is missing of it is made again; what
//! another has made under a name of ours is used.

use serde_json::{Value, json};

use super::{ODDITIES, create, delete, fresh, pods, said};
use openclaw_play::World;

/// An agent with a way out, a way in and a right that it is about to lose, and with parts of its own.
fn open() -> World {
    let mut world = fresh(&json!({
        "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "KEY"}}}],
        "selfConfigure": {"enabled": true},
        "tailscale": {"enabled": true, "authKeySecretRef": {"name": "keys"}},
        "security": {
            "networkPolicy": {
                "allowedEgressCIDRs": ["192.0.2.0/24"],
                "allowedIngressNamespaces": ["friends", "strangers"],
                "additionalEgress": [{"to": [{"podSelector": {}}], "ports": [{"port": 5432}]}],
            },
            "rbac": {"additionalRules": [
                {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]},
                {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]},
            ]},
        },
    }));
    let data = json!({"data": {"KEY": "Zml4dHVyZQ==", "authkey": "Zml4dHVyZQ=="}});
    create(&mut world, "Secret", "keys", data);
    world.settled().expect("it settles")
}

/// The emergency: everything that the spec can close.
fn close(world: &mut World) {
    world.merge(&json!({"spec": {"security": {
        "networkPolicy": {
            "allowHTTPS": false,
            "allowSameNamespaceIngress": false,
            "allowedEgressCIDRs": null,
            "allowedIngressNamespaces": ["friends"],
            "additionalEgress": null,
        },
        "rbac": {"additionalRules": [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]},
        ]},
    }}}));
}

fn texts(world: &World, kind: &str, pointer: &str) -> Vec<String> {
    let object = world.get(kind, "ada").expect("there");
    let found = object.pointer(pointer).and_then(Value::as_array).cloned();
    found.unwrap_or_default().iter().map(Value::to_string).collect()
}

/// Whether what was closed is, and nothing else.
fn assert_closed(world: &World, what: &str) {
    let (peers, ways) = ("/spec/ingress", "/spec/egress");
    let (peers, ways) = (texts(world, "NetworkPolicy", peers), texts(world, "NetworkPolicy", ways));
    let rules = texts(world, "Role", "/rules");
    let has = |all: &[String], text: &str| all.iter().any(|each| each.contains(text));
    assert!(!has(&peers, "strangers") && !has(&peers, r#""podSelector":{}"#), "{what}: {peers:#?}");
    assert!(has(&peers, "friends") && has(&peers, "18795"), "{what}: {peers:#?}");
    assert!(!has(&ways, "192.0.2.0") && !has(&ways, "5432"), "{what}: {ways:#?}");
    assert!(!has(&ways, r#"[{"port":443,"#), "{what}: {ways:#?}");
    assert!(has(&ways, "53") && has(&ways, "UDP") && has(&ways, "6443"), "{what}: {ways:#?}");
    let lists = |rule: &String| rule.contains("list") && rule.contains("secrets");
    assert!(!rules.iter().any(lists), "{what}: {rules:#?}");
    for kept in ["configmaps", "openclawselfconfigs", "ada-ts-state"] {
        assert!(has(&rules, kept), "{what}: {kept}: {rules:#?}");
    }
}

#[test]
fn what_is_closed_in_an_emergency_is_closed_whatever_else_is_wrong() {
    for (what, happens) in ODDITIES.iter().filter(|(what, _)| *what != "the policy is refused") {
        let mut world = open();
        happens(&mut world);
        let mut world = world.settled().expect("it settles");
        let template = |world: &World| world.get("StatefulSet", "ada").cloned();
        let before = template(&world).expect("there")["spec"]["template"].clone();
        close(&mut world);
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_closed(&world, what);
        assert_eq!(pods(&world), 1, "{what}");
        if !what.contains("taken") && *what != "the defaults cannot be read" {
            let after = template(&world).expect("there")["spec"]["template"].clone();
            let same = after == before;
            assert!(same || said(&world, "Ready").starts_with("True"), "{what}: {after}");
        }
    }
}

#[test]
fn who_opens_more_while_something_is_wrong_loses_nothing() {
    for (what, happens) in ODDITIES.iter().filter(|(what, _)| !what.contains("refused")) {
        let mut world = open();
        happens(&mut world);
        let mut world = world.settled().expect("it settles");
        world.merge(&json!({"spec": {"security": {
            "networkPolicy": {"additionalEgress": [{
                "to": [{"podSelector": {}}], "ports": [{"port": 5432}, {"port": 5433}],
            }]},
            "rbac": {"additionalRules": [
                {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]},
            ]},
        }}}));
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        let ways = texts(&world, "NetworkPolicy", "/spec/egress");
        let rules = texts(&world, "Role", "/rules");
        assert!(ways.iter().any(|way| way.contains("5432")), "{what}: {ways:#?}");
        assert!(rules.iter().any(|rule| rule.contains("configmaps")), "{what}: {rules:#?}");
    }
}

#[test]
fn nothing_is_opened_while_something_is_wrong() {
    for (what, happens) in ODDITIES.iter().filter(|(what, _)| !what.contains("refused")) {
        let mut world = open();
        happens(&mut world);
        let mut world = world.settled().expect("it settles");
        world.merge(&json!({"spec": {"security": {
            "networkPolicy": {"allowedEgressCIDRs": ["198.51.100.0/24"]},
            "rbac": {"additionalRules": [
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
            ]},
        }}}));
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        let ways = texts(&world, "NetworkPolicy", "/spec/egress");
        let rules = texts(&world, "Role", "/rules");
        let is_open = ways.iter().any(|way| way.contains("198.51.100"))
            || rules.iter().any(|rule| rule.contains("pods"));
        let conflict = ["taken", "the claim is being deleted"].iter().any(|it| what.contains(it));
        assert!(!is_open || conflict, "{what}: {ways:#?} {rules:#?}");
    }
}

#[test]
fn a_policy_that_is_wrong_itself_closes_nothing_and_a_pause_writes_nothing() {
    let mut world = open();
    world.merge(&json!({"spec": {"security": {"networkPolicy": {
        "allowHTTPS": false, "allowedEgressCIDRs": ["everywhere"],
    }}}}));
    let before = texts(&world, "NetworkPolicy", "/spec/egress");
    let mut world = world.settled().expect("it settles");
    assert_eq!(texts(&world, "NetworkPolicy", "/spec/egress"), before);

    world.merge(&json!({"metadata": {"annotations": {"openclaw.rocks/paused": "true"}}}));
    close(&mut world);
    world.merge(&json!({"spec": {"env": "none"}}));
    let world = world.settled().expect("it settles");
    assert_eq!(texts(&world, "NetworkPolicy", "/spec/egress"), before);
}

#[test]
fn a_policy_that_is_missing_is_made_again_whatever_else_is_wrong() {
    for (what, happens) in ODDITIES {
        if what.contains("policy") || *what == "a field is not rendered" {
            continue;
        }
        let mut world = open();
        happens(&mut world);
        let mut world = world.settled().expect("it settles");
        delete(&mut world, "NetworkPolicy", "ada");
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(world.get("NetworkPolicy", "ada").is_some(), "{what}");
    }
}

#[test]
fn defaults_that_cannot_be_read_are_named_and_change_nothing() {
    let mut world = fresh(&json!({})).settled().expect("it settles");
    world.hides_defaults = true;
    world.merge(&json!({"spec": {"env": [{"name": "A", "value": "b"}]}}));
    let mut world = world.settled().expect("it settles");
    assert!(
        said(&world, "RolloutPending").starts_with(
            "True WaitingForReads: nothing changes until OpenClawClusterDefaults/cluster can be read"
        ),
        "{}",
        said(&world, "RolloutPending")
    );
    world.hides_defaults = false;
    let world = world.settled().expect("it settles");
    let live = world.live_instance().expect("there")["status"]["conditions"].to_string();
    assert!(!live.contains("WaitingForReads"), "{live}");
}

#[test]
fn a_token_and_a_claim_that_another_has_made_are_used_as_they_are() {
    let mut world = fresh(&json!({}));
    create(&mut world, "Secret", "ada-gateway-token", json!({"data": {"token": "Zml4dHVyZQ=="}}));
    let claim = json!({"spec": {"resources": {"requests": {"storage": "10Gi"}}}});
    create(&mut world, "PersistentVolumeClaim", "ada-data", claim);
    let before = |world: &World| {
        [("Secret", "ada-gateway-token"), ("PersistentVolumeClaim", "ada-data")]
            .map(|(kind, name)| world.get(kind, name).expect("there")["metadata"].clone())
    };
    let metadata = before(&world).map(|each| each["ownerReferences"].clone());
    let mut world = world.settled().expect("it settles");
    assert_eq!(pods(&world), 1, "{}", said(&world, "Ready"));
    assert_eq!(before(&world).map(|each| each["ownerReferences"].clone()), metadata);
    let plan = world.pass().expect("a plan");
    assert_eq!(plan.effects, []);
    let advice: Vec<String> = plan.problems.iter().map(|each| each.path.clone()).collect();
    for path in ["spec.gateway.existingSecret", "spec.storage.persistence.existingClaim"] {
        assert!(advice.iter().any(|each| each == path), "{advice:?}");
    }
}

#[test]
fn a_secret_without_a_token_under_the_tokens_name_is_no_token() {
    let mut world = fresh(&json!({}));
    create(&mut world, "Secret", "ada-gateway-token", json!({"data": {"other": "Zml4dHVyZQ=="}}));
    let world = world.settled().expect("it settles");
    assert_eq!(pods(&world), 0);
    assert!(said(&world, "Ready").contains("has no key \"token\""), "{}", said(&world, "Ready"));
}
