//! Jobs of backups on nodes on which pods only claim to run.

use kube::api::{ListParams, Patch, PatchParams};
use openclaw_render::Kind;
use serde_json::{Value, json};

use super::cluster::Cluster;

/// Name of the Secret that names a bucket.
pub const SECRET: &str = "bucket";

/// A Secret that names a bucket which is nowhere.
pub fn secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET},
        "stringData": {"S3_BUCKET": "x", "S3_ENDPOINT": "http://127.0.0.1:9000"},
    })
}

/// Returns the Job whose name begins so.
pub async fn job(cluster: &Cluster, beginning: &str) -> Option<Value> {
    let jobs = cluster.objects().await;
    let mut jobs = jobs.into_iter().filter(|(key, _)| key.kind == Kind::Job);
    jobs.find(|(key, _)| key.name.starts_with(beginning)).map(|(_, live)| live)
}

/// Says as the last container of a Job's pod does that a backup was stored at a path, or restored from
/// there. Here, nothing runs in pods.
pub async fn ended_well(cluster: &Cluster, job: &Value, path: &str) {
    let name = job["metadata"]["name"].as_str().expect("a name");
    let container = &job["spec"]["template"]["spec"]["containers"][0]["name"];
    let pods = cluster.pods();
    let made = ListParams::default().labels(&format!("job-name={name}"));
    let done = async || {
        let pods = pods.list(&made).await.expect("an answer").items;
        pods.into_iter().find(|pod| pod.data["status"]["phase"] == "Succeeded")
    };
    cluster.until("its pod is done", async || done().await.is_some()).await;
    let pod = done().await.expect("a pod that is done");
    let said = json!({"path": path, "version": "2026.9.6", "sizeBytes": 1}).to_string();
    let status = json!({"status": {"containerStatuses": [{
        "name": container, "ready": false, "image": "x", "imageID": "x", "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "message": said}},
    }]}});
    let name = pod.metadata.name.expect("a name");
    let parameters = PatchParams::default();
    let taken = pods.patch_status(&name, &parameters, &Patch::Merge(&status)).await;
    taken.expect("the status is taken");
}
