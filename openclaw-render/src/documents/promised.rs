//! What objects of other projects will make: names that an instance may refer to.

use serde_json::Value;

use crate::object::{Kind, ObjectKey};

/// Kinds that make a Secret or a claim, by API group, with where each says how that is named.
/// Without a name there, it is named like the object itself.
const MAKERS: [(&str, &str, Kind, &str); 7] = [
    ("external-secrets.io", "ExternalSecret", Kind::Secret, "/spec/target/name"),
    ("bitnami.com", "SealedSecret", Kind::Secret, "/spec/template/metadata/name"),
    ("onepassword.com", "OnePasswordItem", Kind::Secret, "/metadata/name"),
    ("secrets.hashicorp.com", "VaultStaticSecret", Kind::Secret, "/spec/destination/name"),
    ("secrets.hashicorp.com", "VaultDynamicSecret", Kind::Secret, "/spec/destination/name"),
    ("cert-manager.io", "Certificate", Kind::Secret, "/spec/secretName"),
    ("volsync.backube", "ReplicationDestination", Kind::PersistentVolumeClaim, DESTINATION),
];
/// Where `VolSync` names a claim that is there already, or that another object makes.
const DESTINATION: &str = "/spec/restic/destinationPVC";

/// Returns the namespace of such an object and what it will make.
pub(super) fn by<'a>(
    api_version: &str,
    document: &'a Value,
) -> Option<(Option<&'a str>, ObjectKey)> {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let (group, _) = api_version.split_once('/')?;
    let kind = text("/kind")?;
    let (_, _, made, pointer) =
        MAKERS.iter().find(|(of, maker, ..)| (*of, *maker) == (group, kind))?;
    let name = text(pointer).or_else(|| text("/metadata/name"))?;
    Some((text("/metadata/namespace"), ObjectKey::new(*made, name)))
}
