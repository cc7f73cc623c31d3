//! One pass over an OpenClawInstance: observe, plan, execute, publish.

use std::time::{Duration, Instant};

use openclaw_render::{Plan, decode_instance, plan_undecoded};
use serde_json::Value;
use tracing::{Instrument, info_span, warn};

use crate::cache::InstanceKey;
use crate::context::Context;
use crate::error::{CallError, RetryClass, chain};
use crate::execute::{self, Outcome};
use crate::instances::{Instance, Newest};
use crate::observe::Pass;
use crate::{publish, random};

/// Longer than a pass takes whose calls are all slow, each call having a deadline of its own. One
/// that takes longer is broken off where it is, as a crash would, so that its worker is free.
pub(crate) const DEADLINE: Duration = Duration::from_mins(5);
/// The cluster answers a change with changes of its own, a claim that is bound or a pod that
/// starts. A report that waits for them saves one that is out of date when it is read.
const REPORT_AFTER: Duration = Duration::from_secs(2);
/// Spread of the time until the next look, so that instances do not come in herds.
const JITTER: f64 = 0.1;

/// What one pass leaves to the next one over the same instance.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// How many failed in a row.
    failures: u32,
    /// Since when there is something to report that may wait.
    unreported: Option<Instant>,
}

impl Memory {
    /// How long a report may still wait, `None` if it has waited long enough.
    fn report_may_wait(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let since = *self.unreported.get_or_insert(now);
        REPORT_AFTER.checked_sub(now - since).filter(|rest| !rest.is_zero())
    }
}
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
        self.class().delay(failures, random::fraction()).max(asked)
    }
}

/// One pass. When to look again.
pub(crate) async fn reconcile(
    key: &InstanceKey,
    memory: &mut Memory,
    context: &Context,
) -> Duration {
    let span = info_span!("pass", namespace = key.namespace, instance = key.name);
    let started = Instant::now();
    let ended = Box::pin(begin(key, memory, context)).instrument(span);
    let result = tokio::time::timeout(DEADLINE, ended).await.unwrap_or_else(|_| {
        let call = "end a pass".to_owned();
        Err(PassFailed(vec![CallError::TimedOut { call, deadline: DEADLINE }]))
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

/// When to try again after a failed pass.
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

/// Begins with the newest of the instance, if there is room for it.
async fn begin(
    key: &InstanceKey,
    memory: &mut Memory,
    context: &Context,
) -> Result<Duration, PassFailed> {
    match context.instances.newest(key, &context.cluster).await {
        // The room is held until the pass has ended.
        Ok(Newest::Here(instance, _room)) => Box::pin(pass(*instance, key, memory, context)).await,
        // Of one that is gone, the watch tells.
        Ok(Newest::Later | Newest::Gone) => Ok(LATER),
        Err(error) => Err(PassFailed(vec![error])),
    }
}

async fn pass(
    instance: Instance,
    key: &InstanceKey,
    memory: &mut Memory,
    context: &Context,
) -> Result<Duration, PassFailed> {
    let Instance { live, problem } = instance;
    let decoded = problem.map_or_else(|| decode_instance(live.clone()), Err);
    let instance = match decoded {
        Ok((instance, _)) => instance,
        Err(problem) => {
            let mut pass = Pass::new(key, context);
            let decide = |observed: &_| plan_undecoded(&live, &problem, observed);
            let plan = pass.decide(decide).await;
            return finish(&live, pass, plan, &decide, memory, context).await;
        }
    };
    let mut pass = Pass::new(key, context);
    let decide = |observed: &_| openclaw_render::plan(&instance, observed, &context.settings);
    let plan = pass.decide(decide).await;
    finish(&live, pass, plan, &decide, memory, context).await
}

type Decide<'a> = &'a (dyn Fn(&openclaw_render::Observed) -> Plan + Send + Sync);

/// Executes and publishes. What is published is decided anew, from what the effects did, now or in
/// the next pass.
async fn finish(
    live: &Value,
    mut pass: Pass<'_>,
    mut plan: Plan,
    decide: Decide<'_>,
    memory: &mut Memory,
    context: &Context,
) -> Result<Duration, PassFailed> {
    let Outcome { instance, failures, refused, withheld, gone } =
        execute::execute(context, pass.key, &plan.effects).await;
    pass.failures.extend(failures);
    let changed = !plan.effects.is_empty();
    if plan.ask.is_some() {
        context.questions.want(pass.key, plan.ask.clone());
    }
    if !gone
        && pass.failures.is_empty()
        && (changed || (plan.is_progress() && publish::news(live, &plan.status).is_some()))
        && let Some(rest) = memory.report_may_wait()
    {
        return Ok(rest);
    }
    memory.unreported = None;
    if changed {
        pass.refresh(refused, withheld);
        let report = decide(&pass.observed);
        plan.status = report.status;
        plan.events = report.events;
        plan.ask = report.ask;
    }
    let mut unpublished = None;
    if !gone {
        let newest = instance.as_ref().unwrap_or(live);
        unpublished = publish::publish(context, pass.key, newest, &plan).await;
    }
    if unpublished.is_none() {
        // A question that is answered stands until the answer is reported.
        context.questions.want(pass.key, plan.ask);
    }
    pass.failures.extend(unpublished);
    if pass.failures.is_empty() {
        Ok(Duration::from_secs(plan.look_again_in.into()))
    } else {
        Err(PassFailed(pass.failures))
    }
}
