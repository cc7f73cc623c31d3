//! [`answer_request`]: what is done for a request that is carried out, and said of it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Map, Value, json};

use super::{Verdict, judge_request};
use crate::api::{OpenClawSelfConfig, OpenClawSelfConfigStatus, SelfConfigPhase};
use crate::effect::{Event, EventKind};
use crate::ownership::{hash, owned};
use crate::problem::Problem;
use crate::vocab::{FIELD_MANAGER, SELF_CONFIG_MANAGER, annotations};

/// Bytes of a message that is kept.
const LONGEST_MESSAGE: usize = 4096;

/// What is done for a request, and said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The part of the instance to be applied as
    /// [`SELF_CONFIG_MANAGER`](crate::vocab::SELF_CONFIG_MANAGER), without force: what somebody else
    /// declared stays his. `None` if nothing changes.
    pub apply: Option<Value>,
    /// How the request ends, once that is applied.
    pub status: OpenClawSelfConfigStatus,
    /// What is told at the instance, once that is applied.
    pub events: Vec<Event>,
}

/// Answers a request, given it and the instance that it names as the cluster has them, with managed
/// fields. With a problem, the request is what was left of it.
#[must_use]
pub fn answer_request(
    request: &Value,
    problem: Option<Problem>,
    instance: &Value,
    now: Option<Timestamp>,
) -> Answer {
    let failed = |message: &str| Answer {
        apply: None,
        status: request_ended(SelfConfigPhase::Failed, message, now),
        events: Vec::new(),
    };
    if let Some(problem) = problem {
        return failed(&problem.to_string());
    }
    let mut document = request.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
    }
    let request: OpenClawSelfConfig = match serde_json::from_value(document) {
        Ok(request) => request,
        Err(error) => return failed(&format!("it does not decode: {error}")),
    };
    let name = request.metadata.name.clone().unwrap_or_default();
    match judge_request(&request, instance) {
        Verdict::Failed(problems) => failed(&lines(&problems)),
        Verdict::Denied(problems) => {
            let message = lines(&problems);
            let events = vec![event(EventKind::Warning, "SelfConfigDenied", &name, &message)];
            let status = request_ended(SelfConfigPhase::Denied, &message, now);
            Answer { apply: None, status, events }
        }
        Verdict::Apply { part, left_out } => {
            let before = owned(instance, SELF_CONFIG_MANAGER);
            let apply = (fingerprint(&part) != fingerprint(&before))
                .then(|| sealed(part, instance.pointer("/metadata/uid")));
            let mut events: Vec<Event> = left_out
                .iter()
                .filter(|problem| problem.path.starts_with("spec.remove"))
                .map(|problem| {
                    let message = problem.to_string();
                    event(EventKind::Warning, "SelfConfigSkippedRemoval", &name, &message)
                })
                .collect();
            let what =
                if apply.is_some() { "it is in the instance's spec" } else { "nothing changes" };
            let message = if left_out.is_empty() {
                what.to_owned()
            } else {
                format!("{what}; {}", lines(&left_out))
            };
            if apply.is_some() {
                events.push(event(EventKind::Normal, "SelfConfigApplied", &name, what));
            }
            let status = request_ended(SelfConfigPhase::Applied, &message, now);
            Answer { apply, status, events }
        }
    }
}

/// Returns the status of a request that waits.
#[must_use]
pub fn request_waits(message: &str) -> OpenClawSelfConfigStatus {
    let phase = Some(SelfConfigPhase::Pending);
    OpenClawSelfConfigStatus { phase, message: Some(shortened(message)), completion_time: None }
}

/// Returns the status of a request that has ended.
#[must_use]
pub fn request_ended(
    phase: SelfConfigPhase,
    message: &str,
    now: Option<Timestamp>,
) -> OpenClawSelfConfigStatus {
    OpenClawSelfConfigStatus {
        phase: Some(phase),
        message: Some(shortened(message)),
        completion_time: now.and_then(whole_second).map(Time),
    }
}

/// Returns who has changed what requests had added since the last one was applied: the hash that was
/// noted then and the one of what is left. `None` while they are the same.
#[must_use]
pub fn changed_by_others(instance: &Value) -> Option<(String, String)> {
    let noted =
        instance.pointer("/metadata/annotations")?.get(annotations::SELF_CONFIG)?.as_str()?;
    let left = fingerprint(&owned(instance, SELF_CONFIG_MANAGER));
    (noted != left).then(|| (noted.to_owned(), left))
}

/// Returns the manager that wrote the instance last, the operator aside: since the last request was
/// applied if there is one, and otherwise the last that does not use server-side apply, for only such
/// a write takes items of others away and leaves no trace.
#[must_use]
pub fn last_writer(instance: &Value) -> Option<&str> {
    let entries = instance.pointer("/metadata/managedFields").and_then(Value::as_array);
    let field = |entry: &Value, name: &str| {
        entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let of_instance = |entry: &&Value| field(entry, "subresource").is_empty();
    let entries: Vec<&Value> = entries.into_iter().flatten().filter(of_instance).collect();
    let requested = entries.iter().filter(|it| field(it, "manager") == SELF_CONFIG_MANAGER);
    let requested = requested.map(|it| field(it, "time")).max().unwrap_or_default();
    let others = entries.iter().filter(|it| {
        ![SELF_CONFIG_MANAGER, FIELD_MANAGER].contains(&field(it, "manager").as_str())
    });
    let others =
        others.filter(|it| field(it, "time") >= requested || field(it, "operation") == "Update");
    others.max_by_key(|it| field(it, "time"))?.get("manager")?.as_str()
}

/// Hash of what requests own of the spec, whatever the order of its sets.
fn fingerprint(part: &Value) -> String {
    let mut spec = part.get("spec").cloned().unwrap_or_else(|| json!({}));
    for list in ["skills", "env"] {
        if let Some(Value::Array(items)) = spec.get_mut(list) {
            items.sort_by_cached_key(ToString::to_string);
        }
    }
    hash(&spec)
}

/// Returns a part of the instance with the note of what it is, for that very instance.
fn sealed(mut part: Value, uid: Option<&Value>) -> Value {
    let is_empty = part.get("spec").and_then(Value::as_object).is_none_or(Map::is_empty);
    let note = fingerprint(&part);
    let Some(metadata) = part.get_mut("metadata").and_then(Value::as_object_mut) else {
        return part;
    };
    if is_empty {
        metadata.remove("annotations");
    } else {
        metadata.insert("annotations".to_owned(), json!({annotations::SELF_CONFIG: note}));
    }
    metadata.extend(uid.map(|uid| ("uid".to_owned(), uid.clone())));
    part
}

fn event(kind: EventKind, reason: &str, request: &str, message: &str) -> Event {
    let message = format!("request {request}: {message}");
    Event { kind, reason: reason.to_owned(), message }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn shortened(message: &str) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(LONGEST_MESSAGE);
    format!("{} …", message.get(..end).unwrap_or_default())
}

/// The API keeps no fractions.
fn whole_second(now: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(now.as_second()).ok()
}
