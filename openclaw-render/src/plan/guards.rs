//! What goes through whatever else is wrong with an instance: stopping its pod.
//!
//! Unreadable references, a spec that is invalid or does not decode, fields that are not rendered,
//! a foreign object under a name that is needed: none of them may keep an agent running that its
//! user has switched off. Only a user's own pause does.

use super::rollout;
use crate::api::OpenClawInstance;
use crate::effect::{Effect, Plan, Read, Why};
use crate::lifecycle::Power;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};

/// Scales a StatefulSet of ours down that the rest of the plan leaves alone. Everything else in it
/// stays as it is, and nothing is made.
pub(super) fn stop(instance: &OpenClawInstance, observed: &Observed, plan: &mut Plan) {
    if Power::asked(&instance.spec).is_on() || super::paused(instance) {
        return;
    }
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    let set = ObjectKey::new(Kind::StatefulSet, name);
    if plan.effects.iter().any(|effect| effect.applied_to(&set).is_some()) {
        return;
    }
    let seen = match observed.objects.get(&set).unwrap_or(&Fact::Unknown) {
        Fact::Known(seen) => seen,
        Fact::Absent => return,
        Fact::Unknown => {
            plan.reads.push(Read::Metadata(set));
            return;
        }
    };
    let ours = seen.is_controlled_by(instance.metadata.uid.as_deref());
    if !ours || seen.deleting || seen.replicas == Some(0) {
        return;
    }
    match observed.live.get(&set) {
        Some(live) => {
            let effect = Effect::apply(set, rollout::scaled(live, 0));
            plan.effects.push(Effect { why: Why::Stop, ..effect });
        }
        None => plan.reads.push(Read::Live(set)),
    }
}
