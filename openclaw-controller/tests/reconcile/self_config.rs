//! Requests of agents for changes of themselves, beside others who write the instance.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube::client::Body;
use serde_json::{Value, json};

use crate::support::cluster::{Cluster, condition_of};
use crate::support::operator::Operator;

const PLURAL: &str = "openclawselfconfigs";
/// The API server takes a moment to see an instance as a policy's parameter.
const PATIENCE: Duration = Duration::from_mins(1);

fn instance() -> Value {
    json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": "ada"},
        "spec": {
            "image": {"tag": "2026.9.6"}, "skills": ["@team/declared"],
            "env": [{"name": "LOG_LEVEL", "value": "info"}],
            "config": {"raw": {"logging": {"level": "info"}}},
            "selfConfigure": {
                "enabled": true, "allowedActions": ["skills", "config", "envVars"],
            },
        },
    })
}

/// Asks as the agent does, with its own account.
async fn ask(cluster: &Cluster, name: &str, spec: Value) {
    let mut spec = spec;
    spec["instanceRef"] = json!("ada");
    let request = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawSelfConfig",
        "metadata": {"name": name}, "spec": spec,
    });
    let namespace = &cluster.namespace;
    let place = format!("/apis/openclaw.rocks/v1alpha1/namespaces/{namespace}/{PLURAL}");
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let asked = http::Request::post(&place)
            .header("content-type", "application/json")
            .header("impersonate-user", format!("system:serviceaccount:{namespace}:ada"))
            .body(Body::from(request.to_string().into_bytes()))
            .expect("a request");
        let answer = cluster.client.send(asked).await.expect("an answer");
        let code = answer.status().as_u16();
        if code == 201 {
            return;
        }
        let bytes = answer.into_body().collect_bytes().await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(tokio::time::Instant::now() < until, "{name}: {code} {text}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn status(cluster: &Cluster, name: &str) -> Value {
    let kind = "OpenClawSelfConfig";
    let found = cluster.find("openclaw.rocks/v1alpha1", kind, PLURAL, name).await;
    found.map(|live| live["status"].clone()).unwrap_or_default()
}

async fn ended(cluster: &Cluster, name: &str) -> (String, String) {
    cluster
        .until(&format!("{name} has ended"), async || {
            status(cluster, name).await["completionTime"].is_string()
        })
        .await;
    let status = status(cluster, name).await;
    let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
    (text("phase"), text("message"))
}

/// What the instance asks for.
async fn spec(cluster: &Cluster) -> Value {
    cluster.instance("ada").await.expect("there")["spec"].clone()
}

#[tokio::test]
async fn requests_are_carried_out_item_by_item_and_nothing_of_others_is_touched() {
    let cluster = Cluster::namespace("asks").await;
    let _operator = Operator::start(&cluster).await;
    cluster.apply(&instance()).await.expect("taken");
    let said = cluster.until_condition("ada", "SelfConfigReady", "True").await;
    assert_eq!(said["reason"], "RequestsCarriedOut");

    ask(&cluster, "one", json!({"addSkills": ["@team/weather"]})).await;
    assert_eq!(ended(&cluster, "one").await.0, "Applied");
    let asked = json!({
        "addEnvVars": [{"name": "TIMEZONE", "value": "UTC"}],
        "configPatch": {"session": {"scope": "per-sender"}},
        "removeSkills": ["@team/declared"],
    });
    ask(&cluster, "two", asked).await;
    let (phase, message) = ended(&cluster, "two").await;
    assert_eq!(phase, "Applied");
    assert!(message.contains("no request added it"), "{message}");
    let live = spec(&cluster).await;
    assert_eq!(live["skills"], json!(["@team/declared", "@team/weather"]));
    assert_eq!(live["config"]["raw"]["session"]["scope"], "per-sender");
    assert_eq!(live["env"].as_array().map(Vec::len), Some(2), "{live:#}");
    let events = cluster.events().await;
    for reason in ["SelfConfigApplied", "SelfConfigSkippedRemoval", "Applied"] {
        assert!(events.iter().any(|it| it.starts_with(&format!("{reason:?}: "))), "{events:#?}");
    }

    // Whoever keeps the instance in files applies them again, and takes nothing away.
    cluster.apply(&instance()).await.expect("taken");
    assert_eq!(spec(&cluster).await["skills"], live["skills"]);
    ask(&cluster, "three", json!({"configPatch": {"logging": {"level": "debug"}}})).await;
    let (phase, message) = ended(&cluster, "three").await;
    assert_eq!(phase, "Failed");
    assert!(message.contains("a-user"), "{message}");
    ask(&cluster, "four", json!({"addWorkspaceFiles": {"NOTES.md": "a"}})).await;
    assert_eq!(ended(&cluster, "four").await.0, "Denied");
    let gone = json!({
        "removeSkills": ["@team/weather"], "removeEnvVars": ["TIMEZONE"],
        "configPatch": {"session": {"scope": null}},
    });
    ask(&cluster, "five", gone).await;
    assert_eq!(ended(&cluster, "five").await.0, "Applied");
    let live = spec(&cluster).await;
    assert_eq!(live["skills"], json!(["@team/declared"]));
    assert_eq!(live["env"].as_array().map(Vec::len), Some(1), "{live:#}");
    cluster.end().await;
}

#[tokio::test]
async fn who_replaces_whole_lists_again_and_again_is_named_and_ends_it() {
    let cluster = Cluster::namespace("replaces").await;
    let _operator = Operator::start(&cluster).await;
    cluster.apply(&instance()).await.expect("taken");
    cluster.until_condition("ada", "SelfConfigReady", "True").await;
    for round in ["one", "two"] {
        ask(&cluster, round, json!({"addSkills": [format!("@team/{round}")]})).await;
        assert_eq!(ended(&cluster, round).await.0, "Applied");
        // As a client-side apply of the files does.
        let patch = json!({
            "metadata": {"labels": {"synced": round}}, "spec": {"skills": ["@team/declared"]},
        });
        let parameters =
            PatchParams { field_manager: Some("argocd".to_owned()), ..PatchParams::default() };
        let instances = cluster.instances();
        instances.patch("ada", &parameters, &Patch::Merge(&patch)).await.expect("taken");
        cluster
            .until("it is told", async || {
                let events = cluster.events().await;
                events.iter().filter(|it| it.starts_with("\"Overwritten\": ")).count() > 0
            })
            .await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let said = cluster.until_condition("ada", "SelfConfigReady", "False").await;
    assert_eq!(said["reason"], "Overwritten");
    assert!(said["message"].as_str().expect("a text").contains("argocd"), "{said}");
    ask(&cluster, "three", json!({"addSkills": ["@team/three"]})).await;
    assert_eq!(ended(&cluster, "three").await.0, "Failed");
    assert_eq!(spec(&cluster).await["skills"], json!(["@team/declared"]));
    let live = cluster.instance("ada").await.expect("there");
    assert!(condition_of(&live, "SelfConfigReady").is_some());
    cluster.end().await;
}
