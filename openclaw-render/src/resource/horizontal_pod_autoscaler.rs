//! `HorizontalPodAutoscaler`: sets the number of replicas by their load.
//!
//! - Present when: `spec.availability.autoScaling` is on and each replica has a state of its own.
//! - Reads: bounds and targets.
//! - Restarts pods: never.

use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricSource, CrossVersionObjectReference, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
};

use super::meta;
use crate::object::Kind;
use crate::resolve::{Replicas, Resolved};
use crate::vocab::names;

pub(super) fn render(instance: &Resolved) -> Option<HorizontalPodAutoscaler> {
    let replicas = instance.scaled()?;
    Some(HorizontalPodAutoscaler {
        metadata: meta::with_owner(instance, instance.name.to_string()),
        spec: Some(HorizontalPodAutoscalerSpec {
            max_replicas: replicas.most,
            metrics: Some(metrics(replicas)),
            min_replicas: Some(replicas.fewest),
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some(Kind::StatefulSet.api_version().to_owned()),
                kind: Kind::StatefulSet.to_string(),
                name: instance.name.to_string(),
            },
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// Of the agent's container alone: one beside it without a request would leave the whole pod without
/// a measure.
fn metrics(replicas: &Replicas) -> Vec<MetricSpec> {
    let memory = replicas.memory.map(|percent| utilization("memory", percent));
    [utilization("cpu", replicas.cpu)].into_iter().chain(memory).collect()
}

fn utilization(resource: &str, percent: i32) -> MetricSpec {
    MetricSpec {
        container_resource: Some(ContainerResourceMetricSource {
            container: names::AGENT.to_owned(),
            name: resource.to_owned(),
            target: MetricTarget {
                average_utilization: Some(percent),
                type_: "Utilization".to_owned(),
                ..Default::default()
            },
        }),
        type_: "ContainerResource".to_owned(),
        ..Default::default()
    }
}
