//! How much the agent logs, and how: what was asked for. What was not, the application decides.

use serde_json::Value;

use super::context::Resolving;
use super::{BaseConfig, stored_defaults};
use crate::api::{LoggingFormat, LoggingLevel, OpenClawInstance, OpenClawInstanceSpec};

/// Keys of `logging` in openclaw.json that a level becomes: of the file, and of the console, which
/// `kubectl logs` shows.
pub(crate) const LEVELS: &[&str] = &["level", "consoleLevel"];
/// And a format.
pub(crate) const STYLES: &[&str] = &["consoleStyle"];

/// What the user asks of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Logging {
    pub(crate) level: Option<LoggingLevel>,
    pub(crate) format: Option<LoggingFormat>,
}

/// The Go operator stored values here that it never read, so nobody has seen their effect.
pub(super) fn resolve(
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    config: &BaseConfig,
    cx: &mut Resolving<'_>,
) -> Logging {
    let logging = spec.observability.as_ref().and_then(|each| each.logging.as_ref());
    let chosen =
        |field| !stored_defaults::is_stored(instance, &["spec", "observability", "logging", field]);
    let logging = Logging {
        level: logging.and_then(|logging| logging.level).filter(|_| chosen("level")),
        format: logging.and_then(|logging| logging.format).filter(|_| chosen("format")),
    };
    let written = config.document.get("logging").and_then(Value::as_object);
    let mut without_effect = |field: &str, keys: &[&str]| {
        let wins = keys.iter().filter(|key| written.is_some_and(|all| all.contains_key(**key)));
        for key in wins {
            let message =
                format!("has no effect beside `{}.logging.{key}`, which wins", config.path);
            cx.ineffective(format!("spec.observability.logging.{field}"), message);
        }
    };
    if logging.level.is_some() {
        without_effect("level", LEVELS);
    }
    if logging.format.is_some() {
        without_effect("format", STYLES);
    }
    logging
}
