//! What becomes of the agents of the Go operator, from dumps of what it left: nothing is lost, and
//! their pods stay until someone approves.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::collections::BTreeMap;

use kube::api::{Patch, PatchParams};
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
use support::proxy::{Proxy, Seen};
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
async fn an_agent_with_unsupported_fields_is_left_as_it_is() {
    let cases =
        [("0.30.0", "rich"), ("0.30.0", "scaled"), ("0.38.3", "rich"), ("0.38.3", "scaled")];
    futures::future::join_all(cases.map(|(version, name)| left_alone(version, name))).await;
}

async fn left_alone(version: &str, name: &str) {
    // The Go operator runs local models as root.
    let cluster = Cluster::with_security("left", "privileged").await;
    dump::restore(&cluster, version, name).await;
    let pods = Pods::watch(&cluster);
    let before = everything(&cluster, name).await;

    let proxy = Proxy::counting(&cluster).await;
    let operator = Operator::with(&cluster, Some(proxy.address()), &[]).await;
    cluster.until_condition(name, "Unsupported", "True").await;
    at_rest(&cluster, &operator, &proxy, name).await;

    let status = format!("/openclawinstances/{name}/status");
    let others: Vec<Seen> =
        proxy.writes().into_iter().filter(|seen| !seen.path.ends_with(&status)).collect();
    assert!(others.is_empty(), "{version}, {name}: {others:?}");
    let after = everything(&cluster, name).await;
    for (key, before) in &before {
        assert_eq!(after.get(key), Some(before), "{version}, {name}: {key}");
    }
    assert_eq!(after.len(), before.len(), "{version}, {name}");
    assert_eq!(pods.count(), 1, "{version}, {name}");
    drop(operator);
    cluster.abandon(name).await;
}

#[tokio::test]
async fn an_agent_that_is_left_as_it_is_can_be_switched_off() {
    let (version, name) = ("0.38.3", "rich");
    let cluster = Cluster::with_security("off", "privileged").await;
    dump::restore(&cluster, version, name).await;
    let records =
        json!({"status": {"restoredFrom": "backups/x/y/1", "lastBackupPath": "backups/z"}});
    cluster
        .instances()
        .patch_status(name, &PatchParams::default(), &Patch::Merge(&records))
        .await
        .expect("the records are taken");
    let before = everything(&cluster, name).await;
    let _operator = Operator::start(&cluster).await;
    cluster.until_condition(name, "Unsupported", "True").await;
    cluster.merge_instance(name, &json!({"spec": {"suspended": true}})).await;
    cluster
        .until("no pod is left", async || cluster.pod(&format!("{name}-0")).await.is_none())
        .await;
    cluster.until_condition(name, "StatefulSetReady", "True").await;
    let instance = cluster.instance(name).await.expect("the instance");
    for field in ["restoredFrom", "lastBackupPath"] {
        assert_eq!(instance["status"][field], records["status"][field], "{field}");
    }
    let after = everything(&cluster, name).await;
    for (key, before) in before.iter().filter(|(key, _)| !key.starts_with("OpenClawInstance")) {
        let mut after = after.get(key).cloned().unwrap_or_default();
        if key.starts_with("StatefulSet") {
            assert_eq!(after["spec"]["replicas"], 0);
            after["spec"]["replicas"] = before["spec"]["replicas"].clone();
            for field in ["generation", "managedFields"] {
                after["metadata"][field] = before["metadata"][field].clone();
            }
        }
        assert_eq!(&after, before, "{key}");
    }
    cluster.abandon(name).await;
}

/// All objects, without what Kubernetes' own controllers report in them.
async fn everything(cluster: &Cluster, name: &str) -> BTreeMap<String, Value> {
    let mut objects: BTreeMap<String, Value> = BTreeMap::new();
    for (key, live) in cluster.objects().await {
        objects.insert(key.to_string(), live);
    }
    for (api_version, kind, plural) in [
        ("networking.k8s.io/v1", "Ingress", "ingresses"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ] {
        if let Some(live) = cluster.find(api_version, kind, plural, name).await {
            objects.insert(format!("{kind}/{name}"), live);
        }
    }
    let instance = cluster.instance(name).await.expect("the instance");
    objects.insert(format!("OpenClawInstance/{name}"), instance);
    objects.values_mut().for_each(without_reports);
    objects
}

fn without_reports(object: &mut Value) {
    object["status"] = Value::Null;
    object["metadata"]["resourceVersion"] = Value::Null;
    let entries = object["metadata"]["managedFields"].as_array_mut().expect("managed fields");
    entries.retain(|entry| entry.get("subresource").is_none());
}
