//! Definitions and rendered objects: all of them are taken, and kept as they were sent.

use futures::future::join_all;
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{Kind, Object, Ownership, diff, hash, owned_hash, pod_security_violations};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::fixtures::{self, Fixture};

fn value_of(object: DynamicObject) -> Value {
    serde_json::to_value(object).expect("JSON")
}

fn apply() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force().validation_strict()
}

async fn send(
    cluster: &Cluster,
    object: &Object,
    parameters: &PatchParams,
) -> Result<Value, kube::Error> {
    let sent = object.to_value();
    let patch = Patch::Apply(&sent);
    cluster.of(object.kind()).patch(object.name(), parameters, &patch).await.map(value_of)
}

/// Where what is stored is not what was sent, one line a difference.
fn differences(sent: &Value, stored: &Value) -> Vec<String> {
    let mut found: Vec<String> = diff(sent, stored).iter().map(ToString::to_string).collect();
    if owned_hash(stored, FIELD_MANAGER) != hash(sent) {
        found.push("the hash of what we own is not that of what was sent".to_owned());
    }
    found
}

#[tokio::test]
async fn every_definition_is_established_and_structural() {
    let cluster = Cluster::namespace("definitions").await;
    let api: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let folder = fixtures::folder("../charts/openclaw-operator/files/crds");
    let files = fixtures::in_folder(&folder);
    assert!(!files.is_empty(), "no definition in {}", folder.display());
    for definition in files.iter().flat_map(|file| &file.documents) {
        let name = definition["metadata"]["name"].as_str().expect("a name");
        let live = api.get(name).await.expect("the chart has installed it");
        let conditions = live.status.clone().and_then(|status| status.conditions);
        let conditions: Vec<(String, String)> =
            conditions.into_iter().flatten().map(|each| (each.type_, each.status)).collect();
        let said =
            |kind: &str, status: &str| conditions.contains(&(kind.to_owned(), status.to_owned()));
        assert!(said("Established", "True"), "{name}: {conditions:?}");
        assert!(said("NamesAccepted", "True"), "{name}: {conditions:?}");
        assert!(!said("NonStructuralSchema", "True"), "{name}: {conditions:?}");

        let parameters = PatchParams::apply("a-user").force().validation_strict().dry_run();
        let again = api.patch(name, &parameters, &Patch::Apply(definition)).await;
        let again = again.expect("it passes strict validation");
        assert_eq!(again.spec, live.spec, "{name}");
        assert_eq!(again.metadata.generation, live.metadata.generation, "{name}");
    }
    cluster.end().await;
}

/// What the API server refuses of a fixture's objects under strict validation, or would store
/// otherwise than it is sent. Nothing is stored.
async fn objections(cluster: &Cluster, fixture: &Fixture, what: &str) -> Vec<String> {
    let (objects, problems) = fixture.render();
    let mut found = Vec::new();
    if objects.is_empty() {
        found.push(format!("{what}: {problems:?}"));
    }
    for object in objects {
        let objections = match send(cluster, &object, &apply().dry_run()).await {
            Ok(stored) => differences(&object.to_value(), &stored),
            Err(error) => vec![error.to_string()],
        };
        found.extend(objections.iter().map(|it| format!("{what}: {}: {it}", object.key())));
    }
    found
}

#[tokio::test]
async fn every_object_of_every_fixture_passes_strict_validation() {
    let cluster = Cluster::namespace("strict").await;
    let fixtures = fixtures::all("instances");
    let found = join_all(fixtures.iter().map(async |fixture| {
        objections(&cluster, &fixture.in_namespace(&cluster.namespace), &fixture.name).await
    }));
    let found = found.await.concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
    cluster.end().await;
}

#[tokio::test]
async fn what_is_rendered_for_unusual_spellings_is_kept_as_it_was_sent() {
    let cluster = Cluster::namespace("unusual").await;
    let specs: Vec<Value> = serde_saphyr::from_str(include_str!("unusual.yaml")).expect("YAML");
    let found = join_all(specs.iter().map(async |spec| {
        let mut fixture = Fixture::named("minimal").in_namespace(&cluster.namespace);
        let parts = spec.as_object().expect("a spec").clone();
        fixture.documents[0]["spec"].as_object_mut().expect("a spec").extend(parts);
        let mut found = objections(&cluster, &fixture, &spec.to_string()).await;
        if let Err(error) = cluster.try_create(fixture.instance()).await {
            found.push(format!("{spec}: {error}"));
        }
        found
    }));
    let found = found.await.concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
    cluster.end().await;
}

