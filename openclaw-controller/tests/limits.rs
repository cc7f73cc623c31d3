//! What tenants make as deep, as wide and as large as the API server takes it: nothing of it
//! disturbs others, and little of it is held in memory.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use futures::future::join_all;
use kube::api::DeleteParams;
use openclaw_render::{Kind, bounded};
use serde_json::{Value, json};
use support::cluster::{Cluster, PATIENCE, condition_of};
use support::fixtures::Fixture;
use support::operator::Operator;

/// Lists inside each other. Around ten thousand the API server itself refuses.
const DEPTHS: [usize; 4] = [130, 500, 3000, 9000];
/// Stands in every configuration, and must not in a log.
const SECRET: &str = "sesame-open";
/// Takes the place of what a text holds and a value of `serde_json` cannot.
const PLACE: &str = "\"the place\"";
/// The most memory that the operator may hold while it lists. With the optimised program, which
/// takes 15 MB, that is half of what the chart gives it.
const LISTING_MEGABYTES: f64 = 45.0;
/// The most that it may hold until all was passed over, unoptimised as it is here.
const MOST_MEGABYTES: f64 = 75.0;

fn nested(depth: usize) -> String {
    format!("{}\"{SECRET}\"{}", "[".repeat(depth), "]".repeat(depth))
}

fn named(name: &str) -> Value {
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["metadata"] = json!({"name": name});
    instance["spec"]["config"] = json!({"raw": {"logging": {"file": format!("/tmp/{SECRET}")}}});
    instance
}

/// An instance with that JSON in its configuration.
fn with_config(name: &str, config: &str) -> String {
    let mut instance = named(name);
    instance["spec"]["config"]["raw"]["skills"] = json!("the place");
    instance.to_string().replace(PLACE, config)
}

/// What the API server says, as text: a client of values could not read it.
async fn ask(cluster: &Cluster, method: &str, name: &str, body: String) -> String {
    let path = format!(
        "/apis/openclaw.rocks/v1alpha1/namespaces/{}/openclawinstances{name}",
        cluster.namespace
    );
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(body.into_bytes())
        .expect("a request");
    cluster.client.request_text(request).await.expect("an answer")
}

/// The parts of an instance that can be read.
async fn instance(cluster: &Cluster, name: &str) -> Value {
    bounded::remains(&ask(cluster, "GET", &format!("/{name}"), String::new()).await)
}

/// Waits until an instance is refused as too deep or too large.
async fn until_refused(cluster: &Cluster, name: &str, because: &str) {
    cluster
        .until(&format!("{name} is refused"), async || {
            let live = instance(cluster, name).await;
            condition_of(&live, "Ready").is_some_and(|ready| ready["reason"] == "InvalidSpec")
        })
        .await;
    let live = instance(cluster, name).await;
    let ready = condition_of(&live, "Ready").expect("Ready");
    let message = ready["message"].as_str().expect("a message");
    assert!(message.contains("spec.config.raw") && message.contains(because), "{name}: {message}");
    assert!(!message.contains(SECRET), "{name}: {message}");
    assert_eq!(live["status"]["observedGeneration"], live["metadata"]["generation"], "{name}");
}

/// Waits until an instance is gone that cannot be read.
async fn until_gone(cluster: &Cluster, name: &str) {
    let metadata = cluster.instances();
    cluster
        .until(&format!("{name} is gone"), async || {
            metadata.get_metadata_opt(name).await.is_ok_and(|found| found.is_none())
        })
        .await;
}

async fn pod_of(cluster: &Cluster, name: &str) -> Option<Value> {
    cluster.pod(&format!("{name}-0")).await
}

