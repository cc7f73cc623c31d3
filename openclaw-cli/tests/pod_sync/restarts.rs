//! What an earlier run left behind: the file that it wrote, and what was judged then.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::json;

use crate::pod::{Pod, applied, hash};

#[test]
fn an_earlier_pods_target_is_judged_before_it_counts_as_good() {
    let pod = Pod::with_source("bad 2");
    fs::write(pod.target(), "good 1").unwrap();
    let sync = pod.start();
    let status = sync.wait_for_message("is bad");
    assert_eq!(status.get("appliedHash"), Some(&json!(hash("good 1"))));
    assert_eq!(sync.get("/startupz").0, 200);
    assert_eq!(pod.read_target().unwrap(), "good 1");
    assert_eq!(pod.judged(), ["bad 2", "good 1"]);
}

#[test]
fn a_target_that_the_application_refuses_is_no_last_good_content() {
    let pod = Pod::with_source("bad 2");
    fs::write(pod.target(), "bad 1").unwrap();
    let sync = pod.start();
    sync.wait_for_message("is bad");
    assert_eq!(sync.get("/startupz").0, 503);
    assert_eq!(pod.read_target().unwrap(), "bad 1");
}

#[test]
fn a_restart_judges_nothing_that_was_judged_valid_before() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    sync.terminate();
    let inode = pod.target().metadata().unwrap().ino();
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    assert_eq!(pod.judged(), ["good 1"]);
    assert_eq!(pod.target().metadata().unwrap().ino(), inode, "the file was written again");
}

#[test]
fn a_restart_with_a_refused_source_restores_the_last_good_content() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    sync.terminate();
    pod.publish("bad 2");
    fs::write(pod.target(), "tampered").unwrap();
    let sync = pod.start();
    sync.wait_for_message("is bad");
    assert_eq!(sync.get("/startupz").0, 200);
    assert_eq!(pod.read_target().unwrap(), "good 1");
}

#[test]
fn another_validators_memory_does_not_count() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    sync.terminate();
    // As if its command had been another one.
    let entries = fs::read_dir(pod.path("work")).unwrap().map(Result::unwrap);
    let is_memory = |name: &str| name.starts_with("last-good-");
    let memories: Vec<_> =
        entries.filter(|entry| is_memory(&entry.file_name().to_string_lossy())).collect();
    assert_eq!(memories.len(), 1, "{memories:?}");
    fs::rename(memories[0].path(), pod.path("work/last-good-0000000000000000.json")).unwrap();
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    assert_eq!(pod.judged(), ["good 1", "good 1"]);
}
