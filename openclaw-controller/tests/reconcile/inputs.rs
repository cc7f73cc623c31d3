//! ConfigMaps and Secrets to which an instance refers.

use openclaw_render::Kind;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::fixtures::Fixture;
use crate::support::operator::Operator;

#[tokio::test]
async fn a_missing_config_map_is_reported_until_it_is_there() {
    let cluster = Cluster::namespace("missing").await;
    let _operator = Operator::start(&cluster).await;
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["spec"]["config"] = json!({"configMapRef": {"name": "settings"}});
    cluster.apply(&instance).await.expect("the instance is taken");
    let missing = cluster.until_condition("ada", "ConfigValid", "False").await;
    assert_eq!(missing["reason"], "ConfigMapMissing");
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
        "data": {"openclaw.json": "{\"logging\": {\"level\": \"debug\"}}"},
    });
    cluster.apply(&settings).await.expect("the ConfigMap is taken");
    cluster.until_ready("ada").await;
    cluster.delete(Kind::ConfigMap, "settings").await;
    let missing = cluster.until_condition("ada", "ConfigValid", "False").await;
    assert_eq!(missing["reason"], "ConfigMapMissing");
    // What runs is left alone.
    let config = cluster.get(Kind::ConfigMap, "ada-config").await.expect("the last content");
    assert!(config["data"].to_string().contains("debug"));
    assert!(cluster.pod("ada-0").await.is_some());
    cluster.apply(&settings).await.expect("the ConfigMap is taken");
    cluster.until_condition("ada", "ConfigValid", "True").await;
    cluster.end().await;
}

#[tokio::test]
async fn a_changed_secret_replaces_the_pod_and_a_changed_config_does_not() {
    let cluster = Cluster::namespace("inputs").await;
    let _operator = Operator::start(&cluster).await;
    let key = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
            "stringData": {"API_KEY": value},
        })
    };
    cluster.apply(&key("first")).await.expect("the Secret is taken");
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["spec"]["envFrom"] = json!([{"secretRef": {"name": "keys"}}]);
    cluster.apply(&instance).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    let uid = async || {
        let pod = cluster.pod("ada-0").await;
        pod.map(|pod| pod["metadata"]["uid"].clone())
    };
    let first = uid().await;
    let config = json!({"spec": {"config": {"raw": {"logging": {"level": "debug"}}}}});
    cluster.merge_instance("ada", &config).await;
    cluster
        .until("the configuration is rendered", async || {
            let config = cluster.get(Kind::ConfigMap, "ada-config").await.expect("there");
            config["data"].to_string().contains("debug")
        })
        .await;
    cluster.until_ready("ada").await;
    assert_eq!(uid().await, first);
    cluster.apply(&key("second")).await.expect("the Secret is taken");
    cluster
        .until("the pod is replaced", async || {
            let now = uid().await;
            now.is_some() && now != first
        })
        .await;
    cluster.until_ready("ada").await;
    cluster.end().await;
}
