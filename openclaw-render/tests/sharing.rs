//! The shared storage of backups: who may use it, and what of it may be restored.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets nothing there fails, and looks at two of the actions"
)]

use std::collections::BTreeMap;

use openclaw_render::api::OpenClawInstance;
use openclaw_render::vocab::names;
use openclaw_render::{
    Action, Fact, Kind, ObjectKey, Observed, Plan, Read, Settings, Severity, decode_instance, plan,
};
use serde_json::{Value, json};

fn instance(spec: &Value) -> OpenClawInstance {
    let metadata = json!({"name": "ada", "namespace": "agents", "uid": "1",
        "finalizers": ["openclaw.rocks/finalizer"]});
    decode_instance(json!({"metadata": metadata, "spec": spec})).expect("it decodes").0
}

fn listed(namespace: &str) -> Settings {
    Settings { backup_share_with: vec![namespace.to_owned()], ..Settings::default() }
}

fn keys() -> Fact<BTreeMap<String, String>> {
    Fact::Known(names::s3::ALL.map(|key| (key.to_owned(), "hash".to_owned())).into())
}

/// A world in which nothing of the agent is there, and the shared storage is.
fn world() -> Observed {
    let stateful_set = ObjectKey::new(Kind::StatefulSet, "ada");
    Observed {
        now: Some("2026-11-29T00:00:00Z".parse().expect("a time")),
        random_token: Some("0".repeat(64)),
        cluster_defaults: Fact::Absent,
        secrets: [(names::SHARED_BACKUP.to_owned(), keys())].into(),
        objects: [(stateful_set, Fact::Absent)].into(),
        pods: Fact::Known(Vec::new()),
        backup_jobs: Fact::Known(Vec::new()),
        backup_pods: Fact::Known(Vec::new()),
        deployment: Fact::Absent,
        ..Observed::default()
    }
}

/// Plans until nothing more is read; what is looked for is not there.
fn planned(spec: &Value, mut observed: Observed, settings: &Settings) -> Plan {
    let instance = instance(spec);
    let mut decided = plan(&instance, &observed, settings);
    for _ in 0..3 {
        for read in decided.reads.iter().filter(|read| **read != Read::Namespace) {
            observed.look(read, None, "ada");
        }
        decided = plan(&instance, &observed, settings);
    }
    decided
}

/// Status, reason and message of a condition.
fn condition(plan: &Plan, about: &str) -> Option<(String, String, String)> {
    let status = serde_json::to_value(&plan.status).expect("JSON");
    let conditions = status.get("conditions")?.as_array()?.clone();
    let found = conditions.into_iter().find(|each| each["type"] == about)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    Some((text("status"), text("reason"), text("message")))
}

/// What the plan applies or creates of a kind.
fn written(plan: &Plan, kind: Kind) -> Option<String> {
    plan.effects.iter().find_map(|effect| match &effect.action {
        Action::Apply(object) | Action::Create(object) if object["kind"] == kind.as_str() => {
            Some(object.to_string())
        }
        _ => None,
    })
}

fn restore(from: &str) -> Value {
    json!({"backup": {"schedule": "0 3 * * *"}, "restoreFrom": from})
}

#[test]
fn a_schedule_alone_uses_the_shared_storage_where_it_is_shared() {
    let spec = json!({"backup": {"schedule": "0 3 * * *"}});
    for settings in [listed("agents"), listed("*")] {
        let plan = planned(&spec, world(), &settings);
        let job = written(&plan, Kind::CronJob).expect("a CronJob");
        assert!(job.contains(names::SHARED_BACKUP), "{job}");
        let shared = ObjectKey::new(Kind::Secret, names::SHARED_BACKUP);
        assert!(plan.references.expect("references").contains(&shared));
    }
    let elsewhere = planned(&spec, world(), &listed("others"));
    assert_eq!(written(&elsewhere, Kind::CronJob), None);
    let (status, reason, message) = condition(&elsewhere, "BackupReady").expect("said");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "NoCredentials"));
    assert!(message.contains("spec.backup.storage.secretRef"), "{message}");
    assert!(message.contains("backup.s3.shareWith"), "{message}");
}

#[test]
fn a_secret_of_the_users_wins_over_the_shared_storage() {
    let storage = json!({"secretRef": {"name": "mine"}});
    let spec = json!({"backup": {"schedule": "0 3 * * *", "storage": storage}});
    let mut observed = world();
    observed.secrets.insert("mine".to_owned(), keys());
    let plan = planned(&spec, observed, &listed("*"));
    let job = written(&plan, Kind::CronJob).expect("a CronJob");
    assert!(job.contains("mine") && !job.contains(names::SHARED_BACKUP), "{job}");
}

#[test]
fn naming_the_shared_storage_does_not_share_it() {
    let storage = json!({"secretRef": {"name": names::SHARED_BACKUP}});
    let spec = json!({"backup": {"schedule": "0 3 * * *", "storage": storage}});
    let plan = planned(&spec, world(), &listed("others"));
    assert_eq!(written(&plan, Kind::CronJob), None);
    let shared = ObjectKey::new(Kind::Secret, names::SHARED_BACKUP);
    assert!(!plan.references.as_ref().expect("references").contains(&shared));
    assert_eq!(condition(&plan, "BackupReady").expect("said").1, "NoCredentials");
}

