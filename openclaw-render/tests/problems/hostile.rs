//! What the API server refuses of the objects is said here, where it was written, and nothing that it
//! takes is.

use std::collections::BTreeSet;

use openclaw_render::{Observed, Problem, Settings, Severity, resolve};
use serde::Deserialize;
use serde_json::Value;

use super::{fixtures, instance};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    at: Option<String>,
    taken: Option<String>,
    spec: Value,
}

impl Row {
    fn problems(&self, minimal: &Value) -> Vec<Problem> {
        let mut spec = minimal.clone();
        let fields = self.spec.as_object().expect("a spec").clone();
        spec.as_object_mut().expect("a spec").extend(fields);
        resolve(&instance(&spec), &Observed::default(), &Settings::default()).problems
    }
}

fn rows() -> Vec<Row> {
    serde_saphyr::from_str(include_str!("../data/hostile.yaml")).expect("a table")
}

fn minimal() -> Value {
    let fixture = fixtures::all("instances").into_iter().find(|it| it.name == "minimal");
    let instances = fixture.expect("the fixture is there").documents.instances;
    let instance = instances.into_iter().next().expect("an instance").value;
    serde_json::to_value(instance.spec).expect("JSON")
}

/// What is said of the rows, each line once.
pub(super) fn said() -> Vec<String> {
    let minimal = minimal();
    let problems = rows().into_iter().flat_map(|row| row.problems(&minimal));
    let said: BTreeSet<String> = problems.map(|problem| problem.to_string()).collect();
    said.into_iter().collect()
}

#[test]
fn what_would_be_refused_is_an_error_at_its_place_and_its_neighbours_are_none() {
    let (rows, minimal) = (rows(), minimal());
    assert!(rows.iter().filter(|row| row.at.is_some()).count() > 100, "{}", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        assert!(row.at.is_some() != row.taken.is_some(), "{}", row.spec);
        let problems = row.problems(&minimal);
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        let places: Vec<&str> = errors.map(|problem| problem.path.as_str()).collect();
        let expected: Vec<&str> = row.at.iter().map(String::as_str).collect();
        if places != expected {
            wrong.push(format!("{}: {problems:#?}", row.spec));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let beside_the_table = "../openclaw-render/tests/data";
    fixtures::assert_snapshot(beside_the_table, "hostile", &said().join("\n"));
}
