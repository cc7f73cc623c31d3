//! What must hold whatever is wrong around an instance: it can be switched off, no pod runs without
//! what it asks for, nothing that is not ours is written, no volume goes unasked.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "what is missing in a test is a failed test, in helpers too"
)]

mod support;

use std::collections::BTreeSet;

use openclaw_render::{
    Action, Fact, Kind, ObjectKey, Observed, Plan, Read, Settings, decode_instance, plan,
};
use serde_json::{Value, json};
use support::scene::{Adopt, Step};
use support::world::{NAMESPACE, World, instance, key_of_named};

/// A world with one instance of that spec, `ada`, before the operator has seen it.
fn fresh(spec: &Value) -> World {
    World::with_instance("ada", spec)
}

fn adopted(name: &str) -> World {
    let mut world = World::new(name);
    let adopt = Some(Adopt { version: "0.38.3".to_owned(), name: name.to_owned() });
    Step { adopt, ..Step::default() }.happen(&mut world);
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
    let keys = world.end().into_keys().filter(|(kind, ..)| kind != "Pod");
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
    ("a field is not rendered", |world| {
        world.merge(&json!({"spec": {"ollama": {"enabled": true}}}));
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
    Read::Secret(name.to_owned())
}

fn suspend(world: &mut World, suspended: bool) {
    world.merge(&json!({"spec": {"suspended": suspended}}));
}

#[test]
fn a_suspended_instance_stops_whatever_else_is_wrong() {
    for (what, happens) in ODDITIES {
        let mut world = with_keys().settled();
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
        let mut world = world.settled();
        happens(&mut world);
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((pods(&world), replicas(&world)), (0, json!(0)), "{what}");
    }
}

#[test]
fn nothing_is_started_while_something_is_wrong() {
    let mut calm = with_keys();
    suspend(&mut calm, true);
    let mut calm = calm.settled();
    for (what, happens) in ODDITIES {
        let mut world = calm.clone();
        happens(&mut world);
        suspend(&mut world, false);
        world.settle().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((pods(&world), replicas(&world)), (0, json!(0)), "{what}");
    }
    suspend(&mut calm, false);
    assert_eq!(pods(&calm.settled()), 1, "nothing is wrong");
}

#[test]
fn an_adopted_instance_stops_before_anything_of_it_is_approved_or_rendered() {
    for name in ["plain", "rich"] {
        let mut world = adopted(name).settled();
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
    let mut world = fresh(&json!({})).settled();
    let template =
        |world: &World| world.get("StatefulSet", "ada").expect("there")["spec"]["template"].clone();
    let before = template(&world);
    world.settings =
        Settings { pod_image: "example.com/operator:pod-2".to_owned(), ..Settings::default() };
    for (suspended, running) in [(true, 0), (false, 1)] {
        suspend(&mut world, suspended);
        world = world.settled();
        assert_eq!(pods(&world), running);
        assert_eq!(template(&world), before);
    }
}

#[test]
fn status_tells_of_scaling_down_only_once_that_is_done() {
    let mut world = fresh(&json!({})).settled();
    let annotations = json!({"metadata": {"annotations": {"openclaw.rocks/paused": "true"}}});
    world.merge(&annotations);
    suspend(&mut world, true);
    let world = world.settled();
    assert_eq!((pods(&world), replicas(&world)), (1, json!(1)), "paused means no write at all");
    assert_eq!(
        said(&world, "StatefulSetReady"),
        "False NotApplied: suspended: StatefulSet/ada is not scaled down yet"
    );
    let mut world = fresh(&json!({})).settled();
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
        assert_eq!(pods(&world.settled()), 1, "{needed}");
    }
}

#[test]
fn what_a_pod_does_not_need_holds_nothing_back() {
    for other in ["PodDisruptionBudget/ada", "Service/ada", "Role/ada"] {
        let mut world = fresh(&json!({}));
        world.refused.push(other.to_owned());
        assert_eq!(pods(&world.settled()), 1, "{other}");
    }
}

#[test]
fn a_pod_without_a_policy_of_its_own_wish_waits_for_none() {
    let mut world = fresh(&json!({"security": {"networkPolicy": {"enabled": false}}}));
    world.refused.push("NetworkPolicy/ada".to_owned());
    assert_eq!(pods(&world.settled()), 1);
}

#[test]
fn what_stands_beside_has_a_condition_of_its_own_and_no_say_in_the_agent() {
    let mut world = fresh(&json!({}));
    world.refused.push("PodDisruptionBudget/ada".to_owned());
    let mut world = world.settled();
    assert!(said(&world, "Ready").starts_with("True"), "{}", said(&world, "Ready"));
    assert_eq!(world.live_instance().expect("there")["status"]["phase"], "Running");
    assert_eq!(
        said(&world, "CompanionsReady"),
        "False ApplyRefused: the API server refuses PodDisruptionBudget/ada: not allowed here"
    );
    world.refused.clear();
    let world = world.settled();
    let there = "True Applied: PodDisruptionBudget/ada is there";
    assert_eq!(said(&world, "CompanionsReady"), there);

    let mut world = fresh(&json!({}));
    let others = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "ada", "namespace": NAMESPACE}, "spec": {},
    });
    world.server.create(&others, "kubectl").expect("it is new");
    let world = world.settled();
    assert!(said(&world, "Ready").starts_with("True"), "{}", said(&world, "Ready"));
    assert!(said(&world, "NameConflict").starts_with("True NameTaken: PodDisruptionBudget/ada"));
    assert_eq!(
        said(&world, "CompanionsReady"),
        "False NameTaken: PodDisruptionBudget/ada (is not this instance's)"
    );
}

