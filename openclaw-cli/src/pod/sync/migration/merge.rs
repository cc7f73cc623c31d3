//! What of a migration is taken over, and what of the user's document it changes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::pod::one_line;

/// Where the application keeps notes about its own runs.
const NOTES: &[&str] = &["meta", "wizard"];
/// How many changes are listed; the rest is counted.
const CHANGE_LIMIT: usize = 32;
const CHANGE_TEXT_LIMIT: usize = 256;

/// The user's document without its refused keys, and with what became of them.
///
/// `plain` is what the migration makes of that document, `migrated` what it makes of the one with
/// the refused keys. What it does to both it would do without them: it is not taken over. Where the
/// two differ, the refused keys are the cause, and the second one counts.
pub(super) fn merge(ours: &Value, mut plain: Value, mut migrated: Value) -> Value {
    for made in [&mut plain, &mut migrated] {
        if let Some(made) = made.as_object_mut() {
            made.retain(|key, _| !NOTES.contains(&key.as_str()));
        }
    }
    merged(Some(ours), Some(&plain), Some(&migrated)).unwrap_or(Value::Null)
}

fn merged(ours: Option<&Value>, plain: Option<&Value>, migrated: Option<&Value>) -> Option<Value> {
    if plain == migrated {
        return ours.cloned();
    }
    let (Some(Value::Object(ours)), Some(Value::Object(plain)), Some(Value::Object(migrated))) =
        (ours, plain, migrated)
    else {
        return migrated.cloned();
    };
    let keys: BTreeSet<&String> = ours.keys().chain(plain.keys()).chain(migrated.keys()).collect();
    let entries = keys.into_iter().filter_map(|key| {
        let value = merged(ours.get(key), plain.get(key), migrated.get(key))?;
        Some((key.clone(), value))
    });
    Some(Value::Object(entries.collect()))
}

/// What differs between two documents, for people: paths, never values.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(before, after, "", &mut found);
    let surplus = found.len().saturating_sub(CHANGE_LIMIT);
    found.truncate(CHANGE_LIMIT);
    if surplus > 0 {
        found.push(format!("{surplus} more"));
    }
    found
}

fn compare(before: &Value, after: &Value, path: &str, found: &mut Vec<String>) {
    let say = |what: &str, path: &str| one_line(&format!("{what} {path}"), CHANGE_TEXT_LIMIT);
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (before.get(key), after.get(key)) {
                    (Some(before), Some(after)) => compare(before, after, &inner, found),
                    (Some(_), None) => found.push(say("removed", &inner)),
                    (None, Some(after)) => {
                        let only = after.as_object().filter(|after| after.len() == 1);
                        if only.is_some() {
                            // A new parent of one key is named by that key.
                            compare(&Value::Object(Map::new()), after, &inner, found);
                        } else {
                            found.push(say("added", &inner));
                        }
                    }
                    (None, None) => {}
                }
            }
        }
        _ => found.push(say("changed", path)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{changes, merge};

    #[test]
    fn what_became_of_refused_keys_is_taken_and_nothing_else() {
        let ours = json!({
            "agents": {"defaults": {"model": "old"}},
            "channels": {"telegram": {"token": "x"}},
            "meta": {"mine": true},
            "session": {"maintenance": {}},
        });
        // What 2026.8.1 writes in any case: defaults, a newer model, an entry per agent and skill.
        let plain = json!({
            "agents": {"defaults": {"model": "new", "maxConcurrent": 8}, "entries": {"main": {}}},
            "channels": {"telegram": {"token": "x", "dmPolicy": "pairing"}},
            "meta": {"mine": true, "at": "10:00"},
            "session": {"maintenance": {}},
            "skills": {"entries": {"github": {"enabled": false}}},
            "wizard": {"at": "10:00"},
        });
        let mut migrated = plain.clone();
        migrated["meta"]["at"] = json!("10:01");
        migrated["wizard"]["at"] = json!("10:01");
        migrated["memory"] = json!({"search": {"enabled": true}});
        migrated["channels"]["telegram"]["streaming"] = json!({"mode": "partial"});
        let mut expected = ours.clone();
        expected["memory"] = json!({"search": {"enabled": true}});
        expected["channels"]["telegram"]["streaming"] = json!({"mode": "partial"});
        assert_eq!(merge(&ours, plain, migrated), expected);
    }

    #[test]
    fn what_the_migration_takes_away_because_of_a_refused_key_goes() {
        let ours = json!({"a": {"keep": 1, "drop": 2}, "b": 3});
        let merged = merge(&ours, ours.clone(), json!({"a": {"keep": 1}}));
        assert_eq!(merged, json!({"a": {"keep": 1}}));
    }

    #[test]
    fn a_part_that_was_taken_out_of_both_copies_stays() {
        let ours = json!({"mcp": {"servers": {"a": {}}}, "b": {}});
        let merged = merge(&ours, json!({"b": {}}), json!({"b": {"c": 1}}));
        assert_eq!(merged, json!({"mcp": {"servers": {"a": {}}}, "b": {"c": 1}}));
    }

    #[test]
    fn changes_name_paths_and_no_values() {
        let before = json!({"a": {"b": {"secret": "s"}, "c": [1]}, "d": 1});
        let after = json!({"a": {"c": [2]}, "d": 1, "e": {"f": {"secret": "s", "g": 1}}, "h": {}});
        assert_eq!(
            changes(&before, &after),
            ["removed a.b", "changed a.c", "added e.f", "added h"]
        );
        assert_eq!(changes(&before, &before), [""; 0]);
    }

    #[test]
    fn changes_are_bounded() {
        let many = |range: std::ops::Range<usize>| -> Value {
            range.map(|number| (format!("{number:04}{}", "ä".repeat(500)), json!(1))).collect()
        };
        let found = changes(&many(0..100), &json!({}));
        assert_eq!(found.len(), 33);
        assert_eq!(found.last().map(String::as_str), Some("68 more"));
        assert!(found.iter().all(|change| change.len() <= 256));
    }
}
