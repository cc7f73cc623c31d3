//! What `check` refuses of what a spec puts into objects, an API server refuses, and it takes the
//! neighbours: one table for both directions.

use futures::future::join_all;
use kube::api::{Patch, PatchParams};
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{Kind, Object};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::rendered::pod_of;
use crate::support::cluster::Cluster;
use crate::support::fixtures::Fixture;

#[derive(Deserialize)]
struct Row {
    at: Option<String>,
    spec: Value,
}

/// Where parts of a spec are in objects as they were written: the part, the kind, and the place. What
/// is there already stays in front. Parts that are nowhere are the API server's own to see.
const PLACES: &[(&str, Kind, &str)] = &[
    ("/availability/affinity", Kind::StatefulSet, "/spec/template/spec/affinity"),
    ("/availability/tolerations", Kind::StatefulSet, "/spec/template/spec/tolerations"),
    (
        "/availability/topologySpreadConstraints",
        Kind::StatefulSet,
        "/spec/template/spec/topologySpreadConstraints",
    ),
    ("/env", Kind::StatefulSet, "/spec/template/spec/containers/0/env"),
    ("/envFrom", Kind::StatefulSet, "/spec/template/spec/containers/0/envFrom"),
    ("/extraVolumeMounts", Kind::StatefulSet, "/spec/template/spec/containers/0/volumeMounts"),
    ("/extraVolumes", Kind::StatefulSet, "/spec/template/spec/volumes"),
    ("/initContainers", Kind::StatefulSet, "/spec/template/spec/initContainers"),
    (
        "/security/containerSecurityContext/allowPrivilegeEscalation",
        Kind::StatefulSet,
        "/spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation",
    ),
    (
        "/security/containerSecurityContext/capabilities/add",
        Kind::StatefulSet,
        "/spec/template/spec/containers/0/securityContext/capabilities/add",
    ),
    ("/security/networkPolicy/additionalEgress", Kind::NetworkPolicy, "/spec/egress"),
    ("/sidecars", Kind::StatefulSet, "/spec/template/spec/containers"),
    ("/storage/persistence/accessModes", Kind::PersistentVolumeClaim, "/spec/accessModes"),
];

/// Puts a part of a spec where rendering would.
fn put(object: &mut Value, place: &str, part: &Value) {
    let (parent, field) = place.rsplit_once('/').expect("a place in something");
    let parent = object.pointer_mut(parent).expect("the objects of the least instance have it");
    match (&mut parent[field], part) {
        (Value::Array(there), Value::Array(more)) if field != "accessModes" => {
            there.extend(more.iter().cloned());
        }
        (there, part) => *there = part.clone(),
    }
}

/// Whether the API server refuses an object, asked without storing it.
async fn is_refused(cluster: &Cluster, kind: Kind, object: &Value) -> bool {
    let parameters = PatchParams::apply(FIELD_MANAGER).force().validation_strict().dry_run();
    let name = object["metadata"]["name"].as_str().expect("a name");
    let answer = cluster.of(kind).patch(name, &parameters, &Patch::Apply(object)).await;
    refusal(answer.map(|_| ()), object)
}

fn refusal(answer: Result<(), kube::Error>, object: &Value) -> bool {
    match answer {
        Ok(()) => false,
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422 | 500) => true,
        Err(error) => panic!("{error}: {object}"),
    }
}

/// Whether anything is refused that a part of a spec goes into.
async fn is_hostile(cluster: &Cluster, objects: &[Object], instance: &Value, part: &Value) -> bool {
    let mut instance = instance.clone();
    let fields = part.as_object().expect("a spec").clone();
    instance["spec"].as_object_mut().expect("a spec").extend(fields);
    let mut refused = refusal(cluster.try_create(&instance).await.map(|_| ()), &instance);
    for object in objects {
        let mut value = object.to_value();
        // With a claim of the user's, none is rendered.
        let is_made = part.pointer("/storage/persistence/existingClaim").is_none();
        let is_of =
            |kind: Kind| kind == object.kind() && (is_made || kind != Kind::PersistentVolumeClaim);
        let places = PLACES.iter().filter(|(_, kind, _)| is_of(*kind));
        for (from, _, to) in places {
            if let Some(part) = part.pointer(from) {
                put(&mut value, to, part);
            }
        }
        if value == object.to_value() {
            continue;
        }
        refused |= is_refused(cluster, object.kind(), &value).await;
        if let Some(pod) = pod_of(&value) {
            refused |= refusal(cluster.try_create(&pod).await.map(|_| ()), &pod);
        }
    }
    refused
}

#[tokio::test]
async fn an_api_server_refuses_what_check_refuses_of_objects_and_takes_its_neighbours() {
    // What containers of a user may do is asked of another test.
    let cluster = Cluster::with_security("hostile", "privileged").await;
    let fixture = Fixture::named("minimal").in_namespace(&cluster.namespace);
    let (objects, _) = fixture.render();
    // Admission asks for what the pod refers to.
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ada"}});
    cluster.apply(&account).await.expect("the account is taken");
    let table = include_str!("../../../openclaw-render/tests/data/hostile.yaml");
    let rows: Vec<Row> = serde_saphyr::from_str(table).expect("a table");
    let found = join_all(rows.iter().map(async |row| {
        let refused = is_hostile(&cluster, &objects, fixture.instance(), &row.spec).await;
        (refused != row.at.is_some()).then(|| format!("refused: {refused}: {}", row.spec))
    }));
    let found: Vec<String> = found.await.into_iter().flatten().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    cluster.end().await;
}
