//! One pass over an OpenClawInstance: observe, plan, execute, publish.

use std::time::{Duration, Instant};

use openclaw_render::vocab::names;
use openclaw_render::{Kind, ObjectKey, StoredInstance};
use tracing::{Instrument, info_span, warn};

use crate::context::Context;
use crate::error::{CallError, PassFailed, chain};
use crate::execute::execute;
use crate::instance_text::Instance;
use crate::instances::Newest;
use crate::live::InstanceKey;
use crate::memory::{DEADLINE, Memory};
use crate::observe::Pass;
use crate::publish::publish;
use crate::random;
use crate::{agent, request};

/// How long an instance waits whose pass needs more memory than there is room for.
pub(crate) const RETRY_WITHOUT_ROOM: Duration = Duration::from_secs(1);
/// Of an instance that is not there, watches tell when it comes.
const LOOK_AGAIN_WITHOUT: Duration = Duration::from_mins(10);
/// Part of the time until the next look by which it is shortened at random: spreads requeues.
const JITTER: f64 = 0.1;

/// Passes over an instance, within the deadline. Returns when to look again.
pub(crate) async fn reconcile(
    key: &InstanceKey,
    memory: &mut Memory,
    context: &Context,
) -> Duration {
    let span = info_span!("pass", namespace = key.namespace, instance = key.name);
    let started = Instant::now();
    let ended = Box::pin(whole_pass(key, memory, context)).instrument(span);
    let result = tokio::time::timeout(DEADLINE, ended).await.unwrap_or_else(|_| {
        let call = "end a pass".to_owned();
        Err(CallError::TimedOut { call, deadline: DEADLINE }.into())
    });
    context.metrics.passed(key, started.elapsed(), result.as_ref().err().map(PassFailed::class));
    match result {
        Ok(look_again_in) => {
            memory.failures = 0;
            look_again_in.mul_f64(1.0 - JITTER * random::fraction())
        }
        Err(failed) => retry(key, &failed, memory),
    }
}

/// The pass over what the agent asks for, over the instance, and over what stands for it: none waits
/// for another to go well.
async fn whole_pass(
    key: &InstanceKey,
    memory: &mut Memory,
    context: &Context,
) -> Result<Duration, PassFailed> {
    let of_requests = request::pass(key, context).await;
    let of_instance = pass(key, memory, context).await;
    let of_agent = agent::pass(key, context).await;
    let (mut failures, mut again_in) = match of_instance {
        Ok(again_in) => (Vec::new(), again_in),
        Err(PassFailed(failures)) => (failures, Duration::MAX),
    };
    for beside in [of_requests, of_agent] {
        match beside {
            Ok(beside) => again_in = again_in.min(beside.unwrap_or(again_in)),
            Err(failed) => failures.push(failed),
        }
    }
    if failures.is_empty() { Ok(again_in) } else { Err(PassFailed(failures)) }
}

/// The pass. What is published is decided anew from what the effects did, now or in the next pass.
async fn pass(
    key: &InstanceKey,
    memory: &mut Memory,
    context: &Context,
) -> Result<Duration, PassFailed> {
    // The room is held until the pass has ended. A deleted instance is forgotten by the watch.
    let newest = context.instances.newest(key, &context.cluster).await?;
    let (instance, _room) = match newest {
        Newest::Here(instance, room) => (instance, room),
        Newest::Later => return Ok(RETRY_WITHOUT_ROOM),
        Newest::Gone => return Ok(LOOK_AGAIN_WITHOUT),
    };
    let Instance { live, problem } = *instance;

    let stored = StoredInstance::read(&live, problem);
    let mut pass = Pass::new(key, &stored, context);
    let plan = pass.plan_in_turn().await;

    if plan.reads.is_empty() {
        // What could not be seen says nothing of what is wanted.
        context.registries.want(key, plan.look_up.clone());
    }
    let mut outcome = execute(context, key, &plan.effects, memory.failures).await;
    pass.failures.append(&mut outcome.failures);
    if plan.ask.is_some() {
        context.questions.want(key, plan.ask.clone());
    }

    if let Some(references) = &plan.references {
        let shared = ObjectKey::new(Kind::Secret, names::SHARED_BACKUP);
        context.shared_storage.note(key, references.contains(&shared));
    }
    if let Some(packs) = &plan.packs {
        context.packs.want(key, packs);
    }

    let may_wait = !outcome.gone && pass.failures.is_empty() && plan.may_report_later(&live);
    if may_wait && let Some(rest) = memory.report_may_wait() {
        return Ok(rest);
    }
    memory.unreported = None;
    let plan = pass.plan_after(plan, &outcome);
    if pass.note_turn(&plan) {
        // It is told so in the next pass.
        context.queue.wake(key);
    }
    let published = match &outcome {
        outcome if outcome.gone => Ok(()),
        outcome => publish(context, key, outcome.instance.as_ref().unwrap_or(&live), &plan).await,
    };
    if published.is_ok() {
        // A question that is answered stands until the answer is reported.
        context.questions.want(key, plan.ask);
    }
    pass.end(published)?;
    Ok(Duration::from_secs(plan.look_again_in.into()))
}

/// Returns when to try again after a failed pass.
fn retry(key: &InstanceKey, failed: &PassFailed, memory: &mut Memory) -> Duration {
    memory.failures = memory.failures.saturating_add(1);
    let delay = failed.delay(memory.failures);
    for call in &failed.0 {
        warn!(
            namespace = key.namespace,
            instance = key.name,
            class = call.class().as_str(),
            error = %chain(call),
            retry_in_seconds = delay.as_secs_f64(),
            "a call failed"
        );
    }
    delay
}
