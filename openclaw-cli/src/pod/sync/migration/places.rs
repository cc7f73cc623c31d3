//! Where in a document the validator's issues point to.
//!
//! An issue is text of another program: a path whose keys may hold dots, and a sentence that names
//! the keys. What in it points to nothing is ignored.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::pod::sync::validator::Issue;

/// Keys and positions from the root.
pub(super) type Place = Vec<Step>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Position(usize),
}

/// The places that are refused. `None` if an issue is about the document as a whole, which cannot
/// do without itself.
pub(super) fn refused(document: &Value, issues: &[Issue]) -> Option<BTreeSet<Place>> {
    let mut places = BTreeSet::new();
    for Issue { path, message } in issues {
        let (place, node) = deepest(document, path);
        // The keys stand in quotes: `Unrecognized keys: "retry", "maxConcurrentRuns"`.
        let named = message.split('"').skip(1).step_by(2);
        let named: Vec<&str> = named.filter(|key| node.get(key).is_some()).collect();
        if named.is_empty() {
            places.insert(Some(place).filter(|place| !place.is_empty())?);
        } else {
            places.extend(named.into_iter().map(|key| {
                place.iter().cloned().chain([Step::Key(key.to_owned())]).collect::<Place>()
            }));
        }
    }
    Some(places).filter(|places| !places.is_empty())
}

/// The document without what is at these places.
pub(super) fn without(document: &Value, places: &BTreeSet<Place>) -> Value {
    let mut document = document.clone();
    // From the end, so that the positions of earlier places stay.
    for place in places.iter().rev() {
        let Some((last, parents)) = place.split_last() else { continue };
        let parent = parents.iter().try_fold(&mut document, |node, step| match step {
            Step::Key(key) => node.get_mut(key),
            Step::Position(position) => node.get_mut(position),
        });
        match (parent, last) {
            (Some(Value::Object(parent)), Step::Key(key)) => drop(parent.remove(key)),
            (Some(Value::Array(parent)), Step::Position(position)) if *position < parent.len() => {
                parent.remove(*position);
            }
            _ => {}
        }
    }
    document
}

/// The deepest node on a path that exists.
fn deepest<'a>(document: &'a Value, path: &str) -> (Place, &'a Value) {
    let (mut place, mut node, mut rest) = (Place::new(), document, path);
    while let Some((step, inner, after)) = enter(node, rest) {
        place.push(step);
        (node, rest) = (inner, after);
    }
    (place, node)
}

/// One step along a path, as far as the longest key that fits.
fn enter<'a, 'p>(node: &'a Value, path: &'p str) -> Option<(Step, &'a Value, &'p str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    match node {
        Value::Object(object) => {
            let fits = object.keys().filter_map(|key| Some((key, after(path, key)?)));
            let (key, rest) = fits.max_by_key(|(key, _)| key.len())?;
            Some((Step::Key(key.clone()), object.get(key)?, rest))
        }
        Value::Array(list) => {
            let path = path.strip_prefix('[').unwrap_or(path);
            let end = path.find(|c: char| !c.is_ascii_digit()).unwrap_or(path.len());
            let (digits, rest) = path.split_at(end);
            let position: usize = digits.parse().ok()?;
            let rest = rest.strip_prefix(']').unwrap_or(rest);
            Some((Step::Position(position), list.get(position)?, rest))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The rest of a path behind a key, written plainly or as `["key"]`.
fn after<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    if let Some(bracketed) = path.strip_prefix("[\"") {
        return bracketed.strip_prefix(key)?.strip_prefix("\"]");
    }
    let rest = path.strip_prefix(key).filter(|_| !key.is_empty())?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{refused, without};
    use crate::pod::sync::validator::Issue;

    fn document() -> Value {
        json!({
            "agents": {"defaults": {"memorySearch": {"enabled": true}, "sandbox": true}},
            "bindings": [{"match": {"peer": {"kind": "dm"}}}, {"match": {}}],
            "cron": {"retry": 1, "maxConcurrentRuns": 2, "enabled": true},
            "models": {"my.own": {"old": 1}, "my": {"own": 2}},
            "web": {},
        })
    }

    /// The document without what these issues point to.
    fn cut(issues: &[(&str, &str)]) -> Option<Value> {
        let issues: Vec<Issue> = issues
            .iter()
            .map(|(path, message)| Issue {
                path: (*path).to_owned(),
                message: (*message).to_owned(),
            })
            .collect();
        refused(&document(), &issues).map(|places| without(&document(), &places))
    }

    #[test]
    fn keys_that_a_message_names_are_taken_out_and_their_neighbours_stay() {
        let found = cut(&[
            ("agents.defaults", r#"Unrecognized key: "memorySearch""#),
            ("cron", r#"Unrecognized keys: "retry", "maxConcurrentRuns""#),
            ("<root>", r#"Unrecognized key: "web""#),
            ("agents.defaults.sandbox", "expected object, received boolean"),
            ("models.my.own", r#"must not have additional properties: "old""#),
        ]);
        let expected = json!({
            "agents": {"defaults": {}},
            "bindings": document()["bindings"],
            "cron": {"enabled": true},
            "models": {"my.own": {}, "my": {"own": 2}},
        });
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn positions_of_lists_are_understood_in_both_spellings() {
        let expected = json!([{"match": {"peer": {}}}]);
        for path in ["bindings.0.match.peer.kind", r#"bindings[0]["match"].peer.kind"#] {
            let found = cut(&[("bindings.1", "bad"), (path, "bad")]).expect("places");
            assert_eq!(found["bindings"], expected, "{path}");
        }
        let found = cut(&[("bindings.0", "bad"), ("bindings.1", "bad")]).expect("places");
        assert_eq!(found["bindings"], json!([]));
    }

    #[test]
    fn a_path_that_leads_further_than_the_document_means_its_last_part() {
        // The validator speaks of what it made of the document, not of the document.
        let found = cut(&[("agents.entries.a", r#"Unrecognized key: "memorySearch""#)]);
        assert_eq!(found.expect("places").get("agents"), None);
    }

    #[test]
    fn the_document_as_a_whole_is_no_place() {
        for path in ["", "<root>", ".", "nowhere.at.all", "[", "[0]", "\u{0}"] {
            assert_eq!(cut(&[(path, r#"it is bad, "very" bad""#)]), None, "{path:?}");
        }
        assert_eq!(cut(&[]), None);
        // What one issue points to does not make up for another one.
        assert_eq!(cut(&[("cron", "bad"), ("", "bad")]), None);
    }
}
