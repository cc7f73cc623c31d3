//! What holds of the repository's files, and no compiler sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use openclaw_render::api::{ConditionType, Phase, Reason};

const MAX_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of the repository, relative to its root: what git has or would add, or, without git,
/// what lies there, build output aside.
fn files() -> BTreeSet<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success());
    let mut files = BTreeSet::new();
    match listed {
        Some(output) => {
            files.extend(String::from_utf8_lossy(&output.stdout).split('\0').map(str::to_owned));
        }
        None => walk("", &mut files),
    }
    files.retain(|path| root().join(path).is_file());
    assert!(files.contains("Cargo.toml"), "no files found under {}", root().display());
    files
}

fn walk(folder: &str, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(root().join(folder)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if path == "target" || name == ".git" {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, files);
        } else {
            files.insert(path);
        }
    }
}

/// The text of a file; nothing for one that is no text.
fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

fn rust_files() -> impl Iterator<Item = String> {
    files().into_iter().filter(|path| has_extension(path, "rs"))
}

fn sources() -> impl Iterator<Item = String> {
    rust_files().filter(|path| path.starts_with("openclaw-") && path.contains("/src/"))
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// The lines before the tests of a file, numbered from 1.
fn lines_before_tests(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts_tests = |at: &usize| {
        matches!(lines.get(*at..*at + 2), Some([attribute, module])
            if *attribute == "#[cfg(test)]" && module.starts_with("mod ") && module.ends_with('{'))
    };
    let end = (0..lines.len()).find(starts_tests).unwrap_or(lines.len());
    (1..).zip(lines).take(end).collect()
}

fn assert_none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n{}\n", findings.join("\n"));
}

#[test]
fn no_source_file_is_too_long_to_be_seen_whole() {
    let lines = |path: &str| lines_before_tests(&text(path)).len();
    let findings: Vec<String> = rust_files()
        .map(|path| (lines(&path), path))
        .filter(|(count, _)| *count > MAX_LINES)
        .map(|(count, path)| format!("{path}: {count} lines before its tests"))
        .collect();
    assert_none(&format!("files of more than {MAX_LINES} lines: split them"), &findings);
}

/// Every source file with the first sentence of its own documentation. `UPDATE_SNAPSHOTS=1` writes
/// it.
#[test]
fn the_map_is_what_the_source_files_say_of_themselves() {
    const MAP: &str = "docs/map.md";
    let mut map = String::from(
        "# Map\n\nEvery source file, and what it is responsible for: the first sentence of its own \
         documentation. Generated.\n",
    );
    let mut folders: BTreeMap<String, String> = BTreeMap::new();
    for path in sources() {
        let (folder, name) = path.rsplit_once('/').unwrap_or_default();
        let lines = folders.entry(folder.to_owned()).or_default();
        lines.extend(["- `", name, "`: ", &responsibility(&path), "\n"]);
    }
    for (folder, lines) in folders {
        map.extend(["\n## ", &folder, "\n\n", &lines]);
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(root().join(MAP), &map).expect("the map is written");
    }
    assert!(
        text(MAP) == map,
        "{MAP} is stale: UPDATE_SNAPSHOTS=1 cargo test -p openclaw-cli --test tidy"
    );
}

/// The first sentence that a file says of itself.
fn responsibility(path: &str) -> String {
    let text = text(path);
    let paragraph: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let paragraph = without_links(&paragraph.join(" "));
    let sentence = paragraph.split_once(". ").map_or(paragraph.as_str(), |(first, _)| first);
    sentence.trim_end_matches('.').to_owned()
}

/// `[text](target)` and `[text]` as `text`.
fn without_links(text: &str) -> String {
    let mut parts = text.split("](");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    plain.replace(['[', ']'], "")
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<String> = sources().filter(|path| responsibility(path).len() < 8).collect();
    assert_none("no `//!` sentence on the first line", &silent);
}

#[test]
fn no_test_is_switched_off_and_nothing_is_left_to_do() {
    // Put together here, so that this file does not find itself.
    let forbidden =
        [concat!("#[", "ignore"), concat!("todo", "!("), concat!("unimplemented", "!(")];
    let mut findings = Vec::new();
    for path in rust_files() {
        for (number, line) in (1..).zip(text(&path).lines()).filter(|(_, line)| !is_comment(line)) {
            for word in forbidden.into_iter().filter(|word| line.contains(word)) {
                findings.push(format!("{path}:{number}: {word}"));
            }
        }
    }
    assert_none("switched off or unfinished", &findings);
}

