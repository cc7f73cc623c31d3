//! What a change of the spec does to an agent that runs.

use openclaw_render::vocab::paths::CONFIG_FILE;
use serde_json::{Value, json};

use crate::support::agent::{Agent, Ending, GATEWAY, NAME, lives, said};
use crate::support::cluster::condition_of;
use crate::support::pods::Pods;

#[tokio::test]
async fn a_change_of_the_configuration_is_live_in_the_same_container() {
    let agent = Agent::ready("live", &json!({})).await;
    agent.until_applied().await;
    let before = lives(&agent.pod().await);
    let origin = "https://claw.example.com";
    agent.change(&json!({"gateway": {"controlUiOrigins": [origin]}})).await;
    agent.until_applied().await;
    agent.until_logged("allowedOrigins").await;
    let known = said(&agent.call(GATEWAY, "config.get", &json!({}), &agent.token()));
    assert!(known.contains(origin), "{known}");
    assert_eq!(lives(&agent.pod().await), before);

    // The gateway cannot take this one without a restart of itself.
    let endpoint = json!({"http": {"endpoints": {"chatCompletions": {"enabled": true}}}});
    let (code, _) = agent.get("/v1/models").await.expect("the gateway answers");
    assert_eq!(code, 404);
    agent.change(&json!({"config": {"raw": {"gateway": endpoint}}})).await;
    agent.until_applied().await;
    agent
        .cluster
        .until("the endpoint is served, to those who may", async || {
            agent.get("/v1/models").await.is_some_and(|(code, _)| code == 401)
        })
        .await;
    assert_eq!(lives(&agent.pod().await), before);
    agent.end().await;
}

#[tokio::test]
async fn a_bad_configuration_never_reaches_the_application() {
    let agent = Agent::ready("bad", &json!({})).await;
    agent.until_applied().await;
    let served = || agent.run(&["cat", CONFIG_FILE]);
    let good = served();
    agent
        .change(&json!({"config": {"raw": {"gateway": {"controlUi": {"embedSandbox": "blue"}}}}}))
        .await;
    let condition = until_config(&agent, "ConfigurationRejected").await;
    let message = condition["message"].as_str().expect("a message");
    assert!(message.contains("gateway.controlUi"), "{message}");
    assert_eq!(served(), good);

    agent.delete_pod().await;
    assert_eq!(served(), good);

    agent.kill_application().await;
    agent
        .cluster
        .until("the application is started again", async || lives(&agent.pod().await).1 == 1)
        .await;
    agent.until_serving().await;
    assert_eq!(served(), good);
    // All that time it is named.
    let live = agent.instance().await;
    assert_eq!(condition_of(&live, "ConfigValid"), Some(&condition));
    agent.end().await;
}

#[tokio::test]
async fn a_first_configuration_that_is_bad_is_named_and_does_not_loop() {
    let bad = json!({"gateway": {"controlUi": {"embedSandbox": "blue"}}});
    let agent = Agent::asked_for("first", &json!({"config": {"raw": bad}})).await;
    let condition = until_config(&agent, "ConfigurationRejected").await;
    let message = condition["message"].as_str().expect("a message");
    assert!(message.contains("gateway.controlUi"), "{message}");
    assert_eq!(lives(&agent.pod().await).1, 0);
    agent.change(&json!({"config": {"raw": null}})).await;
    agent.cluster.until_ready(NAME).await;
    agent.end().await;
}

/// Waits until `ConfigValid` has a reason.
async fn until_config(agent: &Agent, reason: &str) -> Value {
    let found = async || {
        let live = agent.instance().await;
        condition_of(&live, "ConfigValid").filter(|found| found["reason"] == reason).cloned()
    };
    agent.cluster.until(reason, async || found().await.is_some()).await;
    found().await.expect("it stays")
}

#[tokio::test]
async fn a_configuration_with_retired_keys_runs_as_it_is_migrated_and_the_keys_are_named() {
    let retired = json!({
        "agents": {"defaults": {"memorySearch": {"enabled": false}}},
        "session": {"maintenance": {"rotateBytes": "10mb"}},
    });
    let agent = Agent::ready("retired", &json!({"config": {"raw": retired}})).await;
    let condition = until_config(&agent, "ConfigMigrated").await;
    assert_eq!(condition["status"], "True");
    let message = condition["message"].as_str().expect("a message");
    for change in [
        "removed agents.defaults.memorySearch",
        "added memory.search.enabled",
        "removed session.maintenance.rotateBytes",
    ] {
        assert!(message.contains(change), "{message}");
    }
    let events = ["get", "events", "--field-selector=reason=ConfigMigrated", "-o", "name"];
    assert_eq!(said(&agent.kubectl(&events)).lines().count(), 1);
    let served = || agent.run(&["cat", CONFIG_FILE]);
    let migrated = served();
    let document: Value = serde_json::from_str(&migrated).expect("JSON");
    assert_eq!(document["memory"], json!({"search": {"enabled": false}}));
    assert_eq!(document["session"], json!({"maintenance": {}}));
    assert_eq!(document["agents"], json!({"defaults": {}}));
    for besides in ["meta", "skills", "wizard"] {
        assert_eq!(document.get(besides), None);
    }

    // A new pod comes to the same.
    agent.delete_pod().await;
    agent.until_serving().await;
    assert_eq!(served(), migrated);

    let mended = json!({
        "agents": null, "memory": {"search": {"enabled": false}}, "session": null,
    });
    agent.change(&json!({"config": {"raw": mended}})).await;
    agent.until_applied().await;
    until_config(&agent, "ConfigRendered").await;
    agent.end().await;
}

#[tokio::test]
async fn a_changed_environment_replaces_the_pod_once_and_the_first_one_ends_cleanly() {
    let agent = Agent::ready("environment", &json!({})).await;
    let pods = Pods::watch(&agent.cluster);
    let ending = Ending::watch(&agent);
    let (first, _) = lives(&agent.pod().await);
    agent.change(&json!({"env": [{"name": "TIMEZONE", "value": "Europe/Vienna"}]})).await;
    assert_eq!(ending.exit_code().await, Some(0));
    agent.until_replaced(&first).await;
    assert_eq!(agent.run(&["printenv", "TIMEZONE"]), "Europe/Vienna\n");
    assert_eq!(pods.count(), 2);
    agent.end().await;
}
