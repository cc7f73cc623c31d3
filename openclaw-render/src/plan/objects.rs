//! One decision per object: nothing, read it, create it, take it over, apply it, delete it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rollout;
use crate::claims;
use crate::effect::{Action, Effect, Plan, Purpose, Read, Target};
use crate::hash::content_hash;
use crate::object::{Kind, Object, ObjectKey, Ownership};
use crate::observed::{Fact, Observed, Seen};
use crate::ownership::{diff, owned_hash, take_over_patch};
use crate::predecessor::{Predecessor, predecessor};
use crate::resolve::Resolved;
use crate::resource::stake::{self, Rendered, Stake};
use crate::rollout::{Rollout, Verdict};
use crate::status::Findings;
use crate::vocab::{FIELD_MANAGER, PREVIOUS_MANAGERS, annotations};
use crate::wait::{On, Wait, Why};

/// What the cache says of an object that is wanted.
enum Standing<'a> {
    Absent,
    Ours(&'a Seen),
    /// Another has made what the pod needs under our name, and it is used as it is.
    Lent,
    Foreign,
    Deleting,
    Unknown,
    /// The cluster does not have its kind, which comes with this project.
    NoKind(&'static str),
    KindUnknown,
}

pub(super) fn decide(
    desired: &[Rendered],
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
    findings: &mut Findings,
) {
    let is_pod = |wanted: &&Rendered| wanted.stake == Stake::Pod;
    for wanted in desired.iter().filter(|wanted| !is_pod(wanted)) {
        let why = decide_one(wanted, rollout, resolved, observed, plan, findings);
        if let Some(why) = why.filter(|_| wanted.stake.is_awaited()) {
            findings.waits.push(Wait { on: wanted.object.key().into(), why });
        }
    }
    let before_pod = sent_before_pod(desired, plan);
    follow(&before_pod, rollout, resolved, observed, plan, findings);
    let mut is_behind = false;
    for wanted in desired.iter().filter(is_pod) {
        is_behind |= !decide_pod(wanted, &before_pod, rollout, resolved, observed, plan, findings);
    }
    prune(desired, rollout, resolved, observed, is_behind, plan);
    refresh_mounts(rollout, resolved, observed, plan);
}

/// Waits for the end of the Deployment that ran the agent before, if there is one, and brings it about
/// once nothing else is waited for: from then on the agent is away until the StatefulSet has its pod.
fn follow(
    before_pod: &[ObjectKey],
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
    findings: &mut Findings,
) {
    let name = resolved.name.as_str();
    let predecessor = predecessor(name, resolved.uid.as_deref(), observed);
    let may_end =
        rollout.verdict == Verdict::Go && resolved.power.is_on() && findings.waits.is_empty();
    match predecessor {
        Predecessor::Unknown => plan.reads.push(Read::Deployment(name.to_owned())),
        Predecessor::Runs(uid) if may_end => {
            let end = Effect::delete_deployment(name, uid, Purpose::Replace);
            plan.effects.push(Effect { after: before_pod.to_vec(), ..end });
        }
        Predecessor::None | Predecessor::Runs(_) | Predecessor::Ends => {}
    }
    if let Some(why) = predecessor.why() {
        findings.waits.push(Wait { on: On::Deployment(name.to_owned()), why });
    }
}

/// Returns why the object is waited for, if it is.
///
/// It is not when it is as it should be, or will be with the plan's effects.
fn decide_one(
    wanted: &Rendered,
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
    findings: &mut Findings,
) -> Option<Why> {
    let key = wanted.object.key();
    match standing(&key, resolved, observed) {
        Standing::Unknown => {
            plan.reads.push(Read::Metadata(key));
            Some(Why::Unknown)
        }
        Standing::Foreign => {
            findings.conflicts.push(key);
            Some(Why::Foreign)
        }
        Standing::Lent => None,
        Standing::Deleting => Some(Why::Deleting),
        Standing::NoKind(project) => Some(Why::NoKind(project)),
        Standing::KindUnknown => Some(Why::KindUnknown),
        Standing::Absent if rollout.verdict.holds() && !wanted.stake.is_always_made() => {
            // What will not start waits for another spec.
            (rollout.verdict != Verdict::WillNotStart).then_some(Why::Held)
        }
        Standing::Absent => create(wanted, rollout, plan),
        Standing::Ours(seen) if wanted.goes => {
            plan.effects.push(Effect::delete(key, seen.uid.clone()));
            wanted.lacks.map(Why::Lacks)
        }
        Standing::Ours(seen) => update(wanted, seen, rollout, resolved, observed, plan),
    }
}

/// The StatefulSet is sent only if nothing that it waits for is missing, and after all that this
/// plan sends of what its pod needs. Without a pod there is nothing to wait for. Returns whether
/// there is nothing to send.
fn decide_pod(
    wanted: &Rendered,
    before_pod: &[ObjectKey],
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
    findings: &mut Findings,
) -> bool {
    let before = plan.effects.len();
    let why = decide_one(wanted, rollout, resolved, observed, plan, findings);
    let is_sent = why.is_none() && plan.effects.len() == before;
    if !findings.waits.is_empty() {
        plan.effects.truncate(before);
    } else if resolved.power.is_on() {
        for effect in plan.effects.iter_mut().skip(before) {
            if let Action::Apply(_) = effect.action {
                effect.after = before_pod.to_vec();
            }
        }
    }
    is_sent
}

/// Returns what this plan sends of all that the pod needs before it starts.
fn sent_before_pod(desired: &[Rendered], plan: &Plan) -> Vec<ObjectKey> {
    let precedes = |key: &&ObjectKey| {
        let wanted = desired.iter().find(|wanted| wanted.object.is(key));
        wanted.is_some_and(|wanted| wanted.stake.precedes_pod())
    };
    let sent = plan.effects.iter().filter_map(sent_object);
    let mut sent: Vec<ObjectKey> = sent.filter(precedes).cloned().collect();
    sent.dedup();
    sent
}

/// The object that an effect brings to what is wanted of it.
fn sent_object(effect: &Effect) -> Option<&ObjectKey> {
    let sends = matches!(effect.action, Action::Apply(_) | Action::Create(_));
    effect.object().filter(|_| sends || effect.why == Purpose::TakeOver)
}

/// Whether an object stays as it is because the running pod does.
fn is_held(wanted: &Rendered, rollout: &Rollout) -> bool {
    rollout.verdict.holds() && wanted.stake.is_held()
}

/// Returns everything that stands beside the pod, with what keeps it from being there.
pub(super) fn companions(
    desired: &[Rendered],
    resolved: &Resolved,
    observed: &Observed,
) -> BTreeMap<ObjectKey, Option<Why>> {
    let beside = desired.iter().filter(|wanted| wanted.stake == Stake::Beside);
    beside
        .map(|wanted| {
            let key = wanted.object.key();
            let why = match standing(&key, resolved, observed) {
                Standing::Ours(_) if wanted.goes => wanted.lacks.map(Why::Lacks),
                Standing::Ours(_) | Standing::Lent => None,
                Standing::Absent => Some(wanted.lacks.map_or(Why::Absent, Why::Lacks)),
                Standing::Foreign => Some(Why::Foreign),
                Standing::Deleting => Some(Why::Deleting),
                Standing::Unknown => Some(Why::Unknown),
                Standing::NoKind(project) => Some(Why::NoKind(project)),
                Standing::KindUnknown => Some(Why::KindUnknown),
            };
            (key, why)
        })
        .collect()
}

fn standing<'a>(key: &ObjectKey, resolved: &Resolved, observed: &'a Observed) -> Standing<'a> {
    match (observed.has(key.kind), key.kind.project()) {
        (Fact::Known(()), _) | (_, None) => {}
        (Fact::Absent, Some(project)) => return Standing::NoKind(project),
        (Fact::Unknown, Some(_)) => return Standing::KindUnknown,
    }
    match observed.objects.get(key).unwrap_or(&Fact::Unknown) {
        Fact::Unknown => Standing::Unknown,
        Fact::Absent => Standing::Absent,
        Fact::Known(seen) if seen.deleting => Standing::Deleting,
        Fact::Known(seen) if is_ours(key.kind, seen, resolved.uid.as_deref()) => {
            Standing::Ours(seen)
        }
        Fact::Known(seen) if is_lent(key, seen, resolved) => Standing::Lent,
        Fact::Known(_) => Standing::Foreign,
    }
}

