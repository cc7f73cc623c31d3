//! Requests that both servers are asked.

use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::{Value, json};

/// Who wrote before us.
pub(crate) const PREVIOUS: &str = "manager";

/// A request about one object.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Apply {
        object: Value,
        manager: &'static str,
        force: bool,
    },
    Create {
        object: Value,
        manager: &'static str,
    },
    /// A PUT of the live object, changed by a JSON patch.
    Update {
        patch: Value,
        manager: &'static str,
    },
    JsonPatch {
        patch: Value,
        manager: &'static str,
    },
    /// The patch that the library makes of the live object.
    TakeOver,
    Delete {
        uid: Option<&'static str>,
    },
}

use Request::{Apply, Create, JsonPatch, Update};

impl Request {
    /// The same about an object of that name.
    pub(crate) fn named(mut self, name: &str) -> Self {
        if let Apply { object, .. } | Create { object, .. } = &mut self {
            object["metadata"]["name"] = json!(name);
        }
        self
    }
}

pub(crate) fn ours(object: &Value) -> Request {
    Apply { object: object.clone(), manager: FIELD_MANAGER, force: true }
}

pub(crate) fn create(object: &Value, manager: &'static str) -> Request {
    Create { object: object.clone(), manager }
}

pub(crate) fn update(patch: &Value, manager: &'static str) -> Request {
    Update { patch: patch.clone(), manager }
}

pub(crate) fn patch(patch: &Value, manager: &'static str) -> Request {
    JsonPatch { patch: patch.clone(), manager }
}

/// The same object, changed by a JSON patch.
pub(crate) fn changed(object: &Value, patch: &Value) -> Value {
    let mut object = object.clone();
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).expect("a patch");
    json_patch::patch(&mut object, &patch).expect("the patch fits");
    object
}
