//! What is kept of an agent in a bucket, and what an agent begins with.

use openclaw_render::Kind;
use serde_json::{Value, json};

use crate::support::agent::{Agent, NAME, said};
use crate::support::buckets::{SECRET, bucket_beside};
use crate::support::models::{Models, assert_remembered};

fn spec(models: &Models) -> Value {
    json!({
        "image": {"tag": "2026.9.6"},
        "config": {"raw": models.configuration()},
        "env": [{"name": "MODEL_KEY", "value": "none"}],
        "storage": {"persistence": {"orphan": false}},
        "backup": {"schedule": "0 3 * * *", "storage": {"secretRef": {"name": SECRET}}},
    })
}

/// Where a backup lies, out of the event that tells of the last one.
async fn path_of_last_backup(agent: &Agent) -> String {
    let told = agent.cluster.events().await;
    let path = told.iter().find_map(|event| event.split_once("the last backup is "));
    path.expect("an event tells of it").1.trim_end_matches('"').to_owned()
}

#[tokio::test]
async fn a_conversation_is_backed_up_while_it_goes_on_and_before_its_agent_goes_and_is_restored() {
    let agent = Agent::nobody("backups").await;
    let models = Models::beside(&agent).await;
    bucket_beside(&agent).await;
    agent.ask(&spec(&models)).await;
    agent.cluster.until_ready(NAME).await;
    assert_remembered(&agent, &models, &["it"]).await;
    let first = agent.token();

    let by_hand = ["create", "job", "--from=cronjob/ada-backup-periodic", "by-hand"];
    let made = agent.kubectl(&by_hand);
    assert!(made.status.success(), "{}", said(&made));
    let backup = agent.cluster.until_condition(NAME, "BackupReady", "True").await;
    let by_hand = agent.instance().await["status"]["backups"][0].clone();
    assert_eq!((&by_hand["jobName"], &by_hand["version"]), (&json!("by-hand"), &json!("2026.9.6")));
    assert!(by_hand["sizeBytes"].as_i64() > Some(0), "{by_hand}");
    let by_hand = by_hand["path"].as_str().expect("a path");
    assert_eq!(backup["message"], format!("the last backup is {by_hand}"));

    assert_remembered(&agent, &models, &["it", "it later"]).await;
    agent.cluster.delete_instance(NAME).await;
    agent.cluster.until_gone(NAME).await;
    let last = path_of_last_backup(&agent).await;
    assert_ne!(last, by_hand);
    agent
        .cluster
        .until("the volume is gone", async || {
            agent.cluster.get(Kind::PersistentVolumeClaim, "ada-data").await.is_none()
        })
        .await;

    let mut restored = spec(&models);
    restored["restoreFrom"] = json!(last);
    agent.ask(&restored).await;
    agent.cluster.until_condition(NAME, "RestoreComplete", "True").await;
    agent.cluster.until_ready(NAME).await;
    assert_remembered(&agent, &models, &["it", "it later", "the one after it"]).await;
    assert_ne!(agent.token(), first, "a token is of one agent");
    agent.end().await;
}
