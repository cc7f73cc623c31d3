//! openclaw.json: the user's document, completed by an ordered list of small steps.
//!
//! Every step is total: where the user's value has the wrong type, the step leaves it alone (the
//! problem was reported by `resolve`, and the roll-out is held). The order of the steps does not
//! matter for the result, since no step reads what another one writes; it is the order in which a
//! reader of openclaw.json asks: what is it, where does it listen, who may talk to it.

mod browser;
mod control_ui;
mod diagnostics;
mod gateway;
mod logging;
pub(crate) mod reload;
mod skills;

use serde_json::{Map, Value};

use crate::resolve::Resolved;

type Step = fn(&mut Map<String, Value>, &Resolved);

const STEPS: &[Step] = &[
    gateway::mode,
    gateway::bind,
    gateway::port,
    gateway::auth,
    gateway::tailnet_identity,
    gateway::trusted_proxies,
    control_ui::allowed_origins,
    diagnostics::exporter,
    logging::level_and_style,
    browser::profiles,
    skills::entries,
];

/// openclaw.json as the application gets it: keys sorted, two spaces of indentation, a line break
/// at the end.
pub(crate) fn render(instance: &Resolved) -> String {
    let mut document = instance.config.document.clone();
    for step in STEPS {
        step(&mut document, instance);
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The object at a key, made if there is none. `None` when the user put something else there.
fn object_at<'a>(
    document: &'a mut Map<String, Value>,
    key: &str,
) -> Option<&'a mut Map<String, Value>> {
    let value = document.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}
