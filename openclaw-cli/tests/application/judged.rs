//! What every fixture renders to, judged by every version.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::{instances, rendered_with_findings, validate, versions};

/// So many configurations are judged at the same time.
const JUDGES: usize = 2;

/// Configurations that fixtures render to, many of them to the same: each once, with the names of
/// those fixtures, and whether it is said of one that this version refuses something in it.
fn configurations(version: &str) -> BTreeMap<String, (Vec<String>, bool)> {
    let mut found: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
    for entry in fs::read_dir(instances()).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if let Some((config, findings)) = rendered_with_findings(&path, version) {
            let of = found.entry(config).or_default();
            of.0.push(name);
            of.1 |= findings.contains(" refuses this key") || findings.contains("yet, ");
        }
    }
    found
}

#[test]
fn every_version_accepts_what_every_fixture_renders_to_or_is_known_to_refuse_it() {
    let versions = versions();
    assert!(versions.len() >= 4, "too few versions: {versions:?}");
    let judge = |version: &str, all: &BTreeMap<String, (Vec<String>, bool)>, share: usize| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("openclaw.json");
        let mut accepted = 0;
        for (config, (fixtures, is_refused)) in all.iter().skip(share).step_by(JUDGES) {
            fs::write(&path, config).expect("a file");
            let output = validate(version, &path, folder.path());
            let said = String::from_utf8_lossy(&output.stdout);
            let verdict: Value = serde_json::from_str(&said).expect("JSON");
            let is_valid = output.status.success() && verdict["valid"] == true;
            assert!(is_valid || *is_refused, "{version}: {fixtures:?}: {said}");
            accepted += usize::from(is_valid);
        }
        accepted
    };
    for version in &versions {
        let all = configurations(version);
        let accepted: usize = std::thread::scope(|scope| {
            let all = &all;
            let judges = (0..JUDGES).map(|share| scope.spawn(move || judge(version, all, share)));
            let judges: Vec<_> = judges.collect();
            judges.into_iter().map(|judge| judge.join().expect("a verdict")).sum()
        });
        assert!(accepted > 10, "{version} accepts {accepted}");
    }
}
