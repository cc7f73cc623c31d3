//! What users bring: containers, volumes, programs.

use serde_json::{Value, json};

use crate::support::agent::{Agent, GATEWAY, NAME, said};

const IMAGE: &str = "ghcr.io/openclaw/openclaw:2026.9.6";

/// What an init container of the user's does: a program into a volume of its own, and an edit of the
/// file that the agent may write.
const PREPARE: &str = r#"
set -eu
mkdir -p /tools/bin
printf '#!/bin/sh\necho brought along\n' >/tools/bin/brought
chmod +x /tools/bin/brought
node -e '
const fs = require("fs"), file = "/data/openclaw.json";
const config = JSON.parse(fs.readFileSync(file, "utf8"));
config.session = { scope: "per-sender" };
fs.writeFileSync(file, JSON.stringify(config));
'
"#;

fn restricted() -> Value {
    json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}})
}

fn spec() -> Value {
    let state = "/home/openclaw/.openclaw";
    json!({
        "config": {"mergeMode": "merge"},
        "env": [
            {"name": "PATH", "value": format!("{state}/.local/bin:/tools/bin:/usr/local/bin:/usr/bin:/bin")},
        ],
        "initContainers": [{
            "name": "prepare", "image": IMAGE, "command": ["sh", "-c", PREPARE],
            "securityContext": restricted(),
            "volumeMounts": [
                {"name": "tools", "mountPath": "/tools"}, {"name": "data", "mountPath": "/data"},
            ],
        }],
        "sidecars": [{
            "name": "looker-on", "image": IMAGE, "command": ["sleep", "86400"],
            "securityContext": restricted(),
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }],
        "extraVolumes": [
            {"name": "tools", "emptyDir": {}},
            {"name": "files", "secret": {"secretName": "keys"}},
        ],
        "extraVolumeMounts": [
            {"name": "tools", "mountPath": "/tools"},
            {"name": "files", "mountPath": "/home/openclaw/.kube/config", "subPath": "kube", "readOnly": true},
        ],
    })
}

fn keys() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
        "stringData": {"kube": "apiVersion: v1"},
    })
}

#[tokio::test]
async fn what_users_bring_works_in_one_agent() {
    let agent = Agent::nobody("users").await;
    agent.cluster.apply(&keys()).await.expect("the Secret is taken");
    agent.ask(&spec()).await;
    agent.cluster.until_ready(NAME).await;

    // Programs: of an init container, and what the agent installs for itself.
    assert_eq!(agent.run(&["brought"]), "brought along\n");
    agent.run(&["sh", "-c", "mkdir -p ~/.local/bin && ln -s /bin/true ~/.local/bin/installed"]);
    agent.run(&["installed"]);
    // Beside a file that is mounted deep in HOME, the directory is the agent's.
    assert_eq!(
        agent.run(&["sh", "-c", "cat ~/.kube/config && touch ~/.kube/cache"]),
        "apiVersion: v1"
    );
    // Volume `data` is the state, for a sidecar too, and an edit made there before the start stays.
    let seen =
        agent.exec("looker-on", &["sh", "-c", "ls -d /data/workspace && cat /data/openclaw.json"]);
    assert!(seen.status.success() && said(&seen).contains("per-sender"), "{}", said(&seen));
    let known = said(&agent.call(GATEWAY, "config.get", &json!({}), &agent.token()));
    assert!(known.contains("per-sender"), "{known}");
    agent.end().await;
}
