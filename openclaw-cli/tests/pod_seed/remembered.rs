//! What a second run makes of what the agent, and the user, have changed since the first.

use std::fs;

use serde_json::{Value, json};

use crate::pod::{Pod, directory, file, one_file, plan};

const RECORD: &str = "data/.openclaw-seed.json";

fn replan(pod: &Pod, files: &Value) {
    fs::write(pod.path("plan.json"), plan(&json!([]), files).to_string()).unwrap();
}

#[test]
fn a_file_that_the_agent_deleted_is_not_made_again() {
    for policy in ["createOnly", "replace", "whenNew"] {
        let pod = one_file("notes.md", policy);
        pod.run().success();
        assert_eq!(pod.read("data/notes.md"), "first", "{policy}");
        fs::remove_file(pod.path("data/notes.md")).unwrap();
        pod.run().success();
        assert!(!pod.path("data/notes.md").exists(), "{policy}");
    }
}

#[test]
fn an_edit_stays_until_the_source_changes() {
    for (policy, end) in [("replace", "second"), ("createOnly", "mine")] {
        let pod = one_file("notes.md", policy);
        pod.run().success();
        fs::write(pod.path("data/notes.md"), "mine").unwrap();
        pod.run().success();
        assert_eq!(pod.read("data/notes.md"), "mine", "{policy}");
        replan(&pod, &json!([file("notes.md", "two", policy)]));
        pod.run().success();
        assert_eq!(pod.read("data/notes.md"), end, "{policy}");
        assert_eq!(fs::read_dir(pod.path("data")).unwrap().count(), 2, "{policy}");
    }
}

#[test]
fn what_was_there_before_the_first_run_is_set_aside_and_not_lost() {
    let pod = one_file("notes.md", "replace");
    fs::write(pod.path("data/notes.md"), "mine").unwrap();
    let said = pod.said();
    assert!(said.contains("notes.md was there before and is notes.md.set-aside-0 now"), "{said}");
    assert_eq!(pod.read("data/notes.md"), "first");
    assert_eq!(pod.read("data/notes.md.set-aside-0"), "mine");
    let end = pod.tree("data");
    pod.run().success();
    assert_eq!(pod.tree("data"), end);
}

#[test]
fn what_the_plan_no_longer_has_goes_if_nobody_has_changed_it() {
    let pod = Pod::new(&plan(
        &json!([]),
        &json!([
            file("a/changed.md", "one", "replace"),
            file("a/created.md", "one", "createOnly"),
            file("a/gone.md", "one", "replace"),
            file("a/link.md", "one", "replace"),
        ]),
    ));
    pod.run().success();
    fs::write(pod.path("data/a/changed.md"), "mine").unwrap();
    fs::rename(pod.path("data/a/link.md"), pod.path("outside")).unwrap();
    std::os::unix::fs::symlink(pod.path("outside"), pod.path("data/a/link.md")).unwrap();
    replan(&pod, &json!([]));
    let said = pod.said();
    assert!(said.contains("a/gone.md is not wanted any more and was removed"), "{said}");
    let left: Vec<_> = pod.tree("data/a").into_keys().collect();
    assert_eq!(left, ["changed.md", "created.md", "link.md"].map(std::path::PathBuf::from));
    assert_eq!(pod.read("outside"), "first");
    let end = pod.tree("data");
    pod.run().success();
    assert_eq!(pod.tree("data"), end);
}

#[test]
fn a_record_that_the_agent_wrote_removes_nothing_outside_and_stops_nothing() {
    let made = |path: &str| json!({ path: {"source": "a7937b64b8caa58f", "policy": "replace"} });
    let records = [
        json!({"version": 1, "files": made("../outside")}),
        json!({"version": 1, "files": made("link/outside")}),
        json!({"version": 1, "files": made("/etc/passwd")}),
        json!({"version": 2, "files": {}}),
        json!([]),
    ];
    for record in records {
        let pod = one_file("notes.md", "replace");
        fs::write(pod.path("outside"), "first").unwrap();
        std::os::unix::fs::symlink("..", pod.path("data/link")).unwrap();
        fs::write(pod.path(RECORD), record.to_string()).unwrap();
        pod.run().success();
        assert_eq!(pod.read("outside"), "first", "{record}");
        assert_eq!(pod.read("data/notes.md"), "first", "{record}");
    }
    // Neither a pipe nor a directory of that name is waited for.
    let pod = one_file("notes.md", "createOnly");
    fs::create_dir(pod.path(RECORD)).unwrap();
    let said = pod.said();
    assert!(said.contains("what was seeded is not remembered"), "{said}");
    assert_eq!(pod.read("data/notes.md"), "first");
}

#[test]
fn an_introduction_is_made_in_a_new_directory_alone() {
    let directories = json!([directory("w", "0755"), directory("w/notes", "0755")]);
    let files =
        json!([file("w/BOOTSTRAP.md", "one", "whenNew"), file("w/SOUL.md", "two", "createOnly")]);
    let fresh = Pod::new(&plan(&directories, &files));
    fresh.run().success();
    assert_eq!(fresh.read("data/w/BOOTSTRAP.md"), "first");
    let used = Pod::new(&plan(&directories, &files));
    fs::create_dir(used.path("data/w")).unwrap();
    fs::write(used.path("data/w/MEMORY.md"), "long ago").unwrap();
    used.run().success();
    assert!(!used.path("data/w/BOOTSTRAP.md").exists());
    assert_eq!(used.read("data/w/SOUL.md"), "second");
}

#[test]
fn a_directory_in_place_of_a_file_that_is_kept_up_to_date_stops_nothing() {
    let pod = one_file("notes.md", "replace");
    fs::create_dir(pod.path("data/notes.md")).unwrap();
    let said = pod.said();
    assert!(said.contains("notes.md is left out: there is a directory of that name"), "{said}");
}
