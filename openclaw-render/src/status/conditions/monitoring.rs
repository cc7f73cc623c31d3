//! `MonitoringReady`: whether there are metrics for those who ask for them.

use crate::api::{ConditionType as About, Reason};
use crate::resolve::{Metrics, Resolved};
use crate::status::Statement;

/// Returns what is said of metrics that are asked for.
pub(super) fn statement(resolved: &Resolved) -> Option<Statement> {
    let said = |holds, reason, message: String| {
        Some(Statement::new(About::MonitoringReady, holds, reason, message))
    };
    match resolved.metrics.as_ref()? {
        Metrics::Served(served) => {
            let message = format!("the pod serves metrics on port {}", served.port);
            said(true, Reason::MetricsServed, message)
        }
        Metrics::Nothing(reason) => said(
            false,
            Reason::NoMetrics,
            format!("`spec.observability.metrics` is on, and nothing is served: {reason}"),
        ),
    }
}
