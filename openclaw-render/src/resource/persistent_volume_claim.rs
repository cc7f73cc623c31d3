//! `PersistentVolumeClaim`s of the pod's parts: made once, then only made larger.
//!
//! - Present when: a part has one; that of the state if `spec.storage.persistence` is on and names
//!   no claim of the user's.
//! - Reads: the parts' claims.
//! - Restarts pods: never.
//!
//! A claim that outlives the instance carries no owner reference from the start, so that no crash
//! between two writes can lose it.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use super::meta;
use crate::pod::part::{Claim, Part};
use crate::resolve::Resolved;

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> Vec<PersistentVolumeClaim> {
    let claims = parts.iter().flat_map(|part| &part.claims);
    claims.map(|claim| render_one(instance, claim)).collect()
}

fn render_one(instance: &Resolved, claim: &Claim) -> PersistentVolumeClaim {
    let mut metadata = if claim.outlives_instance {
        meta::without_owner(instance, claim.name.clone())
    } else {
        meta::with_owner(instance, claim.name.clone())
    };
    metadata.annotations = Some(claim.annotations.clone()).filter(|each| !each.is_empty());
    PersistentVolumeClaim { metadata, spec: Some(claim.spec.clone()), status: None }
}
