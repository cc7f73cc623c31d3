//! Definitions that are other ones than today's, or gone for a while.

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use openclaw_render::Kind;
use serde_json::{Value, json};

use crate::agents::{ALONE, clear, named};
use crate::support::cluster::{Cluster, condition_of};
use crate::support::fixtures::{self, Fixture};
use crate::support::operator::Operator;

const DEFINITION: &str = "openclawinstances.openclaw.rocks";

#[tokio::test]
async fn an_instance_that_does_not_decode_is_reported_and_disturbs_no_other() {
    let _alone = ALONE.lock().await;
    let cluster = Cluster::namespace("decode").await;
    let _operator = Operator::elected(&cluster, None, "only").await;
    cluster.apply(&named("ada")).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    // As an older definition, or another one, would have let it in.
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/availability\
                /properties/nodeSelector";
    let set = async |schema: Value| {
        let change = json!([{"op": "replace", "path": path, "value": schema}]);
        let change = serde_json::from_value(change).expect("a JSON patch");
        let parameters = PatchParams::default();
        definitions
            .patch(DEFINITION, &parameters, &Patch::<()>::Json(change))
            .await
            .expect("the definition is changed");
    };
    let before = serde_json::to_value(definitions.get(DEFINITION).await.expect("there"));
    let before = before.expect("JSON").pointer(path).expect("the field").clone();
    set(json!({"type": "string"})).await;
    let mut broken = named("broken");
    broken["spec"]["availability"] = json!({"nodeSelector": "anywhere"});
    cluster
        .until("the broken instance is taken", async || cluster.apply(&broken).await.is_ok())
        .await;
    set(before).await;
    let ready = cluster.until_condition("broken", "Ready", "False").await;
    assert_eq!(ready["reason"], "InvalidSpec");
    let message = ready["message"].as_str().expect("a message");
    assert!(message.contains("nodeSelector"), "{message}");
    // The others are looked after as before.
    cluster.delete(Kind::Service, "ada").await;
    cluster
        .until("the Service comes back", async || cluster.get(Kind::Service, "ada").await.is_some())
        .await;
    // It can be deleted.
    clear(&cluster).await;
    cluster.end().await;
}

/// What the Go operator leaves beside an instance: the claim, with the instance as its owner.
fn claim_of(instance: &Value) -> Value {
    let name = instance["metadata"]["name"].as_str().expect("a name");
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": format!("{name}-data"),
            "labels": {
                "app.kubernetes.io/name": "openclaw",
                "app.kubernetes.io/managed-by": "openclaw-operator",
            },
            "ownerReferences": [{
                "apiVersion": instance["apiVersion"], "kind": instance["kind"], "name": name,
                "uid": instance["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    })
}

#[tokio::test]
async fn an_instance_whose_name_is_refused_since_can_be_deleted_and_keeps_its_volume() {
    let _alone = ALONE.lock().await;
    let cluster = Cluster::namespace("names").await;
    let names =
        ["1agent", "team.agent", "an-agent-with-a-name-that-is-longer-than-what-is-made-of-it"];
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let change = async |patch: Value| {
        let patch = serde_json::from_value(json!([patch])).expect("a JSON patch");
        let parameters = PatchParams::default();
        let changed = definitions.patch(DEFINITION, &parameters, &Patch::<()>::Json(patch)).await;
        changed.expect("the definition is changed");
    };
    let path = "/spec/versions/0/schema/openAPIV3Schema/x-kubernetes-validations";
    let today = serde_json::to_value(definitions.get(DEFINITION).await.expect("there"));
    let rules = today.expect("JSON").pointer(path).expect("rules").clone();
    change(json!({"op": "remove", "path": path})).await;
    for name in names {
        let mut instance = named(name);
        instance["metadata"]["finalizers"] = json!(["openclaw.rocks/finalizer"]);
        cluster
            .until(&format!("{name} is taken"), async || cluster.apply(&instance).await.is_ok())
            .await;
        let stored = cluster.instance(name).await.expect("there");
        cluster.apply(&claim_of(&stored)).await.expect("the claim is taken");
    }
    change(json!({"op": "add", "path": path, "value": rules})).await;
    cluster
        .until("the rules hold", async || cluster.try_create(&named("2agent")).await.is_err())
        .await;

    let _operator = Operator::elected(&cluster, None, "only").await;
    for name in names {
        let ready = cluster.until_condition(name, "Ready", "False").await;
        let message = ready["message"].as_str().expect("a message");
        assert!(message.contains("metadata.name"), "{name}: {message}");
        cluster.delete_instance(name).await;
        cluster.until_gone(name).await;
        let claim = cluster.get(Kind::PersistentVolumeClaim, &format!("{name}-data")).await;
        let claim = claim.expect("the claim stays");
        assert_eq!(claim["metadata"].get("ownerReferences"), None, "{name}");
    }
    cluster.end().await;
}

#[tokio::test]
async fn a_definition_may_be_removed_and_installed_again() {
    let _alone = ALONE.lock().await;
    let cluster = Cluster::namespace("definition").await;
    let operator = Operator::elected(&cluster, None, "only").await;
    cluster.apply(&named("ada")).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    let claim = async || {
        let claim = cluster.get(Kind::PersistentVolumeClaim, "ada-data").await;
        claim.expect("the claim stays")["metadata"]["uid"].clone()
    };
    let before = claim().await;
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    definitions.delete(DEFINITION, &DeleteParams::default()).await.expect("removed");
    // Its instances go with it, and for that their finalizers must.
    cluster
        .until("the definition is gone", async || {
            definitions.get_opt(DEFINITION).await.expect("an answer").is_none()
        })
        .await;
    let failures = async || operator.metric("openclaw_watch_failures_total").await;
    cluster.until("the broken watch is reported", async || failures().await > 0.0).await;
    let file = fixtures::folder("../charts/openclaw-operator/files/crds/openclawinstances.yaml");
    let definition = Fixture::load(&file).documents.remove(0);
    let parameters = PatchParams::apply("helm").force();
    definitions
        .patch(DEFINITION, &parameters, &Patch::Apply(&definition))
        .await
        .expect("installed again");
    cluster.until("instances are taken", async || cluster.apply(&named("ada")).await.is_ok()).await;
    cluster.until_ready("ada").await;
    assert_eq!(claim().await, before, "the volume outlives even that");
    let live = cluster.instance("ada").await.expect("there");
    assert_eq!(condition_of(&live, "StorageReady").expect("there")["reason"], "ClaimBound");
    let kinds: BTreeSet<Kind> =
        cluster.objects().await.into_iter().map(|(key, _)| key.kind).collect();
    assert_eq!(kinds, Fixture::named("minimal").kinds());
    clear(&cluster).await;
    cluster.end().await;
}
