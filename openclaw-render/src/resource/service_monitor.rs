//! `ServiceMonitor`: tells a Prometheus of the Prometheus Operator where the metrics are.
//!
//! - Present when: `spec.observability.metrics.serviceMonitor` is on and metrics are served.
//! - Reads: interval, labels.
//! - Restarts pods: never.

use super::meta;
use crate::monitoring::{Endpoint, NamespaceSelector, ServiceMonitor, ServiceMonitorSpec};
use crate::resolve::Resolved;
use crate::vocab::{labels, names};

pub(super) fn render(instance: &Resolved) -> Option<ServiceMonitor> {
    let monitor = instance.served_metrics()?.monitor.as_ref()?;
    let mut metadata = meta::with_owner(instance, instance.name.to_string());
    let users = monitor.labels.iter().map(|(key, value)| (key.clone(), value.clone()));
    metadata.labels.get_or_insert_default().extend(users);
    Some(ServiceMonitor {
        metadata,
        spec: ServiceMonitorSpec {
            endpoints: vec![Endpoint {
                port: names::METRICS_PORT.to_owned(),
                path: "/metrics".to_owned(),
                interval: monitor.interval.clone(),
                // What the agent says of itself must not pass for another target.
                honor_labels: false,
            }],
            namespace_selector: NamespaceSelector { match_names: vec![instance.namespace.clone()] },
            selector: labels::selector(&instance.name),
        },
    })
}
