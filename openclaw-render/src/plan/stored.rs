//! [`StoredInstance`]: an instance as it is stored, read as far as it can be.

use serde_json::{Map, Value, json};

use super::{LOOK_AGAIN_SETTLED, LOOK_AGAIN_WAITING, deletion, guards, paused, plan};
use crate::api::{OpenClawInstance, OpenClawInstanceSpec, OpenClawInstanceStatus};
use crate::documents::decode_instance;
use crate::effect::Plan;
use crate::observed::Observed;
use crate::problem::Problem;
use crate::resolution::resolve;
use crate::settings::Settings;
use crate::status::{self, Findings, Report};

/// Sections of a spec that say who may reach the agent and what it may do.
const GUARDING: [&str; 4] = ["gateway", "networking", "observability", "security"];

/// An instance as the API server has it.
///
/// One that does not decode is not lost: what its deletion and switching it off need is read all
/// the same.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredInstance(Reading);

#[derive(Clone, Debug, PartialEq)]
enum Reading {
    Whole(Box<OpenClawInstance>),
    Remains(Box<Remains>),
}

#[derive(Clone, Debug, PartialEq)]
struct Remains {
    /// `None` if not even its metadata decodes.
    instance: Option<OpenClawInstance>,
    status: Option<OpenClawInstanceStatus>,
    problem: Problem,
}

impl StoredInstance {
    /// Reads an instance. With a problem, `live` is what was left of it.
    #[must_use]
    pub fn read(live: &Value, problem: Option<Problem>) -> Self {
        let decoded = problem.map_or_else(|| decode_instance(live.clone()), Err);
        Self(match decoded {
            Ok((instance, _)) => Reading::Whole(Box::new(instance)),
            Err(problem) => {
                let status = live.get("status").map(status::decode);
                let instance = remains(live, status.clone());
                Reading::Remains(Box::new(Remains { instance, status, problem }))
            }
        })
    }

    /// Returns the instance, if all of it could be read.
    #[must_use]
    pub fn instance(&self) -> Option<&OpenClawInstance> {
        match &self.0 {
            Reading::Whole(instance) => Some(instance),
            Reading::Remains(_) => None,
        }
    }
}

/// Decides everything that one pass does, as [`plan`], whatever the instance is like.
#[must_use]
pub fn plan_stored(stored: &StoredInstance, observed: &Observed, settings: &Settings) -> Plan {
    match &stored.0 {
        Reading::Whole(instance) => plan(instance, observed, settings),
        Reading::Remains(remains) => plan_remains(remains, observed, settings),
    }
}

/// Says what the problem is, and does nothing but close what its user has closed, and stop the pod,
/// if that is asked for. Its deletion goes on all the same; its volume is kept unless it clearly
/// says otherwise.
fn plan_remains(remains: &Remains, observed: &Observed, settings: &Settings) -> Plan {
    let Remains { instance, status, problem } = remains;
    let Some(instance) = instance else {
        let status = status.clone().unwrap_or_default();
        return Plan { look_again_in: LOOK_AGAIN_SETTLED, status, ..Plan::default() };
    };
    if instance.metadata.deletion_timestamp.is_some() {
        return deletion::of_remains(instance, observed);
    }
    let findings = Findings { paused: paused(instance), ..Findings::default() };
    let problems = vec![problem.clone()];
    let report = status::report(instance, None, observed, &problems, &findings);
    let mut plan = Plan { problems, ..Plan::default() };
    plan.take(Report { ask: None, ..report });
    // Of a section that does not decode nothing is known, not even that it is empty.
    if instance.spec.security.is_some() {
        let mut resolution = resolve(instance, observed, settings);
        // Nobody knows the rest of the spec.
        if let Some(answered) = resolution.resolved.take() {
            resolution.guarded = Some(Box::new(answered));
        }
        guards::close(instance, &resolution, observed, &mut plan);
    }
    plan.add(guards::stop(instance, observed, &plan.effects));
    let is_idle = plan.reads.is_empty() && plan.effects.is_empty();
    plan.look_again_in = if is_idle { LOOK_AGAIN_SETTLED } else { LOOK_AGAIN_WAITING };
    plan
}

/// Returns what can be relied on of an instance that does not decode.
fn remains(live: &Value, status: Option<OpenClawInstanceStatus>) -> Option<OpenClawInstance> {
    let switch = |pointer: &str| live.pointer(pointer).and_then(Value::as_bool);
    // Managed fields are as deep as the spec.
    let metadata = live.get("metadata").and_then(Value::as_object).into_iter().flatten();
    let metadata = metadata.filter(|(name, _)| *name != "managedFields");
    let metadata: Map<String, Value> =
        metadata.map(|(name, value)| (name.clone(), value.clone())).collect();
    // Nothing is backed up of what cannot be read, so it stays where a backup was asked for.
    let asks_for_backups = ["/spec/backup/schedule", "/spec/backup/storage"]
        .iter()
        .any(|pointer| live.pointer(pointer).is_some_and(|value| !value.is_null()));
    let orphan = switch("/spec/storage/persistence/orphan").unwrap_or(true) || asks_for_backups;
    let mut bare = json!({
        "metadata": metadata,
        "spec": {
            "suspended": switch("/spec/suspended"),
            "replicas": live.pointer("/spec/replicas").and_then(Value::as_i64),
            "availability": {
                "autoScaling": {"enabled": switch("/spec/availability/autoScaling/enabled")},
            },
            "storage": {
                "persistence": {"orphan": orphan},
            },
        },
    });
    for section in GUARDING {
        let value = live.pointer(&format!("/spec/{section}")).cloned().unwrap_or_else(|| json!({}));
        let alone: Value = [(section.to_owned(), value.clone())].into_iter().collect();
        if let Ok(OpenClawInstanceSpec { .. }) = serde_json::from_value(alone)
            && let Some(spec) = bare.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.insert(section.to_owned(), value);
        }
    }
    let instance: OpenClawInstance = serde_json::from_value(bare).ok()?;
    Some(OpenClawInstance { status, ..instance })
}
