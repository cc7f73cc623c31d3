//! [`merge`]: what the operator wants, put into what the agent has made of it.
//!
//! `base` is what the operator wanted when the file was written last, `ours` what it wants now, and
//! `theirs` what the file holds. Whoever changed a value against `base` wins it; if both did, the
//! [`Winner`]. Objects are merged key by key; a list is one value, since nothing tells which of its
//! items is which.

use std::collections::BTreeSet;

use openclaw_render::seed::read_configuration;
use serde_json::{Map, Value};

/// Whose value counts where both sides have changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Winner {
    Ours,
    Theirs,
}

/// Returns the merged document.
///
/// # Guarantees
/// - What neither `base` nor `ours` has stays as it is.
/// - What left `ours` goes, unless it was changed.
/// - Merging the result again, with `base` or with `ours` as base, changes nothing.
pub(super) fn merge(base: &Value, ours: &Value, theirs: &Value, winner: Winner) -> Value {
    merged(Some(base), Some(ours), Some(theirs), winner)
        .unwrap_or_else(|| Value::Object(Map::new()))
}

fn merged(
    base: Option<&Value>,
    ours: Option<&Value>,
    theirs: Option<&Value>,
    winner: Winner,
) -> Option<Value> {
    if ours == theirs || base == theirs {
        return ours.cloned();
    }
    if base == ours {
        return theirs.cloned();
    }
    let nothing = Map::new();
    let (theirs_inside, ours_inside) = match (theirs, ours, base) {
        (Some(Value::Object(theirs)), Some(Value::Object(ours)), _) => (theirs, ours),
        // It left the spec, and somebody has put more into it.
        (Some(Value::Object(theirs)), None, Some(Value::Object(_))) => (theirs, &nothing),
        _ => {
            return match winner {
                Winner::Ours => ours.cloned(),
                Winner::Theirs => theirs.cloned(),
            };
        }
    };
    let base_inside = base.and_then(Value::as_object).unwrap_or(&nothing);
    let keys: BTreeSet<&String> = theirs_inside.keys().chain(ours_inside.keys()).collect();
    let entries = keys.into_iter().filter_map(|key| {
        let value =
            merged(base_inside.get(key), ours_inside.get(key), theirs_inside.get(key), winner)?;
        Some((key.clone(), value))
    });
    let entries: Map<String, Value> = entries.collect();
    (ours.is_some() || !entries.is_empty()).then_some(Value::Object(entries))
}

/// Makes a document say at a path what `ours` says there, or nothing. A path is keys with dots
/// between them; no key of it holds a dot.
pub(super) fn force(document: &mut Value, ours: &Value, path: &str) {
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(entries) = document.as_object_mut() else { return };
    match (entries.get_mut(key), ours.get(key)) {
        (Some(inner @ Value::Object(_)), Some(ours @ Value::Object(_))) if !rest.is_empty() => {
            force(inner, ours, rest);
        }
        // Below another value there is nothing, so what is there cannot stand in the way.
        (_, Some(ours)) if rest.is_empty() || ours.is_object() => {
            entries.insert(key.to_owned(), ours.clone());
        }
        (Some(_), _) if rest.is_empty() => {
            entries.remove(key);
        }
        (Some(inner @ Value::Object(_)), _) => force(inner, &Value::Null, rest),
        (Some(_) | None, _) => {}
    }
}

