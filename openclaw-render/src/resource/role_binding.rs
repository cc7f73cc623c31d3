//! `RoleBinding`: gives the Role to the pod's ServiceAccount, also to one that is not ours.
//!
//! - Present when: always.
//! - Reads: the ServiceAccount's name.
//! - Restarts pods: never.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding, RoleRef, Subject};

use super::meta;
use crate::resolve::Resolved;

pub(super) fn render(instance: &Resolved) -> RoleBinding {
    RoleBinding {
        metadata: meta::with_owner(instance, instance.name.to_string()),
        role_ref: RoleRef {
            api_group: <Role as k8s_openapi::Resource>::GROUP.to_owned(),
            kind: <Role as k8s_openapi::Resource>::KIND.to_owned(),
            name: instance.name.to_string(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: instance.security.service_account.name.clone(),
            namespace: Some(instance.namespace.clone()),
            ..Default::default()
        }]),
    }
}
