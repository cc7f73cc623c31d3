//! What the API server refuses is what `resolve` calls an error, one error at a time.

use std::collections::BTreeSet;

use futures::future::join_all;
use openclaw_render::{Documents, Problem, Rule, Settings, Severity, decode_instance, resolve};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::fixtures::{self, Fixture};

const OTHER_OBJECT: &str = "depends on another object";
const CONFIGURATION: &str = "the schema takes any openclaw.json";
const COMPARISON: &str = "compares values of which the schema allows too many for a rule";
const KEY: &str = "the schema has no rule for keys of labels and annotations";
const REFERENCE: &str = "the schema takes any text as a name of another object";
const IMAGE: &str = "the schema takes any text as a part of an image's name";
const SOURCE: &str = "the schema has no rule for what excludes each other here";
const RULE: &str = "the schema takes any rule of a NetworkPolicy; the policy itself is refused";
const PATH: &str = "the schema takes any text as this path";
const NAME: &str = "the schema takes any text as this name";
const PORT: &str = "the schema does not know which ports are taken";

/// Errors that the API server does not see: fixture, path, why.
const CONTROLLER_ONLY: &[(&str, &str, &str)] = &[
    ("chromium", "spec.chromium.extraEnv[2].name", NAME),
    ("chromium", "spec.chromium.extraEnv[3]", SOURCE),
    ("chromium", "spec.chromium.image.tag", IMAGE),
    ("chromium", "spec.chromium.resources.requests.memory", COMPARISON),
    ("config-bind", "spec.config.raw.gateway.bind", CONFIGURATION),
    ("config-map-key", "spec.config.configMapRef.key", OTHER_OBJECT),
    ("config-map-missing", "spec.config.configMapRef.name", OTHER_OBJECT),
    ("config-not-an-object", "spec.config.configMapRef[there/openclaw.json]", OTHER_OBJECT),
    ("config-not-json", "spec.config.configMapRef[there/openclaw.json]", OTHER_OBJECT),
    ("empty-names", r#"spec.availability.nodeSelector[""]"#, KEY),
    ("empty-names", "spec.config.configMapRef.name", REFERENCE),
    ("empty-names", "spec.envFrom[0].configMapRef", REFERENCE),
    ("empty-names", "spec.env[name=A].valueFrom.secretKeyRef", REFERENCE),
    ("empty-names", r#"spec.networking.service.annotations["a/b/c"]"#, KEY),
    ("empty-names", r#"spec.podAnnotations["not a key"]"#, KEY),
    ("empty-names", r#"spec.security.rbac.serviceAccountAnnotations["/a"]"#, KEY),
    ("env", "spec.envFrom[0]", SOURCE),
    ("env", "spec.env[2]", SOURCE),
    ("image", "spec.gateway.image.repository", IMAGE),
    ("image", "spec.gateway.image.tag", IMAGE),
    ("image", "spec.image.pullSecrets[0].name", REFERENCE),
    ("image", "spec.image.repository", IMAGE),
    ("image", "spec.image.tag", IMAGE),
    ("metrics", "spec.networking.metricsIngress.allowedCIDRs[0]", RULE),
    ("metrics", "spec.networking.metricsIngress.allowedNamespaces[0]", REFERENCE),
    ("metrics", "spec.observability.metrics.port", PORT),
    ("metrics", "spec.observability.metrics.serviceMonitor.interval", NAME),
    ("metrics", r#"spec.observability.metrics.serviceMonitor.labels["a b"]"#, KEY),
    ("metrics", r#"spec.observability.metrics.serviceMonitor.labels["team"]"#, KEY),
    ("metrics-nothing", "spec.observability.metrics.port", PORT),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[0].to[0].ipBlock.cidr", RULE),
    (
        "network-policy",
        "spec.security.networkPolicy.additionalEgress[0].to[1].ipBlock.except[0]",
        RULE,
    ),
    (
        "network-policy",
        "spec.security.networkPolicy.additionalEgress[0].to[1].ipBlock.except[1]",
        RULE,
    ),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[1].to[0]", RULE),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[1].to[1]", RULE),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[2].ports[0]", RULE),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[2].ports[1]", RULE),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[2].ports[2]", RULE),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[2].ports[3]", RULE),
    ("network-policy", "spec.security.networkPolicy.additionalEgress[2].ports[4]", RULE),
    ("network-policy", "spec.security.networkPolicy.allowedIngressNamespaces[0]", REFERENCE),
    ("resources", "spec.probes.diskReadiness.path", PATH),
    ("resources", "spec.resources.requests.memory", COMPARISON),
    ("runtime-deps", "spec.runtimeDeps.uvImage.repository", IMAGE),
    ("runtime-deps", "spec.runtimeDeps.uvImage.tag", IMAGE),
    ("service-account-name", "spec.security.rbac.serviceAccountName", REFERENCE),
    ("storage", "spec.gateway.existingSecret", REFERENCE),
    ("tailscale", "spec.tailscale.hostname", NAME),
    ("trusted-proxies", "spec.config.raw.gateway.auth.mode", CONFIGURATION),
    (
        "trusted-proxies",
        "spec.config.raw.gateway.auth.trustedProxy.requiredHeaders[0]",
        CONFIGURATION,
    ),
    (
        "trusted-proxies",
        "spec.config.raw.gateway.auth.trustedProxy.requiredHeaders[1]",
        CONFIGURATION,
    ),
    ("trusted-proxies", "spec.config.raw.gateway.auth.trustedProxy.userHeader", CONFIGURATION),
    ("trusted-proxies", "spec.config.raw.gateway.trustedProxies[1]", CONFIGURATION),
    ("trusted-proxies", "spec.config.raw.gateway.trustedProxies[2]", CONFIGURATION),
    ("trusted-proxies", "spec.config.raw.gateway.trustedProxies[3]", CONFIGURATION),
    ("workspace", r#"spec.workspace.initialFiles["both"]"#, COMPARISON),
    ("workspace", r#"spec.workspace.initialFiles["notes"]"#, COMPARISON),
    ("workspaces", "spec.workspace.managedFiles[2].path", COMPARISON),
];

/// What the API server refuses although it is no error of ours.
const API_SERVER_ONLY: &[(&str, &str, &str)] = &[
    ("documents", "OpenClawClusterDefaults mine", "a file of it does no harm: it has no effect"),
    ("env-twice", "spec.env[1].name", "a pod takes it, and in a file the last one counts"),
];

/// A fixture of parts that the API server takes for what they are and refuses with the pod.
const OF_THE_POD: &str = "extras";

fn listed(list: &[(&str, &str, &str)]) -> BTreeSet<(String, String)> {
    list.iter().map(|(fixture, path, _)| ((*fixture).to_owned(), (*path).to_owned())).collect()
}

/// What is wrong with a document, in the world that the fixture describes.
fn problems(fixture: &Fixture, document: &Value) -> Vec<Problem> {
    if document["kind"] != "OpenClawInstance" {
        let found = Documents::read([document.clone()]).problems;
        return found.into_iter().map(|found| found.value).collect();
    }
    match decode_instance(document.clone()) {
        Err(problem) => vec![problem],
        Ok((instance, mut problems)) => {
            let world = Documents::read(fixture.documents.clone()).observed(&instance);
            problems.extend(resolve(&instance, &world, &Settings::default()).problems);
            problems
        }
    }
}

/// Strict validation refuses unknown fields; otherwise they are dropped with a warning.
fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error || problem.rule == Rule::UnknownField
}

/// The same finding in a document of which parts are gone: positions in lists may differ.
fn is_same(one: &Problem, other: &Problem) -> bool {
    let place = |problem: &Problem| problem.path.split('[').next().map(str::to_owned);
    one.message == other.message && place(one) == place(other)
}

/// The document without all errors but this one. `None` if it has another one at the same place.
fn alone(fixture: &Fixture, document: &Value, problem: &Problem) -> Option<Value> {
    let mut document = document.clone();
    loop {
        let left = problems(fixture, &document);
        let kept = left.iter().find(|it| is_same(it, problem))?;
        let Some(other) = left.iter().find(|it| is_error(it) && !is_same(it, problem)) else {
            return Some(document);
        };
        let (kept, other) = (steps(&kept.path), steps(&other.path));
        let shared = kept.iter().zip(&other).take_while(|(one, other)| one == other).count();
        // As little as possible: what is around it may not do without.
        let paths = (shared + 1..=other.len()).rev().filter_map(|length| other.get(..length));
        document = paths
            .filter_map(|path| without(&document, path))
            .find(|rest| problems(fixture, rest).iter().any(|it| is_same(it, problem)))?;
    }
}

/// The steps of a path: names, positions, and `name=value` of an item, as an object.
fn steps(path: &str) -> Vec<Value> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("[\"") {
            let (name, after) = inner.split_once("\"]").expect("a quoted step that ends");
            steps.push(serde_json::from_str(&format!("\"{name}\"")).expect("a name"));
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (item, after) = inner.split_once(']').expect("a step that ends");
            let step = item.split_once('=').map(|(name, value)| json!({name: value}));
            steps
                .push(step.unwrap_or_else(|| item.parse::<u64>().map_or(json!(item), Value::from)));
            rest = after;
        } else {
            let plain = rest.trim_start_matches('.');
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            steps.push(json!(plain[..end]));
            rest = &plain[end..];
        }
    }
    steps
}

/// The place of a list item.
fn position(items: &[Value], step: &Value) -> Option<usize> {
    match step.as_object().and_then(|step| step.iter().next()) {
        Some((name, value)) => items.iter().position(|item| item[name] == *value),
        None => step.as_u64().and_then(|index| usize::try_from(index).ok()),
    }
}

/// The document without what a path leads to, if that is there.
fn without(document: &Value, path: &[Value]) -> Option<Value> {
    let mut rest = document.clone();
    remove(&mut rest, path).then_some(rest)
}

/// Takes out what a path leads to. Whether it was there.
fn remove(value: &mut Value, path: &[Value]) -> bool {
    let Some((step, rest)) = path.split_first() else { return false };
    match (value, rest.is_empty()) {
        (Value::Object(map), last) => {
            let name = step.as_str().unwrap_or_default();
            if last {
                map.remove(name).is_some()
            } else {
                map.get_mut(name).is_some_and(|child| remove(child, rest))
            }
        }
        (Value::Array(items), last) => match position(items, step).filter(|it| *it < items.len()) {
            Some(index) if last => {
                items.remove(index);
                true
            }
            Some(index) => remove(&mut items[index], rest),
            None => false,
        },
        _ => false,
    }
}

/// What users write, of every fixture, valid or not.
fn documents(cluster: &Cluster) -> Vec<(Fixture, Value)> {
    let mut found = Vec::new();
    for fixture in ["instances", "invalid"].into_iter().flat_map(fixtures::all) {
        let fixture = fixture.in_namespace(&cluster.namespace);
        let is_ours = |document: &&Value| {
            document["kind"].as_str().is_some_and(|kind| kind.starts_with("OpenClaw"))
        };
        let ours: Vec<Value> = fixture.documents.iter().filter(is_ours).cloned().collect();
        found.extend(ours.into_iter().map(|document| (fixture.clone(), document)));
    }
    found
}

/// Whether the API server refuses a document for what it is.
async fn is_refused(cluster: &Cluster, document: &Value) -> bool {
    match cluster.try_create(document).await {
        Ok(_) => false,
        // 400 for fields that are not there, 422 for values that are wrong.
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => true,
        Err(error) => panic!("{error}: {document}"),
    }
}

#[tokio::test]
async fn a_manifest_is_refused_if_it_has_an_error_that_the_api_server_can_see() {
    let cluster = Cluster::namespace("manifests").await;
    let (unseen, stricter) = (listed(CONTROLLER_ONLY), listed(API_SERVER_ONLY));
    let documents = documents(&cluster);
    let found = join_all(documents.iter().map(async |(fixture, document)| {
        let problems = problems(fixture, document);
        let is_seen = |problem: &Problem| {
            let place = (fixture.name.clone(), problem.path.clone());
            is_error(problem) && !unseen.contains(&place) || stricter.contains(&place)
        };
        let expected = problems.iter().any(is_seen);
        let refused = is_refused(&cluster, document).await;
        (refused != expected).then(|| format!("{}: {refused} {problems:#?}", fixture.name))
    }));
    let found: Vec<String> = found.await.into_iter().flatten().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    cluster.end().await;
}

/// What the two say to one problem of a fixture.
struct Verdict {
    place: (String, String),
    is_error: bool,
    is_refused: bool,
}

async fn verdicts(cluster: &Cluster, fixture: &Fixture, document: &Value) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for problem in problems(fixture, document) {
        let is_error = is_error(&problem);
        let Some(alone) = alone(fixture, document, &problem) else {
            assert!(!is_error, "{}: never alone: {problem}", fixture.name);
            continue;
        };
        let place = (fixture.name.clone(), problem.path);
        let is_refused = is_refused(cluster, &alone).await;
        verdicts.push(Verdict { place, is_error, is_refused });
    }
    verdicts
}

#[tokio::test]
async fn every_error_alone_is_refused_and_nothing_less_is_exceptions_aside() {
    let cluster = Cluster::namespace("errors").await;
    let documents = documents(&cluster);
    let alone = documents.iter().filter(|(fixture, _)| fixture.name != OF_THE_POD);
    let found = alone.map(|(fixture, document)| verdicts(&cluster, fixture, document));
    let found: Vec<Verdict> = join_all(found).await.into_iter().flatten().collect();
    let places = |is_error: bool, is_refused: bool| -> BTreeSet<(String, String)> {
        let matches = |it: &&Verdict| it.is_error == is_error && it.is_refused == is_refused;
        found.iter().filter(matches).map(|it| it.place.clone()).collect()
    };
    let seen = places(true, true).len();
    assert!(seen > 30, "{seen} errors are refused");
    assert_eq!(places(true, false), listed(CONTROLLER_ONLY), "only the controller sees them");
    assert_eq!(places(false, true), listed(API_SERVER_ONLY), "only the API server refuses them");
    cluster.end().await;
}

#[test]
fn exceptions_are_sorted() {
    assert!(CONTROLLER_ONLY.is_sorted() && API_SERVER_ONLY.is_sorted());
}
