//! Pods that do not come up, and how that is told.

use serde_json::json;

use crate::support::agent::{Agent, NAME, lives};
use crate::support::cluster::condition_of;

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

#[tokio::test]
async fn an_older_version_is_refused_while_the_newer_one_goes_on() {
    let agent = Agent::ready("downgrade", &json!({})).await;
    let older = json!({"image": {"tag": "2026.8.1"}});
    let before = lives(&agent.pod().await);
    agent.change(&older).await;
    let pending = agent.cluster.until_condition(NAME, "RolloutPending", "True").await;
    let both = "2026.8.1 is older than 2026.9.6";
    assert!(pending["message"].as_str().is_some_and(|it| it.contains(both)), "{pending}");
    assert_eq!(lives(&agent.pod().await), before);
    let live = agent.instance().await;
    assert_eq!(condition_of(&live, "Ready").map(|ready| &ready["status"]), Some(&json!("True")));

    // The application's own word for it is exit code 78: its state is of a newer version.
    let allowed = |version| json!({"openclaw.rocks/allow-downgrade": version});
    let annotate = async |annotations| {
        let patch = json!({"metadata": {"annotations": annotations}});
        agent.cluster.merge_instance(NAME, &patch).await;
    };
    annotate(allowed(json!("2026.8.1"))).await;
    agent.until_not_ready("ConfigurationRejected", "newer").await;
    agent.change(&json!({"image": {"tag": "2026.9.6"}})).await;
    agent.cluster.until_ready(NAME).await;

    // Another instance knows nothing of it, but the volume does.
    agent.cluster.delete_instance(NAME).await;
    agent.cluster.until_gone(NAME).await;
    agent.ask(&older).await;
    agent.until_not_ready("WillNotStart", both).await;
    agent.end().await;
}
