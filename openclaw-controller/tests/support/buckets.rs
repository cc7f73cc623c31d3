//! A server of buckets, as a pod beside an agent.

use serde_json::{Value, json};

use super::agent::{Agent, bystander};

/// Of the image that `scripts/tools.sh` puts on the node. Each directory in there is a bucket.
const IMAGE: &str = "ghcr.io/versity/versitygw:test";
const BUCKETS: &str = "/buckets";
const BUCKET: &str = "agents";
/// Name of the Secret that leads to the bucket.
pub const SECRET: &str = "bucket";

/// Starts it. It has one bucket, which is gone with the namespace; the Secret names it.
pub async fn bucket_beside(agent: &Agent) {
    let mut pod = bystander("buckets", "", &["versitygw", "--port", ":9000", "posix", BUCKETS]);
    let [id, key] = ["an-id", "a-secret-key"];
    let container = &mut pod["spec"]["containers"][0];
    container["image"] = json!(IMAGE);
    container["env"] = json!([
        {"name": "ROOT_ACCESS_KEY", "value": id},
        {"name": "ROOT_SECRET_KEY", "value": key},
    ]);
    container["volumeMounts"] = json!([
        {"name": "buckets", "mountPath": BUCKETS},
        // The kubelet makes the directory.
        {"name": "buckets", "mountPath": "/made", "subPath": BUCKET},
    ]);
    container["readinessProbe"] = json!({"tcpSocket": {"port": 9000}, "periodSeconds": 1});
    pod["spec"]["volumes"] = json!([{"name": "buckets", "emptyDir": {}}]);
    let address = agent.with_bystander(&pod).await;
    let secret: Value = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET},
        "stringData": {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT": format!("http://{address}:9000"),
            "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY_ID": id,
            "S3_SECRET_ACCESS_KEY": key,
        },
    });
    agent.cluster.apply(&secret).await.expect("the Secret is taken");
}
