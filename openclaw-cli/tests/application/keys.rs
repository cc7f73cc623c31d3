//! The table of keys of openclaw.json (`openclaw-render/assets/openclaw/keys.txt`), made of the
//! schemas that the versions print, and compared with them.
//!
//! Every version that is installed has a column. `UPDATE_SNAPSHOTS=1` writes the columns of those
//! that are installed, and leaves the others as they are: a version is added once, by installing it
//! into the folder of applications.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// What a version takes at a path: letters of types, sorted.
type Types = BTreeSet<char>;
type Path = Vec<String>;
type Column = BTreeMap<Path, Types>;

const HEADER: &str = "\
# Keys of openclaw.json in the versions that were measured, of `openclaw config schema`; written by
# `UPDATE_SNAPSHOTS=1 scripts/test application`. A line is a key, below the key that it belongs to:
# `*` any key, `[]` an item of a list. Then the types it takes: object, array, string, number,
# boolean, z null, ? anything, which is not judged further; with the first and the last version, where
# it is not in all those that judge what it belongs to. Settings of single plugins are not in it:
# their plugins bring them.
";

/// `?` and what stands below it is no longer judged.
const ANYTHING: char = '?';
const ANY_KEY: &str = "*";
const ITEM: &str = "[]";

/// What versions accept besides their schemas, and do not judge any further: with the first and the
/// last of them. Seen with `openclaw config validate`.
const BESIDES: &[(&str, &str, &str)] = &[
    ("agents.defaults.contextTokens", "2026.8.1", ""),
    ("agents.list", "2026.8.1", ""),
    ("canvasHost", "2026.5.28", "2026.7.35"),
    ("gateway.tls.*", "", "2026.5.2"),
    ("hooks.mappings.[].match.*", "", "2026.5.2"),
    ("models.providers.*.contextTokens", "2026.8.1", ""),
    ("models.providers.*.contextWindow", "2026.8.1", ""),
    ("plugins.installs", "2026.5.2", "2026.7.35"),
];

/// What versions refuse although their schemas take anything there: path, first version, and the
/// types that they do take. Seen with `openclaw config validate`.
const BEYOND: &[(&str, &str, &str)] = &[
    ("tools.web.search.apiKey", "2026.8.1", "z"),
    ("tools.web.search.brave", "2026.5.28", "abnsz"),
    ("tools.web.search.duckduckgo", "2026.5.28", "abnsz"),
    ("tools.web.search.exa", "2026.5.28", "abnsz"),
    ("tools.web.search.firecrawl", "2026.5.28", "abnsz"),
    ("tools.web.search.gemini", "2026.5.28", "abnsz"),
    ("tools.web.search.grok", "2026.5.28", "abnsz"),
    ("tools.web.search.kimi", "2026.5.28", "abnsz"),
    ("tools.web.search.minimax", "2026.5.28", "abnsz"),
    ("tools.web.search.ollama", "2026.5.28", "abnsz"),
    ("tools.web.search.perplexity", "2026.5.28", "abnsz"),
    ("tools.web.search.searxng", "2026.5.28", "abnsz"),
    ("tools.web.search.tavily", "2026.5.28", "abnsz"),
];

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../openclaw-render/assets/openclaw/keys.txt")
}

fn schema(version: &str) -> Value {
    let [node, entry] = super::application(version);
    let home = tempfile::tempdir().expect("a folder");
    let output = Command::new(node)
        .arg(entry)
        .args(["config", "schema"])
        .env("HOME", home.path())
        .output()
        .expect("the application runs");
    let mut schema: Value = serde_json::from_slice(&output.stdout).expect("a schema");
    schema.get_mut("schema").map(Value::take).unwrap_or(schema)
}

