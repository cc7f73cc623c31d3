//! What a user of a cluster sees of the operator, one scenario a test, on a real API server.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use kube::api::{Patch, PatchParams};
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{Kind, ObjectKey, Ownership, Severity};
use serde_json::{Value, json};
use support::cluster::{Cluster, condition_of};
use support::fixtures::{self, Fixture};
use support::operator::Operator;
use support::proxy::Proxy;

/// Requests for one agent from nothing to ready: eleven objects are looked for and made, and a
/// finalizer is set. How often it is reported meanwhile depends on how slowly the cluster answers.
const MOST_REQUESTS: usize = 23;

/// `minimal.yaml`, ready.
async fn ready(cluster: &Cluster) -> &'static str {
    cluster.apply(Fixture::named("minimal").instance()).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    "ada"
}

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

#[tokio::test]
async fn an_instance_becomes_ready_and_every_apply_settles() {
    let cluster = Cluster::namespace("ready").await;
    let operator = Operator::start(&cluster).await;
    let name = ready(&cluster).await;
    let live = cluster.instance(name).await.expect("the instance is there");
    assert_eq!(live["status"]["phase"], "Running");
    assert_eq!(live["status"]["observedGeneration"], live["metadata"]["generation"]);
    assert_eq!(cluster.objects().await.len(), 11);
    assert!(operator.metric("openclaw_effects_total").await > 10.0);
    assert!(operator.metric("openclaw_applies_unsettled_total").await < 1.0);
    cluster.end().await;
}

