//! Whatever others wrote, however strange it is.

use openclaw_render::canonical::canonicalise;
use openclaw_render::ownership::{diff, foreign_managers, hash, owned, take_over_patch};
use openclaw_render::vocab::FIELD_MANAGER;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::objects::{PREVIOUS, lines, stateful_set};
use openclaw_play::api_server::{ApiServer, key_of};

/// Any JSON, with a taste for what managedFields are made of.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "metadata",
        "managedFields",
        "fieldsV1",
        "manager",
        "operation",
        "Apply",
        "Update",
        ".",
        "f:spec",
        "f:a",
        "k:{\"name\":\"a\"}",
        "k:{",
        "v:1",
        "v:",
        "i:0",
        "i:-1",
        "name",
        "a",
        "spec",
        "kind",
        "Secret",
        "StatefulSet",
        "resources",
        "limits",
        "ports",
        "fieldRef",
        FIELD_MANAGER,
        "",
        "roleRef",
        "volumeClaimTemplates",
        "status",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, move |inner| {
        let key = word.clone().prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_is_too_strange(object in any_json(), set in any_json(), other in any_json()) {
        let mut live = json!({ "metadata": { "resourceVersion": "1", "managedFields": [
            { "manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": set },
            { "manager": PREVIOUS, "operation": "Update", "fieldsV1": other }, object.clone() ] } });
        if let (Some(live), Some(object)) = (live.as_object_mut(), object.as_object()) {
            live.extend(object.iter().filter(|(k, _)| *k != "metadata").map(|(k, v)| (k.clone(), v.clone())));
        }
        for live in [&live, &object] {
            let ours = owned(live, FIELD_MANAGER);
            prop_assert!(ours.is_object());
            prop_assert_eq!(hash(&ours).len(), 16);
            let _ = (diff(&other, live), foreign_managers(live));
            let _ = take_over_patch(live, &[PREVIOUS, ""]);
        }
        let mut once = object;
        canonicalise(&mut once);
        let mut twice = once.clone();
        canonicalise(&mut twice);
        prop_assert_eq!(once, twice);
    }

    /// Whatever others do in between, after our apply we own exactly what we applied, and what
    /// `diff` said before is what an apply changed.
    #[test]
    fn our_apply_always_wins_and_never_takes_more(
        steps in prop::collection::vec(
            (any::<bool>(), prop::collection::btree_map("[a-d]", "[xyz]", 1..4)), 1..8)
    ) {
        let mut server = ApiServer::default();
        for (is_ours, data) in steps {
            let env: Vec<_> =
                data.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
            let mut object = stateful_set(&json!([{ "name": "agent", "env": env }]));
            object["metadata"]["labels"] = json!(data);
            let key = key_of(&object);
            if is_ours {
                let before = server.get(&key.0, &key.1, &key.2).cloned().unwrap_or_default();
                let changes = diff(&object, &before);
                let live = server.apply(&object, FIELD_MANAGER, true).expect("applies");
                prop_assert_eq!(changes.is_empty(), live == before, "{}", lines(&changes));
                prop_assert_eq!(lines(&diff(&object, &live)), "");
                let mut ours = owned(&live, FIELD_MANAGER);
                let env = &mut ours["spec"]["template"]["spec"]["containers"][0]["env"];
                env.as_array_mut().expect("a list").sort_by_key(|item| item["name"].to_string());
                prop_assert_eq!(ours, object);
            } else if server.get(&key.0, &key.1, &key.2).is_some() {
                server.update(&object, "somebody").expect("updates");
            } else {
                server.create(&object, "somebody").expect("creates");
            }
        }
    }
}
