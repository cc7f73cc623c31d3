//! Which keys of openclaw.json exist in which version of OpenClaw, and what becomes of the others.
//!
//! Measured ([`table`]) were some versions of every month. What lies between two that disagree is
//! doubtful, not sure to fail. The application's own validator judges every file before it is served,
//! values included, and its migration has a look at what is refused (config-sync); what stands here is
//! known before a pod is started.

mod notes;
mod table;

use serde_json::{Map, Value};

use crate::problem::{Problem, Rule, Severity};
use crate::version::Version;
use notes::{Note, note};
use table::{ANY_KEY, ITEM, Node, Table, Versions, letter, table};

/// How many findings of one severity are told.
const MAX_FINDINGS: usize = 100;
/// Longer words are not searched for misspellings.
const MAX_WORD: usize = 40;
/// In whose place the contents of another file are put.
const INCLUDE: &str = "$include";
/// Whose shape is judged with what the operator adds to them.
const JUDGED_ELSEWHERE: [&str; 3] = ["gateway", "gateway.controlUi", "gateway.trustedProxies"];
/// The letter of what a version takes whatever it is.
const ANYTHING: char = '?';
/// Below it, a plugin that the user installs may know more than the application does.
const CHANNELS: &str = "channels";

/// Returns what the version that runs refuses. A version that is only assumed is not judged for
/// sure, and neither is one beyond those that were measured.
pub(super) fn check(
    path: &str,
    document: &Map<String, Value>,
    version: Version,
    is_told: bool,
) -> Vec<Problem> {
    if document.is_empty() {
        return Vec::new();
    }
    let table = table();
    let before = table.versions.iter().rposition(|measured| *measured <= version);
    let after = table.versions.iter().position(|measured| *measured >= version);
    let (Some(older), Some(newer)) = (before.or(after), after.or(before)) else {
        return Vec::new();
    };
    let is_measured = is_told && before.is_some() && after.is_some();
    let problems = Vec::new();
    let mut judge = Judge { table, version, is_told, is_measured, older, newer, problems };
    let root = Place { nodes: vec![&table.root], path: String::new(), shown: path.to_owned() };
    judge.object(&root, document);
    bounded(path, &judge.problems)
}

/// Where a value of the document stands in the table.
struct Place<'a> {
    /// The key's own line, that for any key, or both, of different versions.
    nodes: Vec<&'a Node>,
    /// As the table writes it.
    path: String,
    /// As problems show it.
    shown: String,
}

impl Place<'_> {
    fn known(&self) -> Versions {
        self.nodes.iter().fold(Versions::default(), |all, node| all.or(node.known()))
    }

    fn taking(&self, letter: char) -> Versions {
        self.nodes.iter().fold(Versions::default(), |all, node| all.or(node.taking(letter)))
    }

    fn open(&self) -> Versions {
        self.nodes.iter().fold(Versions::default(), |all, node| all.or(node.open()))
    }

    fn is_of_a_channel(&self) -> bool {
        self.path.starts_with(CHANNELS) && self.path != CHANNELS
    }
}

struct Judge {
    table: &'static Table,
    version: Version,
    is_told: bool,
    /// Whether what the measured versions around it agree on is sure.
    is_measured: bool,
    /// The measured versions around the one that runs, or twice the nearest one.
    older: usize,
    newer: usize,
    problems: Vec<Problem>,
}

impl Judge {
    fn object(&mut self, place: &Place<'static>, object: &Map<String, Value>) {
        for (key, value) in object {
            if key == INCLUDE {
                continue;
            }
            let below = self.below(place, key);
            self.value(place, key, &below, value);
        }
    }

