//! What is kept of instances, and for how many there is room.

use std::convert::Infallible;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use openclaw_render::vocab::PREVIOUS_MANAGERS;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::answer::Reader;

fn key(name: &str) -> InstanceKey {
    InstanceKey { namespace: "sea".to_owned(), name: name.to_owned() }
}

fn text(name: &str, version: u64, note: &str) -> InstanceText {
    let object = json!({
        "metadata": {"name": name, "namespace": "sea", "resourceVersion": version.to_string()},
        "spec": {"registry": note},
    });
    InstanceText::new(&object.to_string()).expect("an instance")
}

/// A server that has one instance.
fn cluster(instance: Option<&InstanceText>) -> Cluster {
    let answer = instance.map(|instance| instance.text.to_string());
    let service = tower::service_fn(move |_: Request<Body>| {
        let answer = answer.clone();
        async move {
            let missing = json!({"code": 404, "reason": "NotFound", "status": "Failure"});
            let code = if answer.is_some() { 200 } else { 404 };
            let body = Body::from(answer.unwrap_or(missing.to_string()).into_bytes());
            Ok::<_, Infallible>(Response::builder().status(code).body(body).expect("an answer"))
        }
    });
    Cluster::new(Reader::new(Client::new(service, "default")))
}

/// What the newest says.
async fn note(instances: &Instances, name: &str, cluster: &Cluster) -> Option<String> {
    match instances.newest(&key(name), cluster).await.expect("an answer") {
        Newest::Here(instance, _) => instance.live["spec"]["registry"].as_str().map(str::to_owned),
        Newest::Later | Newest::Gone => None,
    }
}

#[test]
fn an_instance_is_changed_until_its_status_is_of_its_generation() {
    let changed = |metadata: Value, status: Value| {
        let mut object = json!({"metadata": metadata, "status": status});
        object["metadata"]["name"] = json!("ada");
        object["metadata"]["namespace"] = json!("sea");
        object["metadata"]["resourceVersion"] = json!("1");
        InstanceText::new(&object.to_string()).expect("an instance").is_changed()
    };
    assert!(changed(json!({"generation": 1}), json!({})));
    assert!(changed(json!({"generation": 2}), json!({"observedGeneration": 1})));
    assert!(!changed(json!({"generation": 2}), json!({"observedGeneration": 2})));
    let deleted = json!({"generation": 2, "deletionTimestamp": "2026-01-02T03:04:05Z"});
    assert!(changed(deleted, json!({"observedGeneration": 2})));
}

#[tokio::test]
async fn a_pass_gets_the_newest_of_what_was_seen_and_written() {
    let (instances, nobody) = (Instances::default(), cluster(None));
    assert_eq!(note(&instances, "ada", &nobody).await, None);
    assert!(instances.watched(text("ada", 5, "seen")));
    assert!(!instances.watched(text("ada", 5, "seen")), "no news");
    instances.written(text("ada", 7, "ours"));
    // The watch is behind, then it tells of our own writing.
    assert!(!instances.watched(text("ada", 6, "older")));
    assert_eq!(note(&instances, "ada", &nobody).await.as_deref(), Some("ours"));
    assert!(!instances.watched(text("ada", 7, "ours")));
    assert!(instances.watched(text("ada", 8, "changed")));
    // An answer that comes late.
    instances.written(text("ada", 7, "ours"));
    assert_eq!(note(&instances, "ada", &nobody).await.as_deref(), Some("changed"));
    // A cluster that was restored from a backup counts anew.
    assert!(instances.watched(text("ada", 3, "restored")));
    assert_eq!(note(&instances, "ada", &nobody).await.as_deref(), Some("restored"));
    instances.forget(&key("ada"));
    instances.written(text("ada", 9, "ours"));
    assert_eq!(note(&instances, "ada", &nobody).await, None);
    assert_eq!(instances.keys(None), []);
}