/// Ours is what this instance controls. A claim that outlives instances has no owner: its labels
/// say whose it is.
fn is_ours(kind: Kind, seen: &Seen, uid: Option<&str>) -> bool {
    seen.is_controlled_by(uid)
        || (kind == Kind::PersistentVolumeClaim && seen.labelled && seen.controller.is_none())
}

/// The token and the claim of the state hold what is the user's: made beforehand, out of a backup or
/// by another operator, they are used as they are. What an earlier instance of the name has made is
/// on its way out.
fn is_lent(key: &ObjectKey, seen: &Seen, resolved: &Resolved) -> bool {
    let token = ObjectKey::new(Kind::Secret, resolved.name.gateway_token());
    let state = ObjectKey::new(Kind::PersistentVolumeClaim, resolved.name.data());
    (*key == token || *key == state) && seen.is_lent(resolved.uid.as_deref())
}

/// Makes the object. Returns why that cannot be.
fn create(wanted: &Rendered, rollout: &Rollout, plan: &mut Plan) -> Option<Why> {
    if let Some(what) = wanted.lacks {
        return Some(Why::Lacks(what));
    }
    let key = wanted.object.key();
    let object = wanted.sent(rollout).to_value();
    // It must not lead to the agent before what guards it is there.
    let is_guard = |key: &&ObjectKey| key.kind == Kind::Middleware;
    let guards = plan.effects.iter().filter_map(sent_object).filter(is_guard).cloned();
    let after = if key.kind == Kind::Ingress { guards.collect() } else { Vec::new() };
    let effect = match key.kind.ownership() {
        Ownership::Applied => Effect::apply(key, object),
        Ownership::CreatedOnce | Ownership::RunOnce => Effect::create(key, object),
    };
    plan.effects.push(Effect { after, ..effect });
    None
}

