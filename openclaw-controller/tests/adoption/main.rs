//! What becomes of the agents of the Go operator, from dumps of what it left: nothing is lost, and
//! their pods stay until someone approves.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets nothing there fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod deployment;

use std::collections::BTreeMap;

use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{
    Fact, Kind, ObjectKey, Observed, Ownership, Settings, claim_facts, decode_instance, diff,
    render_instance, secret_hashes,
};
use serde_json::{Value, json};
use support::cluster::{Cluster, condition_of};
use support::dump;
use support::operator::Operator;
use support::pods::Pods;
use support::proxy::Proxy;
use support::rest::{at_rest, at_rest_and_ready};
use tokio::sync::OnceCell;

/// The versions of the Go operator that left dumps.
const VERSIONS: [&str; 2] = ["0.30.0", "0.38.3"];
const NAME: &str = "plain";

/// What was there at some time.
struct Moment {
    instance: Value,
    objects: BTreeMap<ObjectKey, Value>,
    /// Pods so far.
    pods: usize,
}

/// The instance `plain`, from what the Go operator left to the approved roll-out.
struct Story {
    version: &'static str,
    left: Moment,
    held: Moment,
    approved: Moment,
}

/// Both stories; played once for all tests.
async fn stories() -> &'static [Story] {
    static STORIES: OnceCell<Vec<Story>> = OnceCell::const_new();
    STORIES
        .get_or_init(|| async { futures::future::join_all(VERSIONS.map(Story::play)).await })
        .await
}

impl Story {
    async fn play(version: &'static str) -> Self {
        let cluster = Cluster::namespace("adopted").await;
        dump::restore(&cluster, version, NAME).await;
        let pods = Pods::watch(&cluster);
        let left = Moment::now(&cluster, &pods).await;

        let proxy = Proxy::counting(&cluster).await;
        let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
        cluster.until_condition(NAME, "RolloutPending", "True").await;
        at_rest(&cluster, &operator, &proxy, NAME).await;
        let held = Moment::now(&cluster, &pods).await;

        cluster.approve_rollout(NAME).await;
        cluster.until("the pod is replaced", async || pods.count() > held.pods).await;
        at_rest_and_ready(&cluster, &operator, &proxy, NAME).await;
        let approved = Moment::now(&cluster, &pods).await;
        drop(operator);
        cluster.abandon(NAME).await;
        Self { version, left, held, approved }
    }
}

impl Moment {
    async fn now(cluster: &Cluster, pods: &Pods) -> Self {
        let instance = cluster.instance(NAME).await.expect("the instance");
        cluster.until("the pods are counted", async || pods.count() > 0).await;
        let objects = cluster.objects().await.into_iter().collect();
        Self { instance, objects, pods: pods.count() }
    }

    fn get(&self, kind: Kind, name: &str) -> &Value {
        &self.objects[&ObjectKey::new(kind, name)]
    }

    /// What the operator renders for this instance, as it is applied.
    fn rendered(&self) -> Vec<(ObjectKey, Value)> {
        let (instance, _) = decode_instance(self.instance.clone()).expect("the instance decodes");
        let mut observed = Observed { cluster_defaults: Fact::Absent, ..Observed::default() };
        for (key, live) in &self.objects {
            let name = key.name.clone();
            if key.kind == Kind::PersistentVolumeClaim {
                let claim = serde_json::from_value(live.clone()).expect("a claim");
                observed.claims.insert(name, Fact::Known(claim_facts(&claim)));
            } else if key.kind == Kind::Secret {
                let secret = serde_json::from_value(live.clone()).expect("a Secret");
                observed.secrets.insert(name, Fact::Known(secret_hashes(&secret)));
            }
        }
        let (objects, _) = render_instance(&instance, &observed, &Settings::default());
        assert!(!objects.is_empty(), "nothing is rendered");
        let applied = objects.iter().filter(|it| it.kind().ownership() == Ownership::Applied);
        applied.map(|object| (object.key(), object.to_value())).collect()
    }
}

#[tokio::test]
async fn no_object_is_deleted_or_made_anew() {
    for Story { version, left, held, approved } in stories().await {
        for (key, live) in &left.objects {
            for (when, later) in [("held", held), ("approved", approved)] {
                let later = later.objects.get(key).map(|live| &live["metadata"]["uid"]);
                assert_eq!(later, Some(&live["metadata"]["uid"]), "{version}, {when}: {key}");
            }
        }
    }
}

#[tokio::test]
async fn the_volume_no_longer_ends_with_the_instance() {
    for Story { version, left, held, approved } in stories().await {
        let owners = |moment: &Moment| {
            let claim = moment.get(Kind::PersistentVolumeClaim, "plain-data");
            claim["metadata"]["ownerReferences"].as_array().map_or(0, Vec::len)
        };
        assert_eq!((owners(left), owners(held), owners(approved)), (1, 0, 0), "{version}");
    }
}

#[tokio::test]
async fn the_gateway_token_and_the_address_stay() {
    for Story { version, left, held, approved } in stories().await {
        for later in [held, approved] {
            let token = |moment: &Moment| {
                moment.get(Kind::Secret, "plain-gateway-token")["data"]["token"].clone()
            };
            let address =
                |moment: &Moment| moment.get(Kind::Service, NAME)["spec"]["clusterIP"].clone();
            assert_eq!(token(later), token(left), "{version}");
            assert_eq!(address(later), address(left), "{version}");
            assert!(address(later).is_string() && token(later).is_string(), "{version}");
        }
    }
}

