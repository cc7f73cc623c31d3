//! Errors of the calls that a pass makes, each with its retry class.

use std::time::Duration;

use kube::core::Status;

use crate::{backoff, random};

/// Why a call to the API server failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The server said no, or the connection broke.
    #[error("failed to {call}")]
    Call {
        /// Verb and object.
        call: String,
        /// What happened.
        source: Box<kube::Error>,
    },
    /// No answer within the deadline.
    #[error("failed to {call}: no answer within {} s", .deadline.as_secs())]
    TimedOut {
        /// Verb and object.
        call: String,
        /// How long it was waited for.
        deadline: Duration,
    },
    /// The connection ended before the answer did.
    #[error("failed to {call}: the answer broke off")]
    Broken {
        /// Verb and object.
        call: String,
        /// What happened.
        source: std::io::Error,
    },
    /// The answer is not what the API promises, or beyond limits.
    #[error("failed to {call}: {why}")]
    Unreadable {
        /// Verb and object.
        call: String,
        /// Why not.
        why: String,
    },
    /// What should be sent is no JSON, or no patch.
    #[error("failed to {call}: what should be sent cannot be written")]
    Encode {
        /// Verb and object.
        call: String,
        /// Why not.
        source: serde_json::Error,
    },
    /// The request could not be made.
    #[error("failed to {call}: the request cannot be built")]
    Request {
        /// Verb and object.
        call: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What a failure means for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RetryClass {
    /// Something changed meanwhile: look again soon.
    Conflict,
    /// The server asks for patience.
    Throttled,
    /// The server or the way to it is out of order.
    Unavailable,
    /// The request as such is refused: only a change of the spec, of permissions or of the cluster
    /// helps.
    Refused,
}

impl RetryClass {
    /// All of them, the gravest last.
    pub(crate) const ALL: [Self; 4] =
        [Self::Conflict, Self::Throttled, Self::Unavailable, Self::Refused];

    /// For metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
        }
    }

    /// First and longest delay.
    fn bounds(self) -> (Duration, Duration) {
        match self {
            Self::Conflict => (Duration::from_millis(50), Duration::from_secs(5)),
            Self::Throttled => (Duration::from_secs(1), Duration::from_mins(1)),
            Self::Unavailable => (Duration::from_millis(500), Duration::from_mins(1)),
            Self::Refused => (Duration::from_secs(5), Duration::from_mins(5)),
        }
    }

    /// Delay before the next attempt after so many failures in a row; `random` in 0..1 spreads
    /// instances that failed together over the last quarter of it.
    pub(crate) fn delay(self, failures: u32, random: f64) -> Duration {
        let (first, longest) = self.bounds();
        backoff::doubled(first, longest, failures).mul_f64(0.75 + 0.25 * random)
    }
}

impl CallError {
    pub(crate) fn class(&self) -> RetryClass {
        match self {
            Self::Call { source, .. } => status(source).map_or(RetryClass::Unavailable, class),
            Self::TimedOut { .. } | Self::Broken { .. } => RetryClass::Unavailable,
            // What is beyond limits stays so until somebody changes it, and so does what we make.
            Self::Unreadable { .. } | Self::Encode { .. } | Self::Request { .. } => {
                RetryClass::Refused
            }
        }
    }

