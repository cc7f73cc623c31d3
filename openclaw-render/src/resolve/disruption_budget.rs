//! How many pods an eviction may take down.

use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;

/// Without a word of the user's.
const MAX_UNAVAILABLE: i32 = 1;

/// Returns the number; `None` without a budget.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Option<i32> {
    let budget = spec.availability.as_ref().and_then(|each| each.pod_disruption_budget.clone());
    let budget = budget.unwrap_or_default();
    let max_unavailable = budget.max_unavailable.unwrap_or(MAX_UNAVAILABLE);
    let path = "spec.availability.podDisruptionBudget.maxUnavailable";
    if max_unavailable == 0 && budget.enabled != Some(false) {
        cx.risk(
            path,
            "0 forbids every eviction: draining the node waits until the budget is changed",
        );
    }
    budget.enabled.unwrap_or(true).then_some(max_unavailable)
}
