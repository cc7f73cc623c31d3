//! Runs the program, and tells what it said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// An agent of which there is nothing to say: it has a version, and a key.
pub(crate) const MINIMAL: &str = "apiVersion: openclaw.rocks/v1alpha1\nkind: OpenClawInstance\n\
                       metadata: { name: ada }\nspec: { image: { tag: 2026.9.6 }, \
                       env: [{ name: OPENAI_API_KEY, value: a }] }\n";

fn cli(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("openclaw-cli").expect("the program is built");
    command.args(arguments);
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    cli(arguments).output().expect("it runs")
}

pub(crate) fn run_with(arguments: &[&str], stdin: &[u8]) -> Output {
    cli(arguments).write_stdin(stdin).output().expect("it runs")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits by itself")
}

pub(crate) fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

pub(crate) fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

pub(crate) fn fixture(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(path);
    path.to_str().expect("UTF-8").to_owned()
}

pub(crate) fn file(directory: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.path().join(name);
    fs::write(&path, content).expect("the file is written");
    path.to_str().expect("UTF-8").to_owned()
}

pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory exists") {
        let path = entry.expect("it is readable").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