/// The pod that the StatefulSet's controller would make.
fn pod_among(objects: &[Object]) -> Option<Value> {
    pod_of(&objects.iter().find(|object| object.kind() == Kind::StatefulSet)?.to_value())
}

/// The pod of a StatefulSet, if it is one.
pub(super) fn pod_of(set: &Value) -> Option<Value> {
    let template = set["spec"].get("template")?;
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"],
        "spec": template["spec"],
    });
    pod["metadata"]["name"] = json!("ada-0");
    for claim in set["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
        let name = &claim["metadata"]["name"];
        let source = json!({"claimName": format!("{}-ada-0", name.as_str()?)});
        let volumes = pod["spec"]["volumes"].as_array_mut()?;
        volumes.push(json!({"name": name, "persistentVolumeClaim": source}));
    }
    Some(pod)
}

/// Whether a namespace that enforces the restricted standard refuses the pod. A pod that is refused
/// for another reason fails the test.
async fn is_restricted_away(cluster: &Cluster, objects: &[Object], what: &str) -> bool {
    let pod = pod_among(objects).unwrap_or_else(|| panic!("{what}: no pod is rendered"));
    // Admission asks for what the pod refers to.
    let account = &pod["spec"]["serviceAccountName"];
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}});
    cluster.apply(&account).await.expect("the account is taken");
    match cluster.try_create(&pod).await {
        Ok(_) => false,
        Err(error) if error.to_string().contains("violates PodSecurity") => true,
        Err(error) => panic!("{what}: {error}"),
    }
}

#[tokio::test]
async fn a_restricted_namespace_refuses_exactly_the_pods_that_the_library_names() {
    let cluster = Cluster::namespace("restricted").await;
    let class = json!({
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "gvisor"},
        "handler": "runsc",
    });
    let classes = Api::<RuntimeClass>::all(cluster.client.clone());
    // Other runs may have made it, and it is in nobody's way.
    classes
        .patch("gvisor", &PatchParams::apply("a-user"), &Patch::Apply(&class))
        .await
        .expect("the class is taken");
    let mut refused = Vec::new();
    for fixture in fixtures::all("instances") {
        let (objects, _) = fixture.in_namespace(&cluster.namespace).render();
        let named = pod_security_violations(&objects);
        let is_refused = is_restricted_away(&cluster, &objects, &fixture.name).await;
        assert_eq!(is_refused, !named.is_empty(), "{}: {named:?}", fixture.name);
        if is_refused {
            refused.push(fixture.name);
        }
    }
    assert_eq!(refused, ["security-non-root-off"]);
    cluster.end().await;
}

/// Every way in which an instance can ask for more than the restricted standard gives, or seem to.
const SECURITY: &[(&str, &str)] = &[
    ("nothing", "{}"),
    ("root by group", "{podSecurityContext: {runAsGroup: 0, fsGroup: 0}}"),
    ("root allowed in the pod", "{podSecurityContext: {runAsNonRoot: false}}"),
    ("root allowed in a container", "{containerSecurityContext: {runAsNonRoot: false}}"),
    ("privileges", "{containerSecurityContext: {allowPrivilegeEscalation: true}}"),
    ("a capability more", "{containerSecurityContext: {capabilities: {add: [SYS_ADMIN]}}}"),
    ("the one capability", "{containerSecurityContext: {capabilities: {add: [NET_BIND_SERVICE]}}}"),
    ("every capability", "{containerSecurityContext: {capabilities: {add: [ALL]}}}"),
    ("not all dropped", "{containerSecurityContext: {capabilities: {drop: [NET_RAW]}}}"),
    ("none dropped", "{containerSecurityContext: {capabilities: {drop: []}}}"),
    ("lower case", "{containerSecurityContext: {capabilities: {drop: [all]}}}"),
    ("prefixed", "{containerSecurityContext: {capabilities: {add: [CAP_NET_BIND_SERVICE]}}}"),
    (
        "a root file system to write to",
        "{containerSecurityContext: {readOnlyRootFilesystem: false}}",
    ),
    ("a user", "{containerSecurityContext: {runAsUser: 2000}}"),
    (
        "root allowed in the pod and not in the container",
        "{podSecurityContext: {runAsNonRoot: false}, containerSecurityContext: {runAsNonRoot: true}}",
    ),
];

