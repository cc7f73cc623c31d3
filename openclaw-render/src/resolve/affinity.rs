//! Nodes and pods that the agent's pod seeks or avoids: what the API server would refuse of them.

use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm,
    WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::context::Resolving;
use super::selectors;
use crate::vocab::grammar::{is_label, is_subdomain};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn check(path: &str, affinity: &Affinity, cx: &mut Resolving<'_>) {
    if let Some(nodes) = &affinity.node_affinity {
        check_nodes(&format!("{path}.nodeAffinity"), nodes, cx);
    }
    let pods = affinity.pod_affinity.as_ref().map(|pods| {
        let required = pods.required_during_scheduling_ignored_during_execution.as_deref();
        ("podAffinity", required, &pods.preferred_during_scheduling_ignored_during_execution)
    });
    let others = affinity.pod_anti_affinity.as_ref().map(|pods| {
        let required = pods.required_during_scheduling_ignored_during_execution.as_deref();
        ("podAntiAffinity", required, &pods.preferred_during_scheduling_ignored_during_execution)
    });
    for (field, required, preferred) in pods.into_iter().chain(others) {
        for (index, term) in required.into_iter().flatten().enumerate() {
            check_pods(&format!("{path}.{field}.{REQUIRED}[{index}]"), term, cx);
        }
        for (index, weighted) in preferred.iter().flatten().enumerate() {
            let path = format!("{path}.{field}.{PREFERRED}[{index}]");
            let WeightedPodAffinityTerm { weight, pod_affinity_term } = weighted;
            check_weight(&path, *weight, cx);
            check_pods(&format!("{path}.podAffinityTerm"), pod_affinity_term, cx);
        }
    }
}

fn check_nodes(path: &str, nodes: &NodeAffinity, cx: &mut Resolving<'_>) {
    if let Some(required) = &nodes.required_during_scheduling_ignored_during_execution {
        let path = format!("{path}.{REQUIRED}.nodeSelectorTerms");
        if required.node_selector_terms.is_empty() {
            cx.error(path.as_str(), "is empty: write a term, or leave the requirement out");
        }
        for (index, term) in required.node_selector_terms.iter().enumerate() {
            let path = format!("{path}[{index}]");
            check_term(&path, term, cx);
            for (index, each) in term.match_expressions.iter().flatten().enumerate() {
                let path = format!("{path}.matchExpressions[{index}]");
                selectors::check_values(&path, each.values.as_deref().unwrap_or_default(), cx);
            }
        }
    }
    let preferred = nodes.preferred_during_scheduling_ignored_during_execution.iter().flatten();
    for (index, preferred) in preferred.enumerate() {
        let path = format!("{path}.{PREFERRED}[{index}]");
        check_weight(&path, preferred.weight, cx);
        // Values that no label has are taken here.
        check_term(&format!("{path}.preference"), &preferred.preference, cx);
    }
}

fn check_weight(path: &str, weight: i32, cx: &mut Resolving<'_>) {
    if !(1..=100).contains(&weight) {
        cx.error(format!("{path}.weight"), format!("{weight} is no weight: write 1 to 100"));
    }
}

fn check_term(path: &str, term: &NodeSelectorTerm, cx: &mut Resolving<'_>) {
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        check_expression(&format!("{path}.matchExpressions[{index}]"), requirement, cx);
    }
    for (index, requirement) in term.match_fields.iter().flatten().enumerate() {
        check_field(&format!("{path}.matchFields[{index}]"), requirement, cx);
    }
}

fn check_expression(path: &str, requirement: &NodeSelectorRequirement, cx: &mut Resolving<'_>) {
    let NodeSelectorRequirement { key, operator, values } = requirement;
    let values = values.as_deref().unwrap_or_default();
    match operator.as_str() {
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {
            selectors::check_count(path, operator, values, cx);
        }
        "Gt" | "Lt" => match values {
            [bound] if bound.parse::<i64>().is_ok() => {}
            [bound] => cx.ineffective(
                format!("{path}.values[0]"),
                format!("{bound:?} is no whole number, so that no node matches: write one"),
            ),
            _ => cx.error(
                format!("{path}.values"),
                format!("has {} values, and `{operator}` compares with one", values.len()),
            ),
        },
        other => cx.error(
            format!("{path}.operator"),
            format!(
                "{other:?} is no operator: use `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or \
                 `Lt`"
            ),
        ),
    }
    selectors::check_key(&format!("{path}.key"), key, cx);
}

fn check_field(path: &str, requirement: &NodeSelectorRequirement, cx: &mut Resolving<'_>) {
    let NodeSelectorRequirement { key, operator, values } = requirement;
    let values = values.as_deref().unwrap_or_default();
    if !matches!(operator.as_str(), "In" | "NotIn") {
        cx.error(
            format!("{path}.operator"),
            format!("{operator:?} is no operator for fields: use `In` or `NotIn`"),
        );
    } else if values.len() != 1 {
        cx.error(
            format!("{path}.values"),
            format!("has {} values, and one is compared with a field", values.len()),
        );
    }
    if key != "metadata.name" {
        cx.error(
            format!("{path}.key"),
            format!("{key:?} is no field to choose nodes by: use `metadata.name`"),
        );
        return;
    }
    for (index, name) in values.iter().enumerate().filter(|(_, name)| !is_subdomain(name)) {
        cx.error(format!("{path}.values[{index}]"), format!("{name:?} cannot name a node"));
    }
}

fn check_pods(path: &str, term: &PodAffinityTerm, cx: &mut Resolving<'_>) {
    let selector = term.label_selector.as_ref();
    selectors::check(&format!("{path}.labelSelector"), selector, cx);
    let namespaces = term.namespace_selector.as_ref();
    selectors::check(&format!("{path}.namespaceSelector"), namespaces, cx);
    for (index, name) in term.namespaces.iter().flatten().enumerate() {
        if !is_label(name) {
            cx.error(
                format!("{path}.namespaces[{index}]"),
                format!("{name:?} cannot name a namespace"),
            );
        }
    }
    let matching = term.match_label_keys.as_deref().unwrap_or_default();
    let differing = term.mismatch_label_keys.as_deref().unwrap_or_default();
    check_label_keys(&format!("{path}.matchLabelKeys"), matching, selector, cx);
    check_label_keys(&format!("{path}.mismatchLabelKeys"), differing, selector, cx);
    for (index, key) in matching.iter().enumerate().filter(|(_, key)| differing.contains(key)) {
        cx.error(
            format!("{path}.matchLabelKeys[{index}]"),
            format!("{key:?} is in `mismatchLabelKeys`, too: leave it in one of the two"),
        );
    }
    check_topology_key(path, &term.topology_key, cx);
}

fn check_topology_key(path: &str, key: &str, cx: &mut Resolving<'_>) {
    let path = format!("{path}.topologyKey");
    if key.is_empty() {
        cx.error(path, "is missing: write for example `kubernetes.io/hostname`");
    } else {
        selectors::check_key(&path, key, cx);
    }
}

/// Checks keys of labels whose values are those of the pod itself.
pub(super) fn check_label_keys(
    path: &str,
    keys: &[String],
    selector: Option<&LabelSelector>,
    cx: &mut Resolving<'_>,
) {
    if selector.is_none() && !keys.is_empty() {
        cx.error(path, "needs `labelSelector` beside it");
        return;
    }
    for (index, key) in keys.iter().enumerate() {
        selectors::check_key(&format!("{path}[{index}]"), key, cx);
    }
}