#[tokio::test]
async fn an_instance_of_any_depth_is_reported_and_disturbs_no_other() {
    let cluster = Cluster::namespace("deep").await;
    let first = Operator::start(&cluster).await;
    for name in ["ada", "bea"] {
        cluster.apply(&named(name)).await.expect("the instance is taken");
        cluster.until_ready(name).await;
    }
    // While the operator watches: new ones, and one that has run.
    let deep = |depth: usize| format!("deep-{depth}");
    for depth in DEPTHS {
        ask(&cluster, "POST", "", with_config(&deep(depth), &nested(depth))).await;
    }
    let change = format!(r#"{{"spec":{{"config":{{"raw":{{"skills":{}}}}}}}}}"#, nested(3000));
    ask(&cluster, "PATCH", "/bea", change).await;
    for depth in DEPTHS {
        until_refused(&cluster, &deep(depth), "nested deeper").await;
    }
    until_refused(&cluster, "bea", "nested deeper").await;
    assert!(pod_of(&cluster, "bea").await.is_some(), "what runs is left alone");
    cluster.apply(&named("cy")).await.expect("the instance is taken");
    cluster.until_ready("cy").await;

    // When it lists them.
    let mut log = first.log();
    drop(first);
    let second = Operator::start(&cluster).await;
    second.until_synced().await;
    cluster.apply(&named("di")).await.expect("the instance is taken");
    cluster.until_ready("di").await;
    cluster.delete(Kind::Service, "ada").await;
    cluster
        .until("the Service comes back", async || cluster.get(Kind::Service, "ada").await.is_some())
        .await;

    ask(&cluster, "PATCH", "/bea", json!({"spec": {"suspended": true}}).to_string()).await;
    cluster.until("the pod ends", async || pod_of(&cluster, "bea").await.is_none()).await;
    for name in DEPTHS.map(deep).into_iter().chain(["bea".to_owned()]) {
        ask(&cluster, "DELETE", &format!("/{name}"), String::new()).await;
        until_gone(&cluster, &name).await;
    }
    assert!(cluster.get(Kind::PersistentVolumeClaim, "bea-data").await.is_some());
    log.push_str(&second.log());
    assert!(log.contains("\"instance\":\"bea\""), "the log is that of the operator");
    assert!(!log.contains(SECRET), "the log has what is in specs");
    for name in ["ada", "cy", "di"] {
        cluster.delete_instance(name).await;
        cluster.until_gone(name).await;
    }
    cluster.end().await;
}

/// Whether it has more values than are read: a few, for each of its changes takes the API server
/// seconds.
fn is_dense(number: usize) -> bool {
    number % 10 == 9
}

/// Configurations of about a megabyte: one text, many texts, very many values.
fn large(number: usize) -> String {
    match number % 2 {
        _ if is_dense(number) => format!("[{}0]", r#"{"a":0},"#.repeat(125_000)),
        0 => {
            let text = "x".repeat(1_000_000);
            json!({"entries": {"large": {"env": {"TEXT": text}}}}).to_string()
        }
        _ => json!({"load": {"extraDirs": vec!["x".repeat(125); 7500]}}).to_string(),
    }
}

#[tokio::test]
async fn what_the_operator_holds_is_bounded_however_large_the_objects_are() {
    let cluster = Cluster::namespace("large").await;
    let name = |number: usize| format!("agent-{number}");
    for number in 0..50 {
        let labels = json!({
            "app.kubernetes.io/managed-by": "openclaw-operator",
            "app.kubernetes.io/instance": name(number),
        });
        // Of a control character, JSON makes six, and takes three megabytes.
        let text = if number % 5 == 0 { "\u{1}".repeat(450 << 10) } else { "x".repeat(900 << 10) };
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": format!("map-{number}"), "labels": labels},
            "data": {"text": text},
        });
        cluster.apply(&map).await.expect("the ConfigMap is taken");
        let mut instance = with_config(&name(number), &large(number));
        if number >= 4 {
            // Everything is decided and reported, and nothing made.
            let paused = r#""metadata":{"annotations":{"openclaw.rocks/paused":"true"},"#;
            instance = instance.replacen(r#""metadata":{"#, paused, 1);
        }
        ask(&cluster, "POST", "", instance).await;
    }
    // From nothing, and as a restart finds it.
    for _ in 0..2 {
        let operator = Operator::start(&cluster).await;
        operator.until_synced().await;
        let listed = operator.peak_held_megabytes();
        // Large ones wait for each other.
        let is_reported = |line: &&str| line.starts_with("openclaw_instance_ready{");
        cluster
            .until_within(3 * PATIENCE, "every instance is passed over", async || {
                operator.metrics().await.lines().filter(is_reported).count() == 50
            })
            .await;
        join_all((0..50).map(async |number| {
            let name = name(number);
            match number {
                _ if is_dense(number) => {
                    until_refused(&cluster, &name, "more than 10000 values").await;
                }
                0..4 => cluster.until_ready(&name).await,
                _ => _ = cluster.until_condition(&name, "Paused", "True").await,
            }
        }))
        .await;
        let passed = operator.peak_held_megabytes();
        eprintln!("{listed:.1} MB when all was listed, {passed:.1} MB when all was done");
        assert!(listed <= LISTING_MEGABYTES, "{listed} MB when all was listed");
        assert!(passed <= MOST_MEGABYTES, "{passed} MB when all was done");
    }
    let operator = Operator::start(&cluster).await;
    for number in 0..50 {
        let parameters = DeleteParams::background();
        ask(&cluster, "DELETE", &format!("/{}", name(number)), json!(parameters).to_string()).await;
    }
    for number in 0..50 {
        until_gone(&cluster, &name(number)).await;
    }
    drop(operator);
    cluster.end().await;
}
