//! Objects of an agent that are changed, deleted, no longer wanted, another's, or not allowed.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{Kind, ObjectKey, Ownership};
use serde_json::{Value, json};

use crate::agent::{ready, under_one_name};
use crate::support::cluster::{Cluster, condition_of};
use crate::support::fixtures::{self, Fixture};
use crate::support::operator::Operator;

/// Identity and version of every object that the operator may make.
async fn versions(cluster: &Cluster) -> BTreeMap<ObjectKey, (Value, Value)> {
    let objects = cluster.objects().await;
    let version = |live: &Value| (live["metadata"]["uid"].clone(), generation(live));
    objects.iter().map(|(key, live)| (key.clone(), version(live))).collect()
}

/// What somebody asked for: not status, and not what the operator notes on the StatefulSet.
fn generation(live: &Value) -> Value {
    if live["kind"] == "StatefulSet" {
        return live["spec"].clone();
    }
    let mut object = live.clone();
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for field in ["managedFields", "resourceVersion", "generation"] {
        metadata.remove(field);
    }
    object.as_object_mut().expect("an object").remove("status");
    object
}

async fn a_change_to(fixture: Fixture) {
    let Some((instance, after)) = under_one_name(&fixture) else { return };
    let (first, before) = under_one_name(&Fixture::named("minimal")).expect("minimal starts");
    let cluster = Cluster::namespace("change").await;
    let _operator = Operator::start(&cluster).await;
    for document in fixture.documents.iter().filter(|each| each["kind"] != "OpenClawInstance") {
        cluster.apply(document).await.expect("what the instance refers to is taken");
    }
    cluster.apply(&first).await.expect("minimal is taken");
    cluster.until_ready("ada").await;
    let old = versions(&cluster).await;
    cluster.apply(&instance).await.expect("the fixture is taken");
    cluster.until_observed("ada").await;
    let new = versions(&cluster).await;
    let keys = before.keys().chain(after.keys()).collect::<BTreeSet<_>>();
    // What is created once stays, whatever is rendered now.
    for key in keys.into_iter().filter(|key| key.kind.ownership() == Ownership::Applied) {
        let changed = old.get(key) != new.get(key);
        assert_eq!(changed, before.get(key) != after.get(key), "{}: {key}", fixture.name);
    }
    cluster.end().await;
}

#[tokio::test]
async fn a_change_touches_only_the_objects_that_it_changes() {
    futures::stream::iter(fixtures::all("instances")).for_each_concurrent(4, a_change_to).await;
}

#[tokio::test]
async fn what_is_switched_off_leaves_nothing_behind() {
    let cluster = Cluster::namespace("off").await;
    let _operator = Operator::start(&cluster).await;
    let name = ready(&cluster).await;
    let ingress = |on: bool| json!({"ingress": {"enabled": on, "hosts": [{"host": ""}]}});
    cluster.merge_instance(name, &json!({"spec": {"networking": ingress(true)}})).await;
    cluster
        .until("the Ingress is there", async || cluster.get(Kind::Ingress, name).await.is_some())
        .await;
    let off = json!({"spec": {
        "networking": ingress(false),
        "availability": {"podDisruptionBudget": {"enabled": false}},
        "security": {
            "networkPolicy": {"enabled": false},
            "rbac": {"createServiceAccount": false, "serviceAccountName": "default"},
        },
    }});
    cluster.merge_instance(name, &off).await;
    for kind in
        [Kind::Ingress, Kind::PodDisruptionBudget, Kind::NetworkPolicy, Kind::ServiceAccount]
    {
        cluster
            .until(&format!("{kind} is gone"), async || cluster.get(kind, name).await.is_none())
            .await;
    }
    cluster.until_ready(name).await;
    cluster.end().await;
}

#[tokio::test]
async fn every_deleted_object_comes_back() {
    let cluster = Cluster::namespace("deleted").await;
    let _operator = Operator::start(&cluster).await;
    let name = ready(&cluster).await;
    for (key, before) in cluster.objects().await {
        // Kubernetes keeps a claim until its pod has ended.
        if key.kind == Kind::PersistentVolumeClaim {
            continue;
        }
        cluster.delete(key.kind, &key.name).await;
        cluster
            .until(&format!("{key} comes back"), async || {
                let live = cluster.get(key.kind, &key.name).await;
                live.is_some_and(|live| live["metadata"]["uid"] != before["metadata"]["uid"])
            })
            .await;
    }
    cluster.until_ready(name).await;
    cluster.end().await;
}

