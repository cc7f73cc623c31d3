//! The chart's admission policies say what `resolve` says.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use kube::client::Body;
use openclaw_render::{Documents, Problem, Rule, Settings, Severity, decode_instance, resolve};
use serde_json::{Value, json};

use crate::support::cluster::{Cluster, plural};
use crate::support::fixtures::{self, Fixture};

const ADVICE: &str = include_str!("../../../charts/openclaw-operator/files/policies/advice.yaml");
/// Of a tag that the spec leaves open only `resolve` speaks: ClusterDefaults may close it.
const OF_THE_TAG: &str = "spec.image.tag: ";
/// What is in the sources of variables only `resolve` sees, and what ClusterDefaults add.
const OF_KEYS: &str = "spec.envFrom: nothing";
/// Its keys are looked for one by one.
const OF_UNKNOWN_KEYS: &str = "spec.config.raw: has keys that no version of the application has";
const OF_RAW: &str = "spec.config.raw.";

const ITEM: &str = "the message names a position in a list, or what stands there";
const VERSION: &str = "the version that runs decides, and a tag does not always tell it";
const COMPUTED: &str = "what is meant follows from several fields, and the message names it";
/// Risks of which the policy is silent: the beginning of the line, why.
const RESOLVE_ONLY: &[(&str, &str)] = &[
    ("metadata.annotations[", VERSION),
    ("spec.availability.autoScaling: ", COMPUTED),
    ("spec.chromium.persistence.size: ", COMPUTED),
    ("spec.config.raw.gateway.auth.mode: what runs in the pod", VERSION),
    ("spec.config.raw.gateway.controlUi.dangerouslyDisableDeviceAuth: ", VERSION),
    ("spec.config.raw.gateway.trustedProxies: ", COMPUTED),
    ("spec.gateway.controlUiOrigins[", ITEM),
    ("spec.image.version: ", VERSION),
    ("spec.initContainers[", ITEM),
    ("spec.netbird: ", COMPUTED),
    ("spec.netbird.image.tag: ", "ClusterDefaults may close it"),
    ("spec.networking.ingress.security.basicAuth: ", COMPUTED),
    ("spec.networking.service.type: ", COMPUTED),
    ("spec.security.containerSecurityContext.capabilities.add: ", COMPUTED),
    ("spec.security.rbac.additionalRules[", "the policy of agents' rights refuses them"),
    ("spec.sidecarVolumes[", ITEM),
    ("spec.sidecars[", ITEM),
    ("spec.skills[", ITEM),
    ("spec.storage.persistence.size: ", COMPUTED),
    ("spec.tailscale: ", COMPUTED),
    ("spec.workspace.additionalWorkspaces[", ITEM),
];
const RULES: &str = "spec.security.rbac.additionalRules";
/// The API server takes a moment to enforce a policy, and to see an instance as its parameter.
const ENFORCED_WITHIN: Duration = Duration::from_mins(1);

/// What the API server says to a new object of a user's; nothing is stored.
struct Answer {
    code: u16,
    warnings: BTreeSet<String>,
    text: String,
}