#[test]
fn a_running_agent_goes_on_while_its_new_policy_is_refused() {
    let mut world = fresh(&json!({})).settled();
    let before = world.get("StatefulSet", "ada").cloned();
    world.refused.push("NetworkPolicy/ada".to_owned());
    world.merge(&json!({"spec": {
        "env": [{"name": "A", "value": "b"}],
        "security": {"networkPolicy": {"allowHTTPS": false}},
    }}));
    let world = world.settled();
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
        let Read::Metadata(key) = read else { panic!("{read:?}") };
        observed.objects.insert(key, Fact::Absent);
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
    let mut world = adopted("plain").settled();
    assert!(said(&world, "RolloutPending").contains("HeldForApproval"));
    for kind in ["NetworkPolicy", "ServiceAccount", "Role", "RoleBinding"] {
        delete(&mut world, kind, "plain");
        world = world.settled();
        assert!(world.get(kind, "plain").is_some(), "{kind}");
        assert_eq!(world.replaced, 0);
    }
}

#[test]
fn the_account_of_a_pod_that_stays_as_it_is_stays_too() {
    let mut world = fresh(&json!({})).settled();
    let other = json!({"spec": {
        "security": {"rbac": {"serviceAccountName": "other"}},
        "config": {"raw": {"mcpServers": {}}},
    }});
    world.merge(&other);
    let mut world = world.settled();
    assert!(world.get("ServiceAccount", "ada").is_some());
    let subject = |world: &World| {
        world.get("RoleBinding", "ada").expect("there")["subjects"][0]["name"].clone()
    };
    assert_eq!(subject(&world), "ada");
    world.merge(&json!({"spec": {"config": null}}));
    let world = world.settled();
    assert!(world.get("ServiceAccount", "ada").is_none());
    assert_eq!(subject(&world), "other");
    let set = world.get("StatefulSet", "ada").expect("there");
    assert_eq!(set["spec"]["template"]["spec"]["serviceAccountName"], "other");
}

#[test]
fn an_account_goes_only_after_the_pod_runs_as_another() {
    let mut world = fresh(&json!({})).settled();
    world.refused.push("StatefulSet/ada".to_owned());
    world.merge(&json!({"spec": {"security": {"rbac": {"serviceAccountName": "other"}}}}));
    let mut world = world.settled();
    assert!(world.get("ServiceAccount", "ada").is_some());
    world.refused.clear();
    let world = world.settled();
    assert!(world.get("ServiceAccount", "ada").is_none());
}