#[test]
fn every_fixture_says_what_it_is_for() {
    let silent: Vec<String> = files()
        .into_iter()
        .filter(|path| path.starts_with("fixtures/") && has_extension(path, "yaml"))
        .filter(|path| !text(path).starts_with("# "))
        .collect();
    assert_none("fixtures that do not begin with a comment", &silent);
}

#[test]
fn fixtures_and_snapshots_belong_together() {
    let files = files();
    let mut findings = Vec::new();
    for kind in ["instances", "invalid", "lifecycle"] {
        // fixtures/KIND/NAME.yaml
        let fixtures: BTreeSet<&str> = files
            .iter()
            .filter_map(|path| {
                path.strip_prefix("fixtures/")?.strip_prefix(kind)?.strip_prefix('/')
            })
            .filter_map(|name| name.strip_suffix(".yaml"))
            .collect();
        // snapshots/KIND/NAME.snap or snapshots/KIND/NAME/OBJECT.snap, by NAME
        let mut snapshots: BTreeMap<&str, &str> = BTreeMap::new();
        for path in files.iter().filter(|path| has_extension(path, "snap")) {
            let rest = path.strip_prefix("snapshots/").and_then(|rest| rest.strip_prefix(kind));
            if let Some(rest) = rest.and_then(|rest| rest.strip_prefix('/')) {
                let name = rest.split_once('/').map_or(rest, |(folder, _)| folder);
                snapshots.insert(name.strip_suffix(".snap").unwrap_or(name), path);
            }
        }
        for name in &fixtures {
            if !snapshots.contains_key(name) {
                findings.push(format!("fixtures/{kind}/{name}.yaml has no snapshot"));
            }
        }
        for (name, path) in &snapshots {
            if !fixtures.contains(name) {
                findings.push(format!("{path} has no fixture"));
            }
        }
    }
    assert_none("fixtures and snapshots differ", &findings);
}

#[test]
fn the_guide_explains_every_condition_reason_phase_and_metric() {
    let guide = text("docs/guides/operating.md");
    let metrics = text("openclaw-controller/src/metrics.rs");
    let metrics = metrics.split('"').skip(1).step_by(2).filter(|it| it.starts_with("openclaw_"));
    let names: Vec<String> = ConditionType::ALL
        .iter()
        .map(ToString::to_string)
        .chain(Reason::ALL.iter().map(ToString::to_string))
        .chain(Phase::ALL.iter().map(ToString::to_string))
        .chain(metrics.map(str::to_owned))
        .collect();
    assert!(names.len() > 60, "{names:?}");
    let missing: Vec<String> =
        names.into_iter().filter(|name| !guide.contains(&format!("`{name}"))).collect();
    assert_none("names that docs/guides/operating.md does not explain", &missing);
}

#[test]
fn no_file_names_a_machine() {
    // A path begins here only if nothing of a path comes before it. `/root` and `/tmp` are left out:
    // containers have them.
    let starts = [concat!("/wo", "rk/"), concat!("/Us", "ers/"), concat!("/root/.", "cargo")];
    let anywhere = [concat!("../sha", "red")];
    let mut findings = Vec::new();
    for path in files() {
        for (number, line) in (1..).zip(text(&path).lines()) {
            let named = starts.into_iter().filter(|start| begins_in(line, start));
            for word in named.chain(anywhere.into_iter().filter(|word| line.contains(word))) {
                findings.push(format!("{path}:{number}: {word}"));
            }
        }
    }
    assert_none("paths that exist on one machine only", &findings);
}

fn begins_in(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || "._-/}$*~".contains(before))
    })
}

#[test]
fn relative_links_lead_to_files() {
    let mut findings = Vec::new();
    for path in files().into_iter().filter(|path| has_extension(path, "md")) {
        let folder = root().join(Path::new(&path).parent().unwrap_or(Path::new("")));
        for (number, target) in links(&text(&path)) {
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !folder.join(target).exists() {
                findings.push(format!("{path}:{number}: {target}"));
            }
        }
    }
    assert_none("links that lead nowhere", &findings);
}

