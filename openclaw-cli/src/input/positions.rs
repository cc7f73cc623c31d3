//! Where in a file a field stands.

use std::ops::Range;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// A line and a column, both counted from 1, and the bytes that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
    /// Unknown of some mistakes.
    pub(crate) bytes: Option<Range<usize>>,
}

impl Position {
    /// Returns nothing for a place that nobody knows.
    pub(crate) fn of(location: Location) -> Option<Self> {
        let bytes = || {
            let span = location.span();
            let start = usize::try_from(span.byte_offset()?).ok()?;
            let length = usize::try_from(span.byte_len()?).ok()?;
            Some(start..start.saturating_add(length))
        };
        let (line, column) = (location.line(), location.column());
        (line > 0).then(|| Self { line, column, bytes: bytes() })
    }
}

/// A document, as far as names and places go.
#[derive(Debug)]
pub(super) struct Node {
    at: Location,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Map(Vec<(String, Location, Node)>),
    List(Vec<Node>),
    Scalar(Option<String>),
}

impl Node {
    /// Returns where a field stands or, if it is not there, what is around it.
    ///
    /// The path is a problem's: `spec.env[0].name`, `spec.env[name=A].value`. Keys may hold any
    /// character, so the longest one that fits is taken.
    pub(super) fn locate(&self, path: &str) -> Option<Position> {
        let (mut node, mut at, mut rest) = (self, self.at, path);
        while !rest.is_empty() {
            let Some((location, inner, after)) = node.step(rest) else { break };
            (at, node, rest) = (location, inner, after);
        }
        Position::of(at)
    }

    fn step<'a, 'b>(&'a self, path: &'b str) -> Option<(Location, &'a Node, &'b str)> {
        match &self.content {
            Content::Map(fields) => {
                let path = path.strip_prefix('.').unwrap_or(path);
                let rest = |key: &str| {
                    let rest = path.strip_prefix(key)?;
                    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
                };
                let fits = fields.iter().filter_map(|(key, at, node)| {
                    rest(key).map(|rest| (key.len(), (*at, node, rest)))
                });
                fits.max_by_key(|(length, _)| *length).map(|(_, found)| found)
            }
            Content::List(items) => {
                let (member, rest) = path.strip_prefix('[')?.split_once(']')?;
                let node = match member.split_once('=') {
                    None => items.get(member.parse::<usize>().ok()?)?,
                    Some((key, value)) => items.iter().find(|item| item.says(key, value))?,
                };
                Some((node.at, node, rest))
            }
            Content::Scalar(_) => None,
        }
    }

    fn says(&self, key: &str, value: &str) -> bool {
        let Content::Map(fields) = &self.content else { return false };
        fields.iter().any(|(name, _, node)| {
            name == key && matches!(&node.content, Content::Scalar(Some(text)) if text == value)
        })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: content, referenced: at, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { at, content })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Scalar(Some(text.to_owned())))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Content, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = members.next_element()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Content, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = members.next_key::<Spanned<Content>>()? {
            match key.value {
                Content::Scalar(Some(name)) => {
                    fields.push((name, key.referenced, members.next_value()?));
                }
                // No field of a manifest has such a name.
                Content::Map(_) | Content::List(_) | Content::Scalar(None) => {
                    let _: IgnoredAny = members.next_value()?;
                }
            }
        }
        Ok(Content::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::Node;

    const TEXT: &str = "\
spec:
  env:
    - name: A
      value: é
    - { name: B, value: 1 }
  config:
    raw:
      \"a.b\": {c: 1}
      a: {b: 2}
    12: x
";

    #[test]
    fn a_path_leads_to_a_field_or_to_what_is_around_it() {
        let node: Node = serde_saphyr::from_str(TEXT).expect("it is YAML");
        for (path, line, column, said) in [
            ("spec.env", 2, 3, "env"),
            ("spec.env[1].name", 5, 9, "name"),
            ("spec.env[name=B].value", 5, 18, "value"),
            ("spec.config.raw.a.b.c", 8, 15, "c"),
            ("spec.config.raw.a.b", 8, 7, "\"a.b\""),
            ("spec.env[name=C].value", 2, 3, "env"),
            ("spec.absent.field", 1, 1, "spec"),
        ] {
            let found = node.locate(path).unwrap_or_else(|| panic!("{path} is found"));
            assert_eq!((found.line, found.column), (line, column), "{path}");
            assert_eq!(found.bytes.and_then(|bytes| TEXT.get(bytes)), Some(said), "{path}");
        }
    }
}
