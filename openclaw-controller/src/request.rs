//! The part of a pass that is about the requests of an agent. It comes before the pass over the
//! instance, which then sees what they changed.

use std::time::Duration;

use jiff::Timestamp;
use openclaw_render::api::{OpenClawSelfConfigStatus, SelfConfigureSpec};
use openclaw_render::vocab::SELF_CONFIG_MANAGER;
use openclaw_render::{
    Answer, Enforcement, Event, EventKind, Overwrites, Proof, RequestStep, Requests,
    RequestsAsked as Asked, RequestsSeen, answer_request, changed_by_others, last_writer,
    request_ended, request_steps, request_waits,
};
use serde_json::{Value, json};
use tracing::info;

use crate::cluster::{INSTANCES, Place, REQUESTS};
use crate::context::Context;
use crate::error::{CallError, RetryClass};
use crate::feed::Item;
use crate::instance::RETRY_WITHOUT_ROOM;
use crate::instance_text::Instance;
use crate::instances::Newest;
use crate::live::{self, InstanceKey};
use crate::publish::{tell, whole_status};

/// What the chart's policy says, in part; nobody else says that.
const DENIED: &str = "a request is made by the ServiceAccount of the instance that it names";
/// The request that must be refused. Nothing is ever stored.
const TRIAL: &str = "openclaw-operator-trial";

/// Does what is to be done about the requests that name an instance. Returns when to look again,
/// `None` without any.
pub(crate) async fn pass(
    key: &InstanceKey,
    context: &Context,
) -> Result<Option<Duration>, CallError> {
    // The room is held until all is done.
    let (live, _room) = match context.instances.newest(key, &context.cluster).await? {
        Newest::Here(instance, room) => (Some(instance), room),
        Newest::Later => return Ok(Some(RETRY_WITHOUT_ROOM)),
        Newest::Gone => (None, None),
    };
    let instance = match &live {
        None => Asked::Absent,
        Some(instance) => standing(&instance.live, instance.problem.is_some()),
    };
    let requests = context.requests.of(key);
    if requests.is_empty() && instance != Asked::On {
        return Ok(None);
    }
    let now = Timestamp::now();
    let live = live.map(|instance| instance.live);
    if let Some(live) = live.as_ref().filter(|_| instance == Asked::On) {
        note_overwrites(key, live, now, context).await?;
    }
    let stopped = || {
        context.requests.overwrites(key, Overwrites::default, |overwrites| {
            overwrites.stopped(now).map(str::to_owned)
        })
    };
    let stopped = if instance == Asked::On { stopped() } else { None };
    let proof = context.requests.told(key).proof;
    let mut seen = RequestsSeen { requests, instance, proof, stopped, now };
    let (mut steps, mut again_in) = request_steps(&seen);
    if steps.contains(&RequestStep::Prove) {
        seen.proof = prove(key, context).await;
        (steps, again_in) = request_steps(&seen);
    }
    if instance == Asked::On {
        let ended = steps.iter().filter(|step| !matches!(step, RequestStep::Hold { .. })).count();
        let open = seen.requests.iter().filter(|it| it.completed.is_none()).count();
        let open = open.saturating_sub(ended);
        let told = Requests { proof: seen.proof, overwritten: seen.stopped, open };
        context.requests.tell(key, told);
    }
    // One that cannot be dealt with keeps none of the others waiting.
    let mut failed = None;
    for step in &steps {
        failed = failed.or(perform(key, step, context).await.err());
    }
    if let Some(failed) = failed {
        return Err(failed);
    }
    Ok(Some(Duration::from_secs(again_in.into())))
}

fn standing(live: &Value, is_partial: bool) -> Asked {
    if is_partial || live.pointer("/metadata/deletionTimestamp").is_some() {
        return Asked::Unreadable;
    }
    let policy = live.pointer("/spec/selfConfigure").cloned().unwrap_or_default();
    let policy: SelfConfigureSpec = serde_json::from_value(policy).unwrap_or_default();
    if policy.enabled == Some(true) { Asked::On } else { Asked::Off }
}

/// Whether somebody has taken away what requests added. The managed fields that are kept tell it, and
/// all of them who it was.
async fn note_overwrites(
    key: &InstanceKey,
    live: &Value,
    now: Timestamp,
    context: &Context,
) -> Result<(), CallError> {
    let conditions = live.pointer("/status/conditions").cloned().unwrap_or_default();
    let told = || {
        let conditions: Vec<_> = serde_json::from_value(conditions).unwrap_or_default();
        Overwrites::of_conditions(&conditions)
    };
    let changed = changed_by_others(live);
    let is_known = context.requests.overwrites(key, told, |overwrites| {
        changed.as_ref().is_none_or(|changed| overwrites.has_seen(changed))
    });
    let Some(changed) = changed.filter(|_| !is_known) else { return Ok(()) };
    let Some(whole) = context.cluster.whole(Place::of(INSTANCES, key)).await? else {
        return Ok(());
    };
    let whole = whole.live;
    if changed_by_others(&whole).is_none() {
        return Ok(());
    }
    let writer = last_writer(&whole);
    let event = context
        .requests
        .overwrites(key, Overwrites::default, |overwrites| overwrites.note(changed, writer, now));
    if let Some(event) = event {
        tell(context, INSTANCES, key, &whole, &event).await;
    }
    Ok(())
}

