//! One decision per object: nothing, read it, create it, take it over, apply it, delete it.

use serde_json::Value;

use super::rollout::{self, ALWAYS_MADE, GROUP, Rollout, Verdict};
use super::{Wanted, claims};
use crate::effect::{Action, Effect, Plan, Read, Target, Why};
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
    let is_pod = |wanted: &&Wanted| wanted.object.kind() == Kind::StatefulSet;
    for wanted in desired.iter().filter(|wanted| !is_pod(wanted)) {
        let key = wanted.object.key();
        if !decide_one(wanted, rollout, resolved, observed, plan, findings) {
            findings.waits.push(key);
        }
    }
    let mut is_behind = false;
    for wanted in desired.iter().filter(is_pod) {
        is_behind |= !decide_pod(wanted, rollout, resolved, observed, plan, findings);
    }
    prune(desired, rollout, resolved, observed, is_behind, plan);
    refresh_mounts(rollout, resolved, observed, plan);
}

/// Whether the object is as it should be, or will be with the plan's effects.
fn decide_one(
    wanted: &Wanted,
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
    findings: &mut Findings,
) -> bool {
    let key = wanted.object.key();
    match standing(&key, resolved, observed) {
        Standing::Unknown => {
            plan.reads.push(Read::Metadata(key));
            false
        }
        Standing::Strange => {
            findings.conflicts.push(key);
            false
        }
        Standing::Deleting => false,
        Standing::Absent if held(&key, rollout) && !ALWAYS_MADE.contains(&key.kind) => {
            // What will not start waits for another spec.
            rollout.verdict == Verdict::WillNotStart
        }
        Standing::Absent => create(wanted, rollout, plan),
        Standing::Ours(seen) => update(wanted, seen, rollout, resolved, observed, plan),
    }
}

/// The StatefulSet is sent only if nothing that it waits for is missing, and after all that this
/// plan sends of what its pod needs. Without a pod there is nothing to wait for. Whether there is
/// nothing to send.
fn decide_pod(
    wanted: &Wanted,
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
    findings: &mut Findings,
) -> bool {
    let needed = plan.effects.iter().filter_map(sent_object);
    let mut needed: Vec<ObjectKey> =
        needed.filter(|key| is_needed_by_pod(key.kind)).cloned().collect();
    needed.dedup();
    let before = plan.effects.len();
    let is_known = decide_one(wanted, rollout, resolved, observed, plan, findings);
    let is_sent = is_known && plan.effects.len() == before;
    if !findings.waits.is_empty() {
        plan.effects.truncate(before);
    } else if resolved.power.is_on() {
        for effect in plan.effects.iter_mut().skip(before) {
            if let Action::Apply(_) = effect.action {
                effect.after.clone_from(&needed);
            }
        }
    }
    is_sent
}

/// The object that an effect brings to what is wanted of it.
fn sent_object(effect: &Effect) -> Option<&ObjectKey> {
    let sends = matches!(effect.action, Action::Apply(_) | Action::Create(_));
    effect.object().filter(|_| sends || effect.why == Why::TakeOver)
}

/// What must be in place before a pod: what it mounts and runs as, and what keeps it apart.
fn is_needed_by_pod(kind: Kind) -> bool {
    match kind {
        Kind::ServiceAccount
        | Kind::RoleBinding
        | Kind::NetworkPolicy
        | Kind::Secret
        | Kind::ConfigMap
        | Kind::PersistentVolumeClaim => true,
        Kind::Role | Kind::PodDisruptionBudget | Kind::Service | Kind::StatefulSet => false,
    }
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

/// Whether it can be made.
fn create(wanted: &Wanted, rollout: &Rollout, plan: &mut Plan) -> bool {
    let key = wanted.object.key();
    let object = sent(wanted, rollout);
    plan.effects.push(match key.kind.ownership() {
        Ownership::Applied => Effect::apply(key, object),
        // A token that is not random would be worse than none.
        Ownership::CreatedOnce if key.kind == Kind::Secret && object.get("data").is_none() => {
            return false;
        }
        Ownership::CreatedOnce => Effect::create(key, object),
    });
    true
}

fn sent(wanted: &Wanted, rollout: &Rollout) -> Value {
    let value = wanted.value.clone();
    if wanted.object.kind() == Kind::StatefulSet {
        rollout::annotated(value, rollout)
    } else {
        value
    }
}

/// Whether enough is known of it.
fn update(
    wanted: &Wanted,
    seen: &Seen,
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
) -> bool {
    let key = wanted.object.key();
    match (key.kind, key.kind.ownership()) {
        (Kind::PersistentVolumeClaim, _) => claims::update(resolved, observed, plan),
        (_, Ownership::CreatedOnce) => {}
        (Kind::StatefulSet, Ownership::Applied) if held(&key, rollout) => {
            match rollout::held(&wanted.value, seen, rollout, observed, &key) {
                Ok(Some(object)) => plan.effects.push(Effect::apply(key, object)),
                Ok(None) => {}
                Err(read) => {
                    plan.reads.push(read);
                    return false;
                }
            }
        }
        (_, Ownership::Applied) if held(&key, rollout) => {}
        (_, Ownership::Applied) => {
            return converge(key, sent(wanted, rollout), seen, observed, plan);
        }
    }
    true
}

/// Sends an object unless what we own of the live one is what would be sent, as a whole. What the
/// cache knows is a hint; the live object decides. Whether that is known.
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
) -> bool {
    let wanted_hash = hash(&wanted);
    let is_sent = |owned_hash: &str| {
        owned_hash == wanted_hash
            || observed
                .unsettled
                .get(&key)
                .is_some_and(|(sent, stored)| *sent == wanted_hash && stored == owned_hash)
    };
    if is_sent(&seen.owned_hash) && !seen.previous_manager {
        return true;
    }
    let Some(live) = observed.live.get(&key) else {
        plan.reads.push(Read::Live(key));
        return false;
    };
    if let Some(patch) = take_over_patch(live, PREVIOUS_MANAGERS) {
        plan.effects.push(Effect::json_patch(Target::Object(key.clone()), Why::TakeOver, patch));
    } else if is_sent(&owned_hash(live, FIELD_MANAGER)) {
        return true;
    }
    plan.effects.push(Effect::apply(key, wanted));
    true
}

/// Deletes what is ours and no longer rendered. Claims and Secrets go only by a decision of their
/// own, and an account once the pod is no longer behind what is wanted of it.
fn prune(
    desired: &[Wanted],
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    is_behind: bool,
    plan: &mut Plan,
) {
    for (key, fact) in &observed.objects {
        let Fact::Known(seen) = fact else { continue };
        let controlled = seen.is_controlled_by(resolved.uid.as_deref());
        let ours = controlled && seen.labelled && !seen.deleting;
        let lasting = key.kind.ownership() == Ownership::CreatedOnce;
        let wanted = desired.iter().any(|wanted| wanted.object.key() == *key);
        let used = key.kind == Kind::ServiceAccount && is_behind;
        if ours && !lasting && !wanted && !used && !held(key, rollout) {
            plan.effects.push(Effect::delete(key.clone(), seen.uid.clone()));
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
            let patch = serde_json::json!({
                "metadata": {"annotations": {annotations::RENDERED_CONFIG: rollout.config_hash}}
            });
            let pod = Target::Pod(pod.name.clone());
            plan.effects.push(Effect::merge_patch(pod, Why::Refresh, patch));
        }
    }
}

/// What the plan applies under a key.
fn applied<'a>(key: &ObjectKey, plan: &'a Plan) -> Option<&'a Value> {
    plan.effects.iter().find_map(|effect| effect.applied_to(key))
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
