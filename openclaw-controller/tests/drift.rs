//! Who owns which field: ours is kept as it is rendered, everybody else's is left alone.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::collections::BTreeMap;

use kube::api::{Patch, PatchParams};
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{Kind, ObjectKey, Ownership, hash, owned, owned_hash};
use serde_json::{Value, json};
use support::cluster::Cluster;
use support::fixtures::Fixture;
use support::operator::Operator;
use support::proxy::Proxy;

/// Each heals a part of the fields: an instance that is woken without rest is slowed down.
const AGENTS: usize = 12;

/// An agent with something of everything.
async fn ready(cluster: &Cluster, name: &str) {
    let mut instance = Fixture::named("minimal").instance().clone();
    instance["metadata"]["name"] = json!(name);
    instance["spec"]["env"] = json!([{"name": "LANG", "value": "C.UTF-8"}]);
    instance["spec"]["security"] = json!({"rbac": {"additionalRules": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
    ]}});
    cluster.apply(&instance).await.expect("the instance is taken");
    cluster.until_ready(name).await;
}

/// Every number, text and truth value of an object, by JSON pointer.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(inner, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                leaves(inner, &format!("{path}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.push((path.to_owned(), value.clone()));
        }
    }
}

/// Another value of the same type.
fn other(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(holds) => Some(json!(!holds)),
        Value::Number(number) => Some(json!(number.as_i64()? + 1)),
        Value::String(text) => Some(json!(format!("{text}x"))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Changes one field as somebody else would. Whether the API server took it.
async fn change(cluster: &Cluster, key: &ObjectKey, path: &str, value: &Value) -> bool {
    let change = json!([{"op": "replace", "path": path, "value": value}]);
    let change = serde_json::from_value(change).expect("a JSON patch");
    let parameters =
        PatchParams { field_manager: Some("a-drifter".to_owned()), ..PatchParams::default() };
    cluster.of(key.kind).patch(&key.name, &parameters, &Patch::<()>::Json(change)).await.is_ok()
}

#[tokio::test]
async fn drift_of_every_field_heals() {
    let cluster = Cluster::namespace("drift").await;
    let _operator = Operator::start(&cluster).await;
    let names: Vec<String> = (0..AGENTS).map(|number| format!("agent-{number}")).collect();
    futures::future::join_all(names.iter().map(|name| ready(&cluster, name))).await;
    let applied = cluster
        .objects()
        .await
        .into_iter()
        .filter(|(key, _)| key.kind.ownership() == Ownership::Applied);
    let healed = futures::future::join_all(applied.map(|(key, live)| {
        let cluster = &cluster;
        let label = &live["metadata"]["labels"]["app.kubernetes.io/instance"];
        let part = names.iter().position(|name| label == name).expect("an agent of ours");
        async move {
            let wanted = owned(&live, FIELD_MANAGER);
            let mut fields = Vec::new();
            leaves(&live, "", &mut fields);
            let mut healed = 0;
            for (_, (path, value)) in
                fields.into_iter().enumerate().filter(|(index, _)| index % AGENTS == part)
            {
                // Owned by us, as the live object places it.
                let ours = !path.starts_with("/status")
                    && !path.starts_with("/metadata/managedFields")
                    && wanted.pointer(&path) == Some(&value);
                // What holds back a roll-out is not healed, or holding back would mean nothing.
                let note = path.contains("openclaw.rocks~1inputs-hash")
                    || path.contains("openclaw.rocks~1rollout-hash");
                // A port under another number is somebody's own port, and has taken the name of
                // ours: the API server refuses both, and the instance says so.
                let identity = (key.kind == Kind::Service && path.ends_with("/port"))
                    || path.ends_with("/containerPort");
                let healable = ours && !note && !identity;
                let Some(drifted) = other(&value).filter(|_| healable) else { continue };
                if !change(cluster, &key, &path, &drifted).await {
                    continue;
                }
                let what = format!("{path} of {key} heals");
                cluster
                    .until(&what, async || {
                        let live = cluster.get(key.kind, &key.name).await;
                        live.is_some_and(|live| owned_hash(&live, FIELD_MANAGER) == hash(&wanted))
                    })
                    .await;
                healed += 1;
            }
            (key.kind, healed)
        }
    }))
    .await;
    let mut by_kind = BTreeMap::new();
    for (kind, healed) in healed {
        *by_kind.entry(kind).or_insert(0) += healed;
    }
    for (kind, healed) in by_kind {
        println!("{kind}: {healed} fields");
        assert!(healed > 0, "no field of a {kind} could be changed");
    }
    cluster.end().await;
}

#[tokio::test]
async fn what_others_add_survives_a_change_of_ours() {
    let cluster = Cluster::namespace("foreign").await;
    let _operator = Operator::start(&cluster).await;
    ready(&cluster, "ada").await;
    let before = cluster.objects().await;
    for (key, _) in &before {
        let mut foreign = json!({"metadata": {
            "labels": {"team": "sea"}, "annotations": {"team": "sea"},
            "finalizers": ["example.com/hold"],
        }});
        // A list that has keys takes an item of anybody's.
        if key.kind == Kind::Service {
            foreign["spec"] = json!({"ports": [{"name": "extra", "port": 9999}]});
        }
        if key.kind == Kind::StatefulSet {
            foreign["spec"] = json!({"template": {"spec": {"containers": [
                {"name": "openclaw", "env": [{"name": "INJECTED", "value": "by another"}]},
            ]}}});
        }
        let mut object = foreign;
        object["apiVersion"] = json!(key.kind.api_version());
        object["kind"] = json!(key.kind.as_str());
        object["metadata"]["name"] = json!(key.name);
        cluster.apply(&object).await.expect("others may add to it");
    }
    let change = json!({"spec": {
        "env": [{"name": "LANG", "value": "de_DE.UTF-8"}],
        "networking": {"service": {"annotations": {"example.com/pool": "blue"}}},
    }});
    cluster.merge_instance("ada", &change).await;
    cluster
        .until("the change is applied", async || {
            let service = cluster.get(Kind::Service, "ada").await.expect("there");
            let set = cluster.get(Kind::StatefulSet, "ada").await.expect("there");
            service.to_string().contains("blue") && set.to_string().contains("de_DE")
        })
        .await;
    cluster.until_ready("ada").await;
    for (key, _) in &before {
        let live = cluster.get(key.kind, &key.name).await.expect("there");
        let metadata = &live["metadata"];
        assert_eq!(metadata["labels"]["team"], "sea", "{key}");
        assert_eq!(metadata["annotations"]["team"], "sea", "{key}");
        assert!(metadata["finalizers"].to_string().contains("example.com/hold"), "{key}");
    }
    let service = cluster.get(Kind::Service, "ada").await.expect("there");
    assert!(service["spec"]["ports"].to_string().contains("extra"));
    let set = cluster.get(Kind::StatefulSet, "ada").await.expect("there");
    assert!(set["spec"]["template"].to_string().contains("by another"));
    for (key, _) in &before {
        cluster.merge(key.kind, &key.name, &json!({"metadata": {"finalizers": null}})).await;
    }
    cluster.end().await;
}

#[tokio::test]
async fn a_second_writer_is_corrected_once_and_not_fought() {
    let cluster = Cluster::namespace("rival").await;
    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    operator.until_synced().await;
    ready(&cluster, "ada").await;
    cluster.until_quiet(&proxy).await;
    proxy.clear();
    let rival = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "ada"},
        "spec": {"selector": {"app.kubernetes.io/instance": "somebody-else"}},
    });
    cluster.apply(&rival).await.expect("it forces its way");
    cluster
        .until("our selector is back", async || {
            let live = cluster.get(Kind::Service, "ada").await.expect("there");
            live["spec"]["selector"]["app.kubernetes.io/instance"] == "ada"
        })
        .await;
    cluster.until_quiet(&proxy).await;
    assert_eq!(proxy.writes().len(), 1, "{:#?}", proxy.tally());
    // Without force it learns whose the field is, and nothing happens.
    let polite = PatchParams::apply("a-user");
    let refused = cluster.of(Kind::Service).patch("ada", &polite, &Patch::Apply(&rival)).await;
    assert!(matches!(refused, Err(kube::Error::Api(status)) if status.code == 409));
    cluster.until_quiet(&proxy).await;
    assert_eq!(proxy.writes().len(), 1, "{:#?}", proxy.tally());
    cluster.end().await;
}
