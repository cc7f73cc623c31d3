//! What changed between the conditions that stand and those that are stated now: times and events.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::kept;
use super::statement::Statement;
use crate::api::{ConditionType, OpenClawInstance, Reason};
use crate::effect::{Event, EventKind};

/// In bytes; the definition allows as many characters.
const LONGEST_MESSAGE: usize = 32_768;

/// Reasons of what is on its way.
const ON_ITS_WAY: &[Reason] = &[
    Reason::BackingUp,
    Reason::NoBackupYet,
    Reason::NotApplied,
    Reason::PodStarting,
    Reason::WaitsForTurn,
    Reason::ClaimPending,
    Reason::ScalingDown,
    Reason::Restoring,
];

/// Returns the statements as conditions, each with the time since when it stands so, and what users
/// are told of the changes.
pub(super) fn since_last(
    instance: &OpenClawInstance,
    statements: Vec<Statement>,
    now: Option<Timestamp>,
) -> (Vec<Condition>, Vec<Event>) {
    let before = instance.status.as_ref().and_then(|status| status.conditions.as_deref());
    since(before.unwrap_or_default(), instance.metadata.generation, statements, now)
}

/// As [`since_last`], for what stands in any status of that generation.
pub(crate) fn since(
    before: &[Condition],
    generation: Option<i64>,
    statements: Vec<Statement>,
    now: Option<Timestamp>,
) -> (Vec<Condition>, Vec<Event>) {
    let now = now.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut conditions = Vec::with_capacity(statements.len());
    let mut events: Vec<Event> = Vec::new();
    for statement in statements {
        let (type_, reason) = (statement.about.to_string(), statement.reason.to_string());
        let status = match statement.unknown_since {
            Some(_) => "Unknown",
            None if statement.holds => "True",
            None => "False",
        };
        let old = before.iter().find(|condition| condition.type_ == type_);
        if old.is_none_or(|old| old.status != status || old.reason != reason) {
            let event = event(&statement, old);
            // Two conditions may report one fact.
            let is_new = |new: &Event| !events.iter().any(|event| event.reason == new.reason);
            events.extend(event.filter(is_new));
        }
        conditions.push(Condition {
            last_transition_time: old
                .filter(|old| old.status == status)
                .map_or(Time(statement.unknown_since.unwrap_or(now)), |old| {
                    old.last_transition_time.clone()
                }),
            message: shortened(statement.message),
            observed_generation: generation,
            reason,
            status: status.to_owned(),
            type_,
        });
    }
    conditions.extend(before.iter().filter(|it| kept::is_foreign(&it.type_)).cloned());
    (conditions, events)
}

/// The API server refuses a status with a longer message as a whole.
pub(super) fn shortened(mut message: String) -> String {
    const MARK: &str = " …";
    if message.len() > LONGEST_MESSAGE {
        message.truncate(message.floor_char_boundary(LONGEST_MESSAGE - MARK.len()));
        message.push_str(MARK);
    }
    message
}

/// One event per fact: a condition that turns bad, one that turns good again after it was bad for a
/// reason, and the agent becoming ready. What is only on its way is no news.
fn event(statement: &Statement, old: Option<&Condition>) -> Option<Event> {
    let Statement { about, holds, reason, message, unknown_since: _ } = statement;
    // Ready says the same, and more.
    if *about == ConditionType::StatefulSetReady || ON_ITS_WAY.contains(reason) {
        return None;
    }
    let bad = statement.is_bad();
    let turned = old.is_none_or(|old| (old.status == "True") != *holds);
    let recovered =
        old.is_some_and(|old| !ON_ITS_WAY.iter().any(|each| each.as_str() == old.reason));
    // Nothing is wrong, and somebody should mend it all the same.
    let advises =
        matches!(reason, Reason::ConfigMigrated | Reason::NewVersionAvailable | Reason::Updating)
            || *about == ConditionType::BackupComplete;
    if !bad && !advises && !(turned && (recovered || *about == ConditionType::Ready)) {
        return None;
    }
    let wanted = matches!(
        reason,
        Reason::Suspended | Reason::Paused | Reason::Terminating | Reason::ReplacingDeployment
    );
    Some(Event {
        kind: if bad && !wanted { EventKind::Warning } else { EventKind::Normal },
        reason: reason.to_string(),
        message: message.clone(),
    })
}