#[test]
fn what_keeps_the_shared_storage_away_is_said() {
    let spec = json!({"backup": {"schedule": "0 3 * * *"}});
    let mut observed = world();
    observed.secrets.insert(names::SHARED_BACKUP.to_owned(), Fact::Absent);
    let (_, reason, message) =
        condition(&planned(&spec, observed.clone(), &listed("*")), "BackupReady").expect("said");
    assert_eq!(reason, "NoCredentials");
    assert!(message.contains("was not copied here yet"), "{message}");
    // A Secret of that name may be somebody else's.
    observed.secrets.insert(names::SHARED_BACKUP.to_owned(), keys());
    observed.shared_storage = Some("it is somebody else's".to_owned());
    let plan = planned(&spec, observed, &listed("*"));
    let (_, reason, message) = condition(&plan, "BackupReady").expect("said");
    assert_eq!(reason, "NoCredentials");
    assert!(message.contains("it is somebody else's"), "{message}");
}

#[test]
fn from_the_shared_storage_only_what_is_the_namespaces_own_is_restored() {
    let begun = |plan: &Plan| plan.status.restore_job_name.is_some();
    for own in ["backups/agents/bob/2026-11-01T03-00-00Z", "backups/agents/ada/periodic/latest/"] {
        let plan = planned(&restore(own), world(), &listed("*"));
        assert!(begun(&plan), "{own}: {:?}", condition(&plan, "RestoreComplete"));
    }
    let mut refused = 0;
    for other in [
        "backups/others/ada/2026-11-01T03-00-00Z",
        "backups/agents/../others/ada/2026-11-01T03-00-00Z",
        "backups/agents-2/ada",
        "s3://bucket/backups/agents/ada",
        "backups",
        "/backups/agents/ada",
    ] {
        for storage in [json!({}), json!({"secretRef": {"name": names::SHARED_BACKUP}})] {
            let mut spec = restore(other);
            spec["backup"]["storage"] = storage;
            let mut observed = world();
            observed.namespace = Fact::Known(BTreeMap::new());
            let plan = planned(&spec, observed, &listed("*"));
            assert!(!begun(&plan), "{other}");
            assert_eq!(written(&plan, Kind::Job), None, "{other}");
            let Some((status, reason, message)) = condition(&plan, "RestoreComplete") else {
                let errors = plan.problems.iter().filter(|it| it.severity == Severity::Error);
                let paths: Vec<&str> = errors.map(|problem| problem.path.as_str()).collect();
                assert_eq!(paths, ["spec.restoreFrom"], "{other}");
                continue;
            };
            assert_eq!((status.as_str(), reason.as_str()), ("False", "RestoreNotAllowed"));
            assert!(message.contains("backups/agents/"), "{message}");
            refused += 1;
        }
    }
    assert!(refused >= 8, "{refused}");
}

#[test]
fn the_admin_allows_more_on_the_namespace() {
    let from = "backups/others/bob/2026-11-01T03-00-00Z";
    let allowed = |annotation: &str| {
        let mut observed = world();
        let annotations = [("openclaw.rocks/restore-from".to_owned(), annotation.to_owned())];
        observed.namespace = Fact::Known(annotations.into());
        planned(&restore(from), observed, &listed("*")).status.restore_job_name.is_some()
    };
    for annotation in ["backups/others", "backups/x, backups/others/bob/", from, "*"] {
        assert!(allowed(annotation), "{annotation}");
    }
    for annotation in ["", "backups/other", "backups/others/bo", "s3://backups/others", "/", "**"] {
        assert!(!allowed(annotation), "{annotation}");
    }
    // Nothing is begun before the namespace was looked at, and a look is asked for.
    let plan = planned(&restore(from), world(), &listed("*"));
    assert_eq!(plan.reads, [Read::Namespace]);
    assert_eq!(plan.status.restore_job_name, None);
    assert_eq!(condition(&plan, "RestoreComplete").expect("said").1, "WaitingForReads");
    // A Secret of the user's opens what its keys open.
    let mut spec = restore(from);
    spec["backup"]["storage"] = json!({"secretRef": {"name": "mine"}});
    let mut observed = world();
    observed.secrets.insert("mine".to_owned(), keys());
    assert!(planned(&spec, observed, &listed("*")).status.restore_job_name.is_some());
}

#[test]
fn a_restore_that_is_under_way_does_not_end_because_nobody_can_look_at_the_namespace() {
    let from = "backups/others/bob/2026-11-01T03-00-00Z";
    let mut ada = instance(&restore(from));
    let status = json!({
        "restoreJobName": "ada-restore-1",
        "restore": {"from": from, "startTime": "2026-11-28T23:59:00Z"},
    });
    ada.status = Some(serde_json::from_value(status).expect("a status"));
    let record = |namespace: Fact<BTreeMap<String, String>>| {
        let observed = Observed { namespace, ..world() };
        let status = plan(&ada, &observed, &listed("*")).status;
        status.restore.expect("a record").start_time.is_some()
    };
    assert!(record(Fact::Unknown), "it goes on");
    assert!(!record(Fact::Known(BTreeMap::new())), "what is no longer allowed ends");
}
