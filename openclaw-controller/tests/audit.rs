//! What the operator did in all other tests, as the API server's audit log tells it, against what
//! the chart lets it do.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

mod support;

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::Api;
use serde_json::Value;
use support::cluster::{Cluster, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};

/// Group, resource with subresource, verb.
type Right = (String, String, String);

/// Rights that the chart grants and no test sees used, and why they are granted all the same.
const UNUSED: &[(&str, &str, &str)] = &[
    ("pods", "get", "passed on to agents by additionalRules"),
    ("secrets", "update", "passed on to agents in a tailnet, for one Secret"),
    ("secrets", "patch", "passed on to agents in a tailnet, for one Secret"),
    ("persistentvolumeclaims", "delete", "owner references, where they are guarded"),
    ("openclawinstances/finalizers", "update", "owner references, where they are guarded"),
    ("agentinstances/finalizers", "update", "owner references, where they are guarded"),
    ("agentinstances", "get", "one that is too large to be kept is read by each pass"),
    ("openclawinstances", "create", "an apply that creates"),
    ("openclawselfconfigs", "delete", "an hour after the end of a request"),
    ("openclawclusterdefaults", "get", "granted with list: what may be listed may be got"),
    ("events", "patch", "an event that repeats within minutes is counted"),
    ("serviceaccounts", "create", "an apply that creates"),
    ("services", "create", "an apply that creates"),
    ("configmaps", "create", "an apply that creates"),
    ("statefulsets", "create", "an apply that creates"),
    ("roles", "create", "an apply that creates"),
    ("rolebindings", "create", "an apply that creates"),
    ("networkpolicies", "create", "an apply that creates"),
    ("ingresses", "create", "an apply that creates"),
    ("horizontalpodautoscalers", "create", "an apply that creates"),
    ("poddisruptionbudgets", "create", "an apply that creates"),
    ("servicemonitors", "create", "an apply that creates"),
    ("cronjobs", "create", "an apply that creates"),
    ("cronjobs", "delete", "no agent here stops to ask for backups"),
    ("cronjobs", "get", "no agent here asks for backups"),
    ("cronjobs", "patch", "no agent here asks for backups"),
    ("cronjobs", "watch", "no agent here asks for backups"),
    ("jobs", "create", "no agent here restores a backup"),
    ("jobs", "delete", "no agent here restores a backup"),
    ("jobs", "get", "no agent here restores a backup"),
    ("jobs", "watch", "no agent here asks for backups"),
    ("horizontalpodautoscalers", "get", "one that only the operator writes is known by its watch"),
    ("httproutes", "create", "no agent here asks for a route"),
    ("httproutes", "delete", "no agent here asks for a route"),
    ("httproutes", "get", "no agent here asks for a route"),
    ("httproutes", "patch", "no agent here asks for a route"),
    ("middlewares", "create", "no agent here is behind Traefik"),
    ("middlewares", "delete", "no agent here is behind Traefik"),
    ("middlewares", "get", "no agent here is behind Traefik"),
    ("middlewares", "patch", "no agent here is behind Traefik"),
    ("prometheusrules", "create", "no agent here asks for alerts"),
    ("prometheusrules", "delete", "no agent here asks for alerts"),
    ("prometheusrules", "get", "no agent here asks for alerts"),
    ("prometheusrules", "patch", "no agent here asks for alerts"),
    ("prometheusrules", "watch", "no agent here asks for alerts"),
    ("roles", "delete", "an agent's Role goes with a ServiceAccount of another name"),
    ("rolebindings", "delete", "an agent's Role goes with a ServiceAccount of another name"),
    ("services", "delete", "pruned once its name is not rendered any more"),
    ("statefulsets", "delete", "pruned once its name is not rendered any more"),
    ("configmaps", "delete", "pruned once its name is not rendered any more"),
];