    fn below(&self, place: &Place<'static>, key: &str) -> Place<'static> {
        let named: Vec<&Node> = place.nodes.iter().filter_map(|node| node.child(key)).collect();
        let any = place.nodes.iter().filter_map(|node| node.child(ANY_KEY));
        let is_enough = |nodes: &[&Node]| {
            let known = nodes.iter().fold(Versions::default(), |all, node| all.or(node.known()));
            known.has(self.older) && known.has(self.newer)
        };
        let (nodes, segment) = match named.is_empty() {
            false if is_enough(&named) => (named, key),
            is_any => (named.into_iter().chain(any).collect(), if is_any { ANY_KEY } else { key }),
        };
        let segment = if nodes.is_empty() { key } else { segment };
        let path = [&*place.path, segment].join(if place.path.is_empty() { "" } else { "." });
        Place { nodes, path, shown: format!("{}.{key}", place.shown) }
    }

    fn value(&mut self, parent: &Place<'static>, key: &str, place: &Place<'static>, value: &Value) {
        let letter = letter(value);
        let taking = place.taking(letter);
        match (taking.has(self.older), taking.has(self.newer)) {
            (true, true) => self.inside(place, value),
            // Whatever is in that file stands there instead.
            _ if value.get(INCLUDE).is_some() && self.is_known(place) => {}
            (false, false) if self.is_known(place) => {
                if !JUDGED_ELSEWHERE.contains(&&*place.path) {
                    self.wrong_type(place, letter);
                }
            }
            (false, false) => self.unknown(parent, key, place),
            (is_older, _) => self.doubtful(place, letter, is_older),
        }
    }

    fn is_known(&self, place: &Place<'_>) -> bool {
        let known = place.known();
        known.has(self.older) && known.has(self.newer)
    }

    fn inside(&mut self, place: &Place<'static>, value: &Value) {
        let open = place.open();
        if open.has(self.older) || open.has(self.newer) {
            return self.read_as_before(place, value);
        }
        match value {
            Value::Object(object) => self.object(place, object),
            Value::Array(items) => {
                let nodes: Vec<&Node> =
                    place.nodes.iter().filter_map(|node| node.child(ITEM)).collect();
                let path = format!("{}.{ITEM}", place.path);
                for (index, item) in items.iter().enumerate().filter(|_| !nodes.is_empty()) {
                    let shown = format!("{}[{index}]", place.shown);
                    let item_place = Place { nodes: nodes.clone(), path: path.clone(), shown };
                    self.value(place, ITEM, &item_place, item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// A list that the application takes and puts into another form whenever it reads it. Where the
    /// version is only assumed, the one that runs may know nothing else.
    fn read_as_before(&mut self, place: &Place<'_>, value: &Value) {
        let Some(noted) = note(&place.path, Some(ANYTHING)).filter(|_| value.is_array()) else {
            return;
        };
        if self.is_told && self.is_migrated(noted) {
            let message = format!(
                "{} takes this only as older versions wrote it, and migrates it in memory with every \
                 start: {}",
                self.version, noted.instead
            );
            self.problems.push(Problem::advice(place.shown.as_str(), Rule::Config, message));
        }
    }

    /// A key that neither of the versions around has.
    fn unknown(&mut self, parent: &Place<'static>, key: &str, place: &Place<'static>) {
        let version = self.version;
        let noted = note(&place.path, None);
        let known = place.known();
        let retired = (0..self.older).rev().find(|index| known.has(*index));
        let coming = (self.newer..self.table.versions.len()).find(|index| known.has(*index));
        if noted.is_some_and(|noted| self.is_migrated(noted)) {
            return self.migrated(place, retired, noted);
        }
        let instead = match noted {
            Some(noted) => noted.instead.to_owned(),
            None => self.misspelt(parent, key).unwrap_or_else(|| "remove it".to_owned()),
        };
        let newest = Version::NEWEST;
        let coming = coming.and_then(|index| self.table.versions.get(index));
        let unless = if place.is_of_a_channel() { ", unless a plugin brings it" } else { "" };
        let message = match (retired, coming) {
            (Some(last), _) => self.refused_since(last, &instead),
            (None, Some(first)) => {
                format!("{version} does not have this key yet, {first} does{unless}: remove it")
            }
            (None, None) if self.is_measured => {
                format!("no version of the application has this key{unless}: {instead}")
            }
            (None, None) => format!("no version up to {newest} has this key{unless}: {instead}"),
        };
        self.tell(place, message);
    }

    fn wrong_type(&mut self, place: &Place<'static>, letter: char) {
        let noted = note(&place.path, Some(letter));
        if noted.is_some_and(|noted| self.is_migrated(noted)) {
            return self.migrated(place, None, noted);
        }
        let mut types: Vec<&str> =
            place.nodes.iter().flat_map(|node| node.types(self.newer)).collect();
        types.sort_unstable();
        types.dedup();
        let types = types.join(" or ");
        let mut message = format!("must be {types}, not {}", table::name(letter));
        if let Some(noted) = noted {
            message.push_str(": ");
            message.push_str(noted.instead);
        }
        self.tell(place, message);
    }

    /// A key, or a type of its value, that only one of the versions around takes.
    fn doubtful(&mut self, place: &Place<'static>, letter: char, is_older: bool) {
        let version = self.version;
        let is_type = self.is_known(place);
        let what = if is_type { table::name(letter) } else { "this key" };
        let noted = note(&place.path, is_type.then_some(letter));
        let instead = noted.map_or("remove it", |noted| noted.instead);
        let at = |index: usize| self.table.versions.get(index).copied().unwrap_or(version);
        let message = if is_older {
            format!("{version} may refuse {what}, {} does: {instead}", at(self.newer))
        } else {
            format!("{version} may refuse {what}, as {} does: remove it", at(self.older))
        };
        self.problems.push(Problem::advice(place.shown.as_str(), Rule::Config, message));
    }

    fn is_migrated(&self, noted: Note) -> bool {
        noted.migrated.is_some_and(|since| self.version >= since)
    }

    fn migrated(&mut self, place: &Place<'static>, last: Option<usize>, noted: Option<Note>) {
        let (version, newest) = (self.version, Version::NEWEST);
        let instead = noted.map_or("remove it", |noted| noted.instead);
        let first = last.and_then(|last| self.table.versions.get(last + 1));
        let first = first.copied().or(noted.and_then(|noted| noted.migrated)).unwrap_or(version);
        let message = if version > newest {
            format!(
                "{first} and later refuse this key, and up to {newest} their own migration \
                 changes it in the pod: {instead}"
            )
        } else {
            format!(
                "{version} refuses this key, and its own migration changes it in the pod: {instead}"
            )
        };
        self.problems.push(Problem::advice(place.shown.as_str(), Rule::Config, message));
    }

    fn refused_since(&self, last: usize, instead: &str) -> String {
        let first = self.table.versions.get(last + 1).copied().unwrap_or(self.version);
        if self.is_measured {
            format!("{} refuses this key: {instead}", self.version)
        } else {
            format!("{first} and later refuse this key: {instead}")
        }
    }

    fn tell(&mut self, place: &Place<'_>, message: String) {
        let shown = place.shown.as_str();
        self.problems.push(if self.is_measured && !place.is_of_a_channel() {
            Problem::will_not_start(shown, message)
        } else {
            Problem::advice(shown, Rule::Config, message)
        });
    }

    /// The key that was meant, if one is much like it.
    fn misspelt(&self, parent: &Place<'static>, key: &str) -> Option<String> {
        let siblings = parent.nodes.iter().flat_map(|node| node.children());
        let known = siblings.filter(|node| node.known().has(self.newer));
        let words = known.map(|node| node.key).filter(|word| is_alike(key, word));
        Some(format!("did you mean `{}`?", words.min_by_key(|word| distance(key, word))?))
    }
}

/// At most so many findings of a severity, and a last one that says so.
fn bounded(path: &str, problems: &[Problem]) -> Vec<Problem> {
    let mut told = Vec::new();
    for severity in [Severity::WillNotStart, Severity::Advice] {
        let mut found: Vec<Problem> =
            problems.iter().filter(|problem| problem.severity == severity).cloned().collect();
        let rest = found.len().saturating_sub(MAX_FINDINGS);
        found.truncate(MAX_FINDINGS);
        told.append(&mut found);
        if rest > 0 {
            let message = format!("{rest} more findings like these are not listed");
            told.push(Problem::advice(path, Rule::Config, message));
        }
    }
    told
}

fn is_alike(key: &str, word: &str) -> bool {
    let limit = (word.len() / 2).min(2);
    key.len().max(word.len()) <= MAX_WORD
        && (key.eq_ignore_ascii_case(word)
            || word.len().abs_diff(key.len()) <= limit && distance(key, word) <= limit)
}

/// How many letters have to be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (index, left) in a.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        for (cell, right) in row.iter_mut().zip(std::iter::once(None).chain(b.chars().map(Some))) {
            let Some(right) = right else {
                *cell = before;
                continue;
            };
            let here = (*cell + 1).min(before + 1).min(diagonal + usize::from(left != right));
            diagonal = *cell;
            *cell = here;
            before = here;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const V7_1: Version = Version::new(2026, 7, 1);
    const V8_1: Version = Version::new(2026, 8, 1);
    const V9_6: Version = Version::new(2026, 9, 6);

    fn findings(document: &Value, version: Version, is_told: bool) -> Vec<String> {
        let document = document.as_object().expect("an object");
        check("raw", document, version, is_told).iter().map(ToString::to_string).collect()
    }

    /// The paths that a version refuses although an earlier one had them, with the first that does.
    fn retired(
        node: &'static Node,
        path: &str,
        within: Versions,
        found: &mut BTreeMap<String, Version>,
    ) {
        let table = table();
        let any = node.child(ANY_KEY).map(Node::known).unwrap_or_default();
        for child in node.children() {
            let path = if path.is_empty() {
                child.key.to_owned()
            } else {
                format!("{path}.{}", child.key)
            };
            let others = if child.key == ANY_KEY { Versions::default() } else { any };
            let mut was_there = false;
            for (index, version) in table.versions.iter().enumerate() {
                let is_there = child.known().has(index);
                if was_there && !is_there && within.has(index) && !others.has(index) {
                    found.entry(path.clone()).or_insert(*version);
                }
                was_there |= is_there;
            }
            let judging = child.taking(if child.child(ITEM).is_some() { 'a' } else { 'o' });
            let open = child.open();
            let judging = (0..table.versions.len())
                .filter(|index| judging.has(*index) && !open.has(*index))
                .fold(Versions::default(), |all, index| all.or(Versions::only(index)));
            retired(child, &path, judging, found);
        }
    }

    fn all_retired() -> BTreeMap<String, Version> {
        let mut found = BTreeMap::new();
        retired(&table().root, "", table().root.known(), &mut found);
        found
    }

    #[test]
    fn the_policy_of_the_chart_knows_every_key_at_the_top() {
        let policy =
            include_str!("../../../../charts/openclaw-operator/files/policies/advice.yaml");
        let rule =
            policy.split("- expression").find(|rule| rule.contains("has keys that no version"));
        for list in rule.unwrap().split("raw.orValue({})").skip(1) {
            let list = list.split(']').next().unwrap();
            let named: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
            let known = table().root.children().iter().map(|node| node.key);
            assert_eq!(named, [INCLUDE].into_iter().chain(known).collect::<Vec<_>>());
        }
    }

    #[test]
    fn it_is_known_of_every_retired_key_what_to_do_instead() {
        let all = all_retired();
        assert!(all.len() > 300, "{}", all.len());
        let missing: Vec<&String> = all.keys().filter(|path| note(path, None).is_none()).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }

    #[test]
    fn what_the_application_migrates_in_a_test_is_known_to_be_migrated() {
        let text = include_str!("../../../../fixtures/instances/config-retired.yaml");
        let fixture: Value = serde_saphyr::from_str(text).expect("YAML");
        let raw = fixture.pointer("/spec/config/raw").expect("raw");
        let told = findings(raw, V9_6, true);
        assert!(told.len() > 40, "{told:#?}");
        for finding in told {
            assert!(finding.contains("its own migration changes it in the pod"), "{finding}");
        }
    }

    #[test]
    fn settings_of_a_search_belong_to_its_plugin_whatever_the_schema_takes_there() {
        let document = serde_json::json!({"tools": {"web": {"search": {
            "apiKey": "x", "grok": {"apiKey": "x"}, "provider": "grok", "some-plugin": {},
        }}}});
        let of_grok = |version: &str| {
            format!(
                "raw.tools.web.search.grok: advice: {version} refuses this key, and its own \
                 migration changes it in the pod: use `plugins.entries.xai.config.webSearch`"
            )
        };
        let old = findings(&document, Version::new(2026, 4, 24), true);
        assert!(old.contains(&of_grok("2026.4.24")), "{old:#?}");
        assert_eq!(findings(&document, V7_1, true), [of_grok("2026.7.1")]);
        let new = findings(&document, V9_6, true);
        let of_brave = "raw.tools.web.search.apiKey: advice: 2026.9.6 refuses this key, and its own \
                        migration changes it in the pod: use \
                        `plugins.entries.brave.config.webSearch.apiKey`";
        assert_eq!(new, [of_brave.to_owned(), of_grok("2026.9.6")]);
    }

    #[test]
    fn a_key_is_reported_only_for_versions_that_may_refuse_it() {
        let document = serde_json::json!({"browser": {"profiles": {"a": {"color": "#fff"}}}});
        assert!(findings(&document, V7_1, true).is_empty());
        insta::assert_debug_snapshot!(findings(&document, Version::new(2026, 7, 40), true), @r#"
        [
            "raw.browser.profiles.a.color: advice: 2026.7.40 may refuse this key, 2026.8.1 does: remove it",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&document, V8_1, true), @r#"
        [
            "raw.browser.profiles.a.color: advice: 2026.8.1 refuses this key, and its own migration changes it in the pod: remove it",
        ]
        "#);
    }

    #[test]
    fn only_the_shape_that_is_refused_is_reported() {
        let shapes = |sandbox: Value, streaming: Value| {
            let document = serde_json::json!({
                "agents": {"defaults": {"sandbox": sandbox}},
                "channels": {"discord": {"streaming": streaming}},
            });
            findings(&document, V9_6, true)
        };
        let objects = serde_json::json!({"mode": "off"});
        assert!(shapes(objects.clone(), objects).is_empty());
        insta::assert_debug_snapshot!(shapes(true.into(), "partial".into()), @r#"
        [
            "raw.agents.defaults.sandbox: will not start: must be an object, not a boolean: write an object, such as `{ mode: \"off\" }`",
            "raw.channels.discord.streaming: advice: 2026.9.6 refuses this key, and its own migration changes it in the pod: write `streaming: { mode: … }`",
        ]
        "#);
    }

    #[test]
    fn a_root_key_of_no_version_is_sure_to_be_refused_only_by_a_version_that_was_measured() {
        let document = serde_json::json!({"mcpServers": {}, "mcpservers": {}});
        insta::assert_debug_snapshot!(findings(&document, V9_6, true), @r#"
        [
            "raw.mcpServers: will not start: no version of the application has this key: use `mcp.servers`",
            "raw.mcpservers: will not start: no version of the application has this key: remove it",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&document, V9_6, false), @r#"
        [
            "raw.mcpServers: advice: no version up to 2026.9.6 has this key: use `mcp.servers`",
            "raw.mcpservers: advice: no version up to 2026.9.6 has this key: remove it",
        ]
        "#);
        for version in [Version::new(2026, 12, 1), Version::new(2026, 3, 31)] {
            assert_eq!(findings(&document, version, true), findings(&document, V9_6, false));
        }
    }

    #[test]
    fn a_root_key_that_only_a_migration_knows_is_retired_where_there_is_one() {
        let document = serde_json::json!({"heartbeat": {}});
        insta::assert_debug_snapshot!(findings(&document, V8_1, true), @r#"
        [
            "raw.heartbeat: advice: 2026.8.1 refuses this key, and its own migration changes it in the pod: use `agents.defaults.heartbeat`",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&document, V7_1, true), @r#"
        [
            "raw.heartbeat: will not start: no version of the application has this key: use `agents.defaults.heartbeat`",
        ]
        "#);
    }

    #[test]
    fn a_list_of_agents_is_advice_where_the_version_is_known_to_keep_them_by_id() {
        let document = serde_json::json!({"agents": {"list": [{"id": "main"}]}});
        assert!(findings(&document, V7_1, true).is_empty());
        assert!(findings(&document, V9_6, false).is_empty());
        for version in [V8_1, V9_6, Version::new(2026, 12, 1)] {
            let told = findings(&document, version, true);
            let [only] = told.as_slice() else { panic!("{version}: {told:?}") };
            assert!(
                only.starts_with(&format!("raw.agents.list: advice: {version} takes")),
                "{only}"
            );
            assert!(only.contains("use `agents.entries`"), "{only}");
        }
        let keyed = serde_json::json!({"agents": {"entries": {"main": {}}}});
        assert!(findings(&keyed, V9_6, true).is_empty());
    }

    #[test]
    fn a_nested_key_is_judged_as_one_at_the_root() {
        let document = serde_json::json!({
            "agents": {"list": [{"anything": 1}]},
            "channels": {"telegram": {"allowFrm": ["*"]}, "of-a-plugin": {"x": 1}},
            "env": {"MODE": "x"},
            "gateway": {"$include": "./gateway.json", "prot": 1, "port": "18789"},
            "models": {"providers": {"mine": {"models": [{"id": "a", "nmae": "a"}]}}},
            "plugins": {"entries": {"own": {"config": {"x": 1}}}},
            "telemetry": {"enabled": false},
            "tools": {"$include": "./tools.json"},
            "skills": {"load": {"watchDebounceMs": {"$include": "./number.json"}}},
        });
        insta::assert_debug_snapshot!(findings(&document, V9_6, true), @r#"
        [
            "raw.gateway.port: will not start: must be a number, not a string",
            "raw.gateway.prot: will not start: no version of the application has this key: did you mean `port`?",
            "raw.models.providers.mine.models[0].nmae: will not start: no version of the application has this key: did you mean `name`?",
            "raw.agents.list: advice: 2026.9.6 takes this only as older versions wrote it, and migrates it in memory with every start: use `agents.entries`, by the id of each agent, with `agents.ownership: explicit` where there are several",
            "raw.channels.telegram.allowFrm: advice: no version of the application has this key, unless a plugin brings it: did you mean `allowFrom`?",
            "raw.env.MODE: advice: 2026.9.6 refuses this key, and its own migration changes it in the pod: use `env.vars`, or `spec.env`",
            "raw.skills.load.watchDebounceMs: advice: 2026.9.6 refuses this key, and its own migration changes it in the pod: remove it",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&document, V7_1, true), @r#"
        [
            "raw.agents.list[0].anything: will not start: no version of the application has this key: remove it",
            "raw.gateway.port: will not start: must be a number, not a string",
            "raw.gateway.prot: will not start: no version of the application has this key: did you mean `port`?",
            "raw.models.providers.mine.models[0].nmae: will not start: no version of the application has this key: did you mean `name`?",
            "raw.telemetry: will not start: 2026.7.1 does not have this key yet, 2026.8.1 does: remove it",
            "raw.channels.telegram.allowFrm: advice: no version of the application has this key, unless a plugin brings it: did you mean `allowFrom`?",
        ]
        "#);
    }

    #[test]
    fn what_versions_before_and_after_agree_on_holds_between_them() {
        let document = serde_json::json!({"browser": {"color": "#fff"}, "telemetry": {}});
        assert_eq!(
            findings(&document, Version::new(2026, 9, 4), true).len(),
            findings(&document, V9_6, true).len()
        );
        insta::assert_debug_snapshot!(findings(&document, Version::new(2026, 8, 0), true), @r#"
        [
            "raw.browser.color: advice: 2026.8.0 may refuse this key, 2026.8.1 does: remove it",
            "raw.telemetry: advice: 2026.8.0 may refuse this key, as 2026.7.35 does: remove it",
        ]
        "#);
    }

    #[test]
    fn a_document_full_of_mistakes_is_told_in_bounds() {
        let document: Map<String, Value> =
            (0..5000).map(|index| (format!("key{index}"), Value::Bool(true))).collect();
        let told = findings(&document.into(), V9_6, true);
        assert_eq!(told.len(), MAX_FINDINGS + 1);
        assert!(told.last().is_some_and(|last| last.contains("4900 more")), "{:?}", told.last());
    }

    #[test]
    fn a_version_accepts_the_types_of_its_own_column() {
        /// A value that every line below takes part in.
        fn sample(node: &Node, index: usize) -> Option<Value> {
            let types = node.types(index);
            Some(match *types.first()? {
                "a list" => {
                    let item = node.child(ITEM).and_then(|item| sample(item, index));
                    Value::Array(item.into_iter().collect())
                }
                "a boolean" => Value::Bool(true),
                "a number" => Value::from(1),
                "null" => Value::Null,
                "an object" => {
                    let below = node.children().iter();
                    let pairs =
                        below.filter(|child| child.known().has(index)).filter_map(|child| {
                            let key = if child.key == ANY_KEY { "some key" } else { child.key };
                            Some((key.to_owned(), sample(child, index)?))
                        });
                    Value::Object(pairs.collect())
                }
                _ => Value::from("text"),
            })
        }
        for (index, version) in table().versions.iter().enumerate() {
            let whole = sample(&table().root, index).expect("a document");
            let told = findings(&whole, *version, true);
            assert!(told.is_empty(), "{version}: {told:#?}");
        }
    }
}
