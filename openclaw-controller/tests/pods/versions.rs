//! Every version of the application that is supported.

use std::time::Duration;

use openclaw_render::Kind;
use openclaw_render::vocab::paths::CONFIG_FILE;
use serde_json::json;

use crate::onlooked;
use crate::support::agent::{APPLICATION, Agent, NAME, lives};
use crate::support::fixtures::Fixture;
use crate::support::models::{Models, assert_remembered};

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
    assert_served_as_rendered(agent, version).await;
    let log = agent.log("config-sync").await;
    assert!(log.contains("applied") && !log.contains("restored"), "{version}: {log}");
    assert_eq!(lives(&agent.pod().await), lives(&pod), "{version}");
    assert_eq!(lives(&pod).1, 0, "{version}");
}

async fn assert_served_as_rendered(agent: &Agent, version: &str) {
    let config = agent.cluster.get(Kind::ConfigMap, "ada-config").await.expect("it is there");
    let served = agent.run(&["cat", CONFIG_FILE]);
    assert_eq!(served, config["data"]["openclaw.json"].as_str().expect("a text"), "{version}");
}

/// Waits until the operator knows which version was last ready on the volume.
async fn until_known(agent: &Agent, version: &str) {
    agent
        .cluster
        .until(&format!("{version} is known"), async || {
            agent.instance().await["status"]["volume"]["version"] == version
        })
        .await;
}

/// Asks for another version, and waits until a pod of it has taken the place of the one before.
async fn change_version(agent: &Agent, version: &str) {
    let (uid, _) = lives(&agent.pod().await);
    agent.change(&json!({"image": {"tag": version}})).await;
    agent.until_replaced(&uid).await;
    until_known(agent, version).await;
}

#[tokio::test]
async fn versions_follow_each_other_on_one_volume_from_the_same_spec() {
    let agent = Agent::nobody("versions").await;
    let models = Models::beside(&agent).await;
    let spec = json!({
        "image": {"tag": "2026.7.1"},
        "config": {"raw": models.configuration()},
        "env": [{"name": "MODEL_KEY", "value": "none"}],
    });
    agent.ask(&spec).await;
    agent.cluster.until_ready(NAME).await;
    until_known(&agent, "2026.7.1").await;
    assert_left_alone(&agent, "2026.7.1").await;
    assert_remembered(&agent, &models, &["2026.7.1"]).await;
    let tool = "mkdir -p ~/.local/bin && printf '#!/bin/sh\\necho mine\\n' >~/.local/bin/mine \
                && chmod +x ~/.local/bin/mine";
    agent.run(&["sh", "-c", tool]);
    // With conversations in files, its gateway would not start.
    change_version(&agent, "2026.8.1").await;
    let log = agent.log("migrate-state").await;
    assert!(log.starts_with("migrate-state: bringing the state up to 2026.8.1\n"), "{log}");
    assert_left_alone(&agent, "2026.8.1").await;
    assert_remembered(&agent, &models, &["2026.7.1", "2026.8.1"]).await;
    // The gateway of this one migrates its state itself.
    change_version(&agent, "2026.9.6").await;
    assert_eq!(agent.log("migrate-state").await, "");
    assert_remembered(&agent, &models, &["2026.7.1", "2026.8.1", "2026.9.6"]).await;
    assert_eq!(agent.run(&["sh", "-c", "~/.local/bin/mine"]), "mine\n");
    // The next one would refuse it as it is, and name the repair.
    change_version(&agent, "2026.9.7").await;
    let log = agent.log("migrate-state").await;
    assert!(log.starts_with("migrate-state: bringing the state up to 2026.9.7\n"), "{log}");
    assert_served_as_rendered(&agent, "2026.9.7").await;
    assert_eq!(lives(&agent.pod().await).1, 0);
    // Once is enough.
    agent.delete_pod().await;
    assert_eq!(agent.log("migrate-state").await, "");
    agent.end().await;
}

#[tokio::test]
async fn an_image_whose_entry_point_repairs_first_is_started_all_the_same() {
    let agent = Agent::nobody("repairs").await;
    let mut instance = Fixture::named("entrypoint-image").instance().clone();
    assert_eq!(instance["spec"]["image"]["tag"], "2026.9.7");
    instance["spec"]["resources"] = json!({"requests": {"cpu": "50m"}});
    agent.cluster.apply(&instance).await.expect("the instance is taken");
    // By that entry point it is not.
    agent.until_not_ready("CrashLoop", "OPENCLAW_CONFIG_READONLY").await;
    let none = json!({"metadata": {"annotations": {"openclaw.rocks/entrypoint": null}}});
    agent.cluster.merge_instance(NAME, &none).await;
    agent.cluster.until_ready(NAME).await;
    assert_eq!(lives(&agent.pod().await).1, 0);
    let first = agent.run(&["sh", "-c", "tr '\\0' ' ' </proc/1/cmdline"]);
    assert!(
        first.ends_with("tini -s -- /usr/local/bin/node /app/openclaw.mjs gateway "),
        "{first}"
    );
    agent.end().await;
}

#[tokio::test]
async fn version_2026_9_6_starts_and_leaves_its_configuration_alone() {
    assert_left_alone(&onlooked().await, "2026.9.6").await;
}
