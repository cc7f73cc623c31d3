//! Probes, placement and annotations of the pod.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};

use super::context::Resolving;
use super::defaults::{DISK_MIN_FREE, MAX_UNAVAILABLE, text};
use super::resources::checked;
use crate::api::{OpenClawInstanceSpec, ProbeSpec, ProbesSpec};
use crate::quantity::{self, Quantity};
use crate::vocab::{annotations, paths};

/// The agent's probes; `None` for one that is off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Probes {
    pub(crate) startup: Option<Timing>,
    pub(crate) readiness: Option<Timing>,
    pub(crate) liveness: Option<Timing>,
    pub(crate) disk: Option<DiskCheck>,
}

/// When a probe runs; seconds, but for the last field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) initial_delay: i32,
    pub(crate) period: i32,
    pub(crate) timeout: i32,
    pub(crate) failures: i32,
}

/// Free space that readiness asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskCheck {
    pub(crate) path: String,
    pub(crate) min_free_bytes: u64,
}

/// Where the pod may run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Placement {
    pub(crate) node_selector: Option<BTreeMap<String, String>>,
    pub(crate) tolerations: Option<Vec<Toleration>>,
    pub(crate) affinity: Option<Affinity>,
    pub(crate) topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    pub(crate) runtime_class_name: Option<String>,
}

const STARTUP: Timing = Timing { initial_delay: 5, period: 5, timeout: 3, failures: 60 };
const READINESS: Timing = Timing { initial_delay: 5, period: 5, timeout: 3, failures: 3 };
const LIVENESS: Timing = Timing { initial_delay: 30, period: 10, timeout: 5, failures: 3 };

pub(super) fn probes(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Probes {
    let probes = spec.probes.clone().unwrap_or_default();
    Probes {
        startup: timing("startup", probes.startup.as_ref(), STARTUP, cx),
        readiness: timing("readiness", probes.readiness.as_ref(), READINESS, cx),
        liveness: timing("liveness", probes.liveness.as_ref(), LIVENESS, cx),
        disk: disk(&probes, cx),
    }
}

fn timing(
    name: &str,
    spec: Option<&ProbeSpec>,
    default: Timing,
    cx: &mut Resolving<'_>,
) -> Option<Timing> {
    let spec = spec.cloned().unwrap_or_default();
    let mut number = |field: &str, value: Option<i32>, default: i32, least: i32| {
        let value = value.unwrap_or(default);
        if value < least {
            cx.error(
                format!("spec.probes.{name}.{field}"),
                format!("{value} is too small: use {least} or more"),
            );
        }
        value
    };
    let timing = Timing {
        initial_delay: number(
            "initialDelaySeconds",
            spec.initial_delay_seconds,
            default.initial_delay,
            0,
        ),
        period: number("periodSeconds", spec.period_seconds, default.period, 1),
        timeout: number("timeoutSeconds", spec.timeout_seconds, default.timeout, 1),
        failures: number("failureThreshold", spec.failure_threshold, default.failures, 1),
    };
    spec.enabled.unwrap_or(true).then_some(timing)
}

fn disk(probes: &ProbesSpec, cx: &mut Resolving<'_>) -> Option<DiskCheck> {
    let disk = probes.disk_readiness.clone()?;
    let path = text(disk.path.as_ref()).unwrap_or(paths::STATE);
    if !path.starts_with('/') || path.split('/').any(|segment| segment == "..") {
        cx.error(
            "spec.probes.diskReadiness.path",
            format!("{path:?} is not an absolute path without `..`"),
        );
    }
    let min_free = checked("spec.probes.diskReadiness.minFree", disk.min_free, cx);
    let bytes = quantity::parse(min_free.as_deref().unwrap_or(DISK_MIN_FREE)).ok();
    let min_free_bytes = bytes.and_then(Quantity::bytes).unwrap_or_default();
    let check = DiskCheck { path: path.to_owned(), min_free_bytes };
    disk.enabled.unwrap_or(false).then_some(check)
}

pub(super) fn placement(spec: &OpenClawInstanceSpec) -> Placement {
    let Some(availability) = spec.availability.clone() else { return Placement::default() };
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

/// How many pods an eviction may take down; `None` without a budget.
pub(super) fn disruption_budget(
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Option<i32> {
    let budget = spec.availability.as_ref().and_then(|each| each.pod_disruption_budget.clone());
    let budget = budget.unwrap_or_default();
    let max_unavailable = budget.max_unavailable.unwrap_or(MAX_UNAVAILABLE);
    let path = "spec.availability.podDisruptionBudget.maxUnavailable";
    if max_unavailable < 0 {
        cx.error(path, "must be 0 or more");
    } else if max_unavailable == 0 && budget.enabled != Some(false) {
        cx.risk(
            path,
            "0 forbids every eviction: draining the node waits until the budget is changed",
        );
    }
    budget.enabled.unwrap_or(true).then_some(max_unavailable)
}

/// The user's annotations of the pod, less those that belong to the operator.
pub(super) fn annotations(
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> BTreeMap<String, String> {
    let mut annotations = spec.pod_annotations.clone().unwrap_or_default();
    annotations.retain(|key, _| {
        let ours = key.starts_with(annotations::PREFIX);
        if ours {
            cx.ineffective(
                format!("spec.podAnnotations[{key:?}]"),
                "has no effect: keys with this prefix belong to the operator",
            );
        }
        !ours
    });
    annotations
}
