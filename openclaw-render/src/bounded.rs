//! JSON of any depth and size, read within limits.
//!
//! Whoever may create an object chooses how deep and how wide it is. What is read whole is bounded
//! by [`MAX_DEPTH`] and [`MAX_VALUES`]; what is not read whole is taken apart as text, which neither
//! recurses nor builds anything.

use std::fmt::{self, Write};

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::api::ConditionType;
use crate::problem::{Problem, Rule};

/// Lists and maps inside each other that an object may have, itself included: the 128 of a
/// configuration, and what is around it. Twenty are usual.
pub const MAX_DEPTH: usize = 144;
/// Values that an object may have, lists and maps included. A few hundred are usual; in memory one
/// takes up to 700 bytes, however few characters it was.
pub const MAX_VALUES: usize = 10_000;

/// Fields of a path that a problem shows: those are of an API, and not yet anybody's text.
const SHOWN_FIELDS: usize = 3;
/// Fields and positions of a path that a problem shows.
const SHOWN_STEPS: usize = 5;
/// Characters of a step that a problem shows.
const SHOWN_CHARACTERS: usize = 64;

/// Reads a text.
///
/// # Errors
/// What is no JSON, and where it is deeper or has more values than the limits allow.
pub fn parse(text: &str) -> Result<Value, Problem> {
    Budget::new().parse(text)
}

/// As [`parse`], of a value that others read.
pub(crate) fn check(value: Value) -> Result<Value, Problem> {
    Budget::new().read(value)
}

/// What can be used of an object that [`parse`] refuses: of its fields, and of the fields in those,
/// each one that fits within the limits by itself.
#[must_use]
pub fn remains(text: &str) -> Value {
    let mut budget = Budget::new();
    let mut rest = Map::new();
    for (name, part) in fields(text).unwrap_or_default() {
        let mut inner = Map::new();
        let Some(parts) = fields(part) else {
            rest.extend(budget.parse(part).ok().map(|value| (name, value)));
            continue;
        };
        for (name, part) in parts {
            inner.extend(budget.parse(part).ok().map(|value| (name, value)));
        }
        rest.insert(name, Value::Object(inner));
    }
    Value::Object(rest)
}

/// The fields of an object, each with its text. `None` if the text is no object.
#[must_use]
pub fn fields(text: &str) -> Option<Vec<(String, &str)>> {
    let mut rest = text;
    let mut found = Vec::new();
    skip(&mut rest, '{')?;
    if skip(&mut rest, '}').is_some() {
        return Some(found);
    }
    loop {
        let name = serde_json::from_str(value(&mut rest)?).ok()?;
        skip(&mut rest, ':')?;
        found.push((name, value(&mut rest)?));
        if skip(&mut rest, ',').is_none() {
            return skip(&mut rest, '}').map(|()| found);
        }
    }
}

/// The text of one field of an object. `None` if the text is no object or has no such field.
#[must_use]
pub fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    fields(text)?.into_iter().find_map(|(found, part)| (found == name).then_some(part))
}

/// The texts of the items of a list. `None` if the text is no list.
#[must_use]
pub fn items(text: &str) -> Option<Vec<&str>> {
    let mut rest = text;
    let mut found = Vec::new();
    skip(&mut rest, '[')?;
    if skip(&mut rest, ']').is_some() {
        return Some(found);
    }
    loop {
        found.push(value(&mut rest)?);
        if skip(&mut rest, ',').is_none() {
            return skip(&mut rest, ']').map(|()| found);
        }
    }
}

/// Goes past a mark, if that is next.
fn skip(rest: &mut &str, mark: char) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(mark)?;
    Some(())
}

/// Goes past a value. Its text.
fn value<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (value, after) = rest.split_at_checked(values.byte_offset())?;
    *rest = after;
    Some(value.trim_start())
}

/// What may still be read.
struct Budget {
    values: usize,
    /// Of the value that was too much, from the inside to the outside.
    path: Vec<Step>,
    excess: Option<Excess>,
}

enum Step {
    Field(String),
    Item(usize),
}

#[derive(Clone, Copy)]
enum Excess {
    Depth,
    Values,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth => {
                write!(
                    f,
                    "is nested deeper than {MAX_DEPTH} levels, counted from the top: flatten it"
                )
            }
            Self::Values => write!(
                f,
                "has, with all that is before it, more than {MAX_VALUES} values: make it smaller, \
                 or move parts of it to a ConfigMap"
            ),
        }
    }
}

