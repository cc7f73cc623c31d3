//! What becomes of a volume, by real files.

mod refused;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use openclaw_render::backups::{
    BEFORE, Consistency, FETCHED, FORMAT, Fetched, HOME_ARCHIVE, MANIFEST, Manifest, ManifestFile,
    OTHER_ARCHIVE, Outcome, STATE_ARCHIVE, TREE,
};
use openclaw_render::vocab::paths::VERSION_FILE;

use super::super::swap::{self, Done, Journal, Layout, NEW, WORK};
use super::{Arguments, run};
use crate::pod::backup::digest_of_file;
use crate::pod::folder::Folder;

struct Stage {
    root: tempfile::TempDir,
    layout: Layout,
}

/// A member of an archive: its path, and its content, a link's target after `->`.
type Members<'a> = &'a [(&'a str, &'a str)];

impl Stage {
    /// A volume on which an agent of 2026.9.6 has run.
    fn new(layout: Layout) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        for name in ["data", "archives", "image/app"] {
            fs::create_dir_all(root.path().join(name)).expect("made");
        }
        let stage = Self { root, layout };
        Stage::put(&stage.state().join("openclaw.json"), "{}");
        Stage::put(&stage.state().join("workspace/OLD.md"), "old");
        Stage::put(&stage.data().join(VERSION_FILE), "2026.9.6\n");
        Stage::put(&stage.data().join(".openclaw-seed.json"), "{}");
        stage
    }

    fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn state(&self) -> PathBuf {
        match self.layout {
            Layout::Home => self.data().join("home/.openclaw"),
            Layout::Flat => self.data(),
        }
    }

    fn archives(&self) -> PathBuf {
        self.root.path().join("archives")
    }

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn say(&self, kind: Fetched) {
        let text = serde_json::to_string(&kind).expect("JSON");
        Self::put(&self.archives().join(FETCHED), &text);
    }

    /// Packs members; a name may be any.
    fn pack(&self, name: &str, members: Members<'_>) {
        let file = File::create(self.archives().join(name)).expect("made");
        let mut builder = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
        for (path, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o4755);
            let bytes = path.as_bytes();
            header.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
            if let Some(target) = content.strip_prefix("->") {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name(target).expect("a target");
                header.set_size(0);
            } else if let Some(target) = content.strip_prefix("=>") {
                header.set_entry_type(tar::EntryType::Link);
                header.as_gnu_mut().expect("GNU").linkname[..target.len()]
                    .copy_from_slice(target.as_bytes());
                header.set_size(0);
            } else {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_size(content.len() as u64);
            }
            header.set_cksum();
            let content = if header.size().expect("a size") == 0 { "" } else { content };
            builder.append(&header, content.as_bytes()).expect("appended");
        }
        builder.into_inner().and_then(GzEncoder::finish).expect("finished");
    }

    /// A backup of ours.
    fn backup(&self, version: &str, home: Members<'_>, state: Members<'_>) {
        self.pack(HOME_ARCHIVE, home);
        self.pack(STATE_ARCHIVE, state);
        let files = [HOME_ARCHIVE, STATE_ARCHIVE].map(|name| {
            let (size, sha256) = digest_of_file(&self.archives().join(name)).expect("read");
            ManifestFile { name: name.to_owned(), size, sha256 }
        });
        let manifest = Manifest {
            format: FORMAT,
            created_at: String::new(),
            version: Some(version.to_owned()),
            consistency: Consistency::Online,
            files: files.into(),
        };
        let text = serde_json::to_string(&manifest).expect("JSON");
        Self::put(&self.archives().join(MANIFEST), &text);
        self.say(Fetched::Backup);
    }

    fn image(&self, version: &str) {
        let package = format!(r#"{{"name": "openclaw", "version": "{version}"}}"#);
        Self::put(&self.root.path().join("image/app/package.json"), &package);
        Self::put(&self.root.path().join("image/app/openclaw.mjs"), "");
    }

    fn restore(&self, id: &str) -> Result<Outcome, String> {
        self.restore_from(id, &format!("backups/agents/ada/{id}"))
    }

    fn restore_from(&self, id: &str, from: &str) -> Result<Outcome, String> {
        let arguments = Arguments {
            from: from.to_owned(),
            id: id.to_owned(),
            archives: self.archives(),
            data: self.data(),
            home: PathBuf::from("/home/openclaw"),
            layout: self.layout,
            root: self.root.path().join("image"),
            allow_downgrade: None,
            timeout_seconds: 60,
            termination_log: self.root.path().join("log"),
        };
        let said = run(&arguments).map_err(|error| crate::error::chain(&error))?;
        Ok(serde_json::from_str(&said).expect("an outcome"))
    }

    /// Every file below the volume's root with its content, but for our own memory.
    fn files(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut left = vec![self.data()];
        while let Some(path) = left.pop() {
            let name = path.strip_prefix(self.data()).expect("below").display().to_string();
            if name == WORK {
                continue;
            }
            let kind = path.symlink_metadata().expect("there");
            if kind.is_dir() {
                left.extend(fs::read_dir(&path).expect("read").map(|it| it.expect("it").path()));
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).expect("a link").display().to_string();
                found.insert(name, format!("->{target}"));
            } else {
                found.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
        found
    }
}

const STATE_OF_APPLICATION: &str = "2026-x/payload/posix/home/openclaw/.openclaw";

fn of_application(path: &str) -> String {
    format!("{STATE_OF_APPLICATION}/{path}")
}

/// A backup of ours with something of everything.
fn whole(stage: &Stage) {
    let config = of_application("openclaw.json");
    let agent = of_application("workspace/NEW.md");
    stage.backup(
        "2026.9.6",
        &[
            (".local", "->.openclaw/.local"),
            ("note.txt", "note"),
            (".openclaw/npm/f.js", "npm"),
            (".openclaw-before-restore/old", "nested"),
        ],
        &[
            (&config, r#"{"gateway": {"auth": {"mode": "token", "token": "of the source"}}}"#),
            (&agent, "new"),
            (&of_application("workspace/abs"), "->/etc/passwd"),
            (&of_application("workspace/hard"), &format!("=>{agent}")),
            (&of_application(".openclaw-backup.lock"), ""),
            ("2026-x/manifest.json", "{}"),
            ("2026-x/payload/posix/etc/other", "outside of HOME"),
        ],
    );
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

const CONFIG: &str =
    "{\n  \"gateway\": {\n    \"auth\": {\n      \"mode\": \"token\"\n    }\n  }\n}";

#[test]
fn a_backup_of_ours_becomes_home_and_what_was_there_is_kept() {
    let stage = Stage::new(Layout::Home);
    whole(&stage);
    let outcome = stage.restore("one").expect("restored");
    assert_eq!(outcome.before.as_deref(), Some(BEFORE));
    assert_eq!(outcome.version.as_deref(), Some("2026.9.6"));
    let expected = texts(&[
        (VERSION_FILE, "2026.9.6\n"),
        ("home/.local", "->.openclaw/.local"),
        ("home/.openclaw-before-restore/.openclaw/openclaw.json", "{}"),
        ("home/.openclaw-before-restore/.openclaw/.openclaw-backup.lock", ""),
        ("home/.openclaw-before-restore/.openclaw/workspace/OLD.md", "old"),
        ("home/.openclaw/npm/f.js", "npm"),
        ("home/.openclaw/openclaw.json", CONFIG),
        ("home/.openclaw/workspace/NEW.md", "new"),
        ("home/.openclaw/workspace/abs", "->/etc/passwd"),
        ("home/.openclaw/workspace/hard", "new"),
        ("home/note.txt", "note"),
    ]);
    assert_eq!(stage.files(), expected);
    let mode = |path: &str| {
        stage.data().join(path).metadata().expect("there").permissions().mode() & 0o7777
    };
    assert_eq!((mode("home/.openclaw"), mode("home/note.txt")), (0o700, 0o755));
    // The same attempt changes nothing, even if what was fetched is gone.
    fs::remove_file(stage.archives().join(MANIFEST)).expect("removed");
    assert_eq!(stage.restore("one").expect("restored"), outcome);
    assert_eq!(stage.files(), expected);
}

#[test]
fn a_flat_volume_gets_the_state_at_its_root() {
    let stage = Stage::new(Layout::Flat);
    whole(&stage);
    stage.restore("one").expect("restored");
    let files = stage.files();
    assert_eq!(files["workspace/NEW.md"], "new");
    assert_eq!(files["openclaw.json"], CONFIG);
    assert_eq!(files[".openclaw-before-restore/workspace/OLD.md"], "old");
    assert_eq!(files[VERSION_FILE], "2026.9.6\n");
    assert!(!files.contains_key("workspace/OLD.md"));
    // A second one keeps what the first one has put there, and what that has kept.
    whole(&stage);
    stage.restore("two").expect("restored");
    assert_eq!(stage.files()[&format!("{BEFORE}/workspace/NEW.md")], "new");
    assert_eq!(stage.files()[&format!("{BEFORE}/{BEFORE}/workspace/OLD.md")], "old");
}

#[test]
fn a_fresh_volume_has_nothing_to_keep() {
    for layout in [Layout::Home, Layout::Flat] {
        let stage = Stage::new(layout);
        fs::remove_dir_all(stage.data()).expect("removed");
        fs::create_dir(stage.data()).expect("made");
        whole(&stage);
        assert_eq!(stage.restore("one").expect("restored").before, None);
        assert_eq!(fs::read_to_string(stage.state().join("workspace/NEW.md")).unwrap(), "new");
    }
}

#[test]
fn a_tree_of_the_go_operator_becomes_the_state() {
    for layout in [Layout::Home, Layout::Flat] {
        let stage = Stage::new(layout);
        let tree = stage.archives().join(TREE);
        let config = r#"{"meta": {"lastTouchedVersion": "2026.8.1"}}"#;
        Stage::put(&tree.join("openclaw.json"), config);
        Stage::put(&tree.join("agents/main/x"), "x");
        Stage::put(&tree.join(".local/bin/tool"), "tool");
        Stage::put(&tree.join(".openclaw-seed.json"), "of another");
        stage.say(Fetched::Tree);
        let outcome = stage.restore("one").expect("restored");
        assert_eq!(outcome.version.as_deref(), Some("2026.8.1"));
        let read = |path: &str| fs::read_to_string(stage.state().join(path)).expect(path);
        assert_eq!((read("openclaw.json").as_str(), read("agents/main/x").as_str()), (config, "x"));
        assert_eq!(read(".local/bin/tool"), "tool");
        assert_eq!(fs::read_to_string(stage.data().join(VERSION_FILE)).unwrap(), "2026.8.1\n");
        assert!(!stage.data().join(".openclaw-seed.json").exists());
    }
}

#[test]
fn archives_of_others_are_found_their_way_into() {
    let manifest = r#"{"paths": {"stateDir": "/srv/ada/.openclaw"}, "runtimeVersion": "2026.9.1"}"#;
    for (members, version) in [
        (&[("openclaw.json", "{}"), ("a/b", "x")][..], None),
        (&[("./openclaw.json", "{}"), ("./a/b", "x")], None),
        (
            &[
                ("home/ada/.openclaw/openclaw.json", "{}"),
                ("home/ada/.openclaw/a/b", "x"),
                ("home/ada/.openclaw/a/openclaw.json", "a deeper one"),
            ],
            None,
        ),
        (
            &[
                ("r/manifest.json", manifest),
                ("r/payload/posix/srv/ada/.openclaw/openclaw.json", "{}"),
                ("r/payload/posix/srv/ada/.openclaw/a/b", "x"),
                ("r/payload/posix/srv/eve", "no"),
            ],
            Some("2026.9.1"),
        ),
    ] {
        let stage = Stage::new(Layout::Home);
        stage.pack(OTHER_ARCHIVE, members);
        stage.say(Fetched::Archive);
        let outcome = stage.restore("one").expect("restored");
        assert_eq!(outcome.version.as_deref(), version);
        assert_eq!(fs::read_to_string(stage.state().join("a/b")).expect("there"), "x");
        assert_eq!(fs::read_to_string(stage.state().join("openclaw.json")).expect("there"), "{}");
        assert!(!stage.data().join("home/eve").exists());
        // Nobody knows what wrote it: the version that was noted says nothing any more.
        assert_eq!(stage.data().join(VERSION_FILE).exists(), version.is_some());
    }
}

/// Names of the work directory and what they hold stand for the moment after each rename.
#[test]
fn killed_between_any_two_renames_it_comes_to_its_end() {
    for layout in [Layout::Home, Layout::Flat] {
        let expected = {
            let stage = Stage::new(layout);
            whole(&stage);
            stage.restore("one").expect("restored");
            stage.files()
        };
        let mut steps = 0;
        for kill_after in 0.. {
            let stage = Stage::new(layout);
            whole(&stage);
            let finished = killed(&stage, kill_after);
            // The old state is whole in one place or the other at any moment.
            let olds = stage.every_file("OLD.md");
            assert_eq!(olds.len(), 1, "{layout:?} {kill_after}: {olds:?}");
            // Whoever comes next goes on: the agent's start, or the next attempt.
            if kill_after % 2 == 0 {
                swap::finish(&Folder::open(&stage.data()).expect("opened")).expect("finished");
            }
            stage.restore("one").expect("restored");
            assert_eq!(stage.files(), expected, "{layout:?} {kill_after}");
            steps = kill_after;
            if finished {
                break;
            }
        }
        assert!(steps >= 3, "{layout:?}: {steps} renames");
    }
}

impl Stage {
    fn every_file(&self, name: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![self.data()];
        while let Some(path) = left.pop() {
            if path.symlink_metadata().expect("there").is_dir() {
                left.extend(fs::read_dir(&path).expect("read").map(|it| it.expect("it").path()));
            } else if path.file_name() == Some(name.as_ref()) {
                found.push(path);
            }
        }
        found
    }
}

/// Restores, and stops before the rename of that number. Returns whether it came to its end.
fn killed(stage: &Stage, after: usize) -> bool {
    crate::pod::folder::stop_after_moves(Some(after));
    let restored = stage.restore("one");
    crate::pod::folder::stop_after_moves(None);
    restored.is_ok()
}

#[test]
fn a_journal_behind_a_link_is_not_followed() {
    let stage = Stage::new(Layout::Flat);
    let elsewhere = stage.root.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join(NEW)).expect("made");
    let journal = Journal {
        layout: Layout::Flat,
        is_cleared: false,
        version: None,
        done: Done { id: "x".to_owned(), outcome: Outcome::default() },
    };
    let text = serde_json::to_string(&journal).expect("JSON");
    Stage::put(&elsewhere.join("journal.json"), &text);
    symlink(&elsewhere, stage.data().join(WORK)).expect("linked");
    let before = stage.every_file("OLD.md");
    let finished = swap::finish(&Folder::open(&stage.data()).expect("opened")).expect("no error");
    assert_eq!(finished, None);
    assert_eq!(stage.every_file("OLD.md"), before);
}
