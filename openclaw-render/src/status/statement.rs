//! [`Statement`]: what is said of one condition, before it has a time.

use jiff::Timestamp;

use crate::api::{ConditionType, Reason};

/// What is said of one condition.
pub(crate) struct Statement {
    pub(crate) about: ConditionType,
    pub(crate) holds: bool,
    pub(crate) reason: Reason,
    pub(crate) message: String,
    /// Nobody can tell whether it holds, since then.
    pub(crate) unknown_since: Option<Timestamp>,
}

impl Statement {
    pub(crate) fn new(
        about: ConditionType,
        holds: bool,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self { about, holds, reason, message: message.into(), unknown_since: None }
    }

    /// Returns the statement that nobody can tell.
    pub(crate) fn unknown(
        about: ConditionType,
        reason: Reason,
        message: impl Into<String>,
        since: Timestamp,
    ) -> Self {
        Self { unknown_since: Some(since), ..Self::new(about, false, reason, message) }
    }

    /// Whether it reports trouble.
    pub(super) fn is_bad(&self) -> bool {
        self.holds != self.about.is_good_when_true()
    }
}