impl Budget {
    fn new() -> Self {
        Self { values: MAX_VALUES, path: Vec::new(), excess: None }
    }

    fn parse(&mut self, text: &str) -> Result<Value, Problem> {
        let mut reader = serde_json::Deserializer::from_str(text);
        // Ours is the limit.
        reader.disable_recursion_limit();
        let value = self.read(&mut reader)?;
        reader.end().map_err(|error| self.problem(&error))?;
        Ok(value)
    }

    /// What does not fit takes nothing.
    fn read<'de>(
        &mut self,
        reader: impl Deserializer<'de, Error = serde_json::Error>,
    ) -> Result<Value, Problem> {
        let before = self.values;
        Reader { budget: self, depth: 0 }.deserialize(reader).map_err(|error| {
            self.values = before;
            self.problem(&error)
        })
    }

    fn problem(&mut self, error: &serde_json::Error) -> Problem {
        let path = std::mem::take(&mut self.path);
        let message = match self.excess.take() {
            Some(excess) => excess.to_string(),
            None => format!("is no JSON: {error}"),
        };
        Problem::error(shown(&path), Rule::Invalid, message).about(about(&path))
    }
}

/// Which condition tells of a place; the path begins with its inner end.
fn about(path: &[Step]) -> ConditionType {
    let mut fields = path.iter().rev().map(|step| match step {
        Step::Field(name) => name.as_str(),
        Step::Item(_) => "",
    });
    let is_raw = ["spec", "config", "raw"].into_iter().all(|name| fields.next() == Some(name));
    if is_raw { ConditionType::ConfigValid } else { ConditionType::Ready }
}

/// The outer end of a path.
fn shown(path: &[Step]) -> String {
    let mut text = String::new();
    let mut fields = 0;
    for step in path.iter().rev().take(SHOWN_STEPS) {
        match step {
            _ if fields == SHOWN_FIELDS => break,
            Step::Field(name) => {
                fields += 1;
                text.push_str(if text.is_empty() { "" } else { "." });
                text.extend(name.chars().take(SHOWN_CHARACTERS));
            }
            // Writing to a string does not fail.
            Step::Item(index) => _ = write!(text, "[{index}]"),
        }
    }
    if text.is_empty() { "document".to_owned() } else { text }
}

/// Reads one value.
struct Reader<'a> {
    budget: &'a mut Budget,
    /// Lists and maps around it.
    depth: usize,
}

