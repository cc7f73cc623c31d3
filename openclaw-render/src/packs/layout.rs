//! [`Layout`]: which files of a repository become which files of a workspace.
//!
//! By the pack's own manifest, `skillpack.json`, or else everything below a folder with a `SKILL.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{LARGEST_FILE, MOST_FILES, PackReference, too_large_file};
use crate::nesting;
use crate::resolve::check_pack_file;

/// File that says what a pack consists of.
const MANIFEST: &str = "skillpack.json";
/// File without which a folder is no skill.
const SKILL: &str = "SKILL.md";
/// Directory of skills in a workspace.
const SKILLS: &str = "skills";
/// Most keys, and most bytes, that a pack adds to openclaw.json.
const MOST_ENTRIES: usize = 50;
const LARGEST_ENTRIES: usize = 64 * 1024;
/// How git marks a link.
const LINK: &str = "120000";

/// What a pack consists of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Paths below the workspace, and in the repository.
    pub files: BTreeMap<String, String>,
    /// Directories below the workspace, sorted.
    pub directories: Vec<String>,
    /// What it adds to `skills.entries` of openclaw.json.
    pub entries: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    files: BTreeMap<String, String>,
    directories: Vec<String>,
    config: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tree {
    tree: Vec<Node>,
    truncated: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    path: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    size: u64,
}

