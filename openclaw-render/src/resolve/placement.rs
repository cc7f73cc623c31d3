//! Where the pod may run.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};

use super::context::Resolving;
use super::{affinity, selectors};
use crate::api::OpenClawInstanceSpec;
use crate::vocab::grammar::is_label_value;

const PATH: &str = "spec.availability";
const NO_EXECUTE: &str = "NoExecute";
const DO_NOT_SCHEDULE: &str = "DoNotSchedule";

/// Where the pod may run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Placement {
    pub(crate) node_selector: Option<BTreeMap<String, String>>,
    pub(crate) tolerations: Option<Vec<Toleration>>,
    pub(crate) affinity: Option<Affinity>,
    pub(crate) topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    pub(crate) runtime_class_name: Option<String>,
}

/// What is placed nowhere would be refused with the pod.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Placement {
    let Some(availability) = spec.availability.clone() else { return Placement::default() };
    for (index, toleration) in availability.tolerations.iter().flatten().enumerate() {
        check_toleration(&format!("{PATH}.tolerations[{index}]"), toleration, cx);
    }
    if let Some(affinity) = &availability.affinity {
        affinity::check(&format!("{PATH}.affinity"), affinity, cx);
    }
    check_spread(availability.topology_spread_constraints.as_deref().unwrap_or_default(), cx);
    Placement {
        node_selector: availability.node_selector.filter(|labels| !labels.is_empty()),
        tolerations: availability.tolerations.filter(|list| !list.is_empty()),
        affinity: availability.affinity,
        topology_spread_constraints: availability
            .topology_spread_constraints
            .filter(|list| !list.is_empty()),
        runtime_class_name: availability.runtime_class_name.filter(|name| !name.is_empty()),
    }
}

fn check_toleration(path: &str, toleration: &Toleration, cx: &mut Resolving<'_>) {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (key, value) = (text(&toleration.key), text(&toleration.value));
    let (operator, effect) = (text(&toleration.operator), text(&toleration.effect));
    match operator.as_str() {
        "" | "Equal" if !is_label_value(&value) => {
            cx.error(format!("{path}.value"), format!("{value:?} cannot be the value of a taint"));
        }
        "Exists" if !value.is_empty() => {
            cx.error(
                format!("{path}.value"),
                "has no meaning for `Exists`: remove it, or write `operator: Equal`",
            );
        }
        "Gt" | "Lt" if !is_whole(&value) => {
            cx.error(
                format!("{path}.value"),
                format!("{value:?} is no whole number for `{operator}` to compare with"),
            );
        }
        "Gt" | "Lt" => cx.ineffective(
            format!("{path}.operator"),
            format!(
                "is refused where the API server's feature `TaintTolerationComparisonOperators` is \
                 off, as it is unless somebody has turned it on: without it no pod with \
                 `{operator}` is made"
            ),
        ),
        "" | "Equal" | "Exists" => {}
        other => cx.error(
            format!("{path}.operator"),
            format!("{other:?} is no operator: use `Equal` or `Exists`"),
        ),
    }
    if !key.is_empty() {
        selectors::check_key(&format!("{path}.key"), &key, cx);
    } else if matches!(operator.as_str(), "" | "Equal" | "Gt" | "Lt") {
        cx.error(
            format!("{path}.key"),
            "is missing: name a taint, or write `operator: Exists` for all of them",
        );
    }
    if !matches!(effect.as_str(), "" | "NoSchedule" | "PreferNoSchedule" | NO_EXECUTE) {
        cx.error(
            format!("{path}.effect"),
            format!(
                "{effect:?} is no effect: use `NoSchedule`, `PreferNoSchedule` or `{NO_EXECUTE}`"
            ),
        );
    } else if toleration.toleration_seconds.is_some() && effect != NO_EXECUTE {
        cx.error(
            format!("{path}.tolerationSeconds"),
            format!("has a meaning for `effect: {NO_EXECUTE}` alone"),
        );
    }
}

/// Whether it is a number as it is printed again.
fn is_whole(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}

fn check_spread(constraints: &[TopologySpreadConstraint], cx: &mut Resolving<'_>) {
    let mut taken = BTreeSet::new();
    for (index, constraint) in constraints.iter().enumerate() {
        let path = format!("{PATH}.topologySpreadConstraints[{index}]");
        let action = constraint.when_unsatisfiable.as_str();
        if constraint.max_skew < 1 {
            cx.error(
                format!("{path}.maxSkew"),
                format!("{} is too small: use 1 or more", constraint.max_skew),
            );
        }
        if constraint.topology_key.is_empty() {
            cx.error(
                format!("{path}.topologyKey"),
                "is missing: write for example `topology.kubernetes.io/zone`",
            );
        }
        if !matches!(action, DO_NOT_SCHEDULE | "ScheduleAnyway") {
            cx.error(
                format!("{path}.whenUnsatisfiable"),
                format!("{action:?} is no choice: use `{DO_NOT_SCHEDULE}` or `ScheduleAnyway`"),
            );
        }
        if !taken.insert((constraint.topology_key.as_str(), action)) {
            cx.error(
                path.as_str(),
                "has the same `topologyKey` and `whenUnsatisfiable` as one before: remove one",
            );
        }
        match constraint.min_domains {
            Some(domains) if domains < 1 => {
                cx.error(
                    format!("{path}.minDomains"),
                    format!("{domains} is too small: use 1 or more"),
                );
            }
            Some(_) if action != DO_NOT_SCHEDULE => {
                cx.error(
                    format!("{path}.minDomains"),
                    format!("needs `whenUnsatisfiable: {DO_NOT_SCHEDULE}`"),
                );
            }
            _ => {}
        }
        let policies = [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ];
        for (field, policy) in policies {
            let is_known = |policy: &&String| matches!(policy.as_str(), "Honor" | "Ignore");
            if let Some(policy) = policy.as_ref().filter(|policy| !is_known(policy)) {
                cx.error(
                    format!("{path}.{field}"),
                    format!("{policy:?} is no choice: use `Honor` or `Ignore`"),
                );
            }
        }
        let selector = constraint.label_selector.as_ref();
        selectors::check(&format!("{path}.labelSelector"), selector, cx);
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        affinity::check_label_keys(&format!("{path}.matchLabelKeys"), keys, selector, cx);
    }
}
