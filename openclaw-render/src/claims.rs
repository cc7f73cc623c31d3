//! Claims that we made: released from the instance or tied to it, and made larger.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value, json};

use crate::effect::{Effect, Plan, Purpose, Target, unchanged_since};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Claim, Fact, Observed};
use crate::quantity;
use crate::resolve::Resolved;
use crate::vocab::{API_VERSION, KIND};

pub(crate) fn update(
    wanted: &PersistentVolumeClaim,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
) {
    let name = wanted.metadata.name.as_deref().unwrap_or_default();
    let Some(claim) = observed.claims.get(name).and_then(Fact::known) else { return };
    let uid = resolved.uid.as_deref().unwrap_or_default();
    match wanted.metadata.owner_references.as_deref() {
        None | Some([]) => plan.effects.extend(release(name, claim, uid)),
        Some(owners) => plan.effects.extend(add_owner(owners, name, claim, uid)),
    }
    let wanted = wanted.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let wanted = wanted.and_then(|resources| resources.requests.as_ref()?.get("storage"));
    let parsed = |text: Option<&str>| text.and_then(|text| quantity::parse(text).ok());
    let (Some(wanted), Some(live)) = (wanted, claim.size.as_deref()) else { return };
    if parsed(Some(&wanted.0)) > parsed(Some(live)) && claim.phase.as_deref() == Some("Bound") {
        let path = "/spec/resources/requests/storage";
        let change = json!({"op": "replace", "path": path, "value": wanted.0});
        plan.effects.push(patch(name, claim, Purpose::Expand, &change));
    }
}

/// Takes instances out of the claim's owners, so that their end is not the claim's. Nothing if none
/// is among them.
///
/// One of another uid is an earlier instance of the name: Kubernetes would collect the claim for it
/// as soon as no other owner is left.
pub(crate) fn release(name: &str, claim: &Claim, uid: &str) -> Option<Effect> {
    let kept: Vec<&Value> =
        claim.owner_references.iter().filter(|owner| !is_instance(owner, uid)).collect();
    if kept.len() == claim.owner_references.len() {
        return None;
    }
    let path = "/metadata/ownerReferences";
    let change = if kept.is_empty() {
        json!({"op": "remove", "path": path})
    } else {
        json!({"op": "replace", "path": path, "value": kept})
    };
    Some(patch(name, claim, Purpose::Release, &change))
}

/// Makes the instance an owner of the claim, so that it goes with it.
fn add_owner(tied: &[OwnerReference], name: &str, claim: &Claim, uid: &str) -> Option<Effect> {
    if uid.is_empty() || claim.owner_references.iter().any(|owner| is_of(owner, uid)) {
        return None;
    }
    let mut owners = claim.owner_references.clone();
    owners.extend(tied.iter().filter_map(|owner| serde_json::to_value(owner).ok()));
    let change = json!({"op": "add", "path": "/metadata/ownerReferences", "value": owners});
    Some(patch(name, claim, Purpose::Adopt, &change))
}

fn is_instance(owner: &Value, uid: &str) -> bool {
    let is = |field: &str, text: &str| owner.get(field).and_then(Value::as_str) == Some(text);
    is_of(owner, uid) || (is("kind", KIND) && is("apiVersion", API_VERSION))
}

fn is_of(owner: &Value, uid: &str) -> bool {
    owner.get("uid").and_then(Value::as_str) == Some(uid)
}

/// Changes the claim only as it was seen.
fn patch(name: &str, claim: &Claim, why: Purpose, change: &Value) -> Effect {
    let target = Target::Object(ObjectKey::new(Kind::PersistentVolumeClaim, name));
    let test = unchanged_since(Some(&claim.resource_version));
    Effect::json_patch(target, why, json!([test, change]))
}