/// A page that names a file which is gone sends its reader nowhere.
#[test]
fn source_files_that_pages_name_are_there() {
    let files = files();
    let is_there = |name: &str| files.iter().any(|path| path.ends_with(name));
    let mut findings = Vec::new();
    for page in ["docs/architecture.md", "docs/testing.md", "CONTRIBUTING.md"] {
        let text = text(page);
        let names = text.split('`').filter(|name| has_extension(name, "rs"));
        let gone = names.filter(|name| !name.contains(['{', '<', '*', ' ']) && !is_there(name));
        findings.extend(gone.map(|name| format!("{page}: {name}")));
    }
    assert_none("files that are not there", &findings);
}

/// The relative targets of `[text](target)` and `[text]: target`, code blocks and spans aside.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let definition = prose
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
            .map(|(_, target)| target);
        for target in inline.chain(definition) {
            let target = target.split_whitespace().next().unwrap_or_default();
            let target = target.trim_start_matches('<').trim_end_matches('>');
            if !target.contains("://") && !target.starts_with("mailto:") {
                links.push((number, target.to_owned()));
            }
        }
    }
    links
}

#[test]
fn keys_of_our_group_are_spelt_in_the_vocabulary_only() {
    let prefix = concat!("openclaw.rocks", "/");
    let mut findings = Vec::new();
    for path in sources().filter(|path| !path.contains("/src/vocab/")) {
        let text = text(&path);
        for (number, line) in lines_before_tests(&text) {
            if !is_comment(line) && line.contains(prefix) {
                findings.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    assert_none("name a constant of `vocab` instead", &findings);
}

#[test]
fn links_are_found_in_prose_and_not_in_code() {
    let text =
        "[a](b.md#c) and `[d](e.md)`, <https://f>, [g](https://h)\n```\n[i](j)\n```\n[k]: l.md";
    let found = links(text);
    assert_eq!(found, [(1, "b.md#c".to_owned()), (5, "l.md".to_owned())]);
}

#[test]
fn a_path_begins_only_where_no_other_goes_on() {
    assert!(begins_in("see /one/two", "/one/"));
    assert!(begins_in("\"/one/two\"", "/one/"));
    assert!(!begins_in("net/one/two", "/one/"));
    assert!(!begins_in("$HOME/one/two", "/one/"));
}

/// The helper's image is published under a tag that is never moved, so what `pod …` does under one
/// tag must not change. What dependencies do is left out: an update of them is no new revision.
#[test]
fn what_the_pod_helper_does_changes_only_with_its_tag() {
    const PINNED: &str = "openclaw-cli/tests/pod-sources.txt";
    let beyond = [
        "openclaw-cli/src/error.rs",
        "openclaw-render/src/hash.rs",
        "openclaw-render/src/version.rs",
        "openclaw-render/src/seed.rs",
        "openclaw-render/src/vocab/exits.rs",
    ];
    let mut code = String::new();
    let is_of_pod = |path: &String| path.starts_with("openclaw-cli/src/pod/");
    for path in sources().filter(|path| is_of_pod(path) || beyond.contains(&path.as_str())) {
        let text = text(&path);
        code += &path;
        for (_, line) in lines_before_tests(&text) {
            // The tag itself is no change, and how code is laid out or explained is none either.
            if !is_comment(line) && !line.contains("pub const POD_") {
                code.extend(line.split_whitespace());
            }
        }
    }
    let tag = openclaw_render::seed::pod_tag();
    let line = format!("{tag} {}", openclaw_render::seed::content_hash(code.as_bytes()));
    let pinned = text(PINNED);
    let is_new_tag = !pinned.starts_with(&format!("{tag} "));
    let remedy = if is_new_tag {
        format!("put this line into {PINNED}: {line}")
    } else {
        format!(
            "the code of `pod …` is not the one of {tag}: raise POD_REVISION in \
             openclaw-render/src/seed.rs, or POD_PROTOCOL, with revision 0, if a plan or an answer \
             has another form; then run this test again"
        )
    };
    assert_eq!(pinned.trim_end(), line, "{remedy}");
}