#[tokio::test]
async fn an_agent_takes_few_requests_and_a_settled_one_none() {
    let cluster = Cluster::namespace("requests").await;
    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    operator.until_synced().await;
    proxy.clear();
    let name = ready(&cluster).await;
    cluster.until_quiet(&proxy).await;
    let report = |path: &str| path.ends_with("/status") || path.contains("/events");
    let requests: Vec<_> =
        proxy.seen().into_iter().filter(|seen| !seen.is_watch() && !report(&seen.path)).collect();
    assert!(
        requests.len() <= MOST_REQUESTS,
        "{} requests: {:#?}
events: {:#?}",
        requests.len(),
        proxy.tally(),
        cluster.events().await
    );
    proxy.clear();
    // News that change nothing: the pass that they cause reads and writes nothing.
    let passes = async || operator.metric("openclaw_reconcile_total").await;
    let before = passes().await;
    cluster.merge_instance(name, &json!({"metadata": {"labels": {"team": "sea"}}})).await;
    cluster.until("a pass", async || passes().await > before).await;
    cluster.until_quiet(&proxy).await;
    assert_eq!(proxy.tally(), BTreeMap::new());
    cluster.end().await;
}

/// As `kubectl scale` and autoscalers do it: they know of an instance only what the API server says
/// of every kind that can be scaled.
#[tokio::test]
async fn an_agent_is_scaled_to_zero_and_back() {
    let cluster = Cluster::namespace("scaled").await;
    let _operator = Operator::start(&cluster).await;
    let name = ready(&cluster).await;
    let instances = cluster.instances();
    let scale = async |replicas: i32| {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        instances.patch_scale(name, &PatchParams::default(), &patch).await
    };
    let seen = async |name: &str| {
        let scale = instances.get_scale(name).await.expect("an instance can be scaled");
        let status = scale.status.expect("it has a status");
        // The API server leaves out a 0.
        let wanted = scale.spec.and_then(|spec| spec.replicas).unwrap_or_default();
        (wanted, status.replicas, status.selector)
    };
    let selector = "app.kubernetes.io/instance=ada,app.kubernetes.io/name=openclaw";
    assert_eq!(seen(name).await, (1, 1, Some(selector.to_owned())));

    scale(0).await.expect("an agent can be switched off");
    cluster
        .until("the agent is off", async || {
            let live = cluster.instance(name).await.expect("the instance is there");
            live["status"]["phase"] == "Suspended" && cluster.pod("ada-0").await.is_none()
        })
        .await;
    assert_eq!(seen(name).await, (0, 0, Some(selector.to_owned())));
    scale(2).await.expect_err("an agent is one pod");
    scale(1).await.expect("and switched on");
    cluster.until_ready(name).await;

    // The fields that are scaled by are there also where nobody wrote a spec.
    let mut silent = Fixture::named("minimal").instance().clone();
    silent.as_object_mut().expect("an object").remove("spec");
    silent["metadata"]["name"] = json!("bea");
    cluster.apply(&silent).await.expect("the instance is taken");
    assert_eq!(seen("bea").await.0, 1);
    cluster.end().await;
}

/// The instance of a fixture under one name, and what is rendered of it; nothing if the fixture
/// needs a whole cluster or would not start.
fn under_one_name(fixture: &Fixture) -> Option<(Value, BTreeMap<ObjectKey, Value>)> {
    let mut fixture = fixture.in_namespace("any");
    for document in fixture.documents.iter_mut().filter(|it| it["kind"] == "OpenClawInstance") {
        // Some are of an older version than the first one, and may follow it only by leave.
        let image = &document["spec"]["image"];
        let version = [&image["version"], &image["tag"]].into_iter().find(|it| it.is_string());
        let annotations = json!({"openclaw.rocks/allow-downgrade": version});
        document["metadata"] =
            json!({"name": "ada", "namespace": "any", "annotations": annotations});
    }
    let (objects, problems) = fixture.render();
    let starts = problems.iter().all(|problem| problem.severity == Severity::Advice);
    let rendered = objects.iter().map(|object| (object.key(), object.to_value())).collect();
    let whole = fixture.documents.iter().any(|each| each["kind"] == "OpenClawClusterDefaults");
    (starts && !whole).then(|| (fixture.instance().clone(), rendered))
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
    let off = json!({"spec": {
        "availability": {"podDisruptionBudget": {"enabled": false}},
        "security": {
            "networkPolicy": {"enabled": false},
            "rbac": {"createServiceAccount": false, "serviceAccountName": "default"},
        },
    }});
    cluster.merge_instance(name, &off).await;
    for kind in [Kind::PodDisruptionBudget, Kind::NetworkPolicy, Kind::ServiceAccount] {
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

#[tokio::test]
async fn a_stranger_under_a_name_that_is_needed_is_not_touched() {
    let (_, rendered) = under_one_name(&Fixture::named("minimal")).expect("minimal starts");
    let tests = rendered.into_iter().map(|(key, object)| async move {
        let cluster = Cluster::namespace("stranger").await;
        let mut stranger = object;
        stranger["metadata"] = json!({"name": key.name});
        cluster.apply(&stranger).await.expect("the stranger is taken");
        let before = cluster.get(key.kind, &key.name).await.expect("the stranger is there");
        let _operator = Operator::start(&cluster).await;
        cluster.apply(Fixture::named("minimal").instance()).await.expect("taken");
        let conflict = cluster.until_condition("ada", "NameConflict", "True").await;
        let message = conflict["message"].as_str().expect("a message");
        assert!(message.contains(&key.to_string()), "{key}: {message}");
        let after = cluster.get(key.kind, &key.name).await.expect("it stays");
        assert_eq!(before["metadata"]["uid"], after["metadata"]["uid"], "{key}");
        let writers = after["metadata"]["managedFields"].to_string();
        assert!(!writers.contains(FIELD_MANAGER), "{key}: {writers}");
        let live = cluster.instance("ada").await.expect("the instance is there");
        assert_eq!(condition_of(&live, "Ready").expect("Ready")["status"], "False", "{key}");
        cluster.end().await;
    });
    futures::future::join_all(tests).await;
}

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

#[tokio::test]
async fn a_paused_instance_is_left_alone() {
    let cluster = Cluster::namespace("paused").await;
    let _operator = Operator::start(&cluster).await;
    let name = ready(&cluster).await;
    let pause =
        |value: Value| json!({"metadata": {"annotations": {"openclaw.rocks/paused": value}}});
    cluster.merge_instance(name, &pause(json!("true"))).await;
    cluster.until_condition(name, "Paused", "True").await;
    cluster.delete(Kind::Service, name).await;
    cluster.until_condition(name, "ServiceReady", "False").await;
    assert!(cluster.get(Kind::Service, name).await.is_none());
    cluster.merge_instance(name, &pause(Value::Null)).await;
    cluster.until_condition(name, "ServiceReady", "True").await;
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
    assert_eq!(waiting["message"], "StatefulSet/ada waits for RoleBinding/ada");
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

#[tokio::test]
async fn an_agent_is_switched_off_whatever_else_its_spec_says() {
    let cluster = Cluster::namespace("stop").await;
    let _operator = Operator::start(&cluster).await;
    let both = json!({"initialFiles": {"both": ""}, "initialDirectories": ["both"]});
    for (name, oddity, phase) in [
        ("ada", json!({"config": {"raw": {"mcpServers": {}}}}), "Suspended"),
        ("bob", json!({"workspace": both}), "Failed"),
        ("eve", json!({"ollama": {"enabled": true}}), "Failed"),
    ] {
        let mut instance = Fixture::named("minimal").instance().clone();
        instance["metadata"]["name"] = json!(name);
        cluster.apply(&instance).await.expect("the instance is taken");
        cluster.until_ready(name).await;
        let mut spec = oddity.clone();
        spec["suspended"] = json!(true);
        cluster.merge_instance(name, &json!({"spec": spec})).await;
        cluster
            .until(&format!("{name} is off"), async || {
                let live = cluster.instance(name).await.expect("there");
                let set = condition_of(&live, "StatefulSetReady");
                set.is_some_and(|it| it["status"] == "True" && it["reason"] == "Suspended")
                    && cluster.pod(&format!("{name}-0")).await.is_none()
            })
            .await;
        let live = cluster.instance(name).await.expect("there");
        assert_eq!(live["status"]["phase"], phase, "{name}");
    }
    cluster.end().await;
}