impl Reader<'_> {
    fn inner(&mut self) -> Reader<'_> {
        Reader { budget: self.budget, depth: self.depth + 1 }
    }

    fn too_much<E: Error>(&mut self, excess: Excess) -> E {
        self.budget.excess = Some(excess);
        E::custom(excess)
    }

    /// One level more.
    fn enter<E: Error>(&mut self) -> Result<(), E> {
        if self.depth < MAX_DEPTH { Ok(()) } else { Err(self.too_much(Excess::Depth)) }
    }

    fn failed<E>(&mut self, step: Step, error: E) -> E {
        self.budget.path.push(step);
        error
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(mut self, reader: D) -> Result<Value, D::Error> {
        match self.budget.values.checked_sub(1) {
            Some(left) => self.budget.values = left,
            None => return Err(self.too_much(Excess::Values)),
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut list = Vec::new();
        loop {
            match items.next_element_seed(self.inner()) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(Value::Array(list)),
                Err(error) => return Err(self.failed(Step::Item(list.len()), error)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            match fields.next_value_seed(self.inner()) {
                Ok(value) => _ = map.insert(name, value),
                Err(error) => return Err(self.failed(Step::Field(name), error)),
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(depth: usize) -> String {
        format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
    }

    fn said(text: &str) -> String {
        parse(text).expect_err("it is too much").to_string()
    }

    #[test]
    fn what_is_within_the_limits_is_read_as_serde_json_reads_it() {
        for text in [
            "null",
            " [ ] ",
            r#"{"a": [1, -2, 2.50, 18446744073709551615, true, "\u00e9\n"], "b": {}, "a": null}"#,
            &nested(120),
        ] {
            let expected: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(parse(text).expect("within the limits"), expected);
            assert_eq!(check(expected.clone()).expect("within the limits"), expected);
        }
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
    }

    #[test]
    fn what_is_too_deep_is_named_by_its_field() {
        let deep = format!(r#"{{"spec":{{"config":{{"raw":{{"a":{}}}}}}}}}"#, nested(9000));
        let expected =
            "spec.config.raw: is nested deeper than 144 levels, counted from the top: flatten it";
        assert_eq!(said(&deep), expected);
        assert!(said(&nested(MAX_DEPTH + 1)).starts_with("[0][0]"));
        assert!(said(&nested(5_000_000)).contains("deeper"));
    }

    #[test]
    fn a_value_that_was_read_by_others_is_held_to_the_same() {
        let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        assert!(check(deep(MAX_DEPTH)).is_ok());
        assert!(check(deep(MAX_DEPTH + 1)).is_err());
        assert!(check(json!({"spec": vec![0; MAX_VALUES]})).is_err());
    }

    #[test]
    fn what_has_too_many_values_is_named_by_its_field() {
        let list = |number: usize| json!({"spec": {"env": vec![0; number]}}).to_string();
        assert!(parse(&list(MAX_VALUES - 3)).is_ok());
        let text = said(&list(MAX_VALUES - 2));
        assert!(text.starts_with("spec.env[9997]: has, with all"), "{text}");
        // In maps, a value takes much more than the characters that it has.
        let maps = format!("[{}0]", r#"{"a":0},"#.repeat(200_000));
        assert!(said(&maps).contains("more than 10000 values"));
    }

    #[test]
    fn a_problem_shows_no_text_of_users() {
        let secret = json!({"spec": {"config": {"raw": {"a-secret": nested(1)}}}});
        let text = secret.to_string().replace(r#""[1]""#, &nested(200));
        assert!(!said(&text).contains("a-secret"));
        let long = json!({"x".repeat(100_000): {"y": 1}}).to_string();
        let long = long.replace('1', &nested(200));
        assert!(said(&long).len() < 300);
        let broken = said(r#"{"a": "a-secret" "b"}"#);
        assert!(broken.contains("is no JSON") && !broken.contains("a-secret"), "{broken}");
    }

    #[test]
    fn what_remains_is_every_field_that_fits() {
        let text = format!(
            r#"{{"kind":"X","metadata":{{"name":"ada","annotations":{deep}}},
               "spec":{{"config":{deep},"env":{wide},"suspended":true}},"status":{deep}}}"#,
            deep = nested(9000),
            wide = json!(vec![0; MAX_VALUES]),
        );
        assert!(parse(&text).is_err());
        let expected =
            json!({"kind": "X", "metadata": {"name": "ada"}, "spec": {"suspended": true}});
        assert_eq!(remains(&text), expected);
        assert_eq!(remains("[]"), json!({}));
        // Together they are held to the limits, too.
        let many: Map<String, Value> =
            (0..50).map(|each| (format!("field-{each}"), json!(vec![0; 1000]))).collect();
        let rest = remains(&json!({"spec": many}).to_string());
        assert_eq!(rest["spec"].as_object().expect("a spec").len(), 9);
    }

    #[test]
    fn texts_are_taken_apart_without_being_looked_into() {
        let deep = nested(5_000_000);
        let text = format!("{{ \"a\\u0062\" : {deep} ,\n\"c\":\"}}]\\\"\", \"d\" :-1e5}}");
        let found = fields(&text).expect("an object");
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ab", "c", "d"]);
        assert_eq!(found[0].1, deep);
        assert_eq!((found[1].1, found[2].1), (r#""}]\"""#, "-1e5"));
        assert_eq!(items("[ 1 , [2],{\"a\":3} ]").expect("a list"), ["1", "[2]", "{\"a\":3}"]);
        assert_eq!(items(" []"), Some(Vec::new()));
        assert_eq!(fields("{ }"), Some(Vec::new()));
        // A surrogate alone is no text, and nobody's business before it is read.
        assert_eq!(items(r#"["\ud800"]"#).expect("a list"), [r#""\ud800""#]);
        for broken in ["", "1", "[1", "{\"a\"}", "{\"a\":1", "[1 2]", "{1:2}", "[,]"] {
            assert_eq!((fields(broken), items(broken)), (None, None), "{broken}");
        }
    }
}