impl Layout {
    /// Returns the path of a pack's manifest in its repository.
    #[must_use]
    pub fn manifest(reference: &PackReference) -> String {
        reference.file(MANIFEST)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is none, or names what a pack may not have.
    pub fn by_manifest(reference: &PackReference, text: &[u8]) -> Result<Self, String> {
        let manifest: Manifest = serde_json::from_slice(text)
            .map_err(|error| format!("has a {MANIFEST} that is none: {error}"))?;
        let Manifest { files, directories, config } = manifest;
        let mut layout = Self { entries: config, ..Self::default() };
        for (place, path) in files {
            check_place(&place)?;
            let is_below = !path.split('/').any(|segment| matches!(segment, "" | "." | ".."));
            if !is_below || path.chars().any(char::is_control) {
                return Err(format!("has a {MANIFEST} that names {path:?}, outside of the pack"));
            }
            layout.files.insert(place, reference.file(&path));
        }
        for directory in directories {
            let directory = directory.trim_end_matches('/').to_owned();
            check_place(&directory)?;
            layout.directories.push(directory);
        }
        layout.checked()
    }

    /// Reads the tree of a repository without a manifest.
    ///
    /// # Errors
    /// When it is none, is not complete, or has no skill in the folder.
    pub fn by_tree(reference: &PackReference, text: &[u8]) -> Result<Self, String> {
        let Tree { tree, truncated } = serde_json::from_slice(text)
            .map_err(|error| format!("has a tree that cannot be read: {error}"))?;
        if truncated {
            return Err(format!(
                "is in a repository that is too large to be listed: give the pack a {MANIFEST}"
            ));
        }
        let root = reference.file("");
        let place = format!("{SKILLS}/{}", reference.name());
        check_place(&place)?;
        let mut layout = Self { directories: vec![place.clone()], ..Self::default() };
        for node in tree {
            let Some(below) = node.path.strip_prefix(&root).filter(|below| !below.is_empty())
            else {
                continue;
            };
            // Settings of editors and of git are no part of a skill.
            if below.split('/').any(|segment| segment.starts_with('.')) {
                continue;
            }
            let target = format!("{place}/{below}");
            match node.kind.as_str() {
                "blob" if node.mode == LINK => {
                    return Err(format!("has a link, {:?}, which could lead anywhere", node.path));
                }
                "blob" => {
                    check_place(&target)?;
                    if node.size > LARGEST_FILE as u64 {
                        return Err(too_large_file(&node.path));
                    }
                    layout.files.insert(target, node.path);
                }
                "tree" => {
                    check_place(&target)?;
                    layout.directories.push(target);
                }
                _ => {}
            }
        }
        if !layout.files.contains_key(&format!("{place}/{SKILL}")) {
            return Err(format!("has neither {MANIFEST} nor {SKILL} in its folder"));
        }
        layout.checked()
    }

    fn checked(mut self) -> Result<Self, String> {
        if self.files.len() > MOST_FILES || self.directories.len() > MOST_FILES {
            return Err(format!("has more than {MOST_FILES} files or directories"));
        }
        self.directories.sort();
        self.directories.dedup();
        let places: BTreeSet<&String> = self.files.keys().chain(&self.directories).collect();
        for place in places {
            let mut parents = place.match_indices('/').filter_map(|(end, _)| place.get(..end));
            if parents.any(|parent| self.files.contains_key(parent)) {
                return Err(format!("has {place:?} below a file"));
            }
        }
        if self.directories.iter().any(|directory| self.files.contains_key(directory)) {
            return Err("has a file and a directory of one name".to_owned());
        }
        let entries = Value::Object(self.entries.clone());
        if self.entries.len() > MOST_ENTRIES
            || nesting::is_too_deep(&entries)
            || entries.to_string().len() > LARGEST_ENTRIES
        {
            return Err("adds too much to openclaw.json".to_owned());
        }
        for (skill, entry) in &self.entries {
            check_entry(entry)
                .map_err(|reason| format!("adds {skill:?} to openclaw.json, which {reason}"))?;
        }
        Ok(self)
    }
}

/// An entry turns a skill on and sets its options. Keys, commands that print keys and variables are the
/// user's to give; and one key that the application does not know would make it refuse the whole file.
fn check_entry(entry: &Value) -> Result<(), String> {
    let Some(entry) = entry.as_object() else { return Err("is no object".to_owned()) };
    for (key, value) in entry {
        match (key.as_str(), value) {
            ("enabled", Value::Bool(_)) => {}
            ("config", Value::Object(_)) if !value.to_string().contains('$') => {}
            _ => return Err(format!("has {key:?}: a pack sets `enabled` and a plain `config`")),
        }
    }
    Ok(())
}

fn check_place(place: &str) -> Result<(), String> {
    check_pack_file(place)
        .map_err(|reason| format!("has a file or directory {place:?} that {reason}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Layout, PackReference};

    fn pack(text: &str) -> PackReference {
        PackReference::parse(text).expect("a pack")
    }

    fn tree(nodes: &[(&str, &str, &str)]) -> Vec<u8> {
        let nodes: Vec<_> = nodes
            .iter()
            .map(|(path, kind, mode)| json!({"path": path, "type": kind, "mode": mode, "size": 1}))
            .collect();
        json!({"tree": nodes, "truncated": false}).to_string().into_bytes()
    }

    #[test]
    fn a_pack_turns_skills_on_and_gives_no_keys_commands_or_variables() {
        let read = |entry: serde_json::Value| {
            let text = json!({"files": {}, "config": {"image": entry}}).to_string();
            Layout::by_manifest(&pack("o/r/p"), text.as_bytes()).map(drop)
        };
        assert_eq!(read(json!({"enabled": true, "config": {"size": "large"}})), Ok(()));
        for entry in [
            json!([]),
            json!({"enabled": "yes"}),
            json!({"colour": "blue"}),
            json!({"env": {"NODE_OPTIONS": "--require ./x"}}),
            json!({"apiKey": {"source": "exec", "provider": "p", "id": "x"}}),
            json!({"config": {"key": "${OPENCLAW_GATEWAY_TOKEN}"}}),
            json!({"config": {"$include": "/etc/passwd"}}),
        ] {
            assert!(read(entry.clone()).is_err(), "{entry}");
        }
    }

    #[test]
    fn a_folder_with_a_skill_is_put_below_skills_by_its_name() {
        let text = tree(&[
            ("packs/image/SKILL.md", "blob", "100644"),
            ("packs/image/lib", "tree", "040000"),
            ("packs/image/lib/a.py", "blob", "100755"),
            ("packs/image/.gitignore", "blob", "100644"),
            ("packs/image/vendored", "commit", "160000"),
            ("packs/imagery/SKILL.md", "blob", "100644"),
            ("README.md", "blob", "100644"),
        ]);
        let layout = Layout::by_tree(&pack("o/r/packs/image"), &text).expect("a layout");
        let files: Vec<_> = layout.files.iter().map(|(to, from)| (&**to, &**from)).collect();
        assert_eq!(
            files,
            [
                ("skills/image/SKILL.md", "packs/image/SKILL.md"),
                ("skills/image/lib/a.py", "packs/image/lib/a.py"),
            ]
        );
        assert_eq!(layout.directories, ["skills/image", "skills/image/lib"]);
        let root = Layout::by_tree(&pack("o/r/.@main"), &tree(&[("SKILL.md", "blob", "100644")]));
        assert!(root.expect("a layout").files.contains_key("skills/r/SKILL.md"));
    }

    #[test]
    fn trees_that_lie_or_lack_something_are_refused() {
        let skill = ("p/SKILL.md", "blob", "100644");
        let cases: [(&str, Vec<u8>); 6] = [
            ("neither", tree(&[("p/skill.md", "blob", "100644")])),
            ("could lead anywhere", tree(&[skill, ("p/x", "blob", "120000")])),
            ("`..`", tree(&[skill, ("p/a/x..", "blob", "100644")])),
            ("too large to be listed", json!({"truncated": true}).to_string().into_bytes()),
            ("cannot be read", b"<html>".to_vec()),
            (
                "more than 512 KiB",
                json!({"tree": [{"path": "p/SKILL.md", "type": "blob", "size": 1 << 30}]})
                    .to_string()
                    .into_bytes(),
            ),
        ];
        for (words, text) in cases {
            let refused = Layout::by_tree(&pack("o/r/p"), &text).expect_err(words);
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[test]
    fn a_manifest_writes_nowhere_but_into_the_workspace() {
        for (files, directories) in [
            (json!({"../../.env": "a"}), json!([])),
            (json!({"/etc/x": "a"}), json!([])),
            (json!({".env": "a"}), json!([])),
            (json!({"a/.ssh/x": "a"}), json!([])),
            (json!({"openclaw.json": "a"}), json!([])),
            (json!({"ENVIRONMENT.md": "a"}), json!([])),
            (json!({"SELFCONFIG.md/x": "a"}), json!([])),
            (json!({"x": "../secret"}), json!([])),
            (json!({"x": "/secret"}), json!([])),
            (json!({"x": "a//b"}), json!([])),
            (json!({"x": "a", "x/y": "b"}), json!([])),
            (json!({}), json!(["../x"])),
            (json!({"x": "a"}), json!(["x"])),
        ] {
            let text = json!({"files": files, "directories": directories}).to_string();
            assert!(Layout::by_manifest(&pack("o/r/p"), text.as_bytes()).is_err(), "{text}");
        }
        let text = json!({
            "files": {"skills/x/SKILL.md": "skill.md", "scripts/x.sh": "bin/x.sh"},
            "directories": ["out/"],
            "config": {"x": {"enabled": true}},
            "version": 1,
        });
        let layout =
            Layout::by_manifest(&pack("o/r/p"), text.to_string().as_bytes()).expect("a layout");
        assert_eq!(layout.files["scripts/x.sh"], "p/bin/x.sh");
        assert_eq!(layout.directories, ["out"]);
        assert_eq!(layout.entries["x"], json!({"enabled": true}));
    }
}
