//! `Role`: what the agent may do through the Kubernetes API. By default nothing, since no token is
//! in its pod; the empty Role keeps the name from being used by anyone else.
//!
//! - Present when: always.
//! - Reads: `spec.security.rbac.additionalRules`, rules of the pod's parts.
//! - Restarts pods: never.

use k8s_openapi::api::rbac::v1::Role;

use super::meta;
use crate::pod::Part;
use crate::resolve::Resolved;

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> Role {
    let mut rules = instance.security.rules.clone();
    rules.extend(parts.iter().flat_map(|part| part.rules.iter().cloned()));
    Role {
        metadata: meta::with_owner(instance, instance.name.to_string()),
        rules: Some(rules).filter(|rules| !rules.is_empty()),
    }
}
