//! What the API server refuses is what `resolve` calls an error, one error at a time.

use std::collections::BTreeSet;

use futures::future::join_all;
use openclaw_render::{Documents, Problem, Rule, Settings, Severity, decode_instance, resolve};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::fixtures::{self, Fixture};

const OTHER_OBJECT: &str = "depends on another object";
const CONFIGURATION: &str = "the schema takes any openclaw.json";
const PORTS: &str = "which ports a Service has depends on what else is in the pod";
const CALENDAR: &str = "which days and time zones there are, no rule knows";

/// Errors that the API server does not see: fixture, path or the beginning of several, why.
const CONTROLLER_ONLY: &[(&str, &str, &str)] = &[
    ("config-bind", "spec.config.raw", CONFIGURATION),
    ("config-map-key", "spec.config.configMapRef.key", OTHER_OBJECT),
    ("config-map-missing", "spec.config.configMapRef.name", OTHER_OBJECT),
    ("config-not-an-object", "spec.config.configMapRef[there/openclaw.json]", OTHER_OBJECT),
    ("config-not-json", "spec.config.configMapRef[there/openclaw.json]", OTHER_OBJECT),
    ("maintenance-windows", "spec.maintenanceWindows[0].schedule", CALENDAR),
    ("maintenance-windows", "spec.maintenanceWindows[2].timeZone", CALENDAR),
    ("skill-packs", "spec.skills[4]", "what a rule may cost is less than to compare all entries"),
    ("trusted-proxies", "spec.config.raw", CONFIGURATION),
    ("ways-in-nowhere", "spec.networking", PORTS),
];

/// What the API server refuses although it is no error of ours.
const API_SERVER_ONLY: &[(&str, &str, &str)] = &[
    ("documents", "OpenClawClusterDefaults mine", "a file of it does no harm: it has no effect"),
    ("env-twice", "spec.env[1].name", "a pod takes it, and in a file the last one counts"),
    ("switched-off", "spec.tailscale.hostname", "what is stored and off does no harm"),
    ("switched-off", "spec.webTerminal.image.repository", "what is stored and off does no harm"),
];

/// A fixture of parts that the API server takes for what they are and refuses with the pod.
const OF_THE_POD: &str = "extras";

/// The exceptions of a list that a place is under.
fn listed<'l>(
    list: &'l [(&str, &str, &str)],
    (fixture, path): &(String, String),
) -> impl Iterator<Item = &'l str> {
    let is_it = move |row: &&(&str, &str, &str)| row.0 == fixture && path.starts_with(row.1);
    list.iter().filter(is_it).map(|(_, path, _)| *path)
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
        // Of kinds that do not exist it says so before it looks.
        let kinds = ["OpenClawClusterDefaults", "OpenClawInstance", "OpenClawSelfConfig"];
        let is_ours = |document: &&Value| {
            document["apiVersion"] == "openclaw.rocks/v1alpha1"
                && document["kind"].as_str().is_some_and(|kind| kinds.contains(&kind))
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
    let documents = documents(&cluster);
    let found = join_all(documents.iter().map(async |(fixture, document)| {
        let problems = problems(fixture, document);
        let is_seen = |problem: &Problem| {
            let place = (fixture.name.clone(), problem.path.clone());
            let is_in = |list| listed(list, &place).next().is_some();
            is_error(problem) && !is_in(CONTROLLER_ONLY) || is_in(API_SERVER_ONLY)
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
    assert!(seen > 80, "{seen} errors are refused");
    for (found, list, whom) in [
        (places(true, false), CONTROLLER_ONLY, "only the controller sees them"),
        (places(false, true), API_SERVER_ONLY, "only the API server refuses them"),
    ] {
        let unlisted: Vec<_> =
            found.iter().filter(|place| listed(list, place).next().is_none()).collect();
        assert!(unlisted.is_empty(), "{whom}: {unlisted:#?}");
        let used = |row: &&(&str, &str, &str)| {
            found.iter().any(|place| place.0 == row.0 && place.1.starts_with(row.1))
        };
        let stale: Vec<_> = list.iter().filter(|row| !used(row)).collect();
        assert!(stale.is_empty(), "{whom} no more: {stale:#?}");
    }
    cluster.end().await;
}

#[test]
fn exceptions_are_sorted_and_few() {
    assert!(CONTROLLER_ONLY.is_sorted() && API_SERVER_ONLY.is_sorted());
    assert!(CONTROLLER_ONLY.len() <= 10);
}
