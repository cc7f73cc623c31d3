//! One decision per object: nothing, read it, create it, take it over, apply it, delete it.

use serde_json::Value;

use super::rollout::{self, GROUP, Rollout};
use super::{Wanted, claims};
use crate::effect::{Effect, Plan, Read};
use crate::object::{Kind, ObjectKey, Ownership};
use crate::observed::{Fact, Observed, Seen};
use crate::ownership::{diff, hash, owned_hash, take_over_patch};
use crate::resolve::Resolved;
use crate::status::Findings;
use crate::vocab::{FIELD_MANAGER, PREVIOUS_MANAGERS, annotations};

/// What the cache says of an object that is wanted.
enum Standing<'a> {
    Absent,
    Ours(&'a Seen),
    Strange,
    Deleting,
    Unknown,
}

pub(super) fn decide(
    desired: &[Wanted],
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
    findings: &mut Findings,
) {
    let mut ready_for_pod = true;
    for wanted in desired {
        let key = wanted.object.key();
        let standing = standing(&key, resolved, observed);
        match standing {
            Standing::Unknown => {
                plan.reads.push(Read::Metadata(key));
                ready_for_pod = false;
            }
            Standing::Strange => {
                findings.conflicts.push(key);
                ready_for_pod = false;
            }
            Standing::Deleting => ready_for_pod = false,
            // What the pod mounts must be there, and the pod must wait for it.
            Standing::Absent | Standing::Ours(_)
                if key.kind == Kind::StatefulSet && !ready_for_pod => {}
            Standing::Absent if held(&key, rollout) => {}
            Standing::Absent => create(wanted, rollout, plan),
            Standing::Ours(seen) => update(wanted, seen, rollout, resolved, observed, plan),
        }
    }
    prune(desired, rollout, resolved, observed, plan);
    refresh_mounts(rollout, resolved, observed, plan);
    plan.reads.sort();
    plan.reads.dedup();
}

fn held(key: &ObjectKey, rollout: &Rollout) -> bool {
    rollout.verdict.holds() && GROUP.contains(&key.kind)
}

fn standing<'a>(key: &ObjectKey, resolved: &Resolved, observed: &'a Observed) -> Standing<'a> {
    match observed.objects.get(key).unwrap_or(&Fact::Unknown) {
        Fact::Unknown => Standing::Unknown,
        Fact::Absent => Standing::Absent,
        Fact::Known(seen) if seen.deleting => Standing::Deleting,
        Fact::Known(seen) if is_ours(key.kind, seen, resolved.uid.as_deref()) => {
            Standing::Ours(seen)
        }
        Fact::Known(_) => Standing::Strange,
    }
}

/// Ours is what this instance controls. A claim that outlives instances has no owner: its labels
/// say whose it is.
fn is_ours(kind: Kind, seen: &Seen, uid: Option<&str>) -> bool {
    seen.is_controlled_by(uid)
        || (kind == Kind::PersistentVolumeClaim && seen.labelled && seen.controller.is_none())
}

fn create(wanted: &Wanted, rollout: &Rollout, plan: &mut Plan) {
    let key = wanted.object.key();
    let object = sent(wanted, rollout);
    plan.effects.push(match key.kind.ownership() {
        Ownership::Applied => Effect::Apply { key, object },
        // A token that is not random would be worse than none.
        Ownership::CreatedOnce if key.kind == Kind::Secret && object.get("data").is_none() => {
            return;
        }
        Ownership::CreatedOnce => Effect::CreateOnce { key, object },
    });
}

fn sent(wanted: &Wanted, rollout: &Rollout) -> Value {
    let value = wanted.value.clone();
    if wanted.object.kind() == Kind::StatefulSet {
        rollout::annotated(value, rollout)
    } else {
        value
    }
}

fn update(
    wanted: &Wanted,
    seen: &Seen,
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
) {
    let key = wanted.object.key();
    match (key.kind, key.kind.ownership()) {
        (Kind::PersistentVolumeClaim, _) => claims::update(resolved, observed, plan),
        (_, Ownership::CreatedOnce) => {}
        (Kind::StatefulSet, Ownership::Applied) if held(&key, rollout) => {
            match rollout::held(&wanted.value, seen, rollout, observed, &key) {
                Ok(Some(object)) => plan.effects.push(Effect::Apply { key, object }),
                Ok(None) => {}
                Err(read) => plan.reads.push(read),
            }
        }
        (_, Ownership::Applied) if held(&key, rollout) => {}
        (_, Ownership::Applied) => converge(key, sent(wanted, rollout), seen, observed, plan),
    }
}

