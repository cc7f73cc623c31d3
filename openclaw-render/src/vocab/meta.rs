//! Object metadata: name, namespace, labels, owner.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::labels;
use crate::resolve::Resolved;

/// API version of our resources.
pub const API_VERSION: &str = "openclaw.rocks/v1alpha1";
/// Kind of an instance.
pub const KIND: &str = "OpenClawInstance";

/// Metadata of an object that goes when the instance goes.
///
/// Without a uid, as in a preview, there is no owner to refer to.
pub(crate) fn owned(instance: &Resolved, name: String) -> ObjectMeta {
    ObjectMeta {
        owner_references: instance.uid.as_ref().map(|uid| {
            vec![OwnerReference {
                api_version: API_VERSION.to_owned(),
                kind: KIND.to_owned(),
                name: instance.name.as_str().to_owned(),
                uid: uid.clone(),
                controller: Some(true),
                block_owner_deletion: Some(true),
            }]
        }),
        ..unowned(instance, name)
    }
}

/// Metadata of an object that outlives the instance.
pub(crate) fn unowned(instance: &Resolved, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(instance.namespace.clone()),
        labels: Some(labels::common(&instance.name)),
        ..Default::default()
    }
}
