//! A configuration that the agent writes to, too.

use openclaw_render::vocab::paths::CONFIG_FILE;
use serde_json::{Value, json};

use crate::support::agent::{Agent, GATEWAY, NAME, lives, said};

/// A value of the file that the application reads.
fn value(agent: &Agent, pointer: &str) -> Value {
    let document: Value = serde_json::from_str(&agent.run(&["cat", CONFIG_FILE])).expect("JSON");
    document.pointer(pointer).cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_an_agent_configures_stays_unless_the_spec_or_a_forced_path_says_otherwise() {
    let raw = json!({
        "session": {"scope": "global"},
        "messages": {"ackReaction": "wave"},
        "agents": {"defaults": {"maxConcurrent": 3}},
    });
    let forced = json!(["agents.defaults.maxConcurrent"]);
    let config = json!({"mergeMode": "merge", "forcePaths": forced, "raw": raw});
    let agent = Agent::ready("merging", &json!({"config": config})).await;
    agent.until_applied().await;
    let before = lives(&agent.pod().await);
    let set = |path: &str, value: &str| agent.run(&["openclaw", "config", "set", path, value]);
    set("agents.defaults.timeoutSeconds", "321");
    set("messages.ackReaction", "nod");
    set("agents.defaults.maxConcurrent", "5");
    agent
        .cluster
        .until("the forced path is as it was", async || {
            value(&agent, "/agents/defaults/maxConcurrent") == 3
        })
        .await;

    // A change of the spec, in which a key is left out.
    let change = json!({"session": null, "logging": {"level": "debug"}});
    agent.change(&json!({"config": {"raw": change}})).await;
    agent.until_applied().await;
    let as_merged = || {
        assert_eq!(value(&agent, "/logging/level"), "debug");
        assert_eq!(value(&agent, "/session/scope"), Value::Null);
        assert_eq!(value(&agent, "/messages/ackReaction"), "nod");
        assert_eq!(value(&agent, "/agents/defaults/timeoutSeconds"), 321);
        assert_eq!(value(&agent, "/agents/defaults/maxConcurrent"), 3);
    };
    as_merged();
    let known = said(&agent.call(GATEWAY, "config.get", &json!({}), &agent.token()));
    assert!(known.contains("321") && known.contains("nod"), "{known}");
    assert_eq!(lives(&agent.pod().await), before);

    agent.delete_pod().await;
    agent.until_applied().await;
    as_merged();
    // Of both who changed it, the spec is right.
    agent.change(&json!({"config": {"raw": {"messages": {"ackReaction": "bow"}}}})).await;
    agent.until_applied().await;
    assert_eq!(value(&agent, "/messages/ackReaction"), "bow");
    agent.cluster.until_ready(NAME).await;
    agent.end().await;
}
