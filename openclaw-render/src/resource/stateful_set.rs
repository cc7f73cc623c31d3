//! `StatefulSet`: keeps the one pod of the agent. Its pod comes from `pod/`.
//!
//! - Present when: always; a suspended instance has zero replicas.
//! - Reads: everything that the pod reads.
//! - Restarts pods: when the template changes.
//!
//! Selector, `serviceName`, `podManagementPolicy` and `revisionHistoryLimit` equal those of the Go
//! operator's object, which can so be adopted in place.

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy};

use super::meta;
use crate::pod::{self, Part};
use crate::resolve::Resolved;
use crate::vocab::labels;

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> StatefulSet {
    StatefulSet {
        metadata: meta::with_owner(instance, instance.name.to_string()),
        spec: Some(StatefulSetSpec {
            // A pod stuck in a failing init container must not block the template that mends it.
            pod_management_policy: Some("Parallel".to_owned()),
            replicas: Some(i32::from(!instance.suspended)),
            revision_history_limit: Some(10),
            selector: labels::selector(&instance.name),
            service_name: Some(instance.name.to_string()),
            template: pod::template(instance, parts),
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
