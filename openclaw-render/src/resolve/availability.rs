//! Whether a pod is wanted: replicas, suspension, scaling by load.

use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;

/// Whether no pod is wanted. Replicas that are scaled by load are not set by hand.
pub(crate) fn is_off(spec: &OpenClawInstanceSpec) -> bool {
    let none = spec.replicas == Some(0) && !is_scaled(spec);
    none || spec.suspended.unwrap_or(false)
}

fn is_scaled(spec: &OpenClawInstanceSpec) -> bool {
    let scaling = spec.availability.as_ref().and_then(|each| each.auto_scaling.as_ref());
    scaling.and_then(|each| each.enabled).unwrap_or(false)
}

/// Reports what contradicts itself; scaling by load is not rendered yet.
pub(super) fn check(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    if spec.replicas == Some(0) && is_scaled(spec) {
        cx.ineffective(
            "spec.replicas",
            "has no effect beside `spec.availability.autoScaling`: use `spec.suspended` to switch \
             the agent off",
        );
    }
    if spec.suspended == Some(true) && is_scaled(spec) {
        cx.error(
            "spec.suspended",
            "excludes `spec.availability.autoScaling`: turn one of the two off",
        );
    }
    let scaling = spec.availability.as_ref().and_then(|each| each.auto_scaling.as_ref());
    let bounds = scaling.map(|each| (each.min_replicas, each.max_replicas));
    if let Some((Some(min), Some(max))) = bounds
        && min > max
    {
        cx.error(
            "spec.availability.autoScaling.minReplicas",
            format!("{min} is more than maxReplicas {max}"),
        );
    }
}
