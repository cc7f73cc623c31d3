//! Updates that another operator has begun: what the registry has is not seen here, and the record in
//! status is all that there is to go on with.

use kube::api::{Patch, PatchParams};
use openclaw_render::Kind;
use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::{Value, json};

use crate::support::backups::{SECRET, ended_well, job, secret};
use crate::support::cluster::Cluster;
use crate::support::operator::Operator;

const OLD: &str = "2026.9.6";
const NEW: &str = "2026.9.7";
/// Where the backup lies.
const PATH: &str = "backups/x/ada/1";

/// An agent that runs, and what an operator has written down of its update.
async fn with_record(purpose: &str, more: &Value) -> (Cluster, Operator) {
    let cluster = Cluster::namespace(purpose).await;
    let operator = Operator::start(&cluster).await;
    let instance = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": "ada"},
        "spec": {
            "image": {"tag": OLD},
            "autoUpdate": {"enabled": true},
            "backup": {"storage": {"secretRef": {"name": SECRET}}},
        },
    });
    for object in [secret(), instance] {
        cluster.apply(&object).await.expect("it is taken");
    }
    cluster.until_ready("ada").await;
    let mut record = json!({
        "pendingVersion": NEW, "previousVersion": OLD,
        "lastUpdateTime": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    json_patch::merge(&mut record, more);
    // As an operator writes it, who takes away again what it has written.
    let live = cluster.instance("ada").await.expect("the instance");
    let mut written = json!({
        "apiVersion": live["apiVersion"], "kind": live["kind"],
        "metadata": {"name": "ada"}, "status": live["status"],
    });
    written["status"]["autoUpdate"] = record;
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let taken = cluster.instances().patch_status("ada", &parameters, &Patch::Apply(&written)).await;
    taken.expect("the status is taken");
    (cluster, operator)
}

async fn update(cluster: &Cluster) -> Value {
    cluster.instance("ada").await.expect("the instance")["status"]["autoUpdate"].clone()
}

async fn image(cluster: &Cluster) -> String {
    let set = cluster.get(Kind::StatefulSet, "ada").await.expect("the StatefulSet");
    let image = &set["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().expect("an image").to_owned()
}

async fn until_made(cluster: &Cluster, beginning: &str) -> Value {
    cluster.until("the Job is made", async || job(cluster, beginning).await.is_some()).await;
    job(cluster, beginning).await.expect("the Job")
}

#[tokio::test]
async fn a_backup_is_stored_before_the_pod_is_replaced() {
    let backing_up = json!({"updatePhase": "BackingUp"});
    let (cluster, _operator) = with_record("update-backup", &backing_up).await;
    let job = until_made(&cluster, "ada-update-backup-").await;
    assert!(cluster.pod("ada-0").await.is_some(), "the agent runs meanwhile");
    assert!(image(&cluster).await.ends_with(OLD));
    ended_well(&cluster, &job, PATH).await;
    cluster
        .until("the update is confirmed", async || update(&cluster).await["currentVersion"] == NEW)
        .await;
    let record = update(&cluster).await;
    assert_eq!(
        (&record["preUpdateBackupPath"], &record["updatePhase"]),
        (&json!(PATH), &Value::Null)
    );
    assert!(image(&cluster).await.ends_with(NEW));
    let live = cluster.instance("ada").await.expect("the instance");
    assert_eq!(live["status"]["backups"][0]["path"], PATH);
    cluster
        .until("the Job goes", async || {
            crate::support::backups::job(&cluster, "ada-update-backup-").await.is_none()
        })
        .await;
    cluster.end().await;
}

#[tokio::test]
async fn the_state_of_before_is_put_back_while_the_agent_is_off() {
    let going_back = json!({
        "updatePhase": "RollingBack", "stateRestore": "UnderWay", "preUpdateBackupPath": PATH,
    });
    let (cluster, _operator) = with_record("update-put-back", &going_back).await;
    let job = until_made(&cluster, "ada-restore-").await;
    assert!(cluster.pod("ada-0").await.is_none(), "the agent is gone by then");
    ended_well(&cluster, &job, PATH).await;
    cluster
        .until("it has gone back", async || update(&cluster).await["failedVersion"] == NEW)
        .await;
    cluster.until_ready("ada").await;
    let record = update(&cluster).await;
    assert_eq!((&record["currentVersion"], &record["stateRestore"]), (&json!(OLD), &Value::Null));
    let live = cluster.instance("ada").await.expect("the instance");
    assert_eq!(live["status"]["restoredFrom"], Value::Null, "its user asked for nothing");
    assert!(image(&cluster).await.ends_with(OLD));
    cluster.end().await;
}
