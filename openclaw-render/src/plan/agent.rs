//! [`plan_agent`]: what one pass does for an `AgentInstance`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use super::{LOOK_AGAIN_SETTLED, LOOK_AGAIN_WAITING};
use crate::agent_instance::{instance_of_agent, path_in_agent};
use crate::api::{AgentInstance, AgentInstanceStatus, ConditionType as About, Phase, Reason};
use crate::documents;
use crate::effect::Event;
use crate::observed::Fact;
use crate::ownership::{hash, owned_hash};
use crate::problem::{Problem, Severity};
use crate::status::{self, Statement};
use crate::vocab::{API_VERSION, FIELD_MANAGER, KIND};

/// What a pass over an `AgentInstance` knows.
#[derive(Clone, Debug, Default)]
pub struct AgentWorld {
    /// The `OpenClawInstance` of its name, with what our manager owns of it.
    pub instance: Fact<Value>,
    /// What was applied last and what the API server made of it, as hashes, if that is not the same.
    pub unsettled: Option<(String, String)>,
    /// Why the API server refuses what was applied.
    pub refused: Option<String>,
    /// What time it is.
    pub now: Option<Timestamp>,
}

/// What is done for an `AgentInstance`, and said of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentPlan {
    /// The instance, to be applied as [`FIELD_MANAGER`].
    pub apply: Option<Value>,
    /// The whole status.
    pub status: AgentInstanceStatus,
    /// What to tell the user, once per change.
    pub events: Vec<Event>,
    /// When to look again, in seconds; the shell adds jitter.
    pub look_again_in: u32,
}

impl AgentPlan {
    /// Returns the status as it is sent, unless the object says so already.
    #[must_use]
    pub fn news(&self, live: &Value) -> Option<Value> {
        let status = serde_json::to_value(&self.status).unwrap_or_default();
        let there = live.get("status").cloned().unwrap_or_else(|| json!({}));
        (there != status).then_some(status)
    }
}

/// Where an agent's instance stands.
enum Standing<'a> {
    /// Nobody could look.
    Unknown,
    /// It cannot be made.
    Wrong,
    /// The agent goes, and its instance with it, if there is one.
    Ending(bool),
    /// The name is somebody else's.
    Taken,
    /// The API server refuses it.
    Refused(&'a str),
    /// It is sent, or about to be made.
    Sent,
    /// It is being deleted.
    Going,
    /// It is as the agent says.
    There(&'a Value),
}

/// Decides everything that one pass does for an `AgentInstance`, which is given as it is stored. With
/// a problem, that is what was left of it.
///
/// # Guarantees
/// Total. An instance of that name that the agent does not control is left alone; so is the one that
/// the agent made while what it says now cannot be carried over.
#[must_use]
pub fn plan_agent(live: &Value, problem: Option<Problem>, world: &AgentWorld) -> AgentPlan {
    let (wanted, problems) = wanted(live, problem);
    let there = match &world.instance {
        Fact::Known(instance) => Some(instance),
        Fact::Absent | Fact::Unknown => None,
    };
    let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
    let is_ours = there.is_some_and(|instance| is_controlled_by(instance, uid));
    let is_settled = |wanted: &Value| {
        there.is_some_and(|instance| {
            let (sent, found) = (hash(wanted), owned_hash(instance, FIELD_MANAGER));
            sent == found || world.unsettled == Some((sent, found))
        })
    };
    let is_deleting = |object: &Value| object.pointer("/metadata/deletionTimestamp").is_some();
    let standing = match (&wanted, there) {
        _ if is_deleting(live) => Standing::Ending(is_ours),
        _ if matches!(world.instance, Fact::Unknown) => Standing::Unknown,
        (_, Some(_)) if !is_ours => Standing::Taken,
        (None, _) => Standing::Wrong,
        (Some(_), Some(instance)) if is_deleting(instance) => Standing::Going,
        (Some(wanted), Some(instance)) if is_settled(wanted) => Standing::There(instance),
        (Some(_), _) => world.refused.as_deref().map_or(Standing::Sent, Standing::Refused),
    };
    let apply = matches!(standing, Standing::Sent).then_some(wanted).flatten();
    let look_again_in = match standing {
        Standing::Unknown | Standing::Sent | Standing::Going | Standing::Refused(_) => {
            LOOK_AGAIN_WAITING
        }
        Standing::Wrong | Standing::Ending(_) | Standing::Taken | Standing::There(_) => {
            LOOK_AGAIN_SETTLED
        }
    };
    let shown = there.filter(|_| is_ours);
    let (status, events) = report(live, &standing, &problems, shown, world.now);
    AgentPlan { apply: apply.map(|it| guarded(it, there)), status, events, look_again_in }
}

/// Returns the instance as it is sent, and what is wrong with the agent.
fn wanted(live: &Value, problem: Option<Problem>) -> (Option<Value>, Vec<Problem>) {
    let mut document = live.clone();
    if let Some(fields) = document.as_object_mut() {
        // What we wrote ourselves must not keep the spec from being read.
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
    }
    let decoded = match problem {
        Some(problem) => Err(vec![problem]),
        None => documents::decode_agent(document),
    };
    let (agent, mut problems): (AgentInstance, _) = match decoded {
        Ok(decoded) => decoded,
        Err(problems) => return (None, problems),
    };
    let (instance, found) = instance_of_agent(&agent);
    problems.extend(found);
    let wanted = instance.map(|instance| {
        let mut wanted = serde_json::to_value(&instance).unwrap_or_default();
        if let Some(fields) = wanted.as_object_mut() {
            fields.insert("apiVersion".to_owned(), json!(API_VERSION));
            fields.insert("kind".to_owned(), json!(KIND));
        }
        wanted
    });
    (wanted, problems)
}

/// Whether an instance has that agent for its controller.
fn is_controlled_by(instance: &Value, uid: Option<&str>) -> bool {
    let owners = instance.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| {
        owner.get("controller") == Some(&Value::Bool(true))
            && uid.is_some()
            && owner.get("uid").and_then(Value::as_str) == uid
    })
}

