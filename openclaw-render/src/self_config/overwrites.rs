//! [`Overwrites`]: whether somebody takes away again what requests add.

use std::collections::VecDeque;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::{ConditionType, Reason};
use crate::effect::{Event, EventKind};

/// Seconds within which it counts as one struggle.
const WITHIN: i64 = 600;
/// Changes by others within that time after which nothing more is carried out.
const MOST: usize = 2;
/// Seconds for which nothing is.
const STOPPED_FOR: i64 = 3600;

/// What others have changed of what requests added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overwrites {
    /// When that happened.
    times: VecDeque<Timestamp>,
    /// The last one, which is not counted twice.
    seen: Option<(String, String)>,
    /// Since when nothing is carried out, and why.
    stopped: Option<(Timestamp, String)>,
}

impl Overwrites {
    /// Returns what an instance's conditions tell, after a restart.
    #[must_use]
    pub fn of_conditions(conditions: &[Condition]) -> Self {
        let about = ConditionType::SelfConfigReady.as_str();
        let told = conditions
            .iter()
            .find(|it| it.type_ == about && it.reason == Reason::Overwritten.as_str());
        let stopped = told.map(|it| (it.last_transition_time.0, it.message.clone()));
        Self { stopped, ..Self::default() }
    }

    /// Notes what [`changed_by_others`](crate::changed_by_others) says, with who wrote last. Returns
    /// what is told at the instance, once for each change.
    pub fn note(
        &mut self,
        change: (String, String),
        writer: Option<&str>,
        now: Timestamp,
    ) -> Option<Event> {
        if self.seen.as_ref() == Some(&change) {
            return None;
        }
        self.seen = Some(change);
        self.times.retain(|time| now.as_second() - time.as_second() < WITHIN);
        self.times.push_back(now);
        let writer = writer.map_or("somebody".to_owned(), |writer| format!("{writer:?}"));
        let mut message = format!("{writer} changed what a request of the agent had added");
        if self.times.len() >= MOST {
            message = format!(
                "{writer} changed {MOST} times within ten minutes what requests of the agent had \
                 added: nothing is carried out for an hour; have it leave those fields alone, or \
                 take `spec.selfConfigure` away"
            );
            self.times.clear();
            self.stopped = Some((now, message.clone()));
        }
        let reason = Reason::Overwritten.to_string();
        Some(Event { kind: EventKind::Warning, reason, message })
    }

    /// Notes that something was applied: the same change by others is another one from now on.
    pub fn applied(&mut self) {
        self.seen = None;
    }

    /// Whether that is known already.
    #[must_use]
    pub fn has_seen(&self, change: &(String, String)) -> bool {
        self.seen.as_ref() == Some(change)
    }

    /// Returns why nothing is carried out now.
    #[must_use]
    pub fn stopped(&self, now: Timestamp) -> Option<&str> {
        let (since, why) = self.stopped.as_ref()?;
        (now.as_second() - since.as_second() < STOPPED_FOR).then_some(why)
    }
}