#[tokio::test]
async fn a_restricted_namespace_and_the_library_agree_on_every_security_setting() {
    let cluster = Cluster::namespace("security").await;
    let mut verdicts = Vec::new();
    for (what, security) in SECURITY {
        let mut fixture = Fixture::named("minimal").in_namespace(&cluster.namespace);
        let security: Value = serde_saphyr::from_str(security).expect("YAML");
        fixture.documents[0]["spec"]["security"] = security;
        let (objects, _) = fixture.render();
        let named = pod_security_violations(&objects);
        let is_refused = is_restricted_away(&cluster, &objects, what).await;
        verdicts.push((what, is_refused, named));
    }
    let disagreements: Vec<_> =
        verdicts.iter().filter(|(_, refused, named)| *refused == named.is_empty()).collect();
    assert!(disagreements.is_empty(), "{disagreements:#?}");
    cluster.end().await;
}

/// A namespace in which the instance of a fixture is, and what is rendered for it.
async fn instance_of(fixture: &Fixture) -> (Cluster, Vec<Object>) {
    let cluster = Cluster::namespace("kept").await;
    let mut fixture = fixture.in_namespace(&cluster.namespace);
    let mut instance = fixture.instance().clone();
    instance["metadata"].as_object_mut().expect("metadata").remove("uid");
    let stored = cluster.apply(&instance).await.expect("the instance is taken");
    // Objects whose owner does not exist would be collected.
    for document in fixture.documents.iter_mut().filter(|it| it["kind"] == stored["kind"]) {
        document["metadata"]["uid"] = stored["metadata"]["uid"].clone();
    }
    let (objects, _) = fixture.render();
    (cluster, objects)
}

#[tokio::test]
async fn what_is_applied_is_what_we_own_and_applying_it_again_writes_nothing() {
    join_all(fixtures::all("instances").iter().map(async |fixture| {
        let (cluster, objects) = instance_of(fixture).await;
        for object in &objects {
            let what = format!("{}: {}", fixture.name, object.key());
            match object.ownership() {
                Ownership::Applied => is_kept(&cluster, object, &what).await,
                Ownership::CreatedOnce | Ownership::RunOnce => {
                    is_created(&cluster, object, &what).await;
                }
            }
        }
        cluster.end().await;
    }))
    .await;
}

/// What is read is what was sent, and sent again it changes nothing. The status is written by
/// others meanwhile, so the version may grow by that.
async fn is_kept(cluster: &Cluster, object: &Object, what: &str) {
    let sent = object.to_value();
    let stored = send(cluster, object, &apply()).await;
    let stored = stored.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(differences(&sent, &stored), Vec::<String>::new(), "{what}");
    cluster
        .until(&format!("{what} is not written again"), async || {
            let live = cluster.get(object.kind(), object.name()).await.expect("it is there");
            assert_eq!(differences(&sent, &live), Vec::<String>::new(), "{what}");
            let again = send(cluster, object, &apply()).await.expect("it is taken again");
            again["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
        })
        .await;
}

/// A POST of ours is taken, and nothing of it is ours to apply.
async fn is_created(cluster: &Cluster, object: &Object, what: &str) {
    let sent = serde_json::from_value(object.to_value()).expect("an object");
    let parameters =
        PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let stored = cluster.of(object.kind()).create(&parameters, &sent).await;
    let stored = value_of(stored.unwrap_or_else(|error| panic!("{what}: {error}")));
    for part in ["data", "stringData", "spec", "type"] {
        assert!(contains(&stored[part], &object.to_value()[part]), "{what}: {stored:#}");
    }
}

/// Whether all that was sent is there, whatever else is.
fn contains(stored: &Value, sent: &Value) -> bool {
    match (stored, sent) {
        (_, Value::Null) => true,
        (Value::Object(stored), Value::Object(sent)) => sent
            .iter()
            .all(|(name, sent)| stored.get(name).is_some_and(|stored| contains(stored, sent))),
        (Value::Array(stored), Value::Array(sent)) => {
            let mut pairs = stored.iter().zip(sent);
            stored.len() == sent.len() && pairs.all(|(stored, sent)| contains(stored, sent))
        }
        _ => stored == sent,
    }
}