/// An openclaw.json as a document.
pub(super) fn document(bytes: &[u8]) -> Result<Value, String> {
    let text = str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let value = read_configuration(text).map_err(|why| format!("it {why}"))?;
    if value.is_object() { Ok(value) } else { Err("it is no JSON object".to_owned()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Winner, force, merge};

    /// Base, ours and theirs: what the two sides have made of one document.
    #[expect(clippy::needless_pass_by_value, reason = "the callers are literals")]
    fn merged(base: Value, ours: Value, theirs: Value) -> Value {
        merge(&base, &ours, &theirs, Winner::Ours)
    }

    #[test]
    fn what_one_side_changed_counts() {
        let base = json!({"kept": 1, "ours": 1, "theirs": 1, "gone": 1, "dropped": 1});
        let ours = json!({"kept": 1, "ours": 2, "theirs": 1, "dropped": 1, "new": {"a": 1}});
        let theirs = json!({"kept": 1, "ours": 1, "theirs": 3, "gone": 1, "added": {"b": 1}});
        let expected =
            json!({"kept": 1, "ours": 2, "theirs": 3, "new": {"a": 1}, "added": {"b": 1}});
        assert_eq!(merged(base, ours, theirs), expected);
    }

    #[test]
    fn where_both_changed_a_value_the_spec_counts() {
        assert_eq!(merged(json!({"a": 1}), json!({"a": 2}), json!({"a": 3})), json!({"a": 2}));
        // Without a base nobody knows who did.
        assert_eq!(merged(json!({}), json!({"a": 2}), json!({"a": 3})), json!({"a": 2}));
        // Somebody deleted what the spec then changed.
        let (base, ours) = (json!({"a": {"b": 1, "c": 1}}), json!({"a": {"b": 2, "c": 1}}));
        assert_eq!(merged(base, ours.clone(), json!({})), ours);
    }

    #[test]
    fn what_left_the_spec_goes_and_what_was_added_to_it_stays() {
        let base = json!({"channels": {"telegram": {"enabled": true, "token": "x"}}, "cron": {}});
        let theirs = json!({"channels": {"telegram": {"enabled": true, "token": "x", "mine": 1}},
                            "cron": {}});
        let expected = json!({"channels": {"telegram": {"mine": 1}}});
        assert_eq!(merged(base.clone(), json!({}), theirs), expected);
        assert_eq!(merged(base.clone(), json!({}), base), json!({}));
    }

    #[test]
    fn a_list_is_one_value() {
        let (base, more) = (json!({"list": [1, 2]}), json!({"list": [1, 2, 3]}));
        assert_eq!(merged(base.clone(), base.clone(), more.clone()), more);
        assert_eq!(merged(base, json!({"list": [0]}), more), json!({"list": [0]}));
    }

    #[test]
    fn a_forced_path_says_what_the_spec_says() {
        for (path, ours, theirs, expected) in [
            (
                "a.b",
                json!({"a": {"b": 1}}),
                json!({"a": {"b": 2, "c": 3}}),
                json!({"a": {"b": 1, "c": 3}}),
            ),
            ("a.b", json!({}), json!({"a": {"b": 2, "c": 3}}), json!({"a": {"c": 3}})),
            ("a.b", json!({"a": {}}), json!({"a": {"b": {"c": 3}}}), json!({"a": {}})),
            ("a.b", json!({"a": {"b": 1}}), json!({"a": [2]}), json!({"a": {"b": 1}})),
            ("a.b", json!({"a": {"b": 1}}), json!({}), json!({"a": {"b": 1}})),
            ("a.b", json!({}), json!({"a": [2]}), json!({"a": [2]})),
            ("a.b", json!({"a": 1}), json!({"a": {"b": 2, "c": 3}}), json!({"a": {"c": 3}})),
            ("a", json!({}), json!({"a": {"b": 2}, "c": 3}), json!({"c": 3})),
            (
                "a.b.c",
                json!({"a": {"b": {"c": 1}}}),
                json!({"a": {"b": null}}),
                json!({"a": {"b": {"c": 1}}}),
            ),
        ] {
            let mut document = theirs.clone();
            force(&mut document, &ours, path);
            assert_eq!(document, expected, "{path} of {ours} in {theirs}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3_u8).prop_map(Value::from),
            Just(json!([])),
            Just(json!([{"a": 1}])),
        ];
        leaf.prop_recursive(3, 24, 3, |inner| any_object_of(inner).boxed())
    }

    fn any_object_of(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
        prop::collection::btree_map("[a-c]", inner, 0..4)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()))
    }

    fn any_document() -> impl Strategy<Value = Value> {
        any_object_of(any_value())
    }

    fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
        // No list is entered: `Value::get` with a text finds keys only.
        path.split('.').try_fold(document, |node, key| node.get(key))
    }

    /// Paths of everything that is no object.
    fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    leaves(value, &inner, found);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => found.push(path.to_owned()),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000, failure_persistence: None, ..Default::default()
        })]

        #[test]
        fn merging_again_changes_nothing(
            base in any_document(), ours in any_document(), theirs in any_document(),
        ) {
            for winner in [Winner::Ours, Winner::Theirs] {
                let once = merge(&base, &ours, &theirs, winner);
                prop_assert_eq!(&merge(&ours, &ours, &once, winner), &once);
            }
            // Ended before it was written down what was merged.
            let once = merge(&base, &ours, &theirs, Winner::Ours);
            prop_assert_eq!(&merge(&base, &ours, &once, Winner::Ours), &once);
        }

        #[test]
        fn a_side_that_changed_nothing_is_not_heard(
            base in any_document(), changed in any_document(),
        ) {
            for winner in [Winner::Ours, Winner::Theirs] {
                prop_assert_eq!(&merge(&base, &base, &changed, winner), &changed);
                prop_assert_eq!(&merge(&base, &changed, &base, winner), &changed);
            }
        }

        #[test]
        fn what_the_spec_never_had_stays(
            base in any_document(), ours in any_document(), theirs in any_document(),
        ) {
            let merged = merge(&base, &ours, &theirs, Winner::Ours);
            let mut paths = Vec::new();
            leaves(&theirs, "", &mut paths);
            for path in paths {
                // Unless the spec puts another value in the place of a parent.
                let is_unrelated = |document: &Value| {
                    let steps: Vec<&str> = path.split('.').collect();
                    let parents = (1..steps.len()).map(|length| steps[..length].join("."));
                    at(document, &path).is_none()
                        && parents.into_iter().all(|it| {
                            at(document, &it).is_none_or(Value::is_object)
                        })
                };
                if is_unrelated(&base) && is_unrelated(&ours) {
                    prop_assert_eq!(at(&merged, &path), at(&theirs, &path), "{}", path);
                }
            }
        }

        #[test]
        fn what_the_spec_changed_is_in(
            base in any_document(), ours in any_document(), theirs in any_document(),
        ) {
            let merged = merge(&base, &ours, &theirs, Winner::Ours);
            let mut paths = Vec::new();
            leaves(&ours, "", &mut paths);
            for path in paths.iter().filter(|path| at(&base, path) != at(&ours, path)) {
                // Unless it only moved within a parent that somebody has replaced.
                prop_assert_eq!(at(&merged, path), at(&ours, path), "{}", path);
            }
        }

        #[test]
        fn forced_paths_win(
            mut document in any_document(), ours in any_document(), path in "[a-c](\\.[a-c]){0,2}",
        ) {
            force(&mut document, &ours, &path);
            prop_assert_eq!(at(&document, &path), at(&ours, &path));
            let once = document.clone();
            force(&mut document, &ours, &path);
            prop_assert_eq!(document, once);
        }
    }
}
