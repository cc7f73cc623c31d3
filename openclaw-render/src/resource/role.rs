//! `Role`: what the agent may do through the Kubernetes API. By default nothing, since no token is
//! in its pod; the empty Role keeps the name from being used by anyone else.
//!
//! - Present when: always.
//! - Reads: `spec.security.rbac.additionalRules`.
//! - Restarts pods: never.

use k8s_openapi::api::rbac::v1::Role;

use crate::resolve::Resolved;
use crate::vocab::meta;

pub(super) fn render(instance: &Resolved) -> Role {
    Role {
        metadata: meta::owned(instance, instance.name.to_string()),
        rules: Some(instance.security.rules.clone()).filter(|rules| !rules.is_empty()),
    }
}
