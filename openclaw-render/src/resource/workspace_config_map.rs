//! `ConfigMap` with the seed plan and the contents that its files name by key.
//!
//! - Present when: always.
//! - Reads: files and directories of workspaces and skill packs, the volume's layout, directories of the pod's parts.
//! - Restarts pods: never; the plan is performed whenever a pod is made.

use k8s_openapi::api::core::v1::ConfigMap;

use super::meta;
use crate::pod::{Part, seed_plan};
use crate::resolve::Resolved;
use crate::seed::SEED_PLAN_KEY;

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> ConfigMap {
    let (plan, (mut data, binary)) = seed_plan::plan(instance, parts);
    let mut plan = serde_json::to_string_pretty(&plan).unwrap_or_default();
    plan.push('\n');
    data.insert(SEED_PLAN_KEY.to_owned(), plan);
    ConfigMap {
        metadata: meta::with_owner(instance, instance.name.workspace()),
        binary_data: Some(binary).filter(|binary| !binary.is_empty()),
        data: Some(data),
        ..Default::default()
    }
}
