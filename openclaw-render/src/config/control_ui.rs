//! `gateway.controlUi`: from which origins a browser may use the Control UI.

use serde_json::{Map, Value, json};

use super::object_at;
use crate::resolve::Resolved;

/// The user's own list wins as a whole, also an empty one.
pub(super) fn allowed_origins(document: &mut Map<String, Value>, instance: &Resolved) {
    let gateway = object_at(document, "gateway");
    let Some(control_ui) = gateway.and_then(|gateway| object_at(gateway, "controlUi")) else {
        return;
    };
    control_ui.entry("allowedOrigins").or_insert_with(|| json!(instance.control_ui_origins));
}
