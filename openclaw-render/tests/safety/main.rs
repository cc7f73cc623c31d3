//! What must hold whatever is wrong around an instance: it can be switched off, no pod runs without
//! what it asks for, nothing that is not ours is written, no volume goes unasked.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "what is missing in a test is a failed test, in helpers too"
)]

mod claims;
mod findings;
mod guards;
mod status;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use openclaw_play::scene::Step;
use openclaw_play::world::{NAMESPACE, World, instance, key_of_named};
use openclaw_render::{
    Action, Fact, Kind, ObjectKey, Observed, Plan, Read, Settings, decode_instance, plan,
};
use serde_json::{Value, json};
use support::ends::end;
use support::scenes::adopt;

/// A world with one instance of that spec, `ada`, before the operator has seen it.
fn fresh(spec: &Value) -> World {
    World::with_instance("ada", spec)
}

fn adopted(name: &str) -> World {
    let mut world = World::new(name);
    let adopt = Some(adopt("0.38.3", name));
    Step { adopt, ..Step::default() }.happen(&mut world).expect("it is adopted");
    world
}

fn create(world: &mut World, kind: &str, name: &str, content: Value) {
    let mut object = content;
    object["kind"] = json!(kind);
    object["apiVersion"] = json!("v1");
    object["metadata"] = json!({"name": name, "namespace": NAMESPACE});
    world.server.create(&object, "kubectl").expect("it is new");
}

fn delete(world: &mut World, kind: &str, name: &str) {
    world.server.delete(&key_of_named(kind, name), None).expect("it is there");
}

fn replicas(world: &World) -> Value {
    let set = world.get("StatefulSet", &world.instance).expect("the StatefulSet");
    set["spec"]["replicas"].clone()
}

fn pods(world: &World) -> usize {
    usize::from(world.get("Pod", &format!("{}-0", world.instance)).is_some())
}

/// A condition as `status reason: message`.
fn said(world: &World, about: &str) -> String {
    let live = world.live_instance().expect("the instance");
    let conditions = live["status"]["conditions"].as_array().expect("conditions");
    let found = conditions.iter().find(|each| each["type"] == about);
    let found = found.unwrap_or_else(|| panic!("nothing is said of {about}: {conditions:#?}"));
    let text = |name: &str| found[name].as_str().expect("a text").to_owned();
    format!("{} {}: {}", text("status"), text("reason"), text("message"))
}

/// Kinds and names of everything but pods.
fn names(world: &World) -> BTreeSet<String> {
    let keys = end(world).into_keys().filter(|(kind, ..)| kind != "Pod");
    keys.map(|(kind, _, name)| format!("{kind}/{name}")).collect()
}

/// What the plans apply or create.
fn sent<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Vec<ObjectKey> {
    let effects = plans.into_iter().flat_map(|plan| &plan.effects);
    let keys = effects.filter_map(|effect| {
        let sends = matches!(effect.action, Action::Apply(_) | Action::Create(_));
        effect.object().filter(|_| sends).cloned()
    });
    keys.collect()
}

