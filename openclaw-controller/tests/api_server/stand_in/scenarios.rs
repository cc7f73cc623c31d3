//! What happens to an object, one request after the other.

use openclaw_render::vocab::FIELD_MANAGER;
use serde_json::{Value, json};

use super::request::Request::{self, Apply, Delete, TakeOver};
use super::request::{PREVIOUS, changed, create, ours, patch, update};

/// Who writes beside us.
const FOREIGN: &str = "a-user";
const NOBODY: &str = "5a1f5a6e-2f4e-4b8a-9b53-6f5d8d4f3a11";

/// An object of which nothing is left to defaults, and what is done to it.
pub(crate) struct Subject {
    pub(crate) object: Value,
    /// We no longer want some of it.
    pub(crate) less: Value,
    /// Somebody else adds to it.
    pub(crate) more: Value,
    /// Somebody else changes what is ours.
    pub(crate) other: Value,
}

fn set(path: &str, value: &Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

/// What happens to an object, by name.
pub(crate) fn scenarios(subject: &Subject) -> Vec<(&'static str, Vec<Request>)> {
    let mut scenarios = scenarios_of_writers(subject);
    scenarios.extend(scenarios_of_take_over(subject));
    scenarios.push(("refused", refusals(subject)));
    // A controller takes a claim's finalizer away.
    if subject.object["metadata"].get("finalizers").is_none() {
        scenarios.push(("deleted", vec![ours(&subject.object), Delete { uid: None }]));
        scenarios.push(("finalized", deletion(subject)));
    }
    if subject.object["kind"] == "OpenClawInstance" {
        scenarios.push(("reported", reports(subject)));
    }
    scenarios
}

fn scenarios_of_writers(subject: &Subject) -> Vec<(&'static str, Vec<Request>)> {
    let Subject { object, less, more, other } = subject;
    let (fewer, theirs) = (changed(object, less), changed(object, other));
    let them = |object: &Value, force| Apply { object: object.clone(), manager: FOREIGN, force };
    vec![
        ("applied", vec![ours(object), ours(object), ours(&fewer), ours(object)]),
        ("others-add", vec![ours(object), update(more, FOREIGN), ours(object), ours(&fewer)]),
        ("others-change", vec![ours(object), patch(other, FOREIGN), ours(object), ours(&fewer)]),
        ("others-remove", vec![ours(object), update(less, FOREIGN), ours(object)]),
        (
            "others-apply",
            vec![
                ours(object),
                them(&theirs, false),
                them(&theirs, true),
                ours(&fewer),
                ours(object),
            ],
        ),
        ("shared", vec![ours(object), them(object, false), ours(&fewer), them(&fewer, false)]),
    ]
}

fn scenarios_of_take_over(subject: &Subject) -> Vec<(&'static str, Vec<Request>)> {
    let Subject { object, less, more, other } = subject;
    let fewer = changed(object, less);
    let first = create(object, PREVIOUS);
    vec![
        ("created", vec![create(object, FIELD_MANAGER), ours(object), ours(&fewer)]),
        ("taken", vec![first.clone(), ours(&fewer), TakeOver, ours(&fewer), TakeOver]),
        ("taken-at-first", vec![first.clone(), update(more, FOREIGN), TakeOver, ours(&fewer)]),
        (
            "taken-twice",
            vec![
                first,
                TakeOver,
                ours(object),
                patch(other, PREVIOUS),
                update(more, PREVIOUS),
                TakeOver,
                ours(&fewer),
            ],
        ),
    ]
}

fn refusals(subject: &Subject) -> Vec<Request> {
    let object = &subject.object;
    let another = changed(object, &set("/metadata/uid", &json!(NOBODY)));
    let label = "/metadata/labels/app.kubernetes.io~1instance";
    let if_it_is = |instance: &str| {
        json!([
            {"op": "test", "path": label, "value": instance},
            {"op": "add", "path": "/metadata/labels/tested", "value": "yes"},
        ])
    };
    vec![
        // While there is none.
        patch(&subject.other, FOREIGN),
        Delete { uid: None },
        ours(&another),
        create(object, FOREIGN),
        // While there is one.
        create(object, FOREIGN),
        patch(&if_it_is("another"), FOREIGN),
        patch(&if_it_is("ada"), FOREIGN),
        ours(&another),
        update(&set("/metadata/uid", &json!(NOBODY)), FOREIGN),
        update(&set("/metadata/resourceVersion", &json!("1")), FOREIGN),
        Delete { uid: Some(NOBODY) },
    ]
}

fn deletion(subject: &Subject) -> Vec<Request> {
    let fewer = changed(&subject.object, &subject.less);
    vec![
        ours(&subject.object),
        patch(&set("/metadata/finalizers", &json!(["example.com/wait"])), FOREIGN),
        Delete { uid: None },
        ours(&fewer),
        Delete { uid: None },
        patch(&json!([{"op": "remove", "path": "/metadata/finalizers"}]), FOREIGN),
    ]
}

fn reports(subject: &Subject) -> Vec<Request> {
    let status = |phase: &str| {
        let condition = json!({
            "type": "Ready", "status": "False", "reason": "Wait", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        set("/status", &json!({"phase": phase, "conditions": [condition]}))
    };
    vec![
        create(&subject.object, FOREIGN),
        patch(&status("Pending"), FIELD_MANAGER),
        patch(&status("Pending"), FIELD_MANAGER),
        patch(&status("Running"), FIELD_MANAGER),
        update(&subject.other, FOREIGN),
    ]
}
