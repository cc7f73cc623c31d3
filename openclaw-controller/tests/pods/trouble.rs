//! Pods that do not come up, and how that is told.

use serde_json::json;

use crate::support::agent::{Agent, NAME};

#[tokio::test]
async fn whatever_keeps_a_pod_from_running_is_named() {
    let agent = Agent::asked_for("trouble", &json!({"image": {"tag": "2026.9.5"}})).await;
    agent.until_not_ready("ImagePullFailed", "2026.9.5").await;
    let little = json!({"memory": "200Mi"});
    let little = json!({
        "image": {"tag": "2026.9.6"},
        "resources": {"requests": little, "limits": little},
    });
    agent.change(&little).await;
    agent.until_not_ready("OutOfMemory", "raise its limit").await;
    let broken = json!({
        "resources": {"requests": {"memory": null}, "limits": {"memory": null}},
        "env": [{"name": "NODE_OPTIONS", "value": "--no-such-option"}],
    });
    agent.change(&broken).await;
    agent.until_not_ready("CrashLoop", "--no-such-option").await;
    agent.end().await;
}

/// The application's own word for it is exit code 78: its state is of a newer version.
#[tokio::test]
async fn an_application_that_refuses_its_configuration_is_named() {
    let agent = Agent::ready("downgrade", &json!({})).await;
    agent.change(&json!({"image": {"tag": "2026.8.1"}})).await;
    agent.until_not_ready("ConfigurationRejected", "newer").await;
    agent.change(&json!({"image": {"tag": "2026.9.6"}})).await;
    agent.cluster.until_ready(NAME).await;
    agent.end().await;
}
