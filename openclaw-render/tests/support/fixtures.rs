//! Fixtures: files under the top-level `fixtures/`, and where their snapshots are.

#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "fixtures are files, a broken one must be loud, and targets use different parts"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use openclaw_render::api::OpenClawInstance;
use openclaw_render::{Documents, Found, Object, Observed, Problem, Settings, render_instance};
use serde_json::Value;

/// The token that stands in for randomness.
pub(crate) const TOKEN: &str = "fixture-token";

/// One file of `fixtures/`, read the way the command line reads it.
pub(crate) struct Fixture {
    /// File name without its extension.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) documents: Documents,
}

impl Fixture {
    pub(crate) fn load(path: &Path) -> Self {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let text = fs::read_to_string(path).expect("the fixture is readable");
        Self { documents: documents(&text), name, text }
    }

    /// The world of an instance of this fixture.
    pub(crate) fn observed(&self, instance: &OpenClawInstance) -> Observed {
        Observed { random_token: Some(TOKEN.to_owned()), ..self.documents.observed(instance) }
    }

    /// All objects, and all problems in the order in which they are printed.
    pub(crate) fn render(&self) -> (Vec<Object>, Vec<Problem>) {
        let mut objects = Vec::new();
        let mut problems: Vec<Problem> =
            self.documents.problems.iter().map(|found| found.value.clone()).collect();
        for Found { value: instance, .. } in &self.documents.instances {
            let observed = self.observed(instance);
            let (rendered, found) = render_instance(instance, &observed, &Settings::default());
            objects.extend(rendered);
            problems.extend(found);
        }
        (objects, problems)
    }
}

/// Documents out of YAML.
pub(crate) fn documents(text: &str) -> Documents {
    Documents::read(values(text))
}

/// YAML documents as JSON values.
pub(crate) fn values(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("the text is YAML")
}

/// A top-level directory of the repository.
pub(crate) fn top_level(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory)
}

/// Every fixture of a directory below `fixtures/`, by name.
pub(crate) fn all(directory: &str) -> Vec<Fixture> {
    let directory = top_level("fixtures").join(directory);
    let names = names_in(&directory);
    let fixtures: Vec<Fixture> =
        names.iter().map(|name| Fixture::load(&directory.join(name))).collect();
    assert!(!fixtures.is_empty(), "no fixture in {}", directory.display());
    fixtures
}

/// What a directory holds, sorted; nothing if it does not exist.
pub(crate) fn names_in(directory: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(directory) else { return BTreeSet::new() };
    entries
        .map(|entry| entry.expect("the directory is readable").file_name())
        .map(|name| name.into_string().expect("names are UTF-8"))
        // What a failed run leaves for review.
        .filter(|name| Path::new(name).extension().is_none_or(|extension| extension != "new"))
        .collect()
}

/// Compares a text with `snapshots/<directory>/<name>.snap`.
pub(crate) fn assert_snapshot(directory: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(top_level("snapshots").join(directory));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), text));
}

/// Problems as they are printed, a line each.
pub(crate) fn lines(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |text, problem| text + &problem.to_string() + "\n")
}