#[test]
fn an_adopted_instance_that_would_not_start_is_at_rest() {
    let mut world = adopted("plain");
    world.merge(&json!({"spec": {"config": {"raw": {"mcpServers": {}}}}}));
    let mut world = world.settled();
    assert_eq!(world.pass().expect("a plan").effects, []);
}

/// Everything that the Go operator keeps in a status for itself.
fn records() -> Value {
    json!({
        "phase": "Running",
        "restoredFrom": "backups/x/y/1",
        "restoreJobName": "ada-restore",
        "lastBackupPath": "backups/x/y/2",
        "lastBackupTime": "2026-01-01T00:00:00Z",
        "backingUpSince": "2026-01-02T00:00:00Z",
        "backupJobName": "ada-backup",
        "autoUpdate": {"currentVersion": "2026.9.6", "failedVersion": "2026.9.5", "rollbackCount": 2},
        "canvasEndpoint": "ada.agents.svc:18793",
        "managedResources": {"horizontalPodAutoscaler": "ada", "backupCronJob": "ada-backup-periodic"},
        "conditions": [
            {"type": "SkillPacksReady", "status": "False", "reason": "ResolutionFailed",
             "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "BackupComplete", "status": "True", "reason": "BackupSucceeded",
             "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "example.com/Billed", "status": "True", "reason": "Paid",
             "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ],
    })
}

/// What must be in every later status of an instance that began with [`records`].
fn assert_records(world: &World, what: &str) {
    let status = &world.live_instance().expect("the instance")["status"];
    let expected = records();
    for field in [
        "restoredFrom",
        "restoreJobName",
        "lastBackupPath",
        "lastBackupTime",
        "backingUpSince",
        "backupJobName",
        "autoUpdate",
    ] {
        assert_eq!(status[field], expected[field], "{what}: {field}");
    }
    for field in ["horizontalPodAutoscaler", "backupCronJob"] {
        let names = "managedResources";
        assert_eq!(status[names][field], expected[names][field], "{what}: {field}");
    }
    assert_eq!(status.get("canvasEndpoint"), None, "{what}: nothing listens there");
    let conditions = status["conditions"].as_array().expect("conditions");
    let types: Vec<&str> = conditions.iter().filter_map(|it| it["type"].as_str()).collect();
    assert!(types.contains(&"Ready"), "{what}: {types:?}");
    assert!(types.contains(&"BackupComplete"), "{what}: {types:?}");
    assert!(types.contains(&"example.com/Billed"), "{what}: {types:?}");
    assert!(!types.contains(&"SkillPacksReady"), "{what}: {types:?}");
}

#[test]
fn what_is_not_ours_in_a_status_stays_whatever_becomes_of_the_instance() {
    let specs = [
        ("rendered", json!({})),
        ("left untouched", json!({"restoreFrom": "backups/x/y/1"})),
        ("invalid", json!({"workspace": {"initialFiles": {"../x": ""}}})),
        ("not decoded", json!({"env": "none"})),
    ];
    for (what, spec) in specs {
        let mut world = World::new("ada");
        let mut ada = instance("ada", &spec);
        ada["status"] = records();
        world.server.create(&ada, "kubectl").expect("it is new");
        let mut world = world.settled();
        assert_records(&world, what);
        // Again, with what the first pass wrote.
        world.merge(&json!({"spec": {"podAnnotations": {"a": "b"}}}));
        assert_records(&world.settled(), what);
    }
}

#[test]
fn one_field_of_a_status_that_does_not_decode_takes_no_other_with_it() {
    let mut world = World::new("ada");
    let mut ada = instance("ada", &json!({}));
    ada["status"] = records();
    ada["status"]["phase"] = json!("FromTheFuture");
    world.server.create(&ada, "kubectl").expect("it is new");
    assert_records(&world.settled(), "a phase of another version");
}

#[test]
fn a_message_is_never_longer_than_a_status_may_hold() {
    let raw = (0..3000).map(|number| (format!("notAKey{number}ä"), json!(1)));
    let raw = Value::Object(raw.collect());
    let mut world = fresh(&json!({"config": {"raw": raw}}));
    let plan = world.pass().expect("a plan");
    let conditions = plan.status.conditions.expect("conditions");
    let ready = conditions.iter().find(|it| it.type_ == "Ready").expect("Ready");
    assert!(ready.message.len() > 30_000 && ready.message.ends_with(" …"), "{}", ready.message);
    assert!(conditions.iter().all(|it| it.message.len() <= 32_768));
}

const CLAIM: &str = "PersistentVolumeClaim";

/// An instance whose claim somebody ties to it, which the operator's cache does not know.
fn tied_behind_the_cache(name: &str) -> World {
    let mut world = World::new(name);
    world.server.create(&instance(name, &json!({})), "kubectl").expect("it is new");
    let mut world = world.settled();
    let claim = format!("{name}-data");
    if world.get(CLAIM, &claim).is_none() {
        // Its name is none that is rendered today; the Go operator made it.
        let labels = json!({"app.kubernetes.io/managed-by": "openclaw-operator"});
        create(&mut world, CLAIM, &claim, json!({"spec": {}}));
        let mut live = world.get(CLAIM, &claim).expect("there").clone();
        live["metadata"]["labels"] = labels;
        world.server.update(&live, "manager").expect("it can be changed");
    }
    let known = world.get(CLAIM, &claim).expect("the claim").clone();
    let key = ObjectKey::new(Kind::PersistentVolumeClaim, claim);
    let uid = world.live_instance().expect("there")["metadata"]["uid"].clone();
    let owner = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance", "name": name,
        "uid": uid, "controller": true,
    });
    let mut tied = known.clone();
    tied["metadata"]["ownerReferences"] = json!([owner]);
    world.server.update(&tied, "another-leader").expect("it can be changed");
    world.stale.insert(key, known);
    let mut live = world.live_instance().expect("there").clone();
    live["metadata"]["finalizers"] = json!(["openclaw.rocks/finalizer"]);
    world.server.update(&live, "kubectl").expect("it can be changed");
    world
}