/// Namespaces of tests that ask for what the operator may not do, or take away what it needs.
const REFUSED_ON_PURPOSE: &[&str] = &["definition-", "grant-"];

fn requests() -> Vec<Value> {
    let path = std::env::var("OPENCLAW_AUDIT_LOG").expect(
        "OPENCLAW_AUDIT_LOG names no file: a cluster of one's own must log the requests of \
         system:serviceaccount:openclaw-operator-system:openclaw-operator at level Metadata",
    );
    let text = std::fs::read_to_string(path).expect("the audit log is read");
    let user = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}");
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let ours: Vec<Value> = all.filter(|entry| entry["user"]["username"] == user).collect();
    assert!(!ours.is_empty(), "the operator has asked for nothing");
    ours
}

fn on_purpose(namespace: &str) -> bool {
    REFUSED_ON_PURPOSE.iter().any(|prefix| namespace.starts_with(prefix))
}

/// Refusals that no right would prevent: the policy about requests is tried, a namespace that is being deleted takes nothing new, one
/// may have a quota, and an API server needs a while until it knows a new definition as an owner.
fn passes(message: &str) -> bool {
    ["being terminated", "exceeded quota", "cannot find RESTMapping", "ValidatingAdmissionPolicy"]
        .iter()
        .any(|reason| message.contains(reason))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn right(entry: &Value) -> Right {
    let object = &entry["objectRef"];
    let resource = match object["subresource"].as_str() {
        Some(subresource) => format!("{}/{subresource}", text(&object["resource"])),
        None => text(&object["resource"]),
    };
    (text(&object["apiGroup"]), resource, text(&entry["verb"]))
}

fn granted_by(rules: &[PolicyRule]) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for rule in rules {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for verb in &rule.verbs {
                    rights.insert((group.clone(), resource.clone(), verb.clone()));
                }
            }
        }
    }
    rights
}

async fn granted() -> BTreeSet<Right> {
    let cluster = Cluster::namespace("audit").await;
    let roles: Api<ClusterRole> = Api::all(cluster.client.clone());
    let role = roles.get("openclaw-operator-manager-role").await.expect("the chart is installed");
    let mut rights = granted_by(&role.rules.expect("rules"));
    let roles: Api<Role> = Api::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    let role = roles.get("openclaw-operator-leader-election-role").await.expect("installed");
    rights.extend(granted_by(&role.rules.expect("rules")));
    cluster.end().await;
    rights
}

#[test]
fn the_operator_is_refused_nothing_that_it_needs() {
    let refused: BTreeSet<(Right, String)> = requests()
        .iter()
        .filter(|entry| entry["responseStatus"]["code"] == 403)
        .filter(|entry| !on_purpose(&text(&entry["objectRef"]["namespace"])))
        .filter(|entry| !passes(&text(&entry["responseStatus"]["message"])))
        .map(|entry| (right(entry), entry["responseStatus"]["message"].to_string()))
        .collect();
    assert_eq!(refused, BTreeSet::new());
}

#[tokio::test]
async fn every_right_is_used_or_has_a_reason() {
    let used: BTreeSet<Right> = requests().iter().map(right).collect();
    let granted = granted().await;
    let excused = |right: &Right| {
        UNUSED.iter().any(|(resource, verb, _)| right.1 == *resource && right.2 == *verb)
    };
    let unused: Vec<&Right> =
        granted.iter().filter(|right| !used.contains(*right) && !excused(right)).collect();
    assert!(unused.is_empty(), "granted and never used: {unused:#?}");
    for (resource, verb, reason) in UNUSED {
        let there = granted.iter().any(|right| right.1 == *resource && right.2 == *verb);
        assert!(there, "{verb} on {resource} ({reason}) is not granted");
    }
    assert!(!granted.iter().any(|(group, resource, verb)| {
        [group, resource, verb].iter().any(|each| each.contains('*'))
            || matches!(verb.as_str(), "escalate" | "bind" | "impersonate")
    }));
}
