//! The claim that we made: released from the instance or tied to it, and made larger.

use serde_json::{Value, json};

use crate::effect::{ClaimChange, Effect, Plan};
use crate::observed::{Claim, Fact, Observed};
use crate::quantity;
use crate::resolve::{DataVolume, Resolved};
use crate::resource::meta;

pub(super) fn update(resolved: &Resolved, observed: &Observed, plan: &mut Plan) {
    let DataVolume::Own { claim: name, spec } = &resolved.storage.volume else { return };
    let Some(claim) = observed.claims.get(name).and_then(Fact::known) else { return };
    let uid = resolved.uid.as_deref().unwrap_or_default();
    if resolved.storage.orphan {
        plan.effects.extend(release(name, claim, uid));
    } else {
        plan.effects.extend(tie(resolved, name, claim, uid));
    }
    let wanted = spec.resources.as_ref().and_then(|each| each.requests.as_ref()?.get("storage"));
    let parsed = |text: Option<&str>| text.and_then(|text| quantity::parse(text).ok());
    let (Some(wanted), Some(live)) = (wanted, claim.size.as_deref()) else { return };
    if parsed(Some(&wanted.0)) > parsed(Some(live)) && claim.phase.as_deref() == Some("Bound") {
        plan.effects.push(Effect::PatchClaim {
            name: name.clone(),
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
fn tie(resolved: &Resolved, name: &str, claim: &Claim, uid: &str) -> Option<Effect> {
    if uid.is_empty() || claim.owner_references.iter().any(|owner| is_of(owner, uid)) {
        return None;
    }
    let owner = meta::with_owner(resolved, name.to_owned()).owner_references;
    let mut owners = claim.owner_references.clone();
    owners.extend(owner.into_iter().flatten().filter_map(|each| serde_json::to_value(each).ok()));
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
