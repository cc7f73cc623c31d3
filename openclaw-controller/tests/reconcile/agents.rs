//! Agents in a few fields, which stand for instances.

use serde_json::{Value, json};

use crate::support::cluster::{Cluster, condition_of};
use crate::support::operator::Operator;
use crate::support::proxy::Proxy;

const KIND: (&str, &str, &str) = ("openclaw.io/v1", "AgentInstance", "agentinstances");

fn agent(image: &str) -> Value {
    json!({
        "apiVersion": KIND.0, "kind": KIND.1, "metadata": {"name": "ada"},
        "spec": {
            "image": format!("ghcr.io/openclaw/openclaw:{image}"), "agentId": "scribe",
            "skills": {"autoInstall": true, "allowedSources": ["github.com/example"]},
            "resources": {"limits": {"cpu": "1000m", "memory": "2Gi"}},
        },
    })
}

async fn stored(cluster: &Cluster) -> Value {
    let found = cluster.find(KIND.0, KIND.1, KIND.2, "ada").await;
    found.expect("the agent is there")
}

async fn until_said(cluster: &Cluster, condition: &str, status: &str) -> Value {
    let what = format!("{condition} of the agent is {status}");
    let said = async || {
        let live = stored(cluster).await;
        condition_of(&live, condition).cloned().unwrap_or_default()
    };
    cluster.until(&what, async || said().await["status"] == status).await;
    said().await
}

#[tokio::test]
async fn an_agent_in_a_few_fields_is_made_followed_and_told_of() {
    let cluster = Cluster::namespace("agent").await;
    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    operator.until_synced().await;
    cluster.apply(&agent("2026.9.6")).await.expect("the agent is taken");
    until_said(&cluster, "Ready", "True").await;
    let live = stored(&cluster).await;
    assert_eq!(live["status"]["phase"], "Running");
    assert_eq!(live["status"]["observedGeneration"], live["metadata"]["generation"]);
    let instance = cluster.instance("ada").await.expect("it is made");
    let owner = &instance["metadata"]["ownerReferences"][0];
    assert_eq!(owner["uid"], live["metadata"]["uid"], "{owner}");

    // At rest nothing is asked for and nothing is written.
    cluster.until_quiet(&proxy).await;
    proxy.clear();
    let passes = async || operator.metric("openclaw_reconcile_total").await;
    let before = passes().await;
    cluster.merge_instance("ada", &json!({"metadata": {"labels": {"team": "sea"}}})).await;
    cluster.until("a pass", async || passes().await > before).await;
    cluster.until_quiet(&proxy).await;
    assert_eq!(proxy.tally(), std::collections::BTreeMap::new());

    // An edit is carried over, what somebody bends is set back, and what he adds stays.
    let bent = json!({"spec": {"image": {"repository": "other"}, "replicas": 1}});
    cluster.merge_instance("ada", &bent).await;
    cluster.apply(&agent("2026.9.7")).await.expect("the edit is taken");
    cluster
        .until("the edit is carried over", async || {
            let live = cluster.instance("ada").await.expect("there");
            let image = &live["spec"]["image"];
            image["tag"] == "2026.9.7" && image["repository"] == "ghcr.io/openclaw/openclaw"
        })
        .await;
    until_said(&cluster, "Ready", "True").await;

    let now = cluster.instance("ada").await.expect("there");

    // An instance that is deleted alone is made anew; with its agent it goes.
    let uid = now["metadata"]["uid"].clone();
    cluster.delete_instance("ada").await;
    cluster
        .until("it is made anew", async || {
            cluster.instance("ada").await.is_some_and(|live| live["metadata"]["uid"] != uid)
        })
        .await;
    let agents = cluster.api(KIND.0, KIND.1, KIND.2);
    agents.delete("ada", &kube::api::DeleteParams::background()).await.expect("deleted");
    cluster.until_gone("ada").await;
    cluster.end().await;
}

#[tokio::test]
async fn an_instance_that_another_made_is_no_agents() {
    let cluster = Cluster::namespace("taken").await;
    let _operator = Operator::start(&cluster).await;
    let mine = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": "ada"}, "spec": {"suspended": true},
    });
    cluster.apply(&mine).await.expect("taken");
    cluster.until_observed("ada").await;
    cluster.apply(&agent("2026.9.6")).await.expect("taken");
    let said = until_said(&cluster, "NameConflict", "True").await;
    assert_eq!(said["reason"], "NameTaken");
    let live = cluster.instance("ada").await.expect("there");
    assert_eq!(
        (&live["spec"]["image"], &live["metadata"]["ownerReferences"]),
        (&Value::Null, &Value::Null)
    );
    cluster.end().await;
}
