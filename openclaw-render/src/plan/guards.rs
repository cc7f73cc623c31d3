//! What goes through whatever else is wrong with an instance: stopping its pod.
//!
//! Unreadable references, a spec that is invalid or does not decode, fields that are not rendered,
//! a foreign object under a name that is needed: none of them may keep an agent running that its
//! user has switched off. Only a user's own pause does.

use super::rollout;
use crate::api::OpenClawInstance;
use crate::effect::{Effect, Purpose, Read};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::power::Power;

/// Returns what scales a StatefulSet of ours down that the rest of the plan leaves alone, or what
/// must be seen first. Everything else in it stays as it is, and nothing is made.
pub(super) fn stop(
    instance: &OpenClawInstance,
    observed: &Observed,
    effects: &[Effect],
) -> Result<Option<Effect>, Read> {
    if Power::asked(&instance.spec).is_on() || super::paused(instance) {
        return Ok(None);
    }
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    let set = ObjectKey::new(Kind::StatefulSet, name);
    if effects.iter().any(|effect| effect.applied_to(&set).is_some()) {
        return Ok(None);
    }
    let seen = match observed.objects.get(&set).unwrap_or(&Fact::Unknown) {
        Fact::Known(seen) => seen,
        Fact::Absent => return Ok(None),
        Fact::Unknown => return Err(Read::Metadata(set)),
    };
    let ours = seen.is_controlled_by(instance.metadata.uid.as_deref());
    if !ours || seen.deleting || seen.replicas == Some(0) {
        return Ok(None);
    }
    let Some(live) = observed.live.get(&set) else { return Err(Read::Live(set)) };
    let effect = Effect::apply(set, rollout::scaled(live, 0));
    Ok(Some(Effect { why: Purpose::Stop, ..effect }))
}
