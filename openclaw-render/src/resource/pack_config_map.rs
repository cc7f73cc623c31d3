//! `ConfigMap` of a skill pack's revision: what was fetched last, kept for when it cannot be fetched.
//!
//! - Present when: the pack is in use, or stays until the revision that is asked for is known.
//! - Reads: what was fetched, and what earlier ones keep.
//! - Restarts pods: never; no pod mounts it. Its files go into `<name>-workspace`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;

use super::meta;
use crate::resolve::{Resolved, pack_content};
use crate::vocab::names::PACK_KEY;

pub(super) fn render(instance: &Resolved) -> Vec<ConfigMap> {
    let revisions = instance.skill_packs.revisions.iter();
    revisions
        .map(|(name, pack)| ConfigMap {
            metadata: meta::with_owner(instance, name.clone()),
            data: Some(BTreeMap::from([(PACK_KEY.to_owned(), pack_content(pack))])),
            ..Default::default()
        })
        .collect()
}
