//! Every version of the application that is supported.

use std::time::Duration;

use openclaw_render::Kind;
use openclaw_render::vocab::paths::CONFIG_FILE;
use serde_json::json;

use crate::onlooked;
use crate::support::agent::{APPLICATION, Agent, lives};

/// Longer than whatever the application does to its configuration when it starts.
const A_MINUTE: Duration = Duration::from_mins(1);

/// A minute after its start, the file is what was rendered, byte by byte, and nobody had to put it
/// back.
async fn assert_left_alone(agent: &Agent, version: &str) {
    agent.until_applied().await;
    let pod = agent.pod().await;
    let started = agent.started(APPLICATION).await;
    let cluster = &agent.cluster;
    let minute_passed = async || started.elapsed().is_ok_and(|elapsed| elapsed > A_MINUTE);
    cluster.until("a minute has passed", minute_passed).await;
    let config = cluster.get(Kind::ConfigMap, "ada-config").await.expect("it is there");
    let served = agent.run(&["cat", CONFIG_FILE]);
    assert_eq!(served, config["data"]["openclaw.json"].as_str().expect("a text"), "{version}");
    let log = agent.log("config-sync").await;
    assert!(log.contains("applied") && !log.contains("restored"), "{version}: {log}");
    assert_eq!(lives(&agent.pod().await), lives(&pod), "{version}");
    assert_eq!(lives(&pod).1, 0, "{version}");
}

#[tokio::test]
async fn version_2026_7_1_starts_from_the_same_spec_and_leaves_its_configuration_alone() {
    let agent = Agent::ready("version", &json!({"image": {"tag": "2026.7.1"}})).await;
    assert_left_alone(&agent, "2026.7.1").await;
    agent.end().await;
}

#[tokio::test]
async fn version_2026_8_1_starts_from_the_same_spec_and_leaves_its_configuration_alone() {
    let agent = Agent::ready("version", &json!({"image": {"tag": "2026.8.1"}})).await;
    assert_left_alone(&agent, "2026.8.1").await;
    agent.end().await;
}

#[tokio::test]
async fn version_2026_9_6_starts_and_leaves_its_configuration_alone() {
    assert_left_alone(&onlooked().await, "2026.9.6").await;
}
