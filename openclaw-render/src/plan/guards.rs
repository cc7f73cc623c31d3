//! What goes through whatever else is wrong with an instance: stopping its pod, and closing what its
//! user has closed.
//!
//! Unreadable references, a spec that is invalid or does not decode, fields that are not rendered,
//! a foreign object under a name that is needed: none of them may keep an agent running that its
//! user has switched off, or leave it a way or a right that its user has taken away. Only a user's
//! own pause does.

use serde_json::{Value, json};

use super::rollout;
use crate::api::OpenClawInstance;
use crate::effect::{Effect, Plan, Purpose, Read};
use crate::object::{Kind, Object, ObjectKey};
use crate::observed::{Fact, Observed, Seen};
use crate::ownership::{hash, owned};
use crate::pod::egress;
use crate::power::Power;
use crate::predecessor::{Predecessor, predecessor};
use crate::problem::{Rule, Severity};
use crate::resolution::Resolution;
use crate::resource;
use crate::vocab::{FIELD_MANAGER, GROUP, ports};

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
        Fact::Absent => return end(name, instance, observed),
        Fact::Unknown => return Err(Read::Metadata(set)),
    };
    if !is_ours(seen, instance) || seen.replicas == Some(0) {
        return Ok(None);
    }
    let Some(live) = observed.live.get(&set) else { return Err(Read::Live(set)) };
    let effect = Effect::apply(set, rollout::scaled(live, 0));
    Ok(Some(Effect { why: Purpose::Stop, ..effect }))
}

/// Returns what ends the Deployment that ran the agent before. Its volume stays.
fn end(
    name: &str,
    instance: &OpenClawInstance,
    observed: &Observed,
) -> Result<Option<Effect>, Read> {
    match predecessor(name, instance.metadata.uid.as_deref(), observed) {
        Predecessor::None | Predecessor::Ends => Ok(None),
        Predecessor::Unknown => Err(Read::Deployment(name.to_owned())),
        Predecessor::Runs(uid) => Ok(Some(Effect::delete_deployment(name, uid, Purpose::Stop))),
    }
}

/// Adds what closes a running agent's policy and Role where its user has closed them, and makes a
/// policy that is missing.
///
/// Of an instance with errors counts what `problems` find nothing wrong with: the sections of the
/// policy and of the rules. What the pod's own parts may need stays open then, for the pod stays as
/// it is.
pub(super) fn close(
    instance: &OpenClawInstance,
    resolution: &Resolution,
    observed: &Observed,
    plan: &mut Plan,
) {
    let Resolution { resolved, guarded, problems, .. } = resolution;
    let Some(answered) = resolved.as_ref().or(guarded.as_deref()) else { return };
    let is_sound = |section: &str| {
        let mut errors = problems.iter().filter(|each| each.severity == Severity::Error);
        !errors.any(|each| each.path.starts_with(section))
    };
    if super::paused(instance) || !is_sound("metadata.") || !runs(instance, observed) {
        return;
    }
    // What the Go operator looks after is closed if it is ours, and nothing of it is made.
    let is_untouched = problems.iter().any(|each| each.rule == Rule::Unsupported);
    let (policy, role) = resource::guards(answered);
    if let Some(policy) = policy.filter(|_| is_sound("spec.security.networkPolicy")) {
        let close = if resolved.is_some() { closed_policy } else { closed_policy_less_parts };
        guard(instance, &policy.into(), !is_untouched, close, observed, plan);
    }
    if is_sound("spec.security.rbac") {
        let close = if resolved.is_some() { closed_role } else { closed_role_less_parts };
        guard(instance, &role.into(), false, close, observed, plan);
    }
}

fn is_ours(seen: &Seen, instance: &OpenClawInstance) -> bool {
    seen.is_controlled_by(instance.metadata.uid.as_deref()) && !seen.deleting
}

/// Whether there may be a pod to guard.
fn runs(instance: &OpenClawInstance, observed: &Observed) -> bool {
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    let set = observed.objects.get(&ObjectKey::new(Kind::StatefulSet, name));
    let set = set.and_then(Fact::known).filter(|seen| is_ours(seen, instance));
    set.is_some_and(|seen| seen.replicas != Some(0))
}

