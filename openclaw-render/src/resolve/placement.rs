//! Where the pod may run.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};

use crate::api::OpenClawInstanceSpec;

/// Where the pod may run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Placement {
    pub(crate) node_selector: Option<BTreeMap<String, String>>,
    pub(crate) tolerations: Option<Vec<Toleration>>,
    pub(crate) affinity: Option<Affinity>,
    pub(crate) topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    pub(crate) runtime_class_name: Option<String>,
}

pub(super) fn resolve(spec: &OpenClawInstanceSpec) -> Placement {
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