/// Sends an object unless what we own of the live one is what would be sent, as a whole. What the
/// cache knows is a hint; the live object decides.
///
/// A difference is never explained away: a field that is live and not wanted may be a default of
/// the API server, and may be the one that the user has taken out to close something. If an apply
/// leaves a difference, the pair is remembered, and it is not repeated.
fn converge(
    key: ObjectKey,
    wanted: Value,
    seen: &Seen,
    observed: &Observed,
    plan: &mut Plan,
) {
    let wanted_hash = hash(&wanted);
    let is_sent = |owned_hash: &str| {
        owned_hash == wanted_hash
            || observed
                .unsettled
                .get(&key)
                .is_some_and(|(sent, stored)| *sent == wanted_hash && stored == owned_hash)
    };
    if is_sent(&seen.owned_hash) && !seen.previous_manager {
        return;
    }
    let Some(live) = observed.live.get(&key) else {
        plan.reads.push(Read::Live(key));
        return;
    };
    if let Some(patch) = take_over_patch(live, PREVIOUS_MANAGERS) {
        plan.effects.push(Effect::TakeOver { key: key.clone(), patch });
    } else if is_sent(&owned_hash(live, FIELD_MANAGER)) {
        return;
    }
    plan.effects.push(Effect::Apply { key, object: wanted });
}

/// Deletes what is ours and no longer rendered. Claims and Secrets go only by a decision of their
/// own.
fn prune(
    desired: &[Wanted],
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
) {
    for (key, fact) in &observed.objects {
        let Fact::Known(seen) = fact else { continue };
        let controlled = seen.is_controlled_by(resolved.uid.as_deref());
        let ours = controlled && seen.labelled && !seen.deleting;
        let lasting = key.kind.ownership() == Ownership::CreatedOnce;
        let wanted = desired.iter().any(|wanted| wanted.object.key() == *key);
        if ours && !lasting && !wanted && !held(key, rollout) {
            plan.effects.push(Effect::Delete { key: key.clone(), uid: seen.uid.clone() });
        }
    }
}

/// A changed annotation makes the kubelet look at the ConfigMap at once. A pod that never got one
/// mounted what was there when it was made, and one that is about to be replaced needs none.
fn refresh_mounts(rollout: &Rollout, resolved: &Resolved, observed: &Observed, plan: &mut Plan) {
    let set = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    if rollout.verdict.holds() || replaces_pod(&set, observed, plan) {
        return;
    }
    let config = ObjectKey::new(Kind::ConfigMap, resolved.name.config());
    let changing = applied(&config, plan).is_some();
    let workload = observed.objects.get(&set).and_then(|fact| fact.known()?.workload.clone());
    let newest = workload.map(|workload| workload.update_revision).unwrap_or_default();
    for pod in observed.pods.known().into_iter().flatten().filter(|pod| pod.revision == newest) {
        let stale = pod.rendered_config.as_ref().is_some_and(|hash| *hash != rollout.config_hash);
        if stale || (changing && pod.rendered_config.is_none()) {
            plan.effects.push(Effect::AnnotatePod {
                name: pod.name.clone(),
                patch: serde_json::json!({
                    "metadata": {"annotations": {annotations::RENDERED_CONFIG: rollout.config_hash}}
                }),
            });
        }
    }
}

/// What the plan applies under a key.
fn applied<'a>(key: &ObjectKey, plan: &'a Plan) -> Option<&'a Value> {
    plan.effects.iter().find_map(|effect| {
        let Effect::Apply { key: it, object } = effect else { return None };
        (it == key).then_some(object)
    })
}

/// Whether the plan changes the pod template.
fn replaces_pod(set: &ObjectKey, observed: &Observed, plan: &Plan) -> bool {
    match (applied(set, plan), observed.live.get(set)) {
        (Some(wanted), Some(live)) => {
            diff(wanted, live).iter().any(|change| change.path.starts_with("spec.template"))
        }
        _ => false,
    }
}
