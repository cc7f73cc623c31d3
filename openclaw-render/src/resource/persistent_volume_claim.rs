//! `PersistentVolumeClaim` of the agent's state: made once, then only made larger.
//!
//! - Present when: `spec.storage.persistence` is on and names no claim of the user's.
//! - Reads: size, access modes, storage class, `orphan`.
//! - Restarts pods: never.
//!
//! A claim that outlives the instance carries no owner reference from the start, so that no crash
//! between two writes can lose it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use crate::resolve::{DataVolume, Layout, Resolved};
use crate::vocab::{annotations, meta};

pub(super) fn render(instance: &Resolved) -> Option<PersistentVolumeClaim> {
    let DataVolume::Own { claim, spec } = &instance.storage.volume else { return None };
    let mut metadata = if instance.storage.orphan {
        meta::unowned(instance, claim.clone())
    } else {
        meta::owned(instance, claim.clone())
    };
    let mut notes = BTreeMap::from([(annotations::BACKUP_ENABLED.to_owned(), "true".to_owned())]);
    if instance.storage.layout == Layout::Home {
        notes.insert(annotations::LAYOUT.to_owned(), annotations::LAYOUT_HOME.to_owned());
    }
    metadata.annotations = Some(notes);
    Some(PersistentVolumeClaim { metadata, spec: Some((**spec).clone()), status: None })
}
