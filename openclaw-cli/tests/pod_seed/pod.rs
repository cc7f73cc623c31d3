//! An init container in which `pod seed` runs, and plans for it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use assert_cmd::assert::Assert;
use openclaw_render::seed::POD_PROTOCOL;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");

/// An init container's view of the world: mounts, plan, contents.
pub(crate) struct Pod {
    folder: TempDir,
}

impl Pod {
    /// A helper that is there already keeps runs short: copying it is a test of its own.
    pub(crate) fn new(plan: &Value) -> Self {
        let pod = Self::with_plan_bytes(plan.to_string().as_bytes());
        // A copy, not a link: a second run must not find its own inode.
        fs::copy(PROGRAM, pod.path("bin/openclaw-cli")).unwrap();
        pod
    }

    pub(crate) fn with_plan_bytes(plan: &[u8]) -> Self {
        let pod = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["contents/..2026", "data", "scratch", "bin"] {
            fs::create_dir_all(pod.path(name)).unwrap();
        }
        // The kubelet's layout: every key is a link through `..data`.
        symlink("..2026", pod.path("contents/..data")).unwrap();
        for (key, content) in [("one", "first"), ("two", "second"), ("raw", "\u{0}\u{1}")] {
            fs::write(pod.path("contents/..2026").join(key), content).unwrap();
            symlink(format!("..data/{key}"), pod.path("contents").join(key)).unwrap();
        }
        fs::write(pod.path("plan.json"), plan).unwrap();
        pod
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["pod".to_owned(), "seed".to_owned()];
        for (flag, path) in [
            ("--plan", "plan.json"),
            ("--contents", "contents"),
            ("--data", "data"),
            ("--scratch", "scratch"),
            ("--helper-to", "bin/openclaw-cli"),
            ("--termination-log", "termination-log"),
        ] {
            arguments.extend([flag.to_owned(), self.path(path).to_str().unwrap().to_owned()]);
        }
        arguments
    }

    pub(crate) fn run(&self) -> Assert {
        assert_cmd::Command::new(PROGRAM).args(self.arguments()).assert()
    }

    /// What it says when it succeeds.
    pub(crate) fn said(&self) -> String {
        let assert = self.run().success();
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    }

    /// Runs, expects exit 1, and returns the message, which must be in the termination log too.
    pub(crate) fn fail(&self) -> String {
        let output = self.run().code(1).get_output().clone();
        let message = String::from_utf8(output.stderr).unwrap();
        let log = fs::read_to_string(self.path("termination-log")).unwrap();
        assert_eq!(message, format!("error: {log}\n"));
        message
    }

    pub(crate) fn tree(&self, path: &str) -> BTreeMap<PathBuf, Entry> {
        let mut tree = BTreeMap::new();
        collect(&self.path(path), Path::new(""), &mut tree);
        tree
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        self.path(path).symlink_metadata().unwrap().mode() & 0o7777
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
}

fn collect(root: &Path, path: &Path, tree: &mut BTreeMap<PathBuf, Entry>) {
    for entry in fs::read_dir(root.join(path)).unwrap() {
        let entry = entry.unwrap();
        let name = path.join(entry.file_name());
        let metadata = entry.path().symlink_metadata().unwrap();
        let content = if metadata.is_dir() {
            collect(root, &name, tree);
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
        } else {
            assert!(!metadata.file_type().is_fifo(), "{} is a pipe", name.display());
            fs::read(entry.path()).unwrap()
        };
        tree.insert(name, Entry { mode: metadata.mode(), content });
    }
}

pub(crate) fn plan(directories: &Value, files: &Value) -> Value {
    json!({ "version": POD_PROTOCOL, "directories": directories, "files": files })
}

pub(crate) fn directory(path: &str, mode: &str) -> Value {
    json!({ "root": "data", "path": path, "mode": mode })
}

pub(crate) fn file(path: &str, key: &str, policy: &str) -> Value {
    json!({ "root": "data", "path": path, "key": key, "mode": "0644", "policy": policy })
}

pub(crate) fn one_file(path: &str, policy: &str) -> Pod {
    Pod::new(&plan(&json!([]), &json!([file(path, "one", policy)])))
}
