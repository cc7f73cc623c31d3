//! What an upgrade of the operator does to agents that run: nothing, until somebody approves.
//! It has the cluster to itself, since the operator looks after all namespaces.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::process::Command;

use serde_json::json;
use support::agent::{Agent, NAME, lives, said};
use support::cluster::OPERATOR_NAMESPACE;
use support::pods::Pods;

/// The operator's image under another name, as a new version would have.
const NEXT: &str = "ghcr.io/openclaw-rs/openclaw-operator:pod-next";

/// `helm upgrade` of the chart's release, until the new operator runs.
fn upgrade(pod_image: &str) {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/openclaw-operator");
    let output = Command::new("helm")
        .args(["upgrade", "openclaw-operator", chart, "--namespace", OPERATOR_NAMESPACE])
        .args(["--reset-then-reuse-values", "--wait", "--set", &format!("podImage={pod_image}")])
        .output()
        .expect("helm runs");
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test]
async fn an_upgrade_of_the_operator_replaces_a_pod_once_it_is_approved_and_not_before() {
    let agent = Agent::ready("upgrade", &json!({})).await;
    let pods = Pods::watch(&agent.cluster);
    let before = lives(&agent.pod().await);
    upgrade(NEXT);
    agent.cluster.until_condition(NAME, "RolloutPending", "True").await;
    assert_eq!(lives(&agent.pod().await), before);
    assert_eq!(pods.count(), 1);

    agent.cluster.approve_rollout(NAME).await;
    agent.until_replaced(&before.0).await;
    assert_eq!(pods.count(), 2);
    agent.end().await;
    upgrade("");
}
