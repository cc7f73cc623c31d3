//! A node and an API server that fall silent, for all agents at once.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use serde_json::json;
use support::agent::{Agent, NAME, lives};
use support::cluster::{Cluster, OPERATOR_NAMESPACE};
use support::http;
use support::stopped::Stopped;

const NOTE: &str = "/home/openclaw/.openclaw/workspace/note.md";

/// Where the operator serves its metrics.
async fn metrics_of_operator(cluster: &Cluster) -> String {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    let pods = pods.list(&ListParams::default()).await.expect("a list");
    let pod = pods.items.into_iter().next().expect("the operator runs");
    let address = pod.status.and_then(|status| status.pod_ip).expect("an address");
    let containers = pod.spec.expect("a spec").containers;
    let mut ports = containers.into_iter().flat_map(|each| each.ports.unwrap_or_default());
    let port = ports.find(|port| port.name.as_deref() == Some("metrics")).expect("it is served");
    format!("http://{address}:{}/metrics", port.container_port)
}

async fn leads(metrics: &str) -> bool {
    http::get(metrics).await.is_some_and(|(_, text)| text.contains("\nopenclaw_leader 1"))
}

#[tokio::test]
async fn an_agent_outlives_a_silent_node_and_a_silent_api_server_and_is_as_it_was() {
    let agent = Agent::ready("outage", &json!({})).await;
    agent.until_applied().await;
    agent.run(&["sh", "-c", &format!("echo mine >{NOTE}")]);
    let pod = agent.pod().await;
    let before = lives(&pod);
    let address = pod["status"]["podIP"].as_str().expect("an address");
    let agent_serves = format!("http://{address}:18790/healthz");
    let serves = async || http::get(&agent_serves).await.is_some_and(|(code, _)| code == 200);

    let kubelet = Stopped::program("kubelet");
    agent.until_not_ready("NodeLost", "node-1").await;
    assert!(serves().await, "only its kubelet is silent");
    drop(kubelet);
    agent.cluster.until_ready(NAME).await;
    assert_eq!(lives(&agent.pod().await), before);

    let metrics = metrics_of_operator(&agent.cluster).await;
    agent.cluster.until("the operator leads", async || leads(&metrics).await).await;
    let api_server = Stopped::program("kube-apiserver");
    agent.cluster.until("the operator leads no more", async || !leads(&metrics).await).await;
    assert!(serves().await, "an agent needs no API server");
    drop(api_server);
    // The operator is back, and does what it is asked to.
    agent.change(&json!({"config": {"raw": {"logging": {"level": "debug"}}}})).await;
    agent.until_applied().await;
    agent.cluster.until_ready(NAME).await;
    assert_eq!(lives(&agent.pod().await), before);
    assert_eq!(agent.run(&["cat", NOTE]), "mine\n");
    agent.end().await;
}