    /// What the server says, for people.
    pub(crate) fn message(&self) -> String {
        let said = match self {
            Self::Call { source, .. } => status(source).map(|status| status.message.clone()),
            Self::TimedOut { .. }
            | Self::Broken { .. }
            | Self::Unreadable { .. }
            | Self::Encode { .. }
            | Self::Request { .. } => None,
        };
        said.unwrap_or_else(|| self.to_string())
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// A create found that the object is there already. Not every 409 says so: one that meets a
    /// quota in use is told to come again.
    pub(crate) fn is_already_exists(&self) -> bool {
        let Self::Call { source, .. } = self else { return false };
        status(source).is_some_and(Status::is_already_exists)
    }

    /// An apply without force met fields of another manager.
    pub(crate) fn is_of_another_manager(&self) -> bool {
        let Self::Call { source, .. } = self else { return false };
        let causes = status(source).and_then(|status| status.details.as_ref());
        causes.is_some_and(|it| it.causes.iter().any(|it| it.reason == "FieldManagerConflict"))
    }

    /// When the server wants to be asked again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let Self::Call { source, .. } = self else { return None };
        let seconds = status(source)?.details.as_ref()?.retry_after_seconds;
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    fn code(&self) -> Option<u16> {
        let Self::Call { source, .. } = self else { return None };
        status(source).map(|status| status.code)
    }
}

/// What failed in a pass.
#[derive(Debug, thiserror::Error)]
#[error("{} calls failed, first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
pub(crate) struct PassFailed(pub(crate) Vec<CallError>);

impl From<CallError> for PassFailed {
    fn from(error: CallError) -> Self {
        Self(vec![error])
    }
}

impl PassFailed {
    /// The gravest: the one that waits longest.
    pub(crate) fn class(&self) -> RetryClass {
        self.0.iter().map(CallError::class).max().unwrap_or(RetryClass::Unavailable)
    }

    /// When to try again after so many failures in a row, at the earliest when a server asks for it.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        let asked = self.0.iter().filter_map(CallError::retry_after).max().unwrap_or_default();
        self.class().delay(failures, random::fraction()).max(asked)
    }
}

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

fn status(error: &kube::Error) -> Option<&Status> {
    let kube::Error::Api(status) = error else { return None };
    Some(status)
}

/// A failed `test` of a JSON patch is answered by 422 without causes; a refused object names them.
/// What is patched and not there was deleted meanwhile. Credentials are renewed without us.
fn class(status: &Status) -> RetryClass {
    let causes = status.details.as_ref().is_some_and(|details| !details.causes.is_empty());
    match status.code {
        401 => RetryClass::Unavailable,
        404 | 409 => RetryClass::Conflict,
        422 if !causes => RetryClass::Conflict,
        429 => RetryClass::Throttled,
        400..=499 => RetryClass::Refused,
        _ => RetryClass::Unavailable,
    }
}

/// A message of so many bytes at most.
pub(crate) fn shortened(message: &str, longest: usize) -> String {
    if message.len() <= longest {
        return message.to_owned();
    }
    let mark = "…";
    let cut = message.floor_char_boundary(longest - mark.len());
    format!("{}{mark}", message.get(..cut).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: u16) -> CallError {
        let status = Status { code, ..Status::default() };
        CallError::Call {
            call: "apply Service/ada".to_owned(),
            source: Box::new(kube::Error::Api(Box::new(status))),
        }
    }

    #[test]
    fn a_failure_is_classed_by_what_helps() {
        assert_eq!(failed(404).class(), RetryClass::Conflict);
        assert_eq!(failed(409).class(), RetryClass::Conflict);
        assert_eq!(failed(422).class(), RetryClass::Conflict);
        assert_eq!(failed(429).class(), RetryClass::Throttled);
        assert_eq!(failed(403).class(), RetryClass::Refused);
        assert_eq!(failed(401).class(), RetryClass::Unavailable);
        assert_eq!(failed(500).class(), RetryClass::Unavailable);
        assert_eq!(failed(503).class(), RetryClass::Unavailable);
    }

    /// A quota in use answers a create with a conflict.
    #[test]
    fn not_every_conflict_means_that_the_object_is_there() {
        let because = |reason: &str| CallError::Call {
            call: "create Secret/ada-gateway-token".to_owned(),
            source: Box::new(kube::Error::Api(Box::new(Status {
                code: 409,
                reason: reason.to_owned(),
                ..Status::default()
            }))),
        };
        assert!(because("AlreadyExists").is_already_exists());
        assert!(!because("Conflict").is_already_exists());
    }

    #[test]
    fn delays_double_up_to_a_bound() {
        let seconds = |failures| RetryClass::Unavailable.delay(failures, 1.0).as_secs_f64();
        assert!((seconds(1) - 0.5).abs() < 1e-9);
        assert!((seconds(3) - 2.0).abs() < 1e-9);
        assert!((seconds(100) - 60.0).abs() < 1e-9);
        assert!(RetryClass::Unavailable.delay(1, 0.0) < RetryClass::Unavailable.delay(1, 1.0));
    }
}