#[test]
fn the_claim_is_read_before_the_finalizer_goes_whatever_the_cache_says() {
    // Names that today's rules refuse were allowed once.
    for name in ["ada", "1agent", "team.agent", &"a".repeat(60)] {
        let mut world = tied_behind_the_cache(name);
        delete(&mut world, "OpenClawInstance", name);
        world.settle().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(world.live_instance().is_none(), "{name} is gone");
        let claim = world.get(CLAIM, &format!("{name}-data"));
        let claim = claim.unwrap_or_else(|| panic!("{name}: the claim is lost"));
        assert_eq!(claim["metadata"].get("ownerReferences"), None, "{name}");
    }
}

#[test]
fn an_instance_stays_while_its_claim_cannot_be_read_or_released_and_says_why() {
    let mut world = tied_behind_the_cache("ada");
    delete(&mut world, "OpenClawInstance", "ada");
    let read = Read::Live(ObjectKey::new(Kind::PersistentVolumeClaim, "ada-data"));
    world.unreadable.push(format!("{read:?}"));
    let mut world = world.settled();
    assert_eq!(
        said(&world, "Ready"),
        "False Terminating: the instance is being deleted: claim ada-data must be read before it goes"
    );
    world.unreadable.clear();
    world.refused.push("PersistentVolumeClaim/ada-data".to_owned());
    let mut world = world.settled();
    assert_eq!(
        said(&world, "Ready"),
        "False ApplyRefused: the instance stays until its claim is released, and the API server \
         refuses PersistentVolumeClaim/ada-data: not allowed here"
    );
    world.refused.clear();
    let world = world.settled();
    assert!(world.live_instance().is_none());
    assert!(world.get(CLAIM, "ada-data").is_some());
}

#[test]
fn a_claim_that_cannot_grow_is_reported() {
    let mut world = fresh(&json!({"storage": {"persistence": {"size": "1Gi"}}})).settled();
    world.refused.push("PersistentVolumeClaim/ada-data".to_owned());
    world.merge(&json!({"spec": {"storage": {"persistence": {"size": "2Gi"}}}}));
    world.pass().expect("a plan");
    let said = said(&world, "StorageReady");
    assert!(
        said.starts_with("False ApplyRefused: the API server refuses claim ada-data"),
        "{said}"
    );
    assert_eq!(pods(&world), 1);
}
