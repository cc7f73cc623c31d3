//! Object metadata: name, namespace, labels, owner.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::resolve::Resolved;
use crate::vocab::{API_VERSION, KIND, labels};

/// Metadata of an object that goes when the instance goes.
///
/// Without a uid, as in a preview, there is no owner to refer to.
pub(crate) fn with_owner(instance: &Resolved, name: String) -> ObjectMeta {
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
        ..without_owner(instance, name)
    }
}

/// Metadata of an object that outlives the instance.
pub(crate) fn without_owner(instance: &Resolved, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(instance.namespace.clone()),
        labels: Some(labels::common(&instance.name)),
        ..Default::default()
    }
}
