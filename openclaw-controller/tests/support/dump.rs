//! What the Go operator leaves in a cluster: dumps of its objects, put into a namespace.

use std::path::Path;

use kube::api::{Patch, PatchParams, PostParams};
use openclaw_render::owned;
use serde_json::{Value, json};

use super::cluster::{Cluster, condition_of, plural};

/// The Go operator's field manager.
pub const MANAGER: &str = "manager";
/// Who created the instances.
const USER: &str = "kubectl-client-side-apply";
/// Where the dumped objects were.
const NAMESPACE: &str = "agents";

/// Restores everything of one instance that the Go operator of a version made, and waits for its
/// pod. The API server notes fields as those of whoever creates an object: that is the Go operator.
pub async fn restore(cluster: &Cluster, version: &str, name: &str) {
    let mut items = items(version, name);
    for object in &mut items {
        move_to(object, &cluster.namespace);
    }
    let instance = items.iter().find(|each| each["kind"] == "OpenClawInstance");
    let uid = restore_instance(cluster, instance.expect("the instance was dumped")).await;
    // A pod that comes before what it mounts is tried again late.
    items.sort_by_key(|object| object["kind"] == "StatefulSet");
    for object in items.iter().filter(|object| object["kind"] != "OpenClawInstance") {
        create(cluster, bare(object, &uid)).await;
    }
    let pod = format!("{name}-0");
    cluster
        .until("the pod of the Go operator's StatefulSet is ready", async || {
            let pod = cluster.pod(&pod).await;
            let ready = pod.as_ref().and_then(|pod| condition_of(pod, "Ready"));
            ready.is_some_and(|ready| ready["status"] == "True")
        })
        .await;
}

/// The dumped objects of one instance. Claims that Kubernetes made are made by it again.
fn items(version: &str, name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lifecycle/adoption");
    let text = std::fs::read_to_string(folder.join(format!("{version}.json")));
    let dump: Value = serde_json::from_str(&text.expect("a dump")).expect("JSON");
    let mut items = dump["items"].as_array().expect("items").clone();
    items.retain(|object| {
        let metadata = &object["metadata"];
        let is_instance = object["kind"] == "OpenClawInstance" && metadata["name"] == name;
        let is_labelled = metadata["labels"]["app.kubernetes.io/instance"] == name;
        is_instance || (is_labelled && metadata["ownerReferences"].is_array())
    });
    items
}

async fn restore_instance(cluster: &Cluster, dumped: &Value) -> String {
    let name = dumped["metadata"]["name"].as_str().expect("a name");
    let instances = cluster.instances();
    let by = |manager: &str| PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    let asked = owned(dumped, USER);
    instances.patch(name, &by(USER), &Patch::Apply(&asked)).await.expect("the instance is taken");
    // The Go operator stored the defaults of its schema.
    let stored = json!({
        "metadata": {"finalizers": dumped["metadata"]["finalizers"]},
        "spec": dumped["spec"],
    });
    let stored = instances
        .patch(name, &by(MANAGER), &Patch::Merge(&stored))
        .await
        .expect("the defaults are taken");
    let status = json!({"status": dumped["status"]});
    instances
        .patch_status(name, &by(MANAGER), &Patch::Merge(&status))
        .await
        .expect("the status is taken");
    stored.metadata.uid.expect("a uid")
}

async fn create(cluster: &Cluster, object: Value) {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let kind = text(&object["kind"]);
    let api = cluster.api(&text(&object["apiVersion"]), &kind, &plural(&kind));
    let parameters =
        PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    let object = serde_json::from_value(object).expect("an object");
    api.create(&parameters, &object).await.expect("the dumped object is taken");
}

/// An object as the Go operator sent it: without what the API server and Kubernetes' controllers
/// put in, with the new instance as its owner.
fn bare(dumped: &Value, uid: &str) -> Value {
    let mut object = dumped.clone();
    object["metadata"]["ownerReferences"][0]["uid"] = json!(uid);
    remove(&mut object, &["status"]);
    let of_server = [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
        "finalizers",
    ];
    remove(&mut object["metadata"], &of_server);
    match object["kind"].as_str().unwrap_or_default() {
        // Bound to another volume, on another node.
        "PersistentVolumeClaim" => {
            remove(&mut object["spec"], &["volumeName"]);
            if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
                annotations.retain(|name, _| name.starts_with("openclaw.rocks/"));
            }
        }
        // Addresses are given out once per cluster.
        "Service" => remove(&mut object["spec"], &["clusterIP", "clusterIPs"]),
        _ => {}
    }
    object
}

fn remove(object: &mut Value, fields: &[&str]) {
    let map = object.as_object_mut().expect("an object");
    map.retain(|field, _| !fields.contains(&field.as_str()));
}

/// Names of the namespace become those of another one.
fn move_to(value: &mut Value, namespace: &str) {
    match value {
        Value::String(text) if text == NAMESPACE => namespace.clone_into(text),
        Value::String(text) => {
            *text = text.replace(&format!(".{NAMESPACE}.svc"), &format!(".{namespace}.svc"));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_to(item, namespace)),
        Value::Object(map) => map.values_mut().for_each(|inner| move_to(inner, namespace)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