/// Brings the object to what is wanted of it. Returns why that cannot be.
fn update(
    wanted: &Rendered,
    seen: &Seen,
    rollout: &Rollout,
    resolved: &Resolved,
    observed: &Observed,
    plan: &mut Plan,
) -> Option<Why> {
    let key = wanted.object.key();
    if let Object::PersistentVolumeClaim(claim) = &wanted.object {
        claims::update(claim, resolved, observed, plan);
        return None;
    }
    if key.kind.ownership() != Ownership::Applied {
        return None;
    }
    if !is_held(wanted, rollout) {
        return converge(key, &wanted.sent(rollout), seen, observed, plan);
    }
    if wanted.stake == Stake::Pod {
        match rollout::held(&wanted.object.to_value(), seen, rollout, observed, &key) {
            Ok(Some(object)) => plan.effects.push(Effect::apply(key, object)),
            Ok(None) => {}
            Err(read) => {
                plan.reads.push(read);
                return Some(Why::Unread);
            }
        }
    }
    None
}

/// Sends an object unless what we own of the live one is what would be sent, as a whole. What the
/// cache knows is a hint; the live object decides. Returns why that cannot be.
///
/// A difference is never explained away: a field that is live and not wanted may be a default of
/// the API server, and may be the one that the user has taken out to close something. If an apply
/// leaves a difference, the pair is remembered, and it is not repeated.
fn converge(
    key: ObjectKey,
    wanted: &Object,
    seen: &Seen,
    observed: &Observed,
    plan: &mut Plan,
) -> Option<Why> {
    // As text: a value is made of what is sent, and at rest that is nothing.
    let wanted_hash = content_hash(wanted.to_json().as_bytes());
    let is_sent = |owned_hash: &str| {
        owned_hash == wanted_hash
            || observed
                .unsettled
                .get(&key)
                .is_some_and(|(sent, stored)| *sent == wanted_hash && stored == owned_hash)
    };
    if is_sent(&seen.owned_hash) && !seen.previous_manager {
        return None;
    }
    let Some(live) = observed.live.get(&key) else {
        plan.reads.push(Read::Live(key));
        return Some(Why::Unread);
    };
    if let Some(patch) = take_over_patch(live, PREVIOUS_MANAGERS) {
        plan.effects.push(Effect::json_patch(
            Target::Object(key.clone()),
            Purpose::TakeOver,
            patch,
        ));
    } else if is_sent(&owned_hash(live, FIELD_MANAGER)) {
        return None;
    }
    plan.effects.push(Effect::apply(key, wanted.to_value()));
    None
}