#[tokio::test]
async fn the_pod_stays_until_someone_approves_and_is_then_replaced_once() {
    for Story { version, left, held, approved } in stories().await {
        assert_eq!((left.pods, held.pods, approved.pods), (1, 1, 2), "{version}");
        let template =
            |moment: &Moment| moment.get(Kind::StatefulSet, NAME)["spec"]["template"].clone();
        assert_eq!(template(held), template(left), "{version}");
        let pending = condition_of(&approved.instance, "RolloutPending");
        assert!(
            pending.is_none_or(|pending| pending["status"] == "False"),
            "{version}: {pending:?}"
        );
    }
}

/// What the running pod depends on changes together with it.
#[tokio::test]
async fn what_the_running_pod_depends_on_stays_until_someone_approves() {
    for Story { version, left, held, .. } in stories().await {
        for (kind, name) in [
            (Kind::ConfigMap, "plain-config"),
            (Kind::ConfigMap, "plain-workspace"),
            (Kind::Service, NAME),
            (Kind::NetworkPolicy, NAME),
            (Kind::ServiceAccount, NAME),
            (Kind::Role, NAME),
            (Kind::RoleBinding, NAME),
        ] {
            assert_eq!(held.get(kind, name), left.get(kind, name), "{version}: {kind}/{name}");
        }
    }
}

#[tokio::test]
async fn nothing_that_the_go_operator_set_is_left() {
    for Story { version, approved, .. } in stories().await {
        for (key, wanted) in approved.rendered() {
            let live = &approved.objects[&key];
            let entries = live["metadata"]["managedFields"].as_array().expect("managed fields");
            let managers: Vec<&Value> = entries.iter().map(|entry| &entry["manager"]).collect();
            assert!(
                !managers.contains(&&json!(dump::MANAGER)),
                "{version}: {key} is {managers:?}'s"
            );
            assert!(
                managers.contains(&&json!(FIELD_MANAGER)),
                "{version}: {key} is {managers:?}'s"
            );
            let changes: Vec<String> = diff(&wanted, live)
                .into_iter()
                .map(|change| change.path)
                // Notes on the roll-out, which are not rendered.
                .filter(|path| {
                    key.kind != Kind::StatefulSet || !path.starts_with("metadata.annotations")
                })
                .collect();
            assert_eq!(changes, Vec::<String>::new(), "{version}: {key}");
            assert_eq!(lists(live), lists(&wanted), "{version}: {key}");
        }
    }
}

/// The length of every list of what an object asks for: environment, ports, volumes and so on.
fn lists(object: &Value) -> BTreeMap<String, usize> {
    fn walk(value: &Value, path: &str, found: &mut BTreeMap<String, usize>) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                found.insert(path.to_owned(), items.len());
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{path}[{index}]"), found);
                }
            }
            Value::Object(map) => {
                // Given by the API server.
                let fields = map.iter().filter(|(field, _)| {
                    !["managedFields", "status", "clusterIPs", "ipFamilies"]
                        .contains(&field.as_str())
                });
                fields.for_each(|(field, inner)| walk(inner, &format!("{path}.{field}"), found));
            }
            Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => {}
        }
    }
    let mut found = BTreeMap::new();
    walk(object, "", &mut found);
    found
}

#[tokio::test]
async fn an_agent_that_is_scaled_by_load_keeps_the_claims_of_its_replicas() {
    futures::future::join_all(VERSIONS.map(scaled)).await;
}

async fn scaled(version: &str) {
    let name = "scaled";
    let cluster = Cluster::namespace("scaled-left").await;
    dump::restore(&cluster, version, name).await;
    let set = async || cluster.get(Kind::StatefulSet, name).await.expect("the StatefulSet");
    let claim = async || {
        let live = cluster.get(Kind::PersistentVolumeClaim, "data-scaled-0").await;
        live.expect("the claim")["metadata"]["uid"].clone()
    };
    let (set_before, claim_before) = (set().await, claim().await);

    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    cluster.until_condition(name, "RolloutPending", "True").await;
    cluster.until_condition(name, "AutoscalingActive", "True").await;
    cluster.approve_rollout(name).await;
    let is_ours = async || {
        let live = set().await;
        live.pointer("/spec/template/spec/initContainers/0/name") == Some(&json!("init-config"))
    };
    cluster.until("the template is ours", is_ours).await;
    at_rest_and_ready(&cluster, &operator, &proxy, name).await;
    cluster.merge_instance(name, &turned_off()).await;
    cluster
        .until("the autoscaler is gone", async || {
            cluster.get(Kind::HorizontalPodAutoscaler, name).await.is_none()
        })
        .await;
    at_rest_and_ready(&cluster, &operator, &proxy, name).await;
    let set_after = set().await;
    for field in ["volumeClaimTemplates", "persistentVolumeClaimRetentionPolicy", "replicas"] {
        assert_eq!(set_after["spec"][field], set_before["spec"][field], "{version}: {field}");
    }
    assert_eq!(set_after["metadata"]["uid"], set_before["metadata"]["uid"], "{version}");
    assert_eq!(claim().await, claim_before, "{version}");
    drop(operator);
    cluster.abandon(name).await;
}

fn turned_off() -> Value {
    json!({"spec": {"availability": {"autoScaling": {"enabled": false}}}})
}