/// Something that is wrong, by name, and how it comes about.
type Oddity = (&'static str, fn(&mut World));

fn with_keys() -> World {
    let mut world = fresh(&json!({"envFrom": [{"secretRef": {"name": "keys"}}]}));
    create(&mut world, "Secret", "keys", json!({"data": {"KEY": "Zml4dHVyZQ=="}}));
    world
}

const ODDITIES: &[Oddity] = &[
    ("a Secret cannot be read", |world| world.unreadable.push(format!("{:?}", secret("keys")))),
    ("the defaults cannot be read", |world| world.hides_defaults = true),
    ("a Secret is missing", |world| delete(world, "Secret", "keys")),
    ("the claim is being deleted", |world| {
        let mut claim = world.get("PersistentVolumeClaim", "ada-data").expect("there").clone();
        claim["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
        world.server.update(&claim, "kubernetes").expect("it can be changed");
        delete(world, "PersistentVolumeClaim", "ada-data");
    }),
    ("somebody has taken the account's name", |world| {
        delete(world, "ServiceAccount", "ada");
        create(world, "ServiceAccount", "ada", json!({}));
    }),
    ("somebody has taken the Service's name", |world| {
        delete(world, "Service", "ada");
        create(world, "Service", "ada", json!({}));
    }),
    ("the application would not start", |world| {
        world.merge(&json!({"spec": {"config": {"raw": {"mcpServers": {}}}}}));
    }),
    ("the spec is invalid", |world| {
        world.merge(&json!({"spec": {"workspace": {"initialFiles": {"../x": ""}}}}));
    }),
    ("the spec does not decode", |world| world.merge(&json!({"spec": {"env": "none"}}))),
    ("the configuration is too deep", |world| {
        let raw = (0..400).fold(json!({}), |inner, _| Value::Array(vec![inner]));
        world.merge(&json!({"spec": {"config": {"raw": {"session": raw}}}}));
    }),
    ("the policy is refused", |world| {
        world.refused.push("NetworkPolicy/ada".to_owned());
        world.merge(&json!({"spec": {"security": {"networkPolicy": {"allowHTTPS": false}}}}));
    }),
    ("the account is refused", |world| {
        world.refused.push("ServiceAccount/ada".to_owned());
        delete(world, "ServiceAccount", "ada");
    }),
];

fn secret(name: &str) -> Read {
    Read::Content(ObjectKey::new(Kind::Secret, name))
}

fn suspend(world: &mut World, suspended: bool) {
    world.merge(&json!({"spec": {"suspended": suspended}}));
}

#[test]
fn a_suspended_instance_stops_whatever_else_is_wrong() {
    for (what, happens) in ODDITIES {
        let mut world = with_keys().settled().expect("it settles");
        assert_eq!((pods(&world), replicas(&world)), (1, json!(1)), "{what}");
        happens(&mut world);
        suspend(&mut world, true);
        let before = names(&world);
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((pods(&world), replicas(&world)), (0, json!(0)), "{what}");
        let said = said(&world, "StatefulSetReady");
        assert_eq!(
            said,
            "True Suspended: suspended: no pod runs, the volume stays; to go on, set spec.suspended to false and spec.replicas to 1",
            "{what}"
        );
        let set = world.get("StatefulSet", "ada").expect("it stays");
        assert!(set["spec"]["template"].is_object(), "{what}: {set}");
        assert_eq!(&names(&world) - &before, BTreeSet::new(), "{what}: something is made");
    }
}

#[test]
fn an_oddity_that_comes_after_the_stop_does_not_undo_it() {
    for (what, happens) in ODDITIES {
        let mut world = with_keys();
        suspend(&mut world, true);
        let mut world = world.settled().expect("it settles");
        happens(&mut world);
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((pods(&world), replicas(&world)), (0, json!(0)), "{what}");
    }
}

#[test]
fn nothing_is_started_while_something_is_wrong() {
    let mut calm = with_keys();
    suspend(&mut calm, true);
    let mut calm = calm.settled().expect("it settles");
    for (what, happens) in ODDITIES {
        let mut world = calm.clone();
        happens(&mut world);
        suspend(&mut world, false);
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((pods(&world), replicas(&world)), (0, json!(0)), "{what}");
    }
    suspend(&mut calm, false);
    assert_eq!(pods(&calm.settled().expect("it settles")), 1, "nothing is wrong");
}

#[test]
fn an_adopted_instance_stops_before_anything_of_it_is_approved_or_rendered() {
    for name in ["plain", "rich"] {
        let mut world = adopted(name).settled().expect("it settles");
        let template = |world: &World| {
            world.get("StatefulSet", name).expect("there")["spec"]["template"].clone()
        };
        let (before, names_before) = (template(&world), names(&world));
        assert_eq!(pods(&world), 1, "{name}");
        suspend(&mut world, true);
        let plans = world.settle().expect("it settles");
        assert_eq!((pods(&world), replicas(&world)), (0, json!(0)), "{name}");
        assert_eq!(template(&world), before, "{name}");
        assert_eq!(&names(&world) - &names_before, BTreeSet::new(), "{name}");
        if name == "rich" {
            assert_eq!(sent(&plans), [ObjectKey::new(Kind::StatefulSet, "rich")]);
        }
    }
}

#[test]
fn a_held_roll_out_can_be_stopped_and_started_again_as_it_was() {
    let mut world = fresh(&json!({})).settled().expect("it settles");
    let template =
        |world: &World| world.get("StatefulSet", "ada").expect("there")["spec"]["template"].clone();
    let before = template(&world);
    world.settings =
        Settings { pod_image: "example.com/operator:pod-2".to_owned(), ..Settings::default() };
    for (suspended, running) in [(true, 0), (false, 1)] {
        suspend(&mut world, suspended);
        world = world.settled().expect("it settles");
        assert_eq!(pods(&world), running);
        assert_eq!(template(&world), before);
    }
}

#[test]
fn status_tells_of_scaling_down_only_once_that_is_done() {
    let mut world = fresh(&json!({})).settled().expect("it settles");
    let annotations = json!({"metadata": {"annotations": {"openclaw.rocks/paused": "true"}}});
    world.merge(&annotations);
    suspend(&mut world, true);
    let world = world.settled().expect("it settles");
    assert_eq!((pods(&world), replicas(&world)), (1, json!(1)), "paused means no write at all");
    assert_eq!(
        said(&world, "StatefulSetReady"),
        "False NotApplied: suspended: StatefulSet/ada is not scaled down yet"
    );
    let mut world = fresh(&json!({})).settled().expect("it settles");
    world.refused.push("StatefulSet/ada".to_owned());
    suspend(&mut world, true);
    world.pass().expect("a plan");
    let said = said(&world, "StatefulSetReady");
    assert!(
        said.starts_with("False ApplyRefused: the API server refuses StatefulSet/ada"),
        "{said}"
    );
}

/// What a pod needs, and under which name.
const NEEDED: [&str; 7] = [
    "ServiceAccount/ada",
    "RoleBinding/ada",
    "NetworkPolicy/ada",
    "Secret/ada-gateway-token",
    "ConfigMap/ada-config",
    "ConfigMap/ada-workspace",
    "PersistentVolumeClaim/ada-data",
];

#[test]
fn no_pod_is_made_before_all_that_it_needs_and_status_names_what_is_missing() {
    for needed in NEEDED {
        let mut world = fresh(&json!({}));
        world.refused.push(needed.to_owned());
        world.settle().unwrap_or_else(|error| panic!("{needed}: {error}"));
        assert!(world.get("StatefulSet", "ada").is_none(), "{needed}");
        let expected =
            format!("False NotApplied: StatefulSet/ada waits for {needed} (could not be written)");
        assert_eq!(said(&world, "StatefulSetReady"), expected);
        assert!(said(&world, "Ready").contains(needed), "{}", said(&world, "Ready"));
        world.refused.clear();
        assert_eq!(pods(&world.settled().expect("it settles")), 1, "{needed}");
    }
}

#[test]
fn what_a_pod_does_not_need_holds_nothing_back() {
    for other in ["PodDisruptionBudget/ada", "Service/ada", "Role/ada"] {
        let mut world = fresh(&json!({}));
        world.refused.push(other.to_owned());
        assert_eq!(pods(&world.settled().expect("it settles")), 1, "{other}");
    }
}

#[test]
fn a_pod_without_a_policy_of_its_own_wish_waits_for_none() {
    let mut world = fresh(&json!({"security": {"networkPolicy": {"enabled": false}}}));
    world.refused.push("NetworkPolicy/ada".to_owned());
    assert_eq!(pods(&world.settled().expect("it settles")), 1);
}

#[test]
fn a_running_agent_goes_on_while_its_new_policy_is_refused() {
    let mut world = fresh(&json!({})).settled().expect("it settles");
    let before = world.get("StatefulSet", "ada").cloned();
    world.refused.push("NetworkPolicy/ada".to_owned());
    world.merge(&json!({"spec": {
        "env": [{"name": "A", "value": "b"}],
        "security": {"networkPolicy": {"allowHTTPS": false}},
    }}));
    let world = world.settled().expect("it settles");
    let spec = |set: Option<Value>| set.expect("there")["spec"].clone();
    assert_eq!(spec(world.get("StatefulSet", "ada").cloned()), spec(before));
    assert_eq!(said(&world, "Ready"), "True Reconciled: pod ada-0 is ready");
    assert_eq!(
        said(&world, "StatefulSetReady"),
        "False NotApplied: StatefulSet/ada waits for NetworkPolicy/ada (could not be written)"
    );
}

#[test]
fn without_randomness_there_is_no_token_and_no_pod() {
    let (ada, _) = decode_instance(instance("ada", &json!({}))).expect("it decodes");
    let mut observed = Observed {
        cluster_defaults: Fact::Absent,
        claims: [("ada-data".to_owned(), Fact::Absent)].into(),
        secrets: [("ada-gateway-token".to_owned(), Fact::Absent)].into(),
        pods: Fact::Known(Vec::new()),
        ..Observed::default()
    };
    for read in plan(&ada, &observed, &Settings::default()).reads {
        assert!(matches!(read, Read::Metadata(_) | Read::Deployment(_)), "{read:?}");
        observed.look(&read, None, "ada");
    }
    for (token, is_made) in [(None, false), (Some("0".repeat(64)), true)] {
        observed.random_token = token;
        let plan = plan(&ada, &observed, &Settings::default());
        let sent = sent([&plan]);
        for kind in [Kind::Secret, Kind::StatefulSet] {
            assert_eq!(sent.iter().any(|key| key.kind == kind), is_made, "{sent:?}");
        }
        let conditions = plan.status.conditions.unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
        let why = "Secret/ada-gateway-token (cannot be made without a random token)";
        let says_why = ready.is_some_and(|ready| ready.message.contains(why));
        assert_eq!(says_why, !is_made, "{ready:?}");
    }
}

#[test]
fn a_policy_and_an_account_that_are_missing_are_made_while_a_roll_out_is_held() {
    let mut world = adopted("plain").settled().expect("it settles");
    assert!(said(&world, "RolloutPending").contains("HeldForApproval"));
    for kind in ["NetworkPolicy", "ServiceAccount", "Role", "RoleBinding"] {
        delete(&mut world, kind, "plain");
        world = world.settled().expect("it settles");
        assert!(world.get(kind, "plain").is_some(), "{kind}");
        assert_eq!(world.replaced, 0);
    }
}

#[test]
fn the_account_of_a_pod_that_stays_as_it_is_stays_too() {
    let mut world = fresh(&json!({})).settled().expect("it settles");
    let other = json!({"spec": {
        "security": {"rbac": {"serviceAccountName": "other"}},
        "config": {"raw": {"mcpServers": {}}},
    }});
    world.merge(&other);
    let mut world = world.settled().expect("it settles");
    assert!(world.get("ServiceAccount", "ada").is_some());
    let subject = |world: &World| {
        world.get("RoleBinding", "ada").expect("there")["subjects"][0]["name"].clone()
    };
    assert_eq!(subject(&world), "ada");
    world.merge(&json!({"spec": {"config": null}}));
    let world = world.settled().expect("it settles");
    assert!(world.get("ServiceAccount", "ada").is_none());
    assert_eq!(subject(&world), "other");
    let set = world.get("StatefulSet", "ada").expect("there");
    assert_eq!(set["spec"]["template"]["spec"]["serviceAccountName"], "other");
}

#[test]
fn an_account_goes_only_after_the_pod_runs_as_another() {
    let mut world = fresh(&json!({})).settled().expect("it settles");
    world.refused.push("StatefulSet/ada".to_owned());
    world.merge(&json!({"spec": {"security": {"rbac": {"serviceAccountName": "other"}}}}));
    let mut world = world.settled().expect("it settles");
    assert!(world.get("ServiceAccount", "ada").is_some());
    world.refused.clear();
    let world = world.settled().expect("it settles");
    assert!(world.get("ServiceAccount", "ada").is_none());
}

#[test]
fn an_adopted_instance_that_would_not_start_is_at_rest() {
    let mut world = adopted("plain");
    world.merge(&json!({"spec": {"config": {"raw": {"mcpServers": {}}}}}));
    let mut world = world.settled().expect("it settles");
    assert_eq!(world.pass().expect("a plan").effects, []);
}
