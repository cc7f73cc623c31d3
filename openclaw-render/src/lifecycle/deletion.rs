//! An instance that is being deleted: its volume is made safe, then the finalizer goes.
//!
//! Everything else that it owns is collected by Kubernetes. This needs no valid spec and no name
//! that today's rules allow: what was accepted once can be deleted.

use serde_json::{Value, json};

use super::{Step, WaitingOn};
use crate::api::OpenClawInstance;
use crate::claims;
use crate::effect::{Effect, Purpose, Read, Target};
use crate::facts::claim_facts;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Claim, Fact, Observed};
use crate::vocab::FINALIZER;
use crate::vocab::names::data_claim;

/// What is seen of the volume, for what is to become of it.
enum Volume {
    /// It goes with the instance, as its user asked.
    Goes,
    /// There is none.
    Absent,
    /// Its claim has not been read.
    Unread,
    /// The instance is among the owners of its claim: this takes it out.
    Owned(Effect),
    /// It stays.
    Safe,
}

/// Returns the next step. With `keeps_volume` the volume stays, whatever the spec says.
pub(crate) fn step(instance: &OpenClawInstance, observed: &Observed, keeps_volume: bool) -> Step {
    let finalizers = instance.metadata.finalizers.as_deref().unwrap_or_default();
    let Some(position) = finalizers.iter().position(|finalizer| finalizer == FINALIZER) else {
        return Step::last(Vec::new());
    };
    let claim = claim(instance);
    let keeps_volume = keeps_volume || is_kept_by_user(instance);
    match volume(instance, &claim, observed, keeps_volume) {
        Volume::Unread => Step::read(Read::Live(claim.clone()), WaitingOn::ClaimRead(claim.name)),
        Volume::Owned(release) => Step::act(release, WaitingOn::ClaimRelease(claim.name)),
        Volume::Goes | Volume::Absent | Volume::Safe => {
            Step::last(vec![remove_finalizer(position)])
        }
    }
}

/// Returns the claim that must outlive the instance.
pub(crate) fn claim(instance: &OpenClawInstance) -> ObjectKey {
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    ObjectKey::new(Kind::PersistentVolumeClaim, data_claim(name))
}

/// The claim counts as safe only when this pass has read it without the instance among its owners:
/// what a cache says may be older than what another operator, or an answer that was lost, has made
/// of it.
fn volume(
    instance: &OpenClawInstance,
    key: &ObjectKey,
    observed: &Observed,
    keeps_volume: bool,
) -> Volume {
    if !keeps_volume {
        return Volume::Goes;
    }
    let claim = match (observed.live.get(key), observed.claims.get(&key.name)) {
        (Some(live), _) => read(live),
        // Only a read says so.
        (None, Some(Fact::Absent)) => return Volume::Absent,
        (None, Some(Fact::Known(_) | Fact::Unknown) | None) => None,
    };
    let Some(claim) = claim else { return Volume::Unread };
    let uid = instance.metadata.uid.as_deref().unwrap_or_default();
    claims::release(&key.name, &claim, uid).map_or(Volume::Safe, Volume::Owned)
}

fn read(live: &Value) -> Option<Claim> {
    serde_json::from_value(live.clone()).ok().as_ref().map(claim_facts)
}

/// Default true: data outlives its instance unless the user says otherwise.
fn is_kept_by_user(instance: &OpenClawInstance) -> bool {
    let storage = instance.spec.storage.as_ref();
    let persistence = storage.and_then(|storage| storage.persistence.as_ref());
    persistence.and_then(|persistence| persistence.orphan).unwrap_or(true)
}

fn remove_finalizer(position: usize) -> Effect {
    let path = format!("/metadata/finalizers/{position}");
    let removal = json!([
        {"op": "test", "path": path, "value": FINALIZER},
        {"op": "remove", "path": path},
    ]);
    Effect::json_patch(Target::Instance, Purpose::Finalizer, removal)
}
