//! Whatever a scene says, it is played or refused; nothing panics.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests read fixtures, and what is missing in a test is a failed test"
)]

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use openclaw_play::Scene;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The documents of every scene that adopts nothing.
fn scenes() -> &'static [Vec<Value>] {
    static SCENES: OnceLock<Vec<Vec<Value>>> = OnceLock::new();
    SCENES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lifecycle");
        let entries = fs::read_dir(folder).expect("the folder of scenes");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|it| it == "yaml"));
        paths.sort();
        let texts = paths.iter().map(|path| fs::read_to_string(path).expect("a scene"));
        let texts = texts.filter(|text| !text.contains("\nadopt:"));
        texts.map(|text| serde_saphyr::from_multiple(&text).expect("YAML")).collect()
    })
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Puts another value in the place of the one of that number.
fn replace(value: &mut Value, at: &mut usize, new: &Value) {
    if *at == 0 {
        value.clone_from(new);
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, new)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, at, new)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!("")),
        Just(json!("Pod/ada-0")),
        Just(json!("StatefulSet/ada")),
        Just(json!("\u{202e}\u{0}")),
        Just(json!(i64::MAX)),
        Just(json!(-1)),
        Just(json!(1.5)),
        Just(json!([])),
        Just(json!([null, 1])),
        Just(json!({})),
        Just(json!({"": {"": null}})),
        Just(json!({"spec": {"template": "none"}})),
        Just(json!({"spec": {"template": {"metadata": {"labels": "none"}, "spec": []}}})),
        Just(
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "openclaw-operator"}}})
        ),
        Just(json!({"metadata": {"managedFields": [{"fieldsV1": {"f:spec": {"k:{": {}}}}]}})),
        Just(json!({"status": "none"})),
    ]
}

fn play(documents: Vec<Value>) -> Option<String> {
    let scene = Scene::read(documents, |_| Ok(json!({"items": [1]}))).ok()?;
    Some(scene.play().to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_scene_with_odd_values_is_played_or_refused(
        scene in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd()), 1..4),
    ) {
        let mut documents = json!(scenes().get(scene.index(scenes().len())));
        for (place, value) in changes {
            let mut at = place.index(size(&documents));
            replace(&mut documents, &mut at, &value);
        }
        let documents = documents.as_array().cloned().unwrap_or_default();
        assert_eq!(play(documents.clone()), play(documents), "the same every time");
    }

    #[test]
    fn objects_that_somebody_breaks_are_no_reason_to_panic(
        kind in prop::sample::select(vec!["StatefulSet", "Pod", "ConfigMap", "Service", "OpenClawInstance"]),
        patch in odd(),
        inner in odd(),
        field in prop::sample::select(vec!["spec", "metadata", "status", "data"]),
    ) {
        let name = if kind == "Pod" { "ada-0" } else { "ada" };
        let created = json!({
            "instance": {"metadata": {"name": "ada"}, "spec": {"image": {"tag": "2026.9.6"}}},
        });
        let edit = |merge: Value| json!({
            "edit": {"object": format!("{kind}/{name}"), "merge": merge},
        });
        play(vec![created.clone(), edit(patch)]);
        play(vec![created, edit(json!({field: inner}))]);
    }
}
