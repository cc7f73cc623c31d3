//! Claims that we made: released from the instance or tied to it, and made larger.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value, json};

use crate::effect::{ClaimChange, Effect, Plan};
use crate::observed::{Claim, Fact, Observed};
use crate::quantity;
use crate::resolve::Resolved;

pub(super) fn update(
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
        Some(owners) => plan.effects.extend(tie(owners, name, claim, uid)),
    }
    let wanted = wanted.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let wanted = wanted.and_then(|resources| resources.requests.as_ref()?.get("storage"));
    let parsed = |text: Option<&str>| text.and_then(|text| quantity::parse(text).ok());
    let (Some(wanted), Some(live)) = (wanted, claim.size.as_deref()) else { return };
    if parsed(Some(&wanted.0)) > parsed(Some(live)) && claim.phase.as_deref() == Some("Bound") {
        plan.effects.push(Effect::PatchClaim {
            name: name.to_owned(),
            reason: ClaimChange::Expand,
            patch: guarded(
                claim,
                &json!({
                    "op": "replace",
                    "path": "/spec/resources/requests/storage",
                    "value": wanted.0,
                }),
            ),
        });
    }
}

/// Takes the instance out of the claim's owners, so that its end is not the claim's. Nothing if it
/// is none of them.
pub(super) fn release(name: &str, claim: &Claim, uid: &str) -> Option<Effect> {
    let kept: Vec<&Value> =
        claim.owner_references.iter().filter(|owner| !is_of(owner, uid)).collect();
    if kept.len() == claim.owner_references.len() {
        return None;
    }
    let path = "/metadata/ownerReferences";
    let change = if kept.is_empty() {
        json!({"op": "remove", "path": path})
    } else {
        json!({"op": "replace", "path": path, "value": kept})
    };
    Some(Effect::PatchClaim {
        name: name.to_owned(),
        reason: ClaimChange::Release,
        patch: guarded(claim, &change),
    })
}

/// Makes the instance an owner of the claim, so that it goes with it.
fn tie(tied: &[OwnerReference], name: &str, claim: &Claim, uid: &str) -> Option<Effect> {
    if uid.is_empty() || claim.owner_references.iter().any(|owner| is_of(owner, uid)) {
        return None;
    }
    let mut owners = claim.owner_references.clone();
    owners.extend(tied.iter().filter_map(|owner| serde_json::to_value(owner).ok()));
    let change = json!({"op": "add", "path": "/metadata/ownerReferences", "value": owners});
    Some(Effect::PatchClaim {
        name: name.to_owned(),
        reason: ClaimChange::Adopt,
        patch: guarded(claim, &change),
    })
}

fn is_of(owner: &Value, uid: &str) -> bool {
    owner.get("uid").and_then(Value::as_str) == Some(uid)
}

fn guarded(claim: &Claim, change: &Value) -> Value {
    json!([super::unchanged_since(Some(&claim.resource_version)), change])
}