/// An object of ours under its name, as another makes it.
async fn stranger(cluster: &Cluster, key: &ObjectKey, mut object: Value) -> Value {
    object["metadata"] = json!({"name": key.name});
    if key.kind == Kind::Secret {
        object["stringData"] = json!({"token": "made-by-another"});
    }
    cluster.apply(&object).await.expect("the stranger is taken");
    cluster.get(key.kind, &key.name).await.expect("the stranger is there")
}

async fn assert_untouched(cluster: &Cluster, key: &ObjectKey, before: &Value) {
    let after = cluster.get(key.kind, &key.name).await.expect("it stays");
    assert_eq!(before["metadata"]["uid"], after["metadata"]["uid"], "{key}");
    assert_eq!(after["metadata"]["ownerReferences"], Value::Null, "{key}");
    let writers = after["metadata"]["managedFields"].to_string();
    assert!(!writers.contains(FIELD_MANAGER), "{key}: {writers}");
}

/// What holds state and secrets is worth using, whoever has made it.
fn can_be_lent(key: &ObjectKey) -> bool {
    matches!(key.kind, Kind::Secret | Kind::PersistentVolumeClaim)
}

#[tokio::test]
async fn a_stranger_under_a_name_that_is_needed_is_not_touched() {
    let (_, rendered) = under_one_name(&Fixture::named("minimal")).expect("minimal starts");
    let needed = rendered.into_iter().filter(|(key, _)| !can_be_lent(key));
    let tests = needed.map(|(key, object)| async move {
        let cluster = Cluster::namespace("stranger").await;
        let before = stranger(&cluster, &key, object).await;
        let _operator = Operator::start(&cluster).await;
        cluster.apply(Fixture::named("minimal").instance()).await.expect("taken");
        let conflict = cluster.until_condition("ada", "NameConflict", "True").await;
        let message = conflict["message"].as_str().expect("a message");
        assert!(message.contains(&key.to_string()), "{key}: {message}");
        assert_untouched(&cluster, &key, &before).await;
        let live = cluster.instance("ada").await.expect("the instance is there");
        assert_eq!(condition_of(&live, "Ready").expect("Ready")["status"], "False", "{key}");
        cluster.end().await;
    });
    futures::future::join_all(tests).await;
}

#[tokio::test]
async fn a_claim_and_a_token_that_another_has_made_are_used_and_not_touched() {
    let (_, rendered) = under_one_name(&Fixture::named("minimal")).expect("minimal starts");
    let cluster = Cluster::namespace("lent").await;
    let mut lent = Vec::new();
    for (key, object) in rendered.into_iter().filter(|(key, _)| can_be_lent(key)) {
        let before = stranger(&cluster, &key, object).await;
        lent.push((key, before));
    }
    assert_eq!(lent.len(), 2, "a claim and a token");
    let _operator = Operator::start(&cluster).await;
    cluster.apply(Fixture::named("minimal").instance()).await.expect("taken");
    cluster.until_ready("ada").await;
    for (key, before) in &lent {
        assert_untouched(&cluster, key, before).await;
    }
    cluster.delete_instance("ada").await;
    cluster.until_gone("ada").await;
    for (key, before) in &lent {
        assert_untouched(&cluster, key, before).await;
    }
    cluster.end().await;
}

#[tokio::test]
async fn a_role_that_the_operator_may_not_grant_is_reported_and_stops_no_agent_that_runs() {
    let cluster = Cluster::namespace("grant").await;
    let _operator = Operator::start(&cluster).await;
    let too_much = json!({"spec": {"security": {"rbac": {"additionalRules": [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["delete"]},
    ]}}}});
    let until_refused = async || {
        cluster
            .until("the refusal is told", async || {
                let live = cluster.instance("ada").await.expect("there");
                condition_of(&live, "RBACReady").is_some_and(|it| it["reason"] == "ApplyRefused")
            })
            .await;
    };
    let mut instance = Fixture::named("minimal").instance().clone();
    json_patch::merge(&mut instance, &too_much);
    cluster.apply(&instance).await.expect("the instance is taken");
    until_refused().await;
    let waiting = cluster.until_condition("ada", "StatefulSetReady", "False").await;
    assert_eq!(
        waiting["message"],
        "StatefulSet/ada waits for RoleBinding/ada (could not be written)"
    );
    assert!(
        cluster.get(Kind::StatefulSet, "ada").await.is_none(),
        "without the rights it asks for"
    );
    cluster.merge_instance("ada", &json!({"spec": {"security": null}})).await;
    cluster.until_ready("ada").await;
    cluster.merge_instance("ada", &too_much).await;
    until_refused().await;
    let live = cluster.instance("ada").await.expect("there");
    assert_eq!(condition_of(&live, "Ready").expect("Ready")["status"], "True");
    assert_eq!(live["status"]["phase"], "Degraded");
    assert!(cluster.pod("ada-0").await.is_some());
    cluster.end().await;
}