/// Closes an object of ours by what is wanted of it, or makes it if it may be made.
fn guard(
    instance: &OpenClawInstance,
    wanted: &Object,
    is_made: bool,
    close: fn(&Value, &Value) -> Value,
    observed: &Observed,
    plan: &mut Plan,
) {
    let key = wanted.key();
    let is_sent = plan.effects.iter().any(|effect| effect.object() == Some(&key));
    if is_sent {
        return;
    }
    let wanted = wanted.to_value();
    let seen = match observed.objects.get(&key).unwrap_or(&Fact::Unknown) {
        Fact::Known(seen) => seen,
        Fact::Absent if is_made => {
            plan.effects.push(Effect::apply(key, wanted));
            return;
        }
        Fact::Absent => return,
        Fact::Unknown => {
            plan.reads.push(Read::Metadata(key));
            return;
        }
    };
    if !is_ours(seen, instance) || seen.owned_hash == hash(&wanted) {
        return;
    }
    let Some(live) = observed.live.get(&key) else {
        plan.reads.push(Read::Live(key));
        return;
    };
    let ours = owned(live, FIELD_MANAGER);
    let closed = close(&ours, &wanted);
    if closed != ours {
        plan.effects.push(Effect { why: Purpose::Close, ..Effect::apply(key, closed) });
    }
}

/// A policy less the peers that are wanted no more, and less the ways out that are.
fn closed_policy(ours: &Value, wanted: &Value) -> Value {
    without(ours, wanted, |_| false)
}

/// The same, where nobody knows what the pod's parts want.
fn closed_policy_less_parts(ours: &Value, wanted: &Value) -> Value {
    without(ours, wanted, |way| {
        let anywhere = json!(egress::anywhere(&[(ports::HTTPS, "TCP")]));
        let to_api_server = json!([{"port": ports::API_SERVER, "protocol": "TCP"}]);
        let is_open = way.get("to") == anywhere.get("to") && *way != anywhere;
        is_open || way.get("to").is_none() && way.get("ports") == Some(&to_api_server)
    })
}

fn without(ours: &Value, wanted: &Value, is_of_a_part: fn(&Value) -> bool) -> Value {
    let rules = list(wanted, "/spec/ingress").iter();
    let peers: Vec<&Value> = rules.flat_map(|rule| list(rule, "/from")).collect();
    let mut closed = ours.clone();
    retain(&mut closed, "/spec/ingress", |rule| {
        retain(rule, "/from", |peer| peers.contains(&&*peer));
        // One without peers is open to all.
        !list(rule, "/from").is_empty()
    });
    let ways = list(wanted, "/spec/egress");
    retain(&mut closed, "/spec/egress", |way| {
        ways.iter().any(|wanted| is_within(way, wanted, &[], &["/to", "/ports"]))
            || is_of_a_part(way)
    });
    closed
}

/// A Role less the rules that are wanted no more.
fn closed_role(ours: &Value, wanted: &Value) -> Value {
    let rules = list(wanted, "/rules");
    let mut closed = ours.clone();
    retain(&mut closed, "/rules", |rule| is_granted(rule, rules));
    closed
}

/// The same, where nobody knows what the pod's parts want: their rules name objects, or are about
/// our own kinds.
fn closed_role_less_parts(ours: &Value, wanted: &Value) -> Value {
    let rules = list(wanted, "/rules");
    let mut closed = ours.clone();
    retain(&mut closed, "/rules", |rule| {
        let is_own = rule.get("apiGroups") == Some(&json!([GROUP]));
        is_granted(rule, rules) || is_own || rule.get("resourceNames").is_some()
    });
    closed
}

/// Whether some rule that is wanted grants at least as much.
fn is_granted(rule: &Value, wanted: &[Value]) -> bool {
    let lists = ["/apiGroups", "/resources", "/verbs", "/nonResourceURLs"];
    wanted.iter().any(|wanted| is_within(rule, wanted, &lists, &["/resourceNames"]))
}

/// Whether a rule allows nothing that the other does not: who widens a rule closes nothing. A list of
/// the second kind allows everything where it is not there.
fn is_within(rule: &Value, other: &Value, lists: &[&str], limits: &[&str]) -> bool {
    let holds =
        |pointer: &&str| list(rule, pointer).iter().all(|item| list(other, pointer).contains(item));
    let limited = |pointer: &&str| {
        list(other, pointer).is_empty() || !list(rule, pointer).is_empty() && holds(pointer)
    };
    lists.iter().all(holds) && limits.iter().all(limited)
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn retain(value: &mut Value, pointer: &str, keeps: impl FnMut(&mut Value) -> bool) {
    if let Some(items) = value.pointer_mut(pointer).and_then(Value::as_array_mut) {
        items.retain_mut(keeps);
    }
}