/// Deletes what is ours and no longer rendered. Claims and Secrets go only by a decision of their
/// own, and what a pod's template may name once the pod is no longer behind what is wanted of it.
///
/// What it was for is on it if it stood beside, see [`annotations::STANDS`]; else it may be what
/// objects of its kind ever are to the pod.
fn prune(
    desired: &[Rendered],
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
        let wanted = desired.iter().any(|wanted| wanted.object.is(key));
        let named = is_behind && stake::was_named_by_pod(key.kind, seen);
        let held = rollout.verdict.holds() && stake::was_held_with_pod(key.kind, seen);
        let there = matches!(observed.has(key.kind), Fact::Known(()));
        if ours && there && !lasting && !wanted && !named && !held {
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
            plan.effects.push(Effect::merge_patch(pod, Purpose::Refresh, patch));
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

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim};
    use serde_json::json;

    use super::*;
    use crate::api::{OpenClawInstance, OpenClawInstanceSpec};
    use crate::observed::Claim;
    use crate::resource::stake::WhileHeld;
    use crate::{Settings, decode_instance, resolve};

    fn resolved() -> Resolved {
        let (instance, _) = decode_instance(json!({
            "apiVersion": "openclaw.rocks/v1alpha1",
            "kind": "OpenClawInstance",
            "metadata": {"name": "ada", "namespace": "agents", "uid": "u"},
            "spec": {"image": {"tag": "2026.9.6"}},
        }))
        .unwrap();
        let token = Some("0".repeat(64));
        let observed = Observed { random_token: token, ..Observed::default() };
        resolve(&instance, &observed, &Settings::default()).resolved.unwrap()
    }

    /// Everything that is wanted, with one more object.
    fn wanted_with(resolved: &Resolved, object: Object, stake: Stake) -> Vec<Rendered> {
        let more = Rendered { object, stake, lacks: None, goes: false };
        let mut all = crate::resource::render(resolved);
        all.push(more);
        all.sort_by_key(|wanted| wanted.object.key());
        all
    }

    fn dashboard() -> (Object, ObjectKey) {
        let mut map = ConfigMap::default();
        map.metadata.name = Some("ada-dashboard".to_owned());
        map.data = Some([("dashboard.json".to_owned(), "{}".to_owned())].into());
        let object = Object::from(map);
        let key = object.key();
        (object, key)
    }

    /// Nothing is there yet.
    fn absent(desired: &[Rendered]) -> Observed {
        let objects = desired.iter().map(|wanted| (wanted.object.key(), Fact::Absent)).collect();
        Observed { objects, deployment: Fact::Absent, ..Observed::default() }
    }

    fn decided(
        desired: &[Rendered],
        verdict: Verdict,
        resolved: &Resolved,
        observed: &Observed,
    ) -> (Vec<ObjectKey>, Vec<Wait>) {
        let rollout = Rollout { verdict, ..Rollout::default() };
        let (mut plan, mut findings) = (Plan::default(), Findings::default());
        decide(desired, &rollout, resolved, observed, &mut plan, &mut findings);
        (plan.effects.iter().filter_map(sent_object).cloned().collect(), findings.waits)
    }

    #[test]
    fn a_pod_waits_for_what_it_needs_and_for_nothing_that_stands_beside() {
        let resolved = resolved();
        let (dashboard, beside) = dashboard();
        let desired = wanted_with(&resolved, dashboard, Stake::Beside);
        let config = ObjectKey::new(Kind::ConfigMap, "ada-config");
        let pod = ObjectKey::new(Kind::StatefulSet, "ada");
        let foreign = Seen::default();
        let deleting = Seen { deleting: true, ..Seen::default() };
        for (fact, why) in [
            (Fact::Unknown, Why::Unknown),
            (Fact::Known(foreign), Why::Foreign),
            (Fact::Known(deleting), Why::Deleting),
        ] {
            for (key, is_awaited) in [(&config, true), (&beside, false)] {
                let mut observed = absent(&desired);
                observed.objects.insert(key.clone(), fact.clone());
                let (sent, waits) = decided(&desired, Verdict::Go, &resolved, &observed);
                assert!(!sent.contains(key), "{key} {why}");
                assert_eq!(sent.contains(&pod), !is_awaited, "{key} {why}");
                let expected = Wait { on: key.clone().into(), why };
                assert_eq!(waits, if is_awaited { vec![expected] } else { Vec::new() });
            }
        }
    }

    #[test]
    fn while_the_pod_is_held_only_what_it_may_need_to_come_back_and_what_stands_beside_is_made() {
        let resolved = resolved();
        let (dashboard, beside) = dashboard();
        let desired = wanted_with(&resolved, dashboard, Stake::Beside);
        let observed = absent(&desired);
        let (sent, waits) = decided(&desired, Verdict::HeldForApproval, &resolved, &observed);
        let kinds: Vec<Kind> =
            sent.iter().filter(|key| **key != beside).map(|key| key.kind).collect();
        assert!(sent.contains(&beside), "{sent:?}");
        let made = [
            Kind::ServiceAccount,
            Kind::Role,
            Kind::RoleBinding,
            Kind::NetworkPolicy,
            Kind::Secret,
            Kind::PersistentVolumeClaim,
            Kind::PodDisruptionBudget,
        ];
        assert_eq!(kinds, made);
        let held: Vec<String> = waits.iter().map(|wait| wait.on.to_string()).collect();
        assert_eq!(held, ["ConfigMap/ada-config", "ConfigMap/ada-workspace", "Service/ada"]);
        assert!(waits.iter().all(|wait| wait.why == Why::Held), "{waits:?}");
    }

    #[test]
    fn each_claim_grows_by_itself() {
        let resolved = resolved();
        let mut more = PersistentVolumeClaim::default();
        more.metadata.name = Some("ada-more".to_owned());
        more.spec = serde_json::from_value(json!({"resources": {"requests": {"storage": "20Gi"}}}))
            .unwrap();
        let stake = Stake::Needed(WhileHeld::Changes);
        let desired = wanted_with(&resolved, more.into(), stake);
        let mut observed = absent(&desired);
        for name in ["ada-data", "ada-more"] {
            let key = ObjectKey::new(Kind::PersistentVolumeClaim, name);
            let ours = Seen { labelled: true, ..Seen::default() };
            observed.objects.insert(key, Fact::Known(ours));
            let live = Claim {
                size: Some("10Gi".to_owned()),
                phase: Some("Bound".to_owned()),
                ..Claim::default()
            };
            observed.claims.insert(name.to_owned(), Fact::Known(live));
        }
        let (mut plan, mut findings) = (Plan::default(), Findings::default());
        let rollout = Rollout::default();
        decide(&desired, &rollout, &resolved, &observed, &mut plan, &mut findings);
        let grown: Vec<&str> = plan
            .effects
            .iter()
            .filter(|effect| effect.why == Purpose::Expand)
            .filter_map(|effect| Some(effect.object()?.name.as_str()))
            .collect();
        assert_eq!(grown, ["ada-more"]);
    }

    fn monitor() -> Object {
        let mut monitor = crate::monitoring::ServiceMonitor::default();
        monitor.metadata.name = Some("ada".to_owned());
        monitor.into()
    }

    #[test]
    fn a_kind_that_is_not_known_to_be_there_keeps_nothing_else_from_being_made() {
        let resolved = resolved();
        let desired = wanted_with(&resolved, monitor(), Stake::Beside);
        let monitor = monitor().key();
        let pod = ObjectKey::new(Kind::StatefulSet, "ada");
        for (fact, is_made, why) in [
            (Fact::Known(()), true, Why::Absent),
            (Fact::Absent, false, Why::NoKind("the Prometheus Operator")),
            (Fact::Unknown, false, Why::KindUnknown),
        ] {
            let mut observed = absent(&desired);
            observed.kinds.insert(Kind::ServiceMonitor, fact);
            let (sent, waits) = decided(&desired, Verdict::Go, &resolved, &observed);
            assert_eq!(sent.contains(&monitor), is_made, "{why}");
            assert!(sent.contains(&pod), "{why}");
            assert_eq!(waits, [], "{why}");
            let beside = companions(&desired, &resolved, &observed);
            assert_eq!(beside.get(&monitor), Some(&Some(why)));
        }
    }

    fn deleted(resolved: &Resolved, verdict: Verdict, observed: &Observed) -> Vec<String> {
        let rollout = Rollout { verdict, ..Rollout::default() };
        let (mut plan, mut findings) = (Plan::default(), Findings::default());
        let desired = crate::resource::render(resolved);
        decide(&desired, &rollout, resolved, observed, &mut plan, &mut findings);
        let deletes = |effect: &&Effect| matches!(effect.action, Action::Delete { .. });
        plan.effects
            .iter()
            .filter(deletes)
            .filter_map(|effect| Some(effect.object()?.to_string()))
            .collect()
    }

    #[test]
    fn what_is_rendered_no_more_goes_by_what_it_was_for() {
        let resolved = resolved();
        let ours = || Seen { controller: Some("u".to_owned()), labelled: true, ..Seen::default() };
        let beside = [(annotations::STANDS.to_owned(), annotations::STANDS_BESIDE.to_owned())];
        let mut observed = Observed::default();
        for (kind, name, annotations) in [
            (Kind::ConfigMap, "ada-mounted", [].into()),
            (Kind::ConfigMap, "ada-dashboard", beside.into()),
            (Kind::ServiceMonitor, "ada", [].into()),
        ] {
            let seen = Seen { annotations, ..ours() };
            observed.objects.insert(ObjectKey::new(kind, name), Fact::Known(seen));
        }
        let held = Verdict::HeldForApproval;
        for unknown in [Fact::Unknown, Fact::Absent] {
            observed.kinds.insert(Kind::ServiceMonitor, unknown);
            assert_eq!(deleted(&resolved, held, &observed), ["ConfigMap/ada-dashboard"]);
        }
        observed.kinds.insert(Kind::ServiceMonitor, Fact::Known(()));
        let both = ["ConfigMap/ada-dashboard", "ServiceMonitor/ada"];
        assert_eq!(deleted(&resolved, held, &observed), both);
        // The pod is behind what is wanted of it, so it may still name the other one.
        assert_eq!(deleted(&resolved, Verdict::Go, &observed), both);
    }

    #[test]
    fn what_stands_beside_says_so_where_its_kind_does_not() {
        let says = |object: Object| {
            let marked = crate::resource::stake::marked(Stake::Beside, [object]).next();
            let value = marked.map(|rendered| rendered.object.to_value()).unwrap_or_default();
            value["metadata"]["annotations"][annotations::STANDS].clone()
        };
        assert_eq!(says(dashboard().0), annotations::STANDS_BESIDE);
        assert_eq!(says(monitor()), Value::Null);
    }

    #[test]
    fn what_stands_beside_is_no_part_of_the_pod() {
        let resolved = resolved();
        let instance = OpenClawInstance::new("ada", OpenClawInstanceSpec::default());
        let hash_with = |stake: Stake| {
            let desired = wanted_with(&resolved, dashboard().0, stake);
            rollout::decide(
                &instance,
                &resolved,
                &desired,
                &absent(&desired),
                &Settings::default(),
                &[],
            )
            .pod_hash
        };
        let without = crate::resource::render(&resolved);
        let without = rollout::decide(
            &instance,
            &resolved,
            &without,
            &absent(&without),
            &Settings::default(),
            &[],
        )
        .pod_hash;
        assert_eq!(hash_with(Stake::Beside), without);
        assert_ne!(hash_with(Stake::Needed(WhileHeld::Stays)), without);
    }
}