/// Returns what is sent, so that it reaches no other object than the one that was seen.
fn guarded(mut wanted: Value, there: Option<&Value>) -> Value {
    let uid = there.and_then(|instance| instance.pointer("/metadata/uid")).cloned();
    if let (Some(uid), Some(metadata)) =
        (uid, wanted.get_mut("metadata").and_then(Value::as_object_mut))
    {
        metadata.insert("uid".to_owned(), uid);
    }
    wanted
}

fn report(
    live: &Value,
    standing: &Standing<'_>,
    problems: &[Problem],
    instance: Option<&Value>,
    now: Option<Timestamp>,
) -> (AgentInstanceStatus, Vec<Event>) {
    let previous = live.get("status").cloned().unwrap_or_default();
    let previous: AgentInstanceStatus = serde_json::from_value(previous).unwrap_or_default();
    if matches!(standing, Standing::Unknown) {
        return (previous, Vec::new());
    }
    let generation = live.pointer("/metadata/generation").and_then(Value::as_i64);
    let name = live.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let statements = statements(standing, problems, name);
    let before = previous.conditions.clone().unwrap_or_default();
    let (mut conditions, events) = status::since(&before, generation, statements, now);
    let theirs = instance.and_then(|instance| instance.get("status"));
    let theirs = theirs.map(status::decode).unwrap_or_default();
    let is_current = match standing {
        Standing::There(instance) => {
            theirs.observed_generation.is_some()
                && theirs.observed_generation
                    == instance.pointer("/metadata/generation").and_then(Value::as_i64)
        }
        Standing::Sent | Standing::Going => false,
        Standing::Unknown
        | Standing::Wrong
        | Standing::Ending(_)
        | Standing::Taken
        | Standing::Refused(_) => true,
    };
    let observed_generation = if is_current { generation } else { previous.observed_generation };
    for theirs in theirs.conditions.iter().flatten() {
        if !conditions.iter().any(|ours| ours.type_ == theirs.type_) {
            conditions.push(Condition {
                message: told(&theirs.message),
                observed_generation,
                ..theirs.clone()
            });
        }
    }
    conditions.sort_by(|left, right| left.type_.cmp(&right.type_));
    let phase = match standing {
        Standing::Wrong | Standing::Taken | Standing::Refused(_) => Some(Phase::Failed),
        Standing::Ending(_) => Some(Phase::Terminating),
        Standing::Unknown | Standing::Sent | Standing::Going | Standing::There(_) => {
            theirs.phase.or(Some(Phase::Provisioning))
        }
    };
    (AgentInstanceStatus { phase, conditions: Some(conditions), observed_generation }, events)
}

/// Returns what is said of the agent itself.
fn statements(standing: &Standing<'_>, problems: &[Problem], name: &str) -> Vec<Statement> {
    let instance = format!("{KIND}/{name}");
    let list = |severity: Option<Severity>| {
        let lines = problems.iter().filter(|it| severity.is_none_or(|which| which == it.severity));
        lines.map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let both = |reason: Reason, message: String| {
        let ready = Statement::new(About::Ready, false, reason, message.clone());
        vec![ready, Statement::new(About::Converted, false, reason, message)]
    };
    match standing {
        Standing::Unknown => Vec::new(),
        Standing::Wrong => both(Reason::InvalidSpec, list(None)),
        Standing::Ending(with_instance) => {
            let with =
                if *with_instance { format!(", and {instance} with it") } else { String::new() };
            let message = format!("the agent is being deleted{with}");
            both(Reason::Terminating, message)
        }
        Standing::Refused(why) => {
            both(Reason::ApplyRefused, format!("the API server refuses {instance}: {why}"))
        }
        Standing::Taken => {
            let message = format!(
                "{instance} is there and not made for this agent: it is left alone; delete it, or \
                 give this object another name"
            );
            let taken =
                Statement::new(About::NameConflict, true, Reason::NameTaken, message.clone());
            both(Reason::NameTaken, message).into_iter().chain([taken]).collect()
        }
        Standing::Sent => {
            let message = format!("{instance} is being written");
            vec![Statement::new(About::Converted, false, Reason::NotApplied, message)]
        }
        Standing::Going => {
            let message = format!("{instance} is being deleted, and is made anew once it is gone");
            vec![Statement::new(About::Converted, false, Reason::NotApplied, message)]
        }
        Standing::There(_) => {
            let mut message = format!("{instance} is as this object says");
            if !problems.is_empty() {
                message = format!("{message}; {}", list(Some(Severity::Advice)));
            }
            vec![Statement::new(About::Converted, true, Reason::Applied, message)]
        }
    }
}

/// Returns a message about an instance with the paths of the fields of which it was made.
fn told(message: &str) -> String {
    let parts = message.split("; ").map(|part| match part.split_once(": ") {
        Some((path, rest)) if path.starts_with("spec.") => {
            format!("{}: {rest}", path_in_agent(path))
        }
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("; ")
}
