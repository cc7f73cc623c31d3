//! Plans, contents and arguments that are wrong, and how that is said.

use std::fs;

use serde_json::json;

use crate::pod::{PROGRAM, Pod, directory, file, plan};

#[test]
fn a_plan_with_one_bad_entry_writes_nothing() {
    let good = json!([directory("home", "0700")]);
    let escape = "failed to accept path \"../outside\": it has an empty, `.` or `..` segment";
    let cases = [
        (good.clone(), json!([file("../outside", "one", "converge")]), escape),
        (good.clone(), json!([file("/etc/x", "one", "converge")]), "must be relative"),
        (json!([directory("a", "0700"), directory("..", "0700")]), json!([]), "\"..\""),
        (json!([directory("a", "0700"), directory("b", "4755")]), json!([]), "mode \"4755\""),
        (good.clone(), json!([file("a", "../two", "converge")]), "key \"../two\""),
        (good.clone(), json!([file("a", "", "converge")]), "key \"\""),
        (good, json!([file("a", "..", "converge")]), "key \"..\""),
    ];
    for (directories, files, expected) in cases {
        let pod = Pod::new(&plan(&directories, &files));
        let before = pod.tree("data");
        let message = pod.fail();
        assert!(message.contains(expected), "{message}");
        assert_eq!(pod.tree("data"), before, "{expected}");
    }
}

#[test]
fn a_plan_that_cannot_be_read_is_an_error_and_no_panic() {
    let cases: [(&[u8], &str); 6] = [
        (br#"{"version":1,"steps":[]}"#, "its version is 1, this program performs 2"),
        (br#"{"directories":[],"files":[]}"#, "missing field `version`"),
        (br#"{"version":2,"directories":[],"files":[],"more":1}"#, "unknown field `more`"),
        (b"{", "failed to decode plan"),
        (b"", "failed to decode plan"),
        (b"{\"version\":\"\xff\xfe\"}", "failed to decode plan"),
    ];
    for (bytes, expected) in cases {
        let message = Pod::with_plan_bytes(bytes).fail();
        assert!(message.contains(expected), "{message}");
    }
    let deep = Pod::with_plan_bytes("[".repeat(1_000_000).as_bytes());
    assert!(deep.fail().contains("failed to decode plan"));
    let huge = Pod::with_plan_bytes(&vec![b' '; 5 * 1024 * 1024]);
    assert!(huge.fail().contains("more than 4194304 bytes"));
}

#[test]
fn a_missing_plan_or_a_directory_in_its_place_is_an_error() {
    let pod = Pod::with_plan_bytes(b"");
    fs::remove_file(pod.path("plan.json")).unwrap();
    assert!(pod.fail().contains("failed to read plan"));
    fs::create_dir(pod.path("plan.json")).unwrap();
    assert!(pod.fail().contains("it is not a file"));
}

#[test]
fn a_missing_content_is_an_error_that_names_key_and_path() {
    let pod = Pod::new(&plan(&json!([]), &json!([file("notes.md", "none", "createOnly")])));
    let message = pod.fail();
    assert!(message.contains("failed to read content \"none\" of \"notes.md\""), "{message}");
    assert!(!pod.path("data/notes.md").exists());
}

#[test]
fn a_long_message_is_cut_in_the_termination_log_only() {
    let pod = Pod::new(&json!({ "version": "ä".repeat(5000), "directories": [], "files": [] }));
    let output = pod.run().code(1).get_output().clone();
    let log = pod.read("termination-log");
    assert!(output.stderr.len() > 10_000);
    assert!((4090..=4096).contains(&log.len()), "{}", log.len());
}

#[test]
fn a_termination_log_that_cannot_be_written_does_not_hide_the_reason() {
    let pod = Pod::with_plan_bytes(b"{");
    fs::create_dir(pod.path("termination-log")).unwrap();
    let output = pod.run().code(1).get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("failed to decode plan"));
}

#[test]
fn wrong_usage_exits_with_2() {
    assert_cmd::Command::new(PROGRAM).args(["pod", "seed"]).assert().code(2);
    assert_cmd::Command::new(PROGRAM).args(["pod", "sow"]).assert().code(2);
}
