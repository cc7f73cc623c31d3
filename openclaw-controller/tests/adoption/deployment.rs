//! A Deployment in which a very old Go operator ran an agent: it goes before our StatefulSet starts.

use std::time::Duration;

use kube::api::{Patch, PatchParams, PostParams};
use openclaw_render::Kind;
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::operator::Operator;

const NAME: &str = "ada";
/// Longer than the pauses between two looks at a Deployment that ends.
const A_WHILE: Duration = Duration::from_secs(12);
const HOLD: &str = "example.com/hold";

async fn deployment(cluster: &Cluster) -> Option<Value> {
    cluster.find("apps/v1", "Deployment", "deployments", NAME).await
}

async fn claim(cluster: &Cluster) -> Value {
    let live = cluster.get(Kind::PersistentVolumeClaim, "ada-data").await.expect("the claim");
    live["metadata"]["uid"].clone()
}

/// What the old operator left: the claim, and a Deployment with a pod that mounts it.
async fn leave(cluster: &Cluster, owners: &Value) {
    let labels = json!({
        "app.kubernetes.io/name": "openclaw", "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/managed-by": "openclaw-operator",
    });
    let left = [
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "ada-data", "labels": labels, "ownerReferences": owners},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            },
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": NAME, "labels": labels, "ownerReferences": owners},
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": {"old": NAME}},
                "template": {
                    // The pod stays until a test lets it go.
                    "metadata": {"labels": {"old": NAME}, "finalizers": [HOLD]},
                    "spec": {
                        "securityContext": {
                            "runAsNonRoot": true, "runAsUser": 1000,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "containers": [{
                            "name": "openclaw", "image": "ghcr.io/openclaw/openclaw:2026.2.6",
                            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                            "securityContext": {
                                "allowPrivilegeEscalation": false,
                                "capabilities": {"drop": ["ALL"]},
                            },
                        }],
                        "volumes": [
                            {"name": "data", "persistentVolumeClaim": {"claimName": "ada-data"}},
                        ],
                    },
                },
            },
        }),
    ];
    for object in left {
        let text = |field: &str| object[field].as_str().expect("a text").to_owned();
        let kind = text("kind");
        let api = cluster.api(&text("apiVersion"), &kind, &crate::support::cluster::plural(&kind));
        let object = serde_json::from_value(object).expect("an object");
        api.create(&PostParams::default(), &object).await.expect("it is taken");
    }
}

/// Names of the pods that the Deployment has.
async fn its_pods(cluster: &Cluster) -> Vec<String> {
    let parameters = kube::api::ListParams::default().labels("old=ada");
    let pods = cluster.pods().list(&parameters).await.expect("a list");
    pods.items.into_iter().filter_map(|pod| pod.metadata.name).collect()
}

#[tokio::test]
async fn a_deployment_of_the_instance_goes_with_its_pods_before_a_stateful_set_starts() {
    let cluster = Cluster::namespace("deployment").await;
    let instance = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": NAME}, "spec": {"image": {"tag": "2026.9.6"}},
    });
    let stored = cluster.apply(&instance).await.expect("the instance is taken");
    let owner = json!([{
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance", "name": NAME,
        "uid": stored["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }]);
    leave(&cluster, &owner).await;
    cluster.until("its pod is there", async || its_pods(&cluster).await.len() == 1).await;
    let claim_before = claim(&cluster).await;

    let _operator = Operator::start(&cluster).await;
    let pending = cluster.until_condition(NAME, "RolloutPending", "True").await;
    assert_eq!(pending["reason"], "HeldForApproval", "{pending}");
    cluster
        .until("it is said what is waited for", async || {
            let ready = cluster.until_condition(NAME, "Ready", "False").await;
            ready["message"]
                .as_str()
                .is_some_and(|it| it.contains("waits for Deployment/ada (still runs the agent)"))
        })
        .await;
    let set = async || cluster.get(Kind::StatefulSet, NAME).await;
    assert!(set().await.is_none());
    assert_eq!(
        deployment(&cluster).await.expect("there")["metadata"]["deletionTimestamp"],
        json!(null)
    );

    cluster.approve_rollout(NAME).await;
    cluster
        .until("the Deployment is being deleted", async || {
            let live = deployment(&cluster).await.expect("its pod holds it");
            live["metadata"]["deletionTimestamp"].is_string()
        })
        .await;
    tokio::time::sleep(A_WHILE).await;
    assert!(set().await.is_none(), "its pod is still there");
    let said = cluster.events().await;
    assert!(said.iter().any(|event| event.contains("ReplacingDeployment")), "{said:?}");

    let letting_go = json!({"metadata": {"finalizers": null}});
    for pod in its_pods(&cluster).await {
        let patch = Patch::Merge(&letting_go);
        cluster.pods().patch(&pod, &PatchParams::default(), &patch).await.expect("it is taken");
    }
    cluster
        .until("a StatefulSet takes its place", async || {
            let gone = deployment(&cluster).await.is_none() && its_pods(&cluster).await.is_empty();
            let there = set().await.is_some();
            assert!(gone || !there, "both are there");
            there
        })
        .await;
    cluster.until_ready(NAME).await;
    assert_eq!(claim(&cluster).await, claim_before);
    cluster.abandon(NAME).await;
}

#[tokio::test]
async fn a_deployment_of_somebody_else_is_left_alone() {
    let cluster = Cluster::namespace("deployment-other").await;
    leave(&cluster, &json!([])).await;
    let instance = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": NAME}, "spec": {"image": {"tag": "2026.9.6"}},
    });
    cluster.apply(&instance).await.expect("the instance is taken");
    let _operator = Operator::start(&cluster).await;
    cluster.until_ready(NAME).await;
    let live = deployment(&cluster).await.expect("it stays");
    assert_eq!(live["metadata"]["deletionTimestamp"], json!(null));
    for pod in its_pods(&cluster).await {
        let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        cluster.pods().patch(&pod, &PatchParams::default(), &patch).await.expect("it is taken");
    }
    cluster.abandon(NAME).await;
}