#[tokio::test]
async fn a_large_instance_is_read_by_the_pass_that_needs_it() {
    let instances = Instances::default();
    let large = |version| text("ada", version, &"x".repeat(KEPT));
    assert!(instances.watched(large(5)));
    let now = large(6);
    assert_eq!(note(&instances, "ada", &cluster(Some(&now))).await.expect("it").len(), KEPT);
    assert_eq!(note(&instances, "ada", &cluster(None)).await, None);
}

#[tokio::test]
async fn large_instances_wait_for_each_other_and_small_ones_for_none() {
    let instances = Instances::default();
    let large = text("large", 1, &"x".repeat(4 << 20));
    let server = cluster(Some(&large));
    instances.watched(large);
    instances.watched(text("small", 1, "x"));
    let large = key("large");
    let first = instances.newest(&large, &server).await.expect("an answer");
    assert!(matches!(first, Newest::Here(..)));
    let mut second = std::pin::pin!(instances.newest(&large, &server));
    assert!(futures::poll!(&mut second).is_pending());
    let third = instances.newest(&large, &server).await.expect("an answer");
    assert!(matches!(third, Newest::Later));
    assert!(note(&instances, "small", &server).await.is_some());
    drop(first);
    assert!(matches!(second.await.expect("an answer"), Newest::Here(..)));
    assert!(note(&instances, "large", &server).await.is_some());
}

#[test]
fn an_instance_that_is_too_deep_is_a_problem_and_keeps_what_its_deletion_needs() {
    let deep = format!("{}1{}", "[".repeat(9000), "]".repeat(9000));
    let text = format!(
        r#"{{"apiVersion":"v1","metadata":{{"name":"ada","namespace":"sea","uid":"u",
            "resourceVersion":"1","finalizers":["f"],"deletionTimestamp":"t",
            "managedFields":[{{"manager":"kubectl","fieldsV1":{deep}}}]}},
          "spec":{{"config":{{"raw":{deep}}},"suspended":true,
            "storage":{{"persistence":{{"orphan":false}}}}}},
          "status":{{"phase":"Running"}}}}"#
    );
    let Instance { live, problem } = InstanceText::new(&text).expect("an instance").read();
    let problem = problem.expect("a problem");
    assert_eq!(problem.path, "spec.config.raw");
    assert_eq!(live["metadata"]["finalizers"], json!(["f"]));
    assert_eq!(live["metadata"]["deletionTimestamp"], "t");
    assert_eq!(live["spec"]["suspended"], true);
    assert_eq!(live["spec"]["storage"]["persistence"]["orphan"], false);
    assert_eq!(live["status"]["phase"], "Running");
}

#[test]
fn of_managed_fields_only_those_of_previous_operators_are_kept() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let previous = PREVIOUS_MANAGERS.first().expect("one");
    let text = format!(
        r#"{{"metadata":{{"name":"a","resourceVersion":"1","managedFields":[
            {{"manager":"kubectl","fieldsV1":{deep}}},
            {{"manager":"{previous}","fieldsV1":{{"f:spec":{{}}}}}},{{"fieldsV1":{deep}}}]}}}}"#
    );
    let Instance { live, problem } = InstanceText::new(&text).expect("an instance").read();
    assert_eq!(problem, None);
    let expected = json!([{"manager": previous, "fieldsV1": {"f:spec": {}}}]);
    assert_eq!(live["metadata"]["managedFields"], expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_kept_is_bounded_and_counted_right(
        steps in prop::collection::vec((0..1200_u32, 20..40_usize, 0..4_u8), 1000..1500),
    ) {
        let instances = Instances::default();
        for (version, (name, kilobytes, chance)) in steps.into_iter().enumerate() {
            let name = format!("agent-{name}");
            if chance > 0 {
                let version = u64::try_from(version).expect("few");
                instances.watched(text(&name, version, &"x".repeat(kilobytes << 10)));
            } else {
                instances.forget(&key(&name));
            }
        }
        let state = instances.state();
        let kept: usize =
            state.entries.values().filter_map(|entry| entry.text.as_ref()).map(|text| text.len()).sum();
        prop_assert_eq!(state.kept, kept);
        prop_assert!(kept <= KEPT_TOGETHER);
    }
}
