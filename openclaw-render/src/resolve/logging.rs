//! How much the agent logs, and how: what was asked for. What was not, the application decides.

use super::stored_defaults;
use crate::api::{LoggingFormat, LoggingLevel, OpenClawInstance, OpenClawInstanceSpec};

/// What the user asks of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Logging {
    pub(crate) level: Option<LoggingLevel>,
    pub(crate) format: Option<LoggingFormat>,
}

/// The Go operator stored values here that it never read, so nobody has seen their effect.
pub(super) fn resolve(instance: &OpenClawInstance, spec: &OpenClawInstanceSpec) -> Logging {
    let logging = spec.observability.as_ref().and_then(|each| each.logging.as_ref());
    let chosen =
        |field| !stored_defaults::is_stored(instance, &["spec", "observability", "logging", field]);
    Logging {
        level: logging.and_then(|logging| logging.level).filter(|_| chosen("level")),
        format: logging.and_then(|logging| logging.format).filter(|_| chosen("format")),
    }
}