/// Tries to make a request in the agent's name, which the chart's policy must refuse.
async fn prove(key: &InstanceKey, context: &Context) -> Proof {
    let place = Place { resource: REQUESTS, namespace: &key.namespace, name: TRIAL };
    let trial = json!({
        "apiVersion": REQUESTS.api_version, "kind": REQUESTS.kind,
        "metadata": {"name": TRIAL, "namespace": key.namespace},
        "spec": {"instanceRef": key.name, "addSkills": ["trial"]},
    });
    let verdict = match context.cluster.try_to_create(place, &trial).await {
        Ok(_) => Enforcement::NotEnforced,
        Err(error) if error.message().contains(DENIED) => Enforcement::Enforced,
        Err(error) => Enforcement::Unknown(error.message()),
    };
    Proof { verdict, at: Some(Timestamp::now()) }
}

async fn perform(
    key: &InstanceKey,
    step: &RequestStep,
    context: &Context,
) -> Result<(), CallError> {
    let of = |name: &str| InstanceKey { namespace: key.namespace.clone(), name: name.to_owned() };
    match step {
        RequestStep::Prove => Ok(()),
        RequestStep::Delete(name) => delete(&of(name), context).await,
        RequestStep::End { name, phase, message } => {
            let status = request_ended(*phase, message, Some(Timestamp::now()));
            report(&of(name), &status, context).await
        }
        RequestStep::Hold { name, message } => {
            report(&of(name), &request_waits(message), context).await
        }
        RequestStep::CarryOut(name) => carry_out(key, &of(name), context).await,
    }
}

async fn delete(request: &InstanceKey, context: &Context) -> Result<(), CallError> {
    let Some(live) = context.cluster.whole(Place::of(REQUESTS, request)).await? else {
        return Ok(());
    };
    let uid = live::text(&live.live, "uid").unwrap_or_default();
    match context.cluster.delete(Place::of(REQUESTS, request), uid).await {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted,
    }
}

/// Says how far a request has come, unless it says so already.
async fn report(
    request: &InstanceKey,
    status: &OpenClawSelfConfigStatus,
    context: &Context,
) -> Result<(), CallError> {
    let Some(live) = context.cluster.whole(Place::of(REQUESTS, request)).await? else {
        return Ok(());
    };
    write(request, &live.live, status, context).await
}

async fn write(
    request: &InstanceKey,
    live: &Value,
    status: &OpenClawSelfConfigStatus,
    context: &Context,
) -> Result<(), CallError> {
    let status = serde_json::to_value(status).unwrap_or_default();
    if live.get("status") == Some(&status) {
        return Ok(());
    }
    let patch = whole_status(live, &status);
    match context.cluster.patch_status(Place::of(REQUESTS, request), &patch).await {
        Ok(stored) => {
            if let Some(item) = Item::new(stored.text(), None) {
                context.requests.put(&item);
            }
            let phase = status.get("phase").and_then(Value::as_str).unwrap_or_default();
            context.metrics.request_came_to(phase);
            info!(namespace = request.namespace, request = request.name, phase, "a request");
            Ok(())
        }
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Judges a request against the instance as it is now, and carries it out if that is allowed.
async fn carry_out(
    key: &InstanceKey,
    request: &InstanceKey,
    context: &Context,
) -> Result<(), CallError> {
    let now = Some(Timestamp::now());
    let Some(found) = context.cluster.whole(Place::of(REQUESTS, request)).await? else {
        return Ok(());
    };
    let Instance { live, problem } = found;
    let Some(instance) = context.cluster.whole(Place::of(INSTANCES, key)).await? else {
        return Ok(());
    };
    if instance.problem.is_some() {
        return Ok(());
    }
    let instance = instance.live;
    let mut answer = answer_request(&live, problem, &instance, now);
    if let Some(part) = answer.apply.take() {
        let result =
            context.cluster.apply_as(Place::of(INSTANCES, key), &part, SELF_CONFIG_MANAGER).await;
        let failed = result.as_ref().err().map(CallError::class);
        context.metrics.performed(key, "apply", INSTANCES.kind, failed);
        match result {
            Ok(stored) => {
                context.instances.written(stored.instance()?);
                context.requests.overwrites(key, Overwrites::default, Overwrites::applied);
            }
            Err(error) if is_final(&error) => answer = refused(&error, now),
            Err(error) => return Err(error),
        }
    }
    write(request, &live, &answer.status, context).await?;
    for event in &answer.events {
        tell(context, INSTANCES, key, &instance, event).await;
    }
    if answer.events.iter().any(|event| event.reason == "SelfConfigApplied") {
        let message = answer.status.message.clone().unwrap_or_default();
        let event = Event { kind: EventKind::Normal, reason: "Applied".to_owned(), message };
        tell(context, REQUESTS, request, &live, &event).await;
    }
    Ok(())
}

/// Whether trying again would not help: it is against the rules, or somebody else has the field.
fn is_final(error: &CallError) -> bool {
    error.class() == RetryClass::Refused || error.is_of_another_manager()
}

fn refused(error: &CallError, now: Option<Timestamp>) -> Answer {
    let message = error.message();
    let why = if error.is_of_another_manager() {
        format!("somebody else declared it, who alone may change it: {message}")
    } else {
        format!("the API server refuses the instance with it: {message}")
    };
    let status = request_ended(openclaw_render::api::SelfConfigPhase::Failed, &why, now);
    Answer { apply: None, status, events: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_charts_policy_says_what_a_trial_waits_for() {
        let policies =
            include_str!("../../charts/openclaw-operator/templates/admission-policies.yaml");
        assert!(policies.contains(DENIED));
    }
}
