//! How deep a configuration may be nested, and how it is read within that.
//!
//! Reading, copying, writing and dropping a JSON value are recursive. Whoever may write a
//! configuration could end the process by its depth. So texts are read within a bound, and values
//! that came in another way are measured before anything else is done with them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Number, Value};

use crate::api::ConfigFormat;

/// Levels of a configuration; what the application knows has about ten.
const MAX_LEVELS: usize = 128;
/// Levels of the field that holds one, and of the bookkeeping about it in `metadata`.
const LEVELS_AROUND: usize = 16;
/// What is wrong with one that has more.
const TOO_DEEP: &str = "nested deeper than 128 levels";

/// Reads a text of that format.
///
/// # Errors
/// What is wrong with the text, as the rest of a sentence about it.
pub(crate) fn read(text: &str, format: ConfigFormat) -> Result<Value, String> {
    let read = match format {
        ConfigFormat::Json => read_json(text).map_err(|error| {
            let reason = error.to_string();
            (format!("is not JSON ({reason}); JSON5 needs `spec.config.format: json5`"), reason)
        }),
        ConfigFormat::Json5 => json5::from_str(text).map_err(|error| {
            let reason = error.to_string();
            (format!("is not JSON5 ({reason})"), reason)
        }),
    };
    read.map(|Bounded(value)| value).map_err(|(message, reason)| {
        // Neither parser quotes what it reads.
        if reason.contains(TOO_DEEP) { too_deep() } else { message }
    })
}

/// What is said of a configuration with more levels.
pub(crate) fn too_deep() -> String {
    format!("is {TOO_DEEP}: flatten it")
}

fn read_json(text: &str) -> Result<Bounded, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Ours is the bound, so that both formats have the same one.
    deserializer.disable_recursion_limit();
    let value = Bounded::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Whether a value has more levels than a configuration may have.
pub(crate) fn is_too_deep(value: &Value) -> bool {
    exceeds(value, MAX_LEVELS)
}

/// Whether a whole manifest has more levels than one with a configuration in it may have.
pub(crate) fn is_manifest_too_deep(manifest: &Value) -> bool {
    exceeds(manifest, MAX_LEVELS + LEVELS_AROUND)
}

fn exceeds(value: &Value, levels: usize) -> bool {
    let mut rest = vec![(value, 1)];
    while let Some((value, level)) = rest.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if level > levels => return true,
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(map) => rest.extend(map.values().map(|item| (item, level + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    false
}

/// Drops a value, however deep it is.
pub(crate) fn dismantle(value: Value) {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(map) => rest.extend(map.into_iter().map(|(_, item)| item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// A value of at most [`MAX_LEVELS`] levels, in which every number is one of JSON.
struct Bounded(Value);

impl<'de> Deserialize<'de> for Bounded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Levels(MAX_LEVELS).deserialize(deserializer).map(Self)
    }
}

/// Levels that are left.
#[derive(Clone, Copy)]
struct Levels(usize);

impl Levels {
    fn below<E: de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom(TOO_DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Levels {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key()? {
            map.insert(key, entries.next_value_seed(below)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{MAX_LEVELS, dismantle, is_too_deep, read, too_deep};
    use crate::api::ConfigFormat::{self, Json, Json5};

    const FORMATS: [ConfigFormat; 2] = [Json, Json5];

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    fn nested_value(levels: usize) -> Value {
        (1..levels).fold(json!([]), |inner, _| Value::Array(vec![inner]))
    }

    /// What a worker of the operator has.
    fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
        thread.expect("a thread").join().expect("it ends well");
    }

    #[test]
    fn the_last_level_that_is_allowed_is_read_and_the_next_is_not() {
        for format in FORMATS {
            assert!(read(&nested(MAX_LEVELS), format).is_ok_and(|value| !is_too_deep(&value)));
            assert_eq!(read(&nested(MAX_LEVELS + 1), format), Err(too_deep()), "{format}");
            let maps = format!("{}1{}", "{\"a\":".repeat(129), "}".repeat(129));
            assert_eq!(read(&maps, format), Err(too_deep()), "{format}");
        }
        assert!(!is_too_deep(&nested_value(MAX_LEVELS)));
        assert!(is_too_deep(&nested_value(MAX_LEVELS + 1)));
    }

    #[test]
    fn no_depth_is_too_great_to_be_refused() {
        on_a_small_stack(|| {
            for format in FORMATS {
                for unit in ["[", "{a:", "{\"a\":[", "[[],", "[/*[*/", "{'[':"] {
                    assert!(read(&unit.repeat(300_000), format).is_err(), "{unit} {format}");
                }
            }
            let deep = nested_value(300_000);
            assert!(is_too_deep(&deep));
            dismantle(deep);
        });
    }

    #[test]
    fn what_is_in_texts_and_comments_is_no_level() {
        let brackets = "[".repeat(1000);
        for text in [
            format!("{{a: '{brackets}'}}"),
            format!("{{a: 1 /* {brackets} */}}"),
            format!("// {brackets}\n{{}}"),
        ] {
            assert!(read(&text, Json5).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_no_null() {
        for text in ["Infinity", "-Infinity", "NaN", "1e400", "-1e400"] {
            let said = read(&format!("{{a: {text}}}"), Json5).expect_err(text);
            assert!(said.contains("number out of range"), "{text}: {said}");
        }
        assert_eq!(read("{a: 0x10, b: +.5, c: 1e3}", Json5), Ok(json!({"a":16,"b":0.5,"c":1e3})));
        let long = "{\"a\": 123456789012345678901234567890}";
        assert_eq!(read(long, Json), read(long, Json5));
    }

    /// Text in which brackets, quotes and comments are likely.
    fn any_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec![
                "[", "]", "{", "}", ":", ",", "'", "\"", "\\", "//", "/*", "*/", "\n", "a", "1",
                "-", ".", "e9", "0x", "null", "true", "Infinity", "\\u", "\u{2028}", "ä", " ",
            ]).prop_map(str::to_owned),
            1 => any::<char>().prop_map(String::from),
            1 => (1..200_usize).prop_map(|levels| "[".repeat(levels)),
            1 => (1..200_usize).prop_map(|levels| "{\"a\":".repeat(levels)),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_is_read_or_refused_on_a_small_stack(text in any_text(), bytes in any::<Vec<u8>>()) {
            on_a_small_stack(move || {
                for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
                    for format in FORMATS {
                        if let Ok(value) = read(text, format) {
                            assert!(!is_too_deep(&value));
                        }
                    }
                }
            });
        }

        /// What both formats can say means the same, and what `serde_json` reads is read.
        #[test]
        fn json_is_read_as_always(text in any_text()) {
            let ours = read(&text, Json).ok();
            if let Ok(theirs) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(ours, Some(theirs));
            }
        }
    }
}
