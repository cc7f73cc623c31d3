//! What the Service in front of the agent is like.

use std::collections::BTreeMap;

use crate::api::{OpenClawInstanceSpec, ServiceType};

/// What the Service is like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Service {
    pub(crate) service_type: ServiceType,
    pub(crate) annotations: BTreeMap<String, String>,
}

pub(super) fn resolve(spec: &OpenClawInstanceSpec) -> Service {
    let service = spec.networking.as_ref().and_then(|networking| networking.service.clone());
    let service = service.unwrap_or_default();
    Service {
        service_type: service.type_.unwrap_or(ServiceType::ClusterIP),
        annotations: service.annotations.unwrap_or_default(),
    }
}
