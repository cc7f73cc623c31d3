//! Agents that are scaled, paused and switched off.

use kube::api::{Patch, PatchParams};
use openclaw_render::Kind;
use serde_json::{Value, json};

use crate::agent::ready;
use crate::support::cluster::{Cluster, condition_of};
use crate::support::fixtures::Fixture;
use crate::support::operator::Operator;

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

/// As an autoscaler does it: by the StatefulSet's own subresource.
#[tokio::test]
async fn what_scales_by_load_keeps_the_number_until_it_is_turned_off() {
    let cluster = Cluster::namespace("load").await;
    let _operator = Operator::start(&cluster).await;
    let name = "ada";
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["spec"]["availability"] = json!({"autoScaling": {"enabled": true, "maxReplicas": 3}});
    cluster.apply(&instance).await.expect("the instance is taken");
    cluster.until_ready(name).await;
    cluster.until_condition(name, "AutoscalingActive", "True").await;
    let sets = cluster.of(Kind::StatefulSet);
    let two = Patch::Merge(json!({"spec": {"replicas": 2}}));
    sets.patch_scale(name, &PatchParams::default(), &two).await.expect("it can be scaled");

    let env = json!({"spec": {"env": [{"name": "LANG", "value": "C.UTF-8"}]}});
    cluster.merge_instance(name, &env).await;
    let set = async || cluster.get(Kind::StatefulSet, name).await.expect("the StatefulSet");
    let is_sent = |live: &Value| live["spec"]["template"].to_string().contains("C.UTF-8");
    cluster.until("the template is sent", async || is_sent(&set().await)).await;
    assert_eq!(set().await["spec"]["replicas"], 2);
    for claim in ["data-ada-0", "data-ada-1"] {
        let is_there = async || cluster.get(Kind::PersistentVolumeClaim, claim).await.is_some();
        cluster.until(&format!("{claim} is there"), is_there).await;
    }

    let off = json!({"spec": {"availability": {"autoScaling": {"enabled": false}}}});
    cluster.merge_instance(name, &off).await;
    cluster
        .until("there is one replica, and no autoscaler", async || {
            set().await["spec"]["replicas"] == 1
                && cluster.get(Kind::HorizontalPodAutoscaler, name).await.is_none()
        })
        .await;
    cluster.until_ready(name).await;
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
async fn an_agent_is_switched_off_whatever_else_its_spec_says() {
    let cluster = Cluster::namespace("stop").await;
    let _operator = Operator::start(&cluster).await;
    // The API server does not look into it.
    let nowhere = json!({"raw": {"gateway": {"bind": "10.0.0.1"}}});
    for (name, oddity, phase) in [
        ("ada", json!({"config": {"raw": {"mcpServers": {}}}}), "Suspended"),
        ("bob", json!({"config": nowhere}), "Failed"),
        ("eve", json!({"restoreFrom": "backups/x"}), "Suspended"),
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
