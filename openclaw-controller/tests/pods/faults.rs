//! What befalls an agent that runs: it is named, and the agent is back with its state.

use openclaw_render::vocab::names::CONFIG_SYNC;
use serde_json::json;

use crate::support::agent::{APPLICATION, Agent, NAME, lives};
use crate::support::stopped::Stopped;

/// A note of the agent's own.
const NOTE: &str = "/home/openclaw/.openclaw/workspace/note.md";

/// Whether the agent is the one that it was, and serves.
async fn assert_back(agent: &Agent, uid: &str) {
    agent.cluster.until_ready(NAME).await;
    agent.until_serving().await;
    assert_eq!(agent.run(&["cat", NOTE]), "mine\n");
    assert_eq!(lives(&agent.pod().await).0, uid, "the pod was replaced");
}

#[tokio::test]
async fn an_agent_that_hangs_or_runs_out_of_memory_is_not_ready_by_name_and_comes_back() {
    // What is written to such a volume is memory of the container that wrote it.
    let memory = json!({
        "resources": {"requests": {"memory": "256Mi"}, "limits": {"memory": "1500Mi"}},
        "extraVolumes": [{"name": "memory", "emptyDir": {"medium": "Memory"}}],
        "extraVolumeMounts": [{"name": "memory", "mountPath": "/memory"}],
    });
    let agent = Agent::ready("faults", &memory).await;
    agent.until_applied().await;
    agent.run(&["sh", "-c", &format!("echo mine >{NOTE}")]);
    let (uid, _) = lives(&agent.pod().await);

    // Neither ends when it is asked to.
    let application = Stopped::container(&agent, "gateway").await;
    let config_sync = Stopped::container(&agent, "sync").await;
    agent.until_told("NotResponding", "container openclaw ").await;
    agent.until_told("CrashLoop", "container openclaw ").await;
    agent
        .cluster
        .until("config-sync is started again", async || {
            let pod = agent.pod().await;
            let statuses = pod["status"]["initContainerStatuses"].as_array().cloned();
            let mut statuses = statuses.unwrap_or_default().into_iter();
            statuses.any(|it| it["name"] == CONFIG_SYNC && it["restartCount"] == 1)
        })
        .await;
    drop((application, config_sync));
    assert_back(&agent, &uid).await;
    // And config-sync hands over what changes.
    agent.change(&json!({"config": {"raw": {"logging": {"level": "debug"}}}})).await;
    agent.until_applied().await;

    agent.exec(APPLICATION, &["sh", "-c", "head -c 900M /dev/zero >/memory/film"]);
    agent.until_told("OutOfMemory", "container openclaw ").await;
    assert_back(&agent, &uid).await;
    agent.end().await;
}
