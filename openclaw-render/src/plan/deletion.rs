//! An instance that is being deleted: its volume is made safe, then the finalizer goes. Everything
//! else that it owns is collected by Kubernetes.
//!
//! This needs no valid spec and no name that today's rules allow: what was accepted once can be
//! deleted.

use serde_json::{Value, json};

use super::claims;
use crate::api::OpenClawInstance;
use crate::effect::{Effect, Plan, Read, Target, Why};
use crate::facts::claim_facts;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Claim, Fact, Observed};
use crate::status;
use crate::vocab::FINALIZER;
use crate::vocab::names::data_claim;

pub(super) fn plan(instance: &OpenClawInstance, observed: &Observed) -> Plan {
    let mut plan = Plan { look_again_in: super::LOOK_AGAIN_WAITING, ..Plan::default() };
    let finalizers = instance.metadata.finalizers.as_deref().unwrap_or_default();
    let position = finalizers.iter().position(|finalizer| finalizer == FINALIZER);
    let claim = data_claim(instance.metadata.name.as_deref().unwrap_or_default());
    if let Some(position) = position {
        if keeps_volume(instance) {
            release(instance, &claim, observed, &mut plan);
        }
        if plan.reads.is_empty() && plan.effects.is_empty() {
            let path = format!("/metadata/finalizers/{position}");
            let removal = json!([
                {"op": "test", "path": path, "value": FINALIZER},
                {"op": "remove", "path": path},
            ]);
            plan.effects.push(Effect::json_patch(Target::Instance, Why::Finalizer, removal));
        }
    }
    status::report_deletion(instance, &claim, observed, &mut plan);
    plan
}

/// Reads the claim, and takes the instance out of its owners. The finalizer stays until a pass has
/// read it without: what a cache says may be older than what another operator, or an answer that
/// was lost, has made of it.
fn release(instance: &OpenClawInstance, name: &str, observed: &Observed, plan: &mut Plan) {
    let key = ObjectKey::new(Kind::PersistentVolumeClaim, name);
    let uid = instance.metadata.uid.as_deref().unwrap_or_default();
    let claim = match (observed.live.get(&key), observed.claims.get(name)) {
        (Some(live), _) => read(live),
        // Only a read says so.
        (None, Some(Fact::Absent)) => return,
        (None, Some(Fact::Known(_) | Fact::Unknown) | None) => None,
    };
    match claim {
        Some(claim) => plan.effects.extend(claims::release(name, &claim, uid)),
        None => plan.reads.push(Read::Live(key)),
    }
}

fn read(live: &Value) -> Option<Claim> {
    serde_json::from_value(live.clone()).ok().as_ref().map(claim_facts)
}

/// Default true: data outlives its instance unless the user says otherwise.
fn keeps_volume(instance: &OpenClawInstance) -> bool {
    let storage = instance.spec.storage.as_ref();
    let persistence = storage.and_then(|storage| storage.persistence.as_ref());
    persistence.and_then(|persistence| persistence.orphan).unwrap_or(true)
}