/// One walk over a schema.
struct Walk<'a> {
    /// Where references are looked up: the whole, and each part with definitions of its own.
    bases: Vec<&'a Value>,
    column: Column,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, node: &'a Value, path: &Path, references: &[&'a str]) {
        // A plugin brings the schema of its own settings, with every version of its own.
        if path.len() == 3 && path[..2] == ["plugins", "entries"] && path[2] != ANY_KEY {
            return;
        }
        self.column.entry(path.clone()).or_default();
        let Some(schema) = node.as_object() else {
            if node != &Value::Bool(false) {
                self.add(path, ANYTHING);
            }
            return;
        };
        if schema.contains_key("$schema") || schema.contains_key("$defs") {
            self.bases.push(node);
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = reference.trim_start_matches('#');
            let target = self.bases.iter().rev().find_map(|base| base.pointer(pointer));
            match target.filter(|_| !references.contains(&reference)) {
                Some(target) => self.visit(target, path, &[references, &[reference]].concat()),
                None => self.add(path, ANYTHING),
            }
            return;
        }
        let branches = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        for branch in branches.into_iter().flatten() {
            self.visit(branch, path, references);
        }
        let types: Vec<char> = match (schema.get("const"), schema.get("enum"), schema.get("type")) {
            (Some(value), ..) => vec![type_of(value)],
            (_, Some(Value::Array(values)), _) => values.iter().map(type_of).collect(),
            (.., Some(Value::Array(names))) => names.iter().map(letter).collect(),
            (.., Some(name)) => vec![letter(name)],
            _ if schema.contains_key("properties") => vec!['o'],
            _ if branches.is_some() => return,
            _ => vec![ANYTHING],
        };
        for each in &types {
            self.add(path, *each);
        }
        if types.contains(&'o') {
            self.object(schema, path, references);
        }
        if types.contains(&'a') {
            let items = schema.get("items").unwrap_or(&Value::Bool(true));
            for item in items.as_array().map_or(std::slice::from_ref(items), Vec::as_slice) {
                self.visit(item, &below(path, ITEM), references);
            }
        }
    }

    fn object(
        &mut self,
        schema: &'a serde_json::Map<String, Value>,
        path: &Path,
        references: &[&'a str],
    ) {
        let is_fixed = schema.contains_key("const") || schema.contains_key("enum");
        let properties = schema.get("properties").and_then(Value::as_object);
        for (key, property) in properties.into_iter().flatten() {
            self.visit(property, &below(path, key), references);
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            Some(other) => self.visit(other, &below(path, ANY_KEY), references),
            None if is_fixed => {}
            None => self.add(&below(path, ANY_KEY), ANYTHING),
        }
    }

    fn add(&mut self, path: &Path, letter: char) {
        self.column.entry(path.clone()).or_default().insert(letter);
    }
}

fn below(path: &Path, key: &str) -> Path {
    path.iter().cloned().chain([key.to_owned()]).collect()
}

fn letter(name: &Value) -> char {
    match name.as_str() {
        Some("object") => 'o',
        Some("array") => 'a',
        Some("string") => 's',
        Some("number" | "integer") => 'n',
        Some("boolean") => 'b',
        Some("null") => 'z',
        _ => panic!("an unknown type: {name}"),
    }
}

fn type_of(value: &Value) -> char {
    match value {
        Value::Null => 'z',
        Value::Bool(_) => 'b',
        Value::Number(_) => 'n',
        Value::String(_) => 's',
        Value::Array(_) => 'a',
        Value::Object(_) => 'o',
    }
}

/// The column of a version, without what nobody can ever be right or wrong about.
fn column(version: &str, schema: &Value) -> Column {
    let mut walk = Walk { bases: vec![schema], column: Column::new() };
    walk.visit(schema, &Path::new(), &[]);
    let mut column = walk.column;
    for (path, from, to) in BESIDES {
        if is_within(version, from, to) {
            let path = path.split('.').map(str::to_owned).collect();
            column.insert(path, Types::from([ANYTHING]));
        }
    }
    for (path, from, types) in BEYOND {
        if is_within(version, from, "") {
            let path = path.split('.').map(str::to_owned).collect();
            column.insert(path, types.chars().collect());
        }
    }
    let open: BTreeSet<Path> = column
        .iter_mut()
        .filter(|(_, types)| types.contains(&ANYTHING))
        .map(|(path, types)| {
            *types = Types::from([ANYTHING]);
            path.clone()
        })
        .collect();
    column.retain(|path, types| {
        !types.is_empty() && !(0..path.len()).any(|end| open.contains(&path[..end]))
    });
    // A key that takes nothing takes its children with it.
    let kept: BTreeSet<Path> = column.keys().cloned().collect();
    column.retain(|path, _| (0..path.len()).all(|end| kept.contains(&path[..end])));
    column
}

