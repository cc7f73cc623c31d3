//! `ConfigMap` with openclaw.json and the files of other parts of the pod. No secret is in it.
//!
//! - Present when: always.
//! - Reads: files of the pod's parts.
//! - Restarts pods: as each file says, through its hash in the pod template; openclaw.json never
//!   (config-sync hands it to the running gateway).

use k8s_openapi::api::core::v1::ConfigMap;

use super::meta;
use crate::pod::Part;
use crate::resolve::Resolved;

pub(super) fn render(instance: &Resolved, parts: &[Part]) -> ConfigMap {
    let files = parts.iter().flat_map(|part| &part.files);
    ConfigMap {
        metadata: meta::with_owner(instance, instance.name.config()),
        data: Some(files.map(|file| (file.key.to_owned(), file.content.clone())).collect()),
        ..Default::default()
    }
}
