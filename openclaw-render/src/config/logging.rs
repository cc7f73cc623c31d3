//! `logging`: how much the agent logs, and how. Keys that the user's document has win.

use serde_json::{Map, Value, json};

use super::object_at;
use crate::api::LoggingFormat;
use crate::resolve::{LEVELS, Logging, Resolved, STYLES};

pub(super) fn level_and_style(document: &mut Map<String, Value>, instance: &Resolved) {
    let Logging { level, format } = instance.logging;
    if level.is_none() && format.is_none() {
        return;
    }
    let Some(logging) = object_at(document, "logging") else { return };
    if let Some(level) = level {
        for key in LEVELS {
            logging.entry(*key).or_insert_with(|| json!(level.to_string()));
        }
    }
    if let Some(format) = format {
        let style = match format {
            LoggingFormat::Json => "json",
            LoggingFormat::Text => "pretty",
        };
        for key in STYLES {
            logging.entry(*key).or_insert_with(|| json!(style));
        }
    }
}