/// The versions of a table and their columns.
fn parse(text: &str) -> BTreeMap<String, Column> {
    let mut columns: BTreeMap<String, Column> = BTreeMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut stack: Vec<(String, Vec<Option<Types>>)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(versions) = line.strip_prefix("versions ") {
            names = versions.split(' ').map(str::to_owned).collect();
            stack = vec![(String::new(), vec![Some(Types::from(['o'])); names.len()])];
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        let (key, spans) = line.trim_start().split_once(' ').expect("a key and its types");
        stack.truncate(depth + 1);
        let mut all = vec![None; names.len()];
        for span in spans.split(' ') {
            let (types, range) = span.split_once('@').unwrap_or((span, ".."));
            let (from, to) = range.split_once("..").expect("a range");
            for (index, name) in names.iter().enumerate() {
                let parent = stack[depth].1[index].as_ref();
                if is_within(name, from, to) && parent.is_some_and(is_judged) {
                    all[index] = Some(types.chars().collect());
                }
            }
        }
        stack.push((key.to_owned(), all.clone()));
        let path: Path = stack[1..].iter().map(|(key, _)| key.clone()).collect();
        for (name, types) in names.iter().zip(all) {
            if let Some(types) = types {
                columns.entry(name.clone()).or_default().insert(path.clone(), types);
            }
        }
    }
    columns
}

fn is_judged(types: &Types) -> bool {
    !types.contains(&ANYTHING)
}

fn is_within(version: &str, from: &str, to: &str) -> bool {
    (from.is_empty() || order(version) >= order(from))
        && (to.is_empty() || order(version) <= order(to))
}

/// Numbers instead of text, so that 10 follows 9.
fn order(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().expect("a number")).collect()
}

fn print(columns: &BTreeMap<String, Column>) -> String {
    let mut names: Vec<&String> = columns.keys().collect();
    names.sort_by_key(|name| order(name));
    let words: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let mut text = format!("{HEADER}versions {}\n", words.join(" "));
    let paths: BTreeSet<&Path> = columns.values().flat_map(BTreeMap::keys).collect();
    for path in paths.into_iter().filter(|path| !path.is_empty()) {
        let (key, parent) = path.split_last().expect("a key");
        let at = |name: &String| columns[name].get(path);
        let has_parent =
            |name: &String| parent.is_empty() || columns[name].get(parent).is_some_and(is_judged);
        let spans = spans(&names, at, has_parent);
        writeln!(text, "{}{key} {}", " ".repeat(parent.len()), spans.join(" ")).expect("text");
    }
    text
}

/// What a key takes from which version to which; those without its parent count as any.
fn spans<'a>(
    names: &[&String],
    at: impl Fn(&String) -> Option<&'a Types>,
    has_parent: impl Fn(&String) -> bool,
) -> Vec<String> {
    let within: Vec<&String> = names.iter().copied().filter(|name| has_parent(name)).collect();
    let mut runs: Vec<(Option<&Types>, usize, usize)> = Vec::new();
    for (index, name) in within.iter().enumerate() {
        match runs.last_mut() {
            Some((types, _, to)) if *types == at(name) => *to = index,
            _ => runs.push((at(name), index, index)),
        }
    }
    let last = within.len() - 1;
    let runs = runs.into_iter().filter_map(|(types, from, to)| Some((types?, from, to)));
    runs.map(|(types, from, to)| {
        let types: String = types.iter().collect();
        let end = |index: usize, is_open: bool| {
            if is_open { String::new() } else { within[index].clone() }
        };
        match (from == 0, to == last) {
            (true, true) => types,
            (is_first, is_last) => format!("{types}@{}..{}", end(from, is_first), end(to, is_last)),
        }
    })
    .collect()
}

#[test]
fn the_table_of_keys_is_what_the_versions_say() {
    let before = fs::read_to_string(file()).unwrap_or_default();
    let mut columns = parse(&before);
    for version in super::versions() {
        columns.insert(version.clone(), column(&version, &schema(&version)));
    }
    let after = print(&columns);
    assert_eq!(
        parse(&after),
        columns
            .into_iter()
            .map(|(name, mut column)| {
                column.remove(&Path::new());
                (name, column)
            })
            .collect(),
        "what is written reads otherwise"
    );
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::create_dir_all(file().parent().expect("a folder")).expect("a folder");
        fs::write(file(), &after).expect("the table");
    } else {
        let differs = before.lines().zip(after.lines()).find(|(before, after)| before != after);
        assert!(before == after, "stale: UPDATE_SNAPSHOTS=1 scripts/test application; {differs:?}");
    }
}