async fn answer(cluster: &Cluster, user: Option<&str>, document: &Value) -> Answer {
    let text = |name: &str| document[name].as_str().expect("a text");
    let (api_version, plural) = (text("apiVersion"), plural(text("kind")));
    let place = format!("/apis/{api_version}/namespaces/{}/{plural}?dryRun=All", cluster.namespace);
    let mut request = http::Request::post(place).header("content-type", "application/json");
    if let Some(user) = user {
        request = request.header("impersonate-user", user);
    }
    let body = Body::from(document.to_string().into_bytes());
    let answer = cluster.client.send(request.body(body).expect("a request")).await;
    let (parts, body) = answer.expect("an answer").into_parts();
    let warnings = parts.headers.get_all("warning").iter();
    let warnings = warnings.map(|it| it.to_str().expect("ASCII").replace("\\\"", "\""));
    let bytes = body.collect_bytes().await.expect("a body");
    Answer {
        code: parts.status.as_u16(),
        warnings: warnings.collect(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Every message of the policy.
fn messages() -> Vec<String> {
    let rules: Vec<Value> = serde_saphyr::from_str(ADVICE).expect("YAML");
    rules.iter().map(|rule| rule["message"].as_str().expect("a message").to_owned()).collect()
}

/// Every instance of every fixture with what `resolve` says of it.
fn instances(cluster: &Cluster) -> Vec<(String, Value, Vec<Problem>)> {
    let all = ["instances", "invalid"].into_iter().flat_map(fixtures::all);
    let all = all.map(|fixture| fixture.in_namespace(&cluster.namespace));
    all.flat_map(|fixture| {
        let of = |document: &Value| {
            let (instance, _) = decode_instance(document.clone()).ok()?;
            let world = Documents::read(fixture.documents.clone()).observed(&instance);
            let problems = resolve(&instance, &world, &Settings::default()).problems;
            Some((fixture.name.clone(), document.clone(), problems))
        };
        fixture.instances().filter_map(of).collect::<Vec<_>>()
    })
    .collect()
}

/// Waits until the policies are enforced.
async fn until_enforced(cluster: &Cluster) {
    let mut open = Fixture::named("network-policy-off").instance().clone();
    open["metadata"]["namespace"] = json!(cluster.namespace);
    let until = tokio::time::Instant::now() + ENFORCED_WITHIN;
    while answer(cluster, None, &open).await.warnings.is_empty() {
        assert!(tokio::time::Instant::now() < until, "nothing is said of an open agent");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn line(problem: &Problem) -> String {
    format!("{}: {}", problem.path, problem.message)
}

/// The keys that the policy names are among those that `resolve` complains of, and those that no
/// version has are all named.
fn compare_unknown_keys(fixture: &str, problems: &[Problem], answer: &Answer) {
    let beginning = format!("{OF_UNKNOWN_KEYS}: ");
    let named = answer.warnings.iter().find_map(|it| it.split_once(beginning.as_str()));
    let named: BTreeSet<&str> =
        named.iter().flat_map(|(_, keys)| keys.trim_end_matches('"').split(", ")).collect();
    let complaints = problems.iter().filter_map(|problem| {
        let key = problem.path.strip_prefix(OF_RAW).filter(|key| !key.contains(['.', '[']))?;
        Some((key, problem.message.as_str()))
    });
    let complained: BTreeSet<&str> = complaints.clone().map(|(key, _)| key).collect();
    assert!(named.is_subset(&complained), "{fixture}: {named:?} {complained:?}");
    let unknown = complaints.filter(|(_, message)| message.starts_with("no version"));
    let unknown: BTreeSet<&str> = unknown.map(|(key, _)| key).collect();
    assert!(unknown.is_subset(&named), "{fixture}: {unknown:?} {named:?}");
}

#[tokio::test]
async fn who_applies_an_instance_is_given_the_advice_that_resolve_gives() {
    let cluster = Cluster::namespace("advice").await;
    until_enforced(&cluster).await;
    let messages = messages();
    let instances = instances(&cluster);
    let found = join_all(instances.iter().map(async |(fixture, document, problems)| {
        let answer = answer(&cluster, None, document).await;
        let said: BTreeSet<&str> = messages
            .iter()
            .filter(|message| answer.warnings.iter().any(|it| it.contains(message.as_str())))
            .map(String::as_str)
            .collect();
        (fixture, problems, answer, said)
    }))
    .await;
    let mut ever = BTreeSet::new();
    for (fixture, problems, answer, said) in found.iter().filter(|it| it.2.code == 201) {
        let advice = problems.iter().filter(|it| it.severity == Severity::Advice);
        let lines: BTreeSet<String> = advice.clone().map(line).collect();
        for message in messages.iter().filter(|it| *it != OF_UNKNOWN_KEYS) {
            let resolved = lines.contains(message);
            let is_said = said.contains(message.as_str());
            let may_be_silent = [OF_THE_TAG, OF_KEYS].iter().any(|it| message.starts_with(it));
            let is_right = is_said == resolved || may_be_silent && !is_said;
            assert!(is_right, "{fixture}: {message}: {is_said}\n{:#?}", answer.warnings);
        }
        compare_unknown_keys(fixture, problems, answer);
        // What has no effect does no harm either: that is for `check` and the conditions to say.
        for risk in advice.filter(|it| it.rule == Rule::Risk).map(line) {
            let is_excused = RESOLVE_ONLY.iter().any(|(beginning, _)| risk.starts_with(beginning));
            let is_known = messages.contains(&risk) || is_excused;
            assert!(is_known, "{fixture}: the policy is silent of {risk}");
        }
        ever.extend(said.iter().copied());
    }
    let never: Vec<_> = messages.iter().filter(|it| !ever.contains(it.as_str())).collect();
    assert!(never.is_empty(), "said of no fixture: {never:#?}");
    cluster.end().await;
}

/// Lets a user write instances and requests, and nothing else.
async fn allow(cluster: &Cluster, users: &[&str]) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "writers"},
        "rules": [{
            "apiGroups": ["openclaw.rocks"], "verbs": ["create"],
            "resources": ["openclawinstances", "openclawselfconfigs"],
        }],
    });
    let subjects: Vec<Value> = users
        .iter()
        .map(|user| json!({"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}))
        .collect();
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "writers"}, "subjects": subjects,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "writers"},
    });
    for object in [role, binding] {
        cluster.apply(&object).await.expect("it is applied");
    }
}

