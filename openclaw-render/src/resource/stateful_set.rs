//! `StatefulSet`: keeps the one pod of the agent. Its pod comes from `pod/`.
//!
//! - Present when: always; an instance that is off has zero replicas. One that is scaled by load has as
//!   many as its HorizontalPodAutoscaler says, who owns the number from the first change on.
//! - Reads: everything that the pod reads.
//! - Restarts pods: when the template changes.
//!
//! Selector, `serviceName`, `podManagementPolicy` and `revisionHistoryLimit` equal those of the Go
//! operator's object, which can so be adopted in place.

use k8s_openapi::api::apps::v1::{
    StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec,
    StatefulSetUpdateStrategy,
};

use super::meta;
use crate::pod::{self, Part};
use crate::resolve::{DataVolume, Resolved};
use crate::vocab::labels;

pub(super) fn render(instance: &Resolved, parts: Vec<Part>) -> StatefulSet {
    let templates = match &instance.storage.volume {
        DataVolume::OfReplicas { templates, .. } => Some(templates.clone()),
        DataVolume::Made { .. } | DataVolume::Existing(_) | DataVolume::Ephemeral(_) => None,
    };
    StatefulSet {
        metadata: meta::with_owner(instance, instance.name.to_string()),
        spec: Some(StatefulSetSpec {
            // A replica that goes leaves its state, and so does the whole set.
            persistent_volume_claim_retention_policy: templates.is_some().then(kept),
            // A pod stuck in a failing init container must not block the template that mends it.
            pod_management_policy: Some("Parallel".to_owned()),
            replicas: instance.replicas(),
            revision_history_limit: Some(10),
            selector: labels::selector(&instance.name),
            service_name: Some(instance.name.to_string()),
            template: pod::template(instance, parts),
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                ..Default::default()
            }),
            volume_claim_templates: templates,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn kept() -> StatefulSetPersistentVolumeClaimRetentionPolicy {
    StatefulSetPersistentVolumeClaimRetentionPolicy {
        when_deleted: Some("Retain".to_owned()),
        when_scaled: Some("Retain".to_owned()),
    }
}
