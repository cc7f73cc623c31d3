//! How an agent is reached.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use openclaw_render::Kind;
use serde_json::json;

use crate::onlooked;
use crate::support::agent::{APPLICATION, Agent, GATEWAY, NAME, PROXY, bystander, kubectl, said};
use crate::support::http;

#[tokio::test]
async fn an_agent_becomes_ready_and_serves_its_control_ui() {
    let agent = onlooked().await;
    let (code, page) = agent.get("/").await.expect("the Service answers");
    assert_eq!(code, 200);
    assert!(page.contains("<title>OpenClaw"), "{page}");
}

#[tokio::test]
async fn a_forwarded_port_reaches_the_control_ui() {
    let agent = onlooked().await;
    let service = format!("service/{NAME}");
    let mut forward = kubectl(&agent.cluster.namespace, &["port-forward", &service, ":18789"])
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
}

#[tokio::test]
async fn the_token_of_the_secret_opens_gateway_and_proxy_and_another_does_not() {
    let agent = onlooked().await;
    for url in [GATEWAY, PROXY] {
        let right = agent.call(url, "health", &json!({}), &agent.token());
        assert!(right.status.success(), "{url}: {}", said(&right));
        let wrong = agent.call(url, "health", &json!({}), "another");
        assert!(!wrong.status.success(), "{url}: {}", said(&wrong));
    }
    agent
        .cluster
        .until("the gateway says who was refused", async || {
            let log = agent.log(APPLICATION).await;
            log.lines().any(|line| line.contains("unauthorized") && line.contains("fwd=192.0.2.1"))
        })
        .await;
}

#[tokio::test]
async fn the_pod_of_the_proxy_is_no_local_user() {
    let agent = onlooked().await;
    // Only a client that is local and direct, or has the token, is told more.
    let (_, answer) = agent.get("/startupz").await.expect("the Service answers");
    assert_eq!(answer, r#"{"ok":true,"status":"started"}"#);
}

/// Opens the gateway's WebSocket at an address, with a header that claims to be somebody else, and
/// asks with a wrong token.
const KNOCK: &str = r#"
const socket = new WebSocket(process.argv[1], {headers: {"x-forwarded-for": "203.0.113.9"}});
const client = {id: "cli", version: "1", platform: "linux", mode: "cli"};
const params = {minProtocol: 1, maxProtocol: 99, client, auth: {token: "another"}};
socket.onopen = () => socket.send(JSON.stringify({type: "req", id: "1", method: "connect", params}));
socket.onclose = () => process.exit(0);
"#;

#[tokio::test]
async fn the_application_sees_the_address_of_a_client_in_another_pod() {
    let agent = onlooked().await;
    let visitor = bystander("visitor", "2026.9.6", &["sleep", "infinity"]);
    let address = agent.with_bystander(&visitor).await;
    let service = agent.cluster.get(Kind::Service, NAME).await.expect("the Service is there");
    let url = format!("ws://{}:18789", service["spec"]["clusterIP"].as_str().expect("an address"));
    let knocked = agent.kubectl(&["exec", "visitor", "--", "node", "-e", KNOCK, &url]);
    assert!(knocked.status.success(), "{}", said(&knocked));
    agent
        .cluster
        .until("the gateway says who was refused", async || {
            let client = format!("fwd={address} ");
            agent.log(APPLICATION).await.lines().any(|line| line.contains(&client))
        })
        .await;
    let log = agent.log(APPLICATION).await;
    assert!(!log.contains("203.0.113.9"), "{log}");
}

#[tokio::test]
async fn a_trusted_pod_is_believed_about_its_client_and_a_stranger_is_not() {
    let agent = Agent::nobody("trusting").await;
    let mut addresses = Vec::new();
    for name in ["ingress", "stranger"] {
        let pod = bystander(name, "2026.9.6", &["sleep", "infinity"]);
        addresses.push(agent.with_bystander(&pod).await);
    }
    let gateway = json!({"trustedProxies": [addresses[0]]});
    agent.ask(&json!({"config": {"raw": {"gateway": gateway}}})).await;
    agent.cluster.until_ready(NAME).await;
    let service = agent.cluster.get(Kind::Service, NAME).await.expect("the Service is there");
    let url = format!("ws://{}:18789", service["spec"]["clusterIP"].as_str().expect("an address"));
    for (name, seen_as) in [("stranger", addresses[1].as_str()), ("ingress", "203.0.113.9")] {
        let log = agent.log(APPLICATION).await;
        assert!(!log.contains("fwd=203.0.113.9 "), "{log}");
        let knocked = agent.kubectl(&["exec", name, "--", "node", "-e", KNOCK, &url]);
        assert!(knocked.status.success(), "{name}: {}", said(&knocked));
        agent
            .cluster
            .until("the gateway says who was refused", async || {
                let client = format!("fwd={seen_as} ");
                agent.log(APPLICATION).await.lines().any(|line| line.contains(&client))
            })
            .await;
    }
    agent.end().await;
}
