//! An instance that is being deleted: its volume is made safe, then the finalizer goes. Everything
//! else that it owns is collected by Kubernetes.
//!
//! This needs no valid spec: an instance that cannot be rendered can be deleted.

use serde_json::json;

use super::claims;
use crate::api::OpenClawInstance;
use crate::effect::{Effect, Plan, Read};
use crate::observed::{Fact, Observed};
use crate::status;
use crate::vocab::FINALIZER;
use crate::vocab::names::InstanceName;

pub(super) fn plan(instance: &OpenClawInstance, observed: &Observed) -> Plan {
    let mut plan = Plan { look_again_in: super::LOOK_AGAIN_WAITING, ..Plan::default() };
    status::report_deletion(instance, observed, &mut plan);
    let finalizers = instance.metadata.finalizers.as_deref().unwrap_or_default();
    let Some(position) = finalizers.iter().position(|finalizer| finalizer == FINALIZER) else {
        return plan;
    };
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    let uid = instance.metadata.uid.as_deref().unwrap_or_default();
    if let (true, Ok(name)) = (keeps_volume(instance), InstanceName::new(name)) {
        let claim_name = name.data();
        match observed.claims.get(&claim_name).unwrap_or(&Fact::Unknown) {
            Fact::Unknown => {
                plan.reads.push(Read::Claim(claim_name));
                return plan;
            }
            Fact::Absent => {}
            Fact::Known(claim) => {
                if let Some(release) = claims::release(&claim_name, claim, uid) {
                    // The finalizer stays until the claim was seen released: the next pass.
                    plan.effects.push(release);
                    return plan;
                }
            }
        }
    }
    let path = format!("/metadata/finalizers/{position}");
    plan.effects.push(Effect::PatchFinalizers {
        patch: json!([
            {"op": "test", "path": path, "value": FINALIZER},
            {"op": "remove", "path": path},
        ]),
    });
    plan
}

/// Default true: data outlives its instance unless the user says otherwise.
fn keeps_volume(instance: &OpenClawInstance) -> bool {
    let storage = instance.spec.storage.as_ref();
    let persistence = storage.and_then(|storage| storage.persistence.as_ref());
    persistence.and_then(|persistence| persistence.orphan).unwrap_or(true)
}
