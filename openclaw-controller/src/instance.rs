//! One pass over an OpenClawInstance: observe, plan, execute, publish.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::api::DynamicObject;
use kube::runtime::controller::Action;
use openclaw_render::{Plan, decode_instance, plan_undecoded};
use serde_json::Value;
use tracing::{Instrument, info_span, warn};

use crate::cache::InstanceKey;
use crate::context::Context;
use crate::error::{CallError, RetryClass, chain};
use crate::execute::{self, Outcome};
use crate::instances::{Instance, Newest};
use crate::observe::Pass;
use crate::publish;

/// Spread of the time until the next look, so that instances do not come in herds.
const JITTER: f64 = 0.1;

/// How long an instance waits whose pass needs more memory than there is room for.
const LATER: Duration = Duration::from_secs(1);

/// What failed in a pass.
#[derive(Debug, thiserror::Error)]
#[error("{} calls failed, first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
pub(crate) struct PassFailed(pub(crate) Vec<CallError>);

impl PassFailed {
    /// The gravest: the one that waits longest.
    pub(crate) fn class(&self) -> RetryClass {
        self.0.iter().map(CallError::class).max().unwrap_or(RetryClass::Unavailable)
    }

    fn delay(&self, failures: u32) -> Duration {
        let asked = self.0.iter().filter_map(CallError::retry_after).max().unwrap_or_default();
        self.class().delay(failures, random()).max(asked)
    }
}

/// Key of a watched instance.
pub(crate) fn key_of(object: &DynamicObject) -> InstanceKey {
    InstanceKey {
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: object.metadata.name.clone().unwrap_or_default(),
    }
}

pub(crate) async fn reconcile(
    object: Arc<DynamicObject>,
    context: Arc<Context>,
) -> Result<Action, PassFailed> {
    let key = key_of(&object);
    context.queue.started(&key);
    let span = info_span!("pass", namespace = key.namespace, instance = key.name);
    let started = Instant::now();
    let (instance, _room) = match context.instances.newest(&key, &context.cluster).await {
        Ok(Newest::Here(instance, room)) => (instance, room),
        Ok(Newest::Later) => return Ok(Action::requeue(LATER)),
        Ok(Newest::Gone) => return Ok(Action::await_change()),
        Err(error) => return Err(PassFailed(vec![error])),
    };
    let result = Box::pin(pass(*instance, &key, &context)).instrument(span).await;
    context.metrics.passed(&key, started.elapsed(), result.as_ref().err().map(PassFailed::class));
    let look_again_in = result?;
    context.failures.clear(&key);
    Ok(Action::requeue(look_again_in.mul_f64(1.0 - JITTER * random())))
}

/// When to try again after a failed pass.
pub(crate) fn retry(object: &DynamicObject, error: &PassFailed, context: &Context) -> Action {
    let key = key_of(object);
    let delay = error.delay(context.failures.add(&key));
    for call in &error.0 {
        warn!(
            namespace = key.namespace,
            instance = key.name,
            class = call.class().as_str(),
            error = %chain(call),
            retry_in_seconds = delay.as_secs_f64(),
            "a call failed"
        );
    }
    Action::requeue(delay)
}

async fn pass(
    instance: Instance,
    key: &InstanceKey,
    context: &Context,
) -> Result<Duration, PassFailed> {
    let Instance { live, problem } = instance;
    let decoded = problem.map_or_else(|| decode_instance(live.clone()), Err);
    let instance = match decoded {
        Ok((instance, _)) => instance,
        Err(problem) => {
            let mut pass = Pass::new(key, context);
            let plan = pass.decide(|observed| plan_undecoded(&live, &problem, observed)).await;
            return finish(&live, pass, plan, None, context).await;
        }
    };
    let mut pass = Pass::new(key, context);
    pass.refer_to(&instance);
    let decide = |observed: &_| openclaw_render::plan(&instance, observed, &context.settings);
    let plan = pass.decide(decide).await;
    finish(&live, pass, plan, Some(&decide), context).await
}

type Decide<'a> = &'a (dyn Fn(&openclaw_render::Observed) -> Plan + Send + Sync);

/// Executes and publishes. What is published is decided anew, from what the effects did, now or in
/// the next pass.
async fn finish(
    live: &Value,
    mut pass: Pass<'_>,
    mut plan: Plan,
    decide: Option<Decide<'_>>,
    context: &Context,
) -> Result<Duration, PassFailed> {
    let Outcome { instance, failures, refused, gone } =
        execute::execute(context, pass.key, &plan.effects).await;
    pass.failures.extend(failures);
    let changed = !plan.effects.is_empty();
    if !gone
        && pass.failures.is_empty()
        && (changed || (plan.is_progress() && publish::news(live, &plan.status).is_some()))
        && let Some(rest) = context.unreported.wait(pass.key)
    {
        return Ok(rest);
    }
    context.unreported.clear(pass.key);
    if let Some(decide) = decide.filter(|_| changed) {
        pass.refresh(refused);
        let report = decide(&pass.observed);
        plan.status = report.status;
        plan.events = report.events;
    }
    if !gone {
        let newest = instance.as_ref().unwrap_or(live);
        pass.failures.extend(publish::publish(context, pass.key, newest, &plan).await);
    }
    if pass.failures.is_empty() {
        Ok(Duration::from_secs(plan.look_again_in.into()))
    } else {
        Err(PassFailed(pass.failures))
    }
}

/// Of 0..1. Without randomness everything still works, in step.
fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX)
}
