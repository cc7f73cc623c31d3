//! What only a node that runs pods can show: the real application under the operator that the chart
//! has installed.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use futures::StreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use openclaw_render::Kind;
use openclaw_render::vocab::paths::{CONFIG_FILE, HOME, STATE};
use serde_json::{Value, json};
use support::agent::{self, APPLICATION, Agent, NAME, lives, said};
use support::cluster::PATIENCE;
use support::http;
use support::pods::Pods;

const WORKSPACE: &str = "/home/openclaw/.openclaw/workspace";

#[tokio::test]
async fn an_agent_becomes_ready_and_serves_its_control_ui() {
    let agent = Agent::ready("ready", &json!({})).await;
    let (code, page) = agent.get("/").await.expect("the Service answers");
    assert_eq!(code, 200);
    assert!(page.contains("<title>OpenClaw"), "{page}");
    agent.end().await;
}

#[tokio::test]
async fn the_token_of_the_secret_opens_the_gateway_and_another_does_not() {
    let agent = Agent::ready("token", &json!({})).await;
    let right = agent.call("health", &agent.token());
    assert!(right.status.success(), "{}", said(&right));
    let wrong = agent.call("health", "another");
    assert!(!wrong.status.success(), "{}", said(&wrong));
    agent.end().await;
}

