//! A spec in which as much as possible can be left out, and what is.

use serde_json::Value;

use crate::support::random::Random;

/// What is taken out, at least one case for every kind, and those that were once forgotten.
pub(crate) const REMOVED: &[&[&str]] = &[
    &["/security/networkPolicy/additionalEgress/1/ports/0/endPort"],
    &["/security/networkPolicy/additionalEgress/0/to/0/ipBlock/except"],
    &["/security/networkPolicy/additionalEgress/0/to/0/ipBlock/except/1"],
    &["/security/networkPolicy/additionalEgress/0/to/1/namespaceSelector"],
    &["/security/networkPolicy/additionalEgress/0/to/1/podSelector"],
    &["/security/networkPolicy/additionalEgress/0/to/1/podSelector/matchLabels"],
    &["/security/networkPolicy/additionalEgress/0/to"],
    &["/security/networkPolicy/additionalEgress/0/ports"],
    &[
        "/security/networkPolicy/additionalEgress/1/ports/0/port",
        "/security/networkPolicy/additionalEgress/1/ports/0/endPort",
    ],
    &[
        "/security/networkPolicy/additionalEgress/1/ports",
        "/security/networkPolicy/additionalEgress/1/to",
    ],
    &["/security/networkPolicy/additionalEgress"],
    &["/security/networkPolicy/allowedIngressCIDRs"],
    &["/security/networkPolicy"],
    &["/security/rbac/additionalRules/0/verbs/1"],
    &["/security/rbac/additionalRules"],
    &["/security/rbac/serviceAccountAnnotations/example.com~1role"],
    &["/security/rbac/serviceAccountName"],
    &["/networking/service/annotations"],
    &["/networking/ingress/hosts/1"],
    &["/networking/ingress/tls"],
    &["/networking/ingress/annotations"],
    &["/networking/service/ports/1", "/networking/ingress/hosts/1"],
    &["/networking"],
    &["/config/raw/logging/file"],
    &["/workspace/initialFiles/SOUL.md"],
    &["/availability/podDisruptionBudget/maxUnavailable"],
    &[
        "/availability/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm/namespaceSelector",
    ],
    &[
        "/availability/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/preference/matchFields",
    ],
    &["/availability/tolerations/0/tolerationSeconds"],
    &["/availability/topologySpreadConstraints/0/matchLabelKeys"],
    &["/env/3/valueFrom/secretKeyRef/optional"],
    &["/envFrom/0/prefix"],
    &["/backup/serviceAccountName"],
    &["/backup"],
    &["/probes/liveness/timeoutSeconds"],
    &["/shareProcessNamespace"],
];

pub(crate) fn spec() -> Value {
    serde_saphyr::from_str(include_str!("../removed.yaml")).expect("YAML")
}

/// Takes something out. Whether it was there.
pub(crate) fn remove(value: &mut Value, pointer: &str) -> bool {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let last = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&last).is_some(),
        Some(Value::Array(items)) => {
            let index = last.parse().ok().filter(|index| *index < items.len());
            index.map(|index: usize| items.remove(index)).is_some()
        }
        _ => false,
    }
}

/// Every place below a value, deepest last.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, child)| (name.replace('~', "~0").replace('/', "~1"), child))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, child) in children {
        let place = format!("{pointer}/{name}");
        found.push(place.clone());
        places(child, &place, found);
    }
}

/// The spec with a few things taken out.
pub(crate) fn less(random: &mut Random) -> Value {
    let mut less = spec();
    for _ in 0..=random.below(6) {
        let mut all = Vec::new();
        places(&less, "", &mut all);
        let count = u64::try_from(all.len()).expect("few");
        let chosen = usize::try_from(random.below(count)).expect("an index");
        assert!(remove(&mut less, &all[chosen]));
    }
    less
}
