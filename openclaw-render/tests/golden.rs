//! What every fixture renders to, one file per object.

#[path = "support/fixtures.rs"]
mod fixtures;

use std::collections::BTreeSet;

use openclaw_render::{Rule, pod_security_violations, violations};

#[test]
fn every_fixture_renders_to_its_snapshots_and_no_others_are_kept() {
    let mut folders = BTreeSet::new();
    for fixture in fixtures::all("instances") {
        let directory = format!("instances/{}", fixture.name);
        let (objects, problems) = fixture.render();
        let mut order = String::new();
        let mut expected = BTreeSet::from(["objects.snap".to_owned()]);
        for object in &objects {
            let name = format!("{}.{}", object.kind(), object.name());
            fixtures::assert_snapshot(&directory, &name, &object.to_yaml());
            assert!(expected.insert(format!("{name}.snap")), "{directory}: {name} twice");
            order = order + &object.key().to_string() + "\n";
        }
        fixtures::assert_snapshot(&directory, "objects", &order);
        if !problems.is_empty() {
            fixtures::assert_snapshot(&directory, "problems", &fixtures::lines(&problems));
            expected.insert("problems.snap".to_owned());
        }
        let kept = fixtures::names_in(&fixtures::top_level("snapshots").join(&directory));
        assert_eq!(kept, expected, "stale or missing snapshots in {directory}");
        folders.insert(fixture.name);
    }
    let kept = fixtures::names_in(&fixtures::top_level("snapshots/instances"));
    assert_eq!(kept, folders, "snapshots of fixtures that are gone");
}

#[test]
fn every_fixture_begins_with_a_comment_and_makes_objects() {
    for fixture in fixtures::all("instances") {
        assert!(fixture.text.starts_with("# "), "{}: say what it is for", fixture.name);
        assert!(!fixture.render().0.is_empty(), "{}: renders nothing", fixture.name);
    }
}

#[test]
fn no_fixture_breaks_an_invariant() {
    for fixture in fixtures::all("instances") {
        let (objects, _) = fixture.render();
        assert_eq!(violations(&objects), Vec::<String>::new(), "{}", fixture.name);
    }
}

#[test]
fn a_fixture_falls_short_of_restricted_only_with_a_problem_that_says_so() {
    for fixture in fixtures::all("instances") {
        let (objects, problems) = fixture.render();
        let said = problems.iter().any(|problem| {
            problem.rule == Rule::Risk && problem.path.starts_with("spec.security.")
        });
        let found = pod_security_violations(&objects);
        assert!(said || found.is_empty(), "{}: {found:?}", fixture.name);
    }
}