#[tokio::test]
async fn a_forwarded_port_reaches_the_control_ui() {
    let agent = Agent::ready("forwarded", &json!({})).await;
    let service = format!("service/{NAME}");
    let mut forward =
        agent::kubectl(&agent.cluster.namespace, &["port-forward", &service, ":18789"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
    let mut line = String::new();
    let mut lines = BufReader::new(forward.stdout.take().expect("its output"));
    lines.read_line(&mut line).expect("a line");
    // Forwarding from 127.0.0.1:40123 -> 18790
    let address = line.split_whitespace().nth(2).expect("an address");
    let answer = http::get(&format!("http://{address}/")).await;
    forward.kill().expect("it runs");
    forward.wait().expect("it was ours");
    let (code, page) = answer.expect("the gateway answers");
    assert_eq!(code, 200);
    assert!(page.contains("<title>OpenClaw"), "{page}");
    agent.end().await;
}

#[tokio::test]
async fn a_change_of_the_configuration_is_live_in_the_same_container() {
    let agent = Agent::ready("live", &json!({})).await;
    agent.until_applied().await;
    let before = lives(&agent.pod().await);
    let origin = "https://claw.example.com";
    agent.change(&json!({"gateway": {"controlUiOrigins": [origin]}})).await;
    agent.until_applied().await;
    let token = agent.token();
    agent
        .cluster
        .until("the gateway knows the origin", async || {
            said(&agent.call("config.get", &token)).contains(origin)
        })
        .await;
    agent
        .cluster
        .until("the gateway says that it took the change", async || {
            agent.log(APPLICATION).contains("allowedOrigins")
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
    agent.change(&json!({"config": {"raw": {"gateway": {"controlUi": {"colour": "blue"}}}}})).await;
    let condition = agent.cluster.until_condition(NAME, "ConfigValid", "False").await;
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
    agent.end().await;
}

#[tokio::test]
async fn a_changed_environment_replaces_the_pod_once() {
    let agent = Agent::ready("environment", &json!({})).await;
    let pods = Pods::watch(&agent.cluster);
    let (first, _) = lives(&agent.pod().await);
    agent.change(&json!({"env": [{"name": "TIMEZONE", "value": "Europe/Vienna"}]})).await;
    agent.until_replaced(&first).await;
    assert_eq!(agent.run(&["printenv", "TIMEZONE"]), "Europe/Vienna\n");
    assert_eq!(pods.count(), 2);
    agent.end().await;
}

#[tokio::test]
async fn every_supported_version_starts_from_the_same_spec_and_leaves_its_configuration_alone() {
    for version in ["2026.7.1", "2026.8.1"] {
        let agent = Agent::ready("version", &json!({"image": {"tag": version}})).await;
        agent.until_applied().await;
        let config = agent.cluster.get(Kind::ConfigMap, "ada-config").await.expect("it is there");
        let served = agent.run(&["cat", CONFIG_FILE]);
        assert_eq!(served, config["data"]["openclaw.json"].as_str().expect("a text"), "{version}");
        assert_eq!(lives(&agent.pod().await).1, 0, "{version}");
        agent.end().await;
    }
}

#[tokio::test]
async fn seeded_files_have_owner_and_mode_and_changes_of_the_agent_survive() {
    let files = json!({"workspace": {
        "initialFiles": {"SOUL.md": "You are Ada.\n", "notes/first.md": "one\n"},
        "initialDirectories": ["daily"],
    }});
    let agent = Agent::ready("seeding", &files).await;
    let stat = |path: &str| {
        let path = format!("{WORKSPACE}/{path}");
        agent.run(&["stat", "--format", "%u:%g %a %F", &path])
    };
    assert_eq!(stat("SOUL.md"), "1000:1000 644 regular file\n");
    // Folders of a volume with `fsGroup` hand their group down.
    assert_eq!(stat("daily"), "1000:1000 2755 directory\n");
    let soul = format!("{WORKSPACE}/SOUL.md");
    agent.run(&["sh", "-c", &format!("echo 'You are Grace.' >{soul}")]);
    agent.delete_pod().await;
    assert_eq!(agent.run(&["cat", &soul]), "You are Grace.\n");
    agent.end().await;
}

#[tokio::test]
async fn the_application_sees_no_account_and_nothing_of_the_other_containers() {
    let agent = Agent::ready("isolation", &json!({})).await;
    let account = agent.exec(APPLICATION, &["ls", "/var/run/secrets/kubernetes.io"]);
    assert!(!account.status.success(), "{}", said(&account));
    let processes = agent.run(&["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]);
    assert!(processes.contains("openclaw"), "{processes}");
    assert!(!processes.contains("nginx") && !processes.contains("pod sync"), "{processes}");
    for folder in ["/operator-config", "/sync", "/etc/nginx/openclaw"] {
        assert!(!agent.exec(APPLICATION, &["ls", folder]).status.success(), "{folder}");
    }
    let written = agent.exec(APPLICATION, &["touch", "/openclaw-helper/more", "/usr/local/more"]);
    assert!(!written.status.success(), "{}", said(&written));
    agent.end().await;
}

#[tokio::test]
async fn the_proxy_says_who_the_client_is_and_passes_its_connection_on() {
    let agent = Agent::ready("proxy", &json!({})).await;
    // Only a client that is local and direct, or has the token, is told more.
    let (_, answer) = agent.get("/startupz").await.expect("the Service answers");
    assert_eq!(answer, r#"{"ok":true,"status":"started"}"#);
    let by_proxy = agent.call_at("ws://127.0.0.1:18790", "health", "another");
    assert!(!by_proxy.status.success(), "{}", said(&by_proxy));
    agent
        .cluster
        .until("the gateway says who was refused", async || {
            let log = agent.log(APPLICATION);
            log.lines().any(|line| line.contains("unauthorized") && line.contains("192.0.2.1"))
        })
        .await;
    let by_proxy = agent.call_at("ws://127.0.0.1:18790", "health", &agent.token());
    assert!(by_proxy.status.success(), "{}", said(&by_proxy));
    agent.end().await;
}

#[tokio::test]
async fn a_first_configuration_that_is_bad_is_named_and_does_not_loop() {
    let bad = json!({"gateway": {"controlUi": {"colour": "blue"}}});
    let agent = Agent::asked_for("first", &json!({"config": {"raw": bad}})).await;
    let condition = agent.cluster.until_condition(NAME, "ConfigValid", "False").await;
    let message = condition["message"].as_str().expect("a message");
    assert!(message.contains("gateway.controlUi"), "{message}");
    assert_eq!(lives(&agent.pod().await).1, 0);
    agent.change(&json!({"config": {"raw": null}})).await;
    agent.cluster.until_ready(NAME).await;
    agent.end().await;
}

#[tokio::test]
async fn a_fresh_claim_gets_the_layout_home_and_belongs_to_the_agent() {
    let agent = Agent::ready("volume", &json!({})).await;
    let claim = agent.cluster.get(Kind::PersistentVolumeClaim, "ada-data").await.expect("a claim");
    assert_eq!(claim["metadata"]["annotations"]["openclaw.rocks/layout"], "home");
    let owner = |path| agent.run(&["stat", "--format", "%u:%g", path]);
    for path in [HOME, STATE, CONFIG_FILE] {
        assert_eq!(owner(path), "1000:1000\n", "{path}");
    }
    agent.end().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_had_and_too_little_memory_are_named() {
    let agent = Agent::asked_for("trouble", &json!({"image": {"tag": "2026.9.5"}})).await;
    agent.until_reason("ImagePullFailed").await;
    let little = json!({
        "image": {"tag": "2026.9.6"},
        "resources": {"requests": {"memory": "200Mi"}, "limits": {"memory": "200Mi"}},
    });
    agent.change(&little).await;
    agent.until_reason("OutOfMemory").await;
    agent.end().await;
}

#[tokio::test]
async fn a_pod_that_is_asked_to_stop_ends_cleanly() {
    let agent = Agent::ready("stop", &json!({})).await;
    let mut events = watcher(agent.cluster.pods(), watcher::Config::default()).boxed();
    agent.change(&json!({"suspended": true})).await;
    let mut code = None;
    loop {
        let event = tokio::time::timeout(PATIENCE, events.next()).await.expect("the pod goes");
        match event.expect("it goes on").expect("a change") {
            Event::Apply(pod) | Event::InitApply(pod) => {
                let pod = serde_json::to_value(pod).expect("JSON");
                code = exit_code(&pod).or(code);
            }
            Event::Delete(_) => break,
            Event::Init | Event::InitDone => {}
        }
    }
    assert_eq!(code, Some(0));
    agent.end().await;
}

/// Of the application, once it has ended.
fn exit_code(pod: &Value) -> Option<i64> {
    let statuses = pod["status"]["containerStatuses"].as_array()?;
    let status = statuses.iter().find(|each| each["name"] == APPLICATION)?;
    status["state"]["terminated"]["exitCode"].as_i64()
}
