//! [`plan`]: what one pass does, from what is known.
//!
//! Order: deletion; resolve; what must still be read; render; roll-out decision; unless paused, one
//! decision per object and what is no longer rendered; what is closed and a stop, whatever else is
//! wrong; status.

mod agent;
mod deletion;
mod guards;
mod inputs;
mod objects;
pub(crate) mod rollout;
mod stored;

use std::borrow::Cow;
use std::collections::BTreeSet;

pub use agent::{AgentPlan, AgentWorld, plan_agent};
use serde_json::json;
pub use stored::{StoredInstance, plan_stored};

use crate::api::OpenClawInstance;
use crate::effect::{Effect, Plan, Purpose, Read, Target, unchanged_since};
use crate::object::{Object, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::predecessor::{Predecessor, predecessor};
use crate::problem::{Problem, Rule};
use crate::resolution::{Resolution, resolve};
use crate::resource;
use crate::resource::stake::{Rendered, Stake};
use crate::rollout::{Rollout, Verdict};
use crate::settings::Settings;
use crate::status::{self, Findings, Report};
use crate::vocab::{FINALIZER, annotations};

/// Seconds after which a settled instance is looked at again: watches report changes, this finds
/// what they missed.
const LOOK_AGAIN_SETTLED: u32 = 600;
/// Seconds after which an instance is looked at again that waits for something.
const LOOK_AGAIN_WAITING: u32 = 30;
/// Seconds after which it is while a Deployment ends: no watch tells, and the agent is away.
const LOOK_AGAIN_ENDING: u32 = 5;

impl Rendered {
    /// The object as it is sent: the pod remembers its roll-out.
    fn sent(&self, rollout: &Rollout) -> Cow<'_, Object> {
        if self.stake == Stake::Pod {
            Cow::Owned(rollout::annotated(self.object.clone(), rollout))
        } else {
            Cow::Borrowed(&self.object)
        }
    }
}

/// Decides everything that one pass does.
///
/// # Flow
/// While `reads` of the result is not empty, the shell reads those things into `observed` and calls
/// again, three rounds at most (what is referred to, whose objects are there, what they look like);
/// a read that fails stays unknown. Then it performs `effects` in order
/// and publishes `status`.
///
/// # Guarantees
/// Total: an invalid spec is a plan without writes and with conditions that say why. Nothing is
/// overwritten, deleted or scaled up on the strength of something unknown. Scaling down goes
/// through whatever else is wrong, and so does what closes an agent's policy or Role.
#[must_use]
pub fn plan(instance: &OpenClawInstance, observed: &Observed, settings: &Settings) -> Plan {
    if instance.metadata.deletion_timestamp.is_some() {
        return deletion::plan_deletion(instance, observed, settings);
    }
    let resolution = resolve(instance, observed, settings);
    let Resolution { resolved, problems, references, .. } = &resolution;
    let unsupported = problems.iter().any(|problem| problem.rule == Rule::Unsupported);
    let reads = unseen(references, observed);
    let mut findings = Findings { paused: paused(instance), ..Findings::default() };
    let mut plan = Plan { look_again_in: LOOK_AGAIN_WAITING, ..Plan::default() };
    if let Some(resolved) = resolved.as_ref().filter(|_| !unsupported && reads.is_empty()) {
        let desired = resource::render(resolved);
        let rollout = rollout::decide(instance, resolved, &desired, observed, settings, problems);
        findings.companions = objects::companions(&desired, resolved, observed);
        if !findings.paused {
            plan.effects.extend(add_finalizer(instance));
            objects::decide(&desired, &rollout, resolved, observed, &mut plan, &mut findings);
        }
        findings.rollout = Some(rollout);
    } else {
        findings.unread_defaults = reads.contains(&Read::ClusterDefaults);
        plan.reads = reads;
    }
    if findings.rollout.as_ref().is_none_or(|it| it.verdict == Verdict::WillNotStart) {
        guards::close(instance, &resolution, observed, &mut plan);
    }
    plan.add(guards::stop(instance, observed, &plan.effects));
    let restore = resolved.as_ref().and_then(|resolved| resolved.restore.as_ref());
    // Nothing else waits for it.
    plan.reads.extend(restore.filter(|it| it.asks_the_namespace()).map(|_| Read::Namespace));
    plan.reads.sort();
    plan.reads.dedup();
    let report = status::report(instance, resolved.as_ref(), observed, problems, &findings);
    let (is_quiet, has_news) = (report.is_quiet, report.has_news);
    // Who is paused could not use a turn.
    let rollout = findings.rollout.as_ref().filter(|_| !findings.paused);
    plan.standings.extend(rollout.and_then(Rollout::standing));
    plan.take(report);
    if plan.reads.is_empty() && plan.effects.is_empty() && is_quiet {
        plan.look_again_in = LOOK_AGAIN_SETTLED;
    }
    if deployment_ends(instance, observed, &plan.effects) {
        plan.look_again_in = LOOK_AGAIN_ENDING;
    }
    if has_news {
        plan.look_again_in = 1;
    }
    plan.wake_for_a_window(findings.rollout.as_ref(), observed);
    if plan.ask.is_some() {
        // An answer wakes the instance, and that there is none must be said.
        plan.look_again_in = plan.look_again_in.min(status::UNCONFIRMED_AFTER);
    }
    plan.packs = resolution.resolved.map(|resolved| resolved.skill_packs.wanted);
    plan.problems = resolution.problems;
    plan.references = Some(resolution.references);
    plan
}

