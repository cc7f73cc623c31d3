//! The stand-in for an API server, in which `openclaw-render` tries its plans, against a real one:
//! the same requests have the same answers and leave the same objects, managers included.

mod both;
mod request;
mod scenarios;

use std::collections::BTreeMap;

use futures::future::join_all;
use openclaw_render::{Kind, Object};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::fixtures::Fixture;
use both::Both;
use openclaw_play::api_server::ApiServer;
use request::Request;
use scenarios::{Subject, scenarios};

/// What of an object both servers must agree on: not ids and times, and the status only where no
/// controller of Kubernetes' own writes it.
fn comparable(object: &Value) -> Value {
    let mut object = object.clone();
    if object.is_null() {
        return object;
    }
    let is_ours = object["kind"] == "OpenClawInstance";
    if !is_ours {
        object.as_object_mut().expect("an object").remove("status");
    }
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for name in ["uid", "resourceVersion", "creationTimestamp", "deletionGracePeriodSeconds"] {
        metadata.remove(name);
    }
    if let Some(time) = metadata.get_mut("deletionTimestamp") {
        *time = json!("<a time>");
    }
    let entries = metadata.remove("managedFields").unwrap_or_default();
    let managers: BTreeMap<String, Value> = entries
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| is_ours || entry["subresource"] != "status")
        .map(|entry| {
            let [who, how, what] = ["manager", "operation", "subresource"].map(|it| &entry[it]);
            let who = format!("{who} {how} {what}");
            (who, json!([entry["apiVersion"], entry["fieldsV1"]]))
        })
        .collect();
    metadata.insert("managedFields".to_owned(), json!(managers));
    object
}

/// An object of every kind, of a fixture with all features, and its instance, with all that the
/// API server fills in.
async fn subjects(cluster: &Cluster) -> Vec<Subject> {
    let fixture = Fixture::named("everything").in_namespace(&cluster.namespace);
    let mut objects: Vec<Value> = fixture.render().0.iter().map(Object::to_value).collect();
    let scaled = Fixture::named("autoscaling").in_namespace(&cluster.namespace);
    let by_load = scaled.render().0;
    let by_load = by_load.iter().filter(|object| object.kind() == Kind::HorizontalPodAutoscaler);
    objects.extend(by_load.map(Object::to_value));
    objects.dedup_by_key(|object| object["kind"].clone());
    // How a kind of another project is merged is in its definition, which the stand-in has not read.
    let is_of_others = |object: &Value| {
        let kinds = Kind::ALL.iter().filter(|kind| kind.project().is_some());
        kinds.map(|kind| kind.as_str()).any(|kind| object["kind"] == kind)
    };
    objects.retain(|object| !is_of_others(object));
    objects.push(fixture.instance().clone());
    let edits: Value = serde_saphyr::from_str(include_str!("../edits.yaml")).expect("YAML");
    let mut subjects = Vec::new();
    for mut object in objects {
        if object["kind"] == "Service" {
            // An address is nothing that one can fill in beforehand.
            object["spec"]["clusterIP"] = json!("None");
            object["spec"]["type"] = json!("ClusterIP");
            let second = json!({"name": "second", "port": 2, "protocol": "TCP", "targetPort": 2});
            let ports = object["spec"]["ports"].as_array_mut().expect("ports");
            ports.push(second);
            for port in ports.iter_mut().filter_map(Value::as_object_mut) {
                port.remove("nodePort");
            }
        }
        if object["kind"] == "StatefulSet" {
            object["spec"]["replicas"] = json!(0);
        }
        if object["kind"] == "OpenClawInstance" {
            object["metadata"]["labels"] = json!({
                "app.kubernetes.io/instance": "ada", "app.kubernetes.io/managed-by": "hand",
                "app.kubernetes.io/name": "openclaw",
            });
        }
        let filled = cluster.try_create(&object).await.expect("it is taken");
        let mut object = comparable(&filled);
        let metadata = object["metadata"].as_object_mut().expect("metadata");
        metadata.retain(|name, _| !matches!(name.as_str(), "managedFields" | "generation"));
        let kind = object["kind"].as_str().expect("a kind");
        let label = |op: &str, name: &str| json!({"op": op, "path": format!("/metadata/labels/{name}"), "value": "other"});
        let edit = |name: &str, label: Value| {
            let mut patch = edits[kind][name].as_array().expect("a patch").clone();
            patch.push(label);
            Value::Array(patch)
        };
        let less = edit("less", label("remove", "app.kubernetes.io~1managed-by"));
        let more = edit("more", label("add", "team"));
        let other = edit("other", label("add", "app.kubernetes.io~1name"));
        subjects.push(Subject { object, less, more, other });
    }
    subjects
}

#[tokio::test]
async fn the_stand_in_answers_and_keeps_objects_as_the_api_server_does() {
    let cluster = Cluster::namespace("stand-in").await;
    let subjects = subjects(&cluster).await;
    let runs = subjects.iter().flat_map(|subject| {
        scenarios(subject)
            .into_iter()
            .map(|(scenario, requests)| difference(&cluster, subject, scenario, requests))
    });
    let found: Vec<String> = join_all(runs).await.into_iter().flatten().collect();
    assert!(found.is_empty(), "{} scenarios end differently\n{}", found.len(), found.join("\n"));
    cluster.end().await;
}

/// Where the two servers differ first when the same is asked of both.
async fn difference(
    cluster: &Cluster,
    subject: &Subject,
    scenario: &str,
    requests: Vec<Request>,
) -> Option<String> {
    let kind = subject.object["kind"].as_str().expect("a kind");
    let name = subject.object["metadata"]["name"].as_str().expect("a name");
    let name = format!("{scenario}-{name}");
    let api = match Kind::ALL.iter().find(|it| it.as_str() == kind) {
        Some(kind) => cluster.of(*kind),
        None => cluster.instances(),
    };
    let key = (kind.to_owned(), cluster.namespace.clone(), name.clone());
    let mut both = Both { api, key, stand_in: ApiServer::default() };
    let mut versions = (Value::Null, Value::Null);
    for (index, request) in requests.into_iter().enumerate() {
        let request = request.named(&name);
        let answers = (both.ask(&request).await, both.imitate(&request));
        let (real, imitated) = (both.live().await.unwrap_or_default(), both.imitated());
        let imitated = imitated.cloned().unwrap_or_default();
        let new_versions = (version_of(&real), version_of(&imitated));
        // Where others write the status, the version says nothing.
        let is_quiet = kind == "OpenClawInstance" || real.get("status").is_none();
        let is_written = (versions.0 != new_versions.0, versions.1 != new_versions.1);
        versions = new_versions;
        let (real, imitated) = (comparable(&real), comparable(&imitated));
        if answers.0 != answers.1 || is_quiet && is_written.0 != is_written.1 || real != imitated {
            let edits = json_patch::diff(&imitated, &real);
            return Some(format!(
                "{kind} {scenario}, request {index}: answers {answers:?}, written {is_written:?}, \
                 from the imitated to the real object: {edits:#}"
            ));
        }
    }
    None
}

fn version_of(object: &Value) -> Value {
    object["metadata"]["resourceVersion"].clone()
}
