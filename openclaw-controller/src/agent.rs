//! The part of a pass that is about an `AgentInstance`: its instance is applied, and what is said of
//! that is copied. It follows the pass over the instance, so that both say the same.

use std::time::Duration;

use openclaw_render::vocab::{FIELD_MANAGER, KIND};
use openclaw_render::{AgentWorld, Fact, hash, owned_hash, plan_agent};
use serde_json::Value;
use tracing::info;

use crate::cluster::{INSTANCES, Place};
use crate::context::Context;
use crate::error::{CallError, RetryClass};
use crate::instance::RETRY_WITHOUT_ROOM;
use crate::instance_text::Instance;
use crate::instances::Newest;
use crate::live::InstanceKey;
use crate::publish::say;

/// Does what is to be done for the agent of that name. Returns when to look again, `None` without an
/// agent.
pub(crate) async fn pass(
    key: &InstanceKey,
    context: &Context,
) -> Result<Option<Duration>, CallError> {
    if !context.agents.texts.has(key) {
        return Ok(None);
    }
    // The room is held until all is done.
    let (agent, _room) = match context.agents.texts.newest(key, &context.cluster).await? {
        Newest::Here(agent, room) => (agent, room),
        Newest::Later => return Ok(Some(RETRY_WITHOUT_ROOM)),
        Newest::Gone => return Ok(None),
    };
    let (instance, _room_of_instance) =
        match context.instances.newest(key, &context.cluster).await? {
            Newest::Here(instance, room) => (Fact::Known(instance.live), room),
            Newest::Later => return Ok(Some(RETRY_WITHOUT_ROOM)),
            Newest::Gone => (Fact::Absent, None),
        };
    let mut world = AgentWorld {
        instance,
        unsettled: context.agents.unsettled(key),
        refused: None,
        now: Some(jiff::Timestamp::now()),
    };
    let Instance { live, problem } = *agent;
    let mut plan = plan_agent(&live, problem.clone(), &world);
    if plan.apply.is_some() && world.instance == Fact::Absent {
        // The watch may be behind, and what is there may be somebody else's.
        if let Some(instance) = context.cluster.text(Place::of(INSTANCES, key)).await? {
            world.instance = Fact::Known(instance.read().live);
            plan = plan_agent(&live, problem.clone(), &world);
        }
    }
    let mut failed = None;
    if let Some(wanted) = &plan.apply {
        match apply(key, wanted, context).await {
            // What is then said of it, the next pass says.
            Ok(()) => return Ok(Some(Duration::from_secs(plan.look_again_in.into()))),
            Err(error) if error.class() == RetryClass::Refused => {
                world.refused = Some(error.message());
                plan = plan_agent(&live, problem, &world);
                failed = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    let texts = &context.agents.texts;
    say(context, texts, key, &live, plan.news(&live), &plan.events).await?;
    match failed {
        Some(failed) => Err(failed),
        None => Ok(Some(Duration::from_secs(plan.look_again_in.into()))),
    }
}

async fn apply(key: &InstanceKey, wanted: &Value, context: &Context) -> Result<(), CallError> {
    let result = context.cluster.apply(Place::of(INSTANCES, key), wanted).await;
    let failed = result.as_ref().err().map(CallError::class);
    context.metrics.performed(key, "apply", KIND, failed);
    let stored = result?;
    info!(namespace = key.namespace, instance = key.name, "apply for an AgentInstance");
    let mut sent = wanted.clone();
    if let Some(metadata) = sent.get_mut("metadata").and_then(Value::as_object_mut) {
        // A condition of the apply, and no field that anybody owns.
        metadata.remove("uid");
    }
    context.agents.applied(key, hash(&sent), owned_hash(&stored.value()?, FIELD_MANAGER));
    context.instances.written(stored.instance()?);
    // What is written by ourselves wakes nobody.
    context.queue.wake(key);
    Ok(())
}