/// Whether the Deployment that ran the agent is going, or begins to with the effects.
fn deployment_ends(instance: &OpenClawInstance, observed: &Observed, effects: &[Effect]) -> bool {
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    let uid = instance.metadata.uid.as_deref();
    effects.iter().any(|effect| matches!(effect.target, Target::Deployment(_)))
        || predecessor(name, uid, observed) == Predecessor::Ends
}

/// Returns what must be seen before anything can be decided.
fn unseen(references: &BTreeSet<ObjectKey>, observed: &Observed) -> Vec<Read> {
    let unseen = references.iter().filter(|key| !observed.has_seen(key));
    let defaults = matches!(observed.cluster_defaults, Fact::Unknown);
    unseen.cloned().map(Read::Content).chain(defaults.then_some(Read::ClusterDefaults)).collect()
}

impl Plan {
    /// A window that opens wakes nobody.
    fn wake_for_a_window(&mut self, rollout: Option<&Rollout>, observed: &Observed) {
        let held = rollout.filter(|rollout| {
            rollout.verdict == Verdict::HeldForApproval || self.look_up.is_some()
        });
        if let Some(opens_in) = held.and_then(|held| held.windows.opens_in(observed.now)) {
            self.look_again_in = self.look_again_in.min(opens_in);
        }
    }

    fn add(&mut self, decided: Result<Option<Effect>, Read>) {
        match decided {
            Ok(effect) => self.effects.extend(effect),
            Err(read) => self.reads.push(read),
        }
    }

    fn take(&mut self, report: Report) {
        let Report { status, events, ask, look_up, standing, is_quiet: _, has_news: _ } = report;
        (self.status, self.events, self.ask, self.look_up) = (status, events, ask, look_up);
        self.standings.extend(standing);
    }
}

/// Resolves and renders in one call, for embedders and the command line: no objects if there is an
/// error, and all problems in any case.
#[must_use]
pub fn render_instance(
    instance: &OpenClawInstance,
    observed: &Observed,
    settings: &Settings,
) -> (Vec<Object>, Vec<Problem>) {
    let Resolution { resolved, problems, .. } = resolve(instance, observed, settings);
    (resolved.as_ref().map(crate::render).unwrap_or_default(), problems)
}

fn paused(instance: &OpenClawInstance) -> bool {
    let annotations = instance.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(annotations::PAUSED)).is_some_and(|value| value == "true")
}

/// Added by a patch that tests what it changes: an apply would take the list from other writers.
fn add_finalizer(instance: &OpenClawInstance) -> Option<Effect> {
    let finalizers = instance.metadata.finalizers.as_deref().unwrap_or_default();
    if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
        return None;
    }
    let test = unchanged_since(instance.metadata.resource_version.as_deref());
    let add = if instance.metadata.finalizers.is_some() {
        json!({"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER})
    } else {
        json!({"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]})
    };
    Some(Effect::json_patch(Target::Instance, Purpose::Finalizer, json!([test, add])))
}
