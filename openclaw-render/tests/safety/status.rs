//! What a status keeps, how much it holds, and what stands beside the pod in it.

use serde_json::{Value, json};

use crate::{fresh, said};
use openclaw_play::world::{NAMESPACE, World, instance};

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
        "managedResources": {"deployment": "ada"},
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
    let (names, field) = ("managedResources", "deployment");
    assert_eq!(status[names][field], expected[names][field], "{what}: {field}");
    assert_eq!(status.get("canvasEndpoint"), None, "{what}: nothing listens there");
    let conditions = status["conditions"].as_array().expect("conditions");
    let types: Vec<&str> = conditions.iter().filter_map(|it| it["type"].as_str()).collect();
    assert!(types.contains(&"Ready"), "{what}: {types:?}");
    // That one tells of the deletion that is under way, and there is none.
    assert!(!types.contains(&"BackupComplete"), "{what}: {types:?}");
    assert!(types.contains(&"example.com/Billed"), "{what}: {types:?}");
    assert!(!types.contains(&"SkillPacksReady"), "{what}: {types:?}");
}

#[test]
fn what_is_not_ours_in_a_status_stays_whatever_becomes_of_the_instance() {
    let specs = [
        ("rendered", json!({})),
        ("restored already", json!({"restoreFrom": "backups/x/y/1"})),
        ("invalid", json!({"workspace": {"initialFiles": {"../x": ""}}})),
        ("not decoded", json!({"env": "none"})),
    ];
    for (what, spec) in specs {
        let mut world = World::new("ada");
        let mut ada = instance("ada", &spec);
        ada["status"] = records();
        world.server.create(&ada, "kubectl").expect("it is new");
        let mut world = world.settled().expect("it settles");
        assert_records(&world, what);
        // Again, with what the first pass wrote.
        world.merge(&json!({"spec": {"podAnnotations": {"a": "b"}}}));
        assert_records(&world.settled().expect("it settles"), what);
    }
}

#[test]
fn one_field_of_a_status_that_does_not_decode_takes_no_other_with_it() {
    let mut world = World::new("ada");
    let mut ada = instance("ada", &json!({}));
    ada["status"] = records();
    ada["status"]["phase"] = json!("FromTheFuture");
    world.server.create(&ada, "kubectl").expect("it is new");
    assert_records(&world.settled().expect("it settles"), "a phase of another version");
}

#[test]
fn a_message_is_never_longer_than_a_status_may_hold() {
    let raw = (0..200).map(|number| (format!("{}{number}", "notAKeyä".repeat(50)), json!(1)));
    let raw = Value::Object(raw.collect());
    let mut world = fresh(&json!({"config": {"raw": raw}}));
    let plan = world.pass().expect("a plan");
    let conditions = plan.status.conditions.expect("conditions");
    let ready = conditions.iter().find(|it| it.type_ == "Ready").expect("Ready");
    assert!(ready.message.len() > 30_000 && ready.message.ends_with(" …"), "{}", ready.message);
    assert!(conditions.iter().all(|it| it.message.len() <= 32_768));
}

#[test]
fn what_stands_beside_has_a_condition_of_its_own_and_no_say_in_the_agent() {
    let mut world = fresh(&json!({}));
    world.refused.push("PodDisruptionBudget/ada".to_owned());
    let mut world = world.settled().expect("it settles");
    assert!(said(&world, "Ready").starts_with("True"), "{}", said(&world, "Ready"));
    assert_eq!(world.live_instance().expect("there")["status"]["phase"], "Running");
    assert_eq!(
        said(&world, "CompanionsReady"),
        "False ApplyRefused: the API server refuses PodDisruptionBudget/ada: not allowed here"
    );
    world.refused.clear();
    let world = world.settled().expect("it settles");
    let there = "True Applied: PodDisruptionBudget/ada is there";
    assert_eq!(said(&world, "CompanionsReady"), there);

    let mut world = fresh(&json!({}));
    let others = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "ada", "namespace": NAMESPACE}, "spec": {},
    });
    world.server.create(&others, "kubectl").expect("it is new");
    let world = world.settled().expect("it settles");
    assert!(said(&world, "Ready").starts_with("True"), "{}", said(&world, "Ready"));
    assert!(said(&world, "NameConflict").starts_with("True NameTaken: PodDisruptionBudget/ada"));
    assert_eq!(
        said(&world, "CompanionsReady"),
        "False NameTaken: PodDisruptionBudget/ada (is not this instance's)"
    );
}