#[tokio::test]
async fn rights_that_resolve_calls_a_risk_are_given_only_by_those_who_may_escalate() {
    let cluster = Cluster::namespace("rights").await;
    allow(&cluster, &["eve"]).await;
    until_enforced(&cluster).await;
    let mut seen = [0, 0];
    for (fixture, document, problems) in instances(&cluster) {
        let rules = document.pointer("/spec/security/rbac/additionalRules");
        for (index, rule) in rules.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let path = format!("{RULES}[{index}]");
            let risk = problems.iter().any(|it| it.path == path);
            let instance = json!({
                "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
                "metadata": {"name": "ada"},
                "spec": {"security": {"rbac": {"additionalRules": [rule]}}},
            });
            let by_admin = answer(&cluster, None, &instance).await;
            if by_admin.code != 201 {
                continue;
            }
            let answer = answer(&cluster, Some("eve"), &instance).await;
            let expected = if risk { 403 } else { 201 };
            assert_eq!(answer.code, expected, "{fixture} {rule}: {}", answer.text);
            assert_eq!(answer.text.contains("may `escalate` Roles"), risk, "{}", answer.text);
            seen[usize::from(risk)] += 1;
        }
    }
    assert!(seen[0] > 0 && seen[1] > 4, "{seen:?}");
    cluster.end().await;
}

#[tokio::test]
async fn a_request_is_taken_from_the_account_of_its_instance_alone() {
    let cluster = Cluster::namespace("requests").await;
    let account = |name: &str| format!("system:serviceaccount:{}:{name}", cluster.namespace);
    let users = ["ada", "bob", "shared", "other"].map(account);
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    allow(&cluster, &names).await;
    let instance = |name: &str, account: Option<&str>| {
        let rbac = json!({"createServiceAccount": false, "serviceAccountName": account});
        json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
            "metadata": {"name": name},
            "spec": {"security": {"rbac": if account.is_some() { rbac } else { json!({}) }}},
        })
    };
    for (name, account) in
        [("ada", None), ("bob", None), ("cy", Some("shared")), ("dee", Some("shared"))]
    {
        cluster.apply(&instance(name, account)).await.expect("it is applied");
    }
    let request = |name: &str| {
        json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawSelfConfig",
            "metadata": {"name": "one"}, "spec": {"instanceRef": name, "addSkills": ["a"]},
        })
    };
    let code = async |user: &str, name: &str| {
        answer(&cluster, Some(&account(user)), &request(name)).await.code
    };
    let until = tokio::time::Instant::now() + ENFORCED_WITHIN;
    while code("ada", "ada").await != 201 || code("shared", "cy").await != 403 {
        assert!(tokio::time::Instant::now() < until, "the policy never sees the instances");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for (user, name, expected) in [
        ("bob", "bob", 201),
        ("ada", "bob", 403),
        ("ada", "nobody", 403),
        ("other", "ada", 403),
        ("shared", "dee", 403),
    ] {
        assert_eq!(code(user, name).await, expected, "{user} asks for {name}");
    }
    assert_eq!(answer(&cluster, None, &request("ada")).await.code, 403, "an administrator");
    cluster.end().await;
}
