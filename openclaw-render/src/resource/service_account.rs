//! `ServiceAccount`: the identity of the pod, for cloud providers' workload identity.
//!
//! - Present when: `spec.security.rbac.createServiceAccount` is on.
//! - Reads: name, annotations.
//! - Restarts pods: never; a pod keeps the identity that it started with.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::meta;
use crate::resolve::Resolved;

pub(super) fn render(instance: &Resolved) -> Option<ServiceAccount> {
    let account = &instance.security.service_account;
    if !account.create {
        return None;
    }
    let mut metadata = meta::with_owner(instance, account.name.clone());
    metadata.annotations = Some(account.annotations.clone()).filter(|each| !each.is_empty());
    Some(ServiceAccount {
        metadata,
        automount_service_account_token: Some(false),
        ..Default::default()
    })
}
