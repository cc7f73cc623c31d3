//! `PodDisruptionBudget`: how many of the instance's pods an eviction may take down. With one pod
//! and the default of 1 it never blocks a drain; with 0 it always does.
//!
//! - Present when: `spec.availability.podDisruptionBudget` is on and the instance runs.
//! - Reads: name, selector labels, `maxUnavailable`.
//! - Restarts pods: never.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::meta;
use crate::resolve::Resolved;
use crate::vocab::labels;

pub(super) fn render(instance: &Resolved) -> Option<PodDisruptionBudget> {
    let max_unavailable = instance.disruption_budget.filter(|_| !instance.suspended)?;
    Some(PodDisruptionBudget {
        metadata: meta::with_owner(instance, instance.name.to_string()),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(max_unavailable)),
            selector: Some(labels::selector(&instance.name)),
            // A pod that is not healthy protects nothing and must not block a drain.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    })
}
