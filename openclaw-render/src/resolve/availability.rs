//! Replicas, suspension and scaling by load: what of them contradicts itself.

use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;
use crate::power::is_scaled_by_load;

/// Reports what contradicts itself.
pub(super) fn check(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    if spec.replicas == Some(0) && is_scaled_by_load(spec) {
        cx.ineffective(
            "spec.replicas",
            "has no effect beside `spec.availability.autoScaling`: use `spec.suspended` to switch \
             the agent off",
        );
    }
    if spec.suspended == Some(true) && is_scaled_by_load(spec) {
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
