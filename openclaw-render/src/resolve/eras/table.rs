//! [`Table`]: which keys of openclaw.json the measured versions take, with which types.

use std::iter::Peekable;
use std::str::Lines;
use std::sync::LazyLock;

use serde_json::Value;

use crate::version::Version;

/// Written by a test against the real application; its head says how to read it.
const TEXT: &str = include_str!("../../../assets/openclaw/keys.txt");

pub(super) const ANY_KEY: &str = "*";
pub(super) const ITEM: &str = "[]";

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

/// Returns the table of the versions that were measured.
pub(super) fn table() -> &'static Table {
    &TABLE
}

/// A set of measured versions: a bit for each, the oldest one lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Versions(u32);

impl Versions {
    pub(super) fn has(self, index: usize) -> bool {
        self.0 & bit(index) != 0
    }

    #[cfg(test)]
    pub(super) fn only(index: usize) -> Self {
        Self(bit(index))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn bit(index: usize) -> u32 {
    u32::try_from(index).ok().and_then(|index| 1_u32.checked_shl(index)).unwrap_or(0)
}

/// The keys of all measured versions.
pub(super) struct Table {
    /// Ascending.
    pub(super) versions: Vec<Version>,
    pub(super) root: Node,
}

/// A key, and what may stand below it.
#[derive(Default)]
pub(super) struct Node {
    pub(super) key: &'static str,
    /// Letters of types, with the versions that take them.
    takes: Vec<(&'static str, Versions)>,
    /// Sorted by their keys.
    children: Vec<Self>,
}

impl Node {
    pub(super) fn child(&self, key: &str) -> Option<&Self> {
        let found = self.children.binary_search_by(|child| child.key.cmp(key));
        self.children.get(found.ok()?)
    }

    pub(super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// Returns the versions that have this key.
    pub(super) fn known(&self) -> Versions {
        self.takes.iter().fold(Versions::default(), |all, (_, versions)| all.or(*versions))
    }

    /// Returns the versions that take a value of this type.
    pub(super) fn taking(&self, letter: char) -> Versions {
        let fit = self.takes.iter().filter(|(types, _)| types.contains([letter, '?']));
        fit.fold(Versions::default(), |all, (_, versions)| all.or(*versions))
    }

    /// Returns the versions that judge neither the value nor what stands below it.
    pub(super) fn open(&self) -> Versions {
        // No value has this letter.
        self.taking('?')
    }

    /// Returns the types that a version takes, as a sentence names them.
    pub(super) fn types(&self, index: usize) -> Vec<&'static str> {
        let at = self.takes.iter().filter(|(_, versions)| versions.has(index));
        at.flat_map(|(types, _)| types.chars().map(name)).collect()
    }
}

/// Returns the letter of a value's type.
pub(super) fn letter(value: &Value) -> char {
    match value {
        Value::Null => 'z',
        Value::Bool(_) => 'b',
        Value::Number(_) => 'n',
        Value::String(_) => 's',
        Value::Array(_) => 'a',
        Value::Object(_) => 'o',
    }
}

/// Returns how a sentence names a type.
pub(super) fn name(letter: char) -> &'static str {
    match letter {
        'a' => "a list",
        'b' => "a boolean",
        'n' => "a number",
        'o' => "an object",
        's' => "a string",
        'z' => "null",
        _ => "anything",
    }
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut lines = text.lines().peekable();
        let mut versions = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('#')) {
            // The head of the file, for people.
            let _ = line;
        }
        if let Some(names) = lines.peek().and_then(|line| line.strip_prefix("versions ")) {
            versions.extend(names.split(' ').filter_map(Version::from_tag));
            lines.next();
        }
        let all = (0..versions.len()).fold(0, |all, index| all | bit(index));
        let takes = vec![("o", Versions(all))];
        let children = children(&mut lines, 0, Versions(all), &versions);
        Self { root: Node { key: "", takes, children }, versions }
    }
}

/// The lines of this depth, up to one that is less deep.
fn children(
    lines: &mut Peekable<Lines<'static>>,
    depth: usize,
    within: Versions,
    versions: &[Version],
) -> Vec<Node> {
    let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let mut nodes = Vec::new();
    while let Some(line) = lines.next_if(|line| indent(line) == depth) {
        let mut words = line.trim_start_matches(' ').split(' ');
        let key = words.next().unwrap_or_default();
        let takes = words.map(|word| span(word, within, versions)).collect();
        let mut node = Node { key, takes, children: Vec::new() };
        let judging = Versions(node.known().0 & !node.open().0);
        node.children = children(lines, depth + 1, judging, versions);
        nodes.push(node);
    }
    nodes
}

/// `s` or `s@2026.5.2..2026.7.35`, where either end may be missing.
fn span(word: &'static str, within: Versions, versions: &[Version]) -> (&'static str, Versions) {
    let (types, range) = word.split_once('@').unwrap_or((word, ".."));
    let (from, to) = range.split_once("..").unwrap_or_default();
    let (from, to) = (Version::from_tag(from), Version::from_tag(to));
    let is_within = |version: &Version| {
        from.is_none_or(|from| from <= *version) && to.is_none_or(|to| *version <= to)
    };
    let found = versions.iter().enumerate().filter(|(_, version)| is_within(version));
    let range = found.fold(0, |all, (index, _)| all | bit(index));
    (types, Versions(range).and(within))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(node: &Node) -> usize {
        1 + node.children.iter().map(count).sum::<usize>()
    }

    fn check(node: &Node) {
        assert!(node.children.is_sorted_by(|a, b| a.key < b.key), "{}", node.key);
        assert_ne!(node.known(), Versions::default(), "{}", node.key);
        for (types, _) in &node.takes {
            assert!(types.chars().all(|letter| "abnosz?".contains(letter)), "{}", node.key);
        }
        node.children.iter().for_each(check);
    }

    #[test]
    fn every_line_is_read() {
        let lines = TEXT.lines().filter(|line| !line.starts_with('#')).count();
        // That with the versions stands for the root.
        assert_eq!(count(&table().root), lines);
        check(&table().root);
        assert!(table().versions.is_sorted());
        assert!(table().versions.len() <= 32);
        assert_eq!(table().versions.last(), Some(&Version::NEWEST));
    }

    #[test]
    fn a_key_is_known_in_the_versions_of_its_line() {
        let color = ["browser", "profiles", "*", "color"];
        let node = color.iter().try_fold(&table().root, |node, key| node.child(key));
        let known = node.expect("a key").known();
        let versions = &table().versions;
        let accepting: Vec<&Version> =
            versions.iter().enumerate().filter(|(i, _)| known.has(*i)).map(|(_, v)| v).collect();
        assert_eq!(accepting.first(), Some(&&Version::new(2026, 4, 1)));
        assert_eq!(accepting.last(), Some(&&Version::new(2026, 7, 35)));
    }
}
