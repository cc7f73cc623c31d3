//! The file in the agent's folder, whatever somebody else puts in its place.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::pod::{Pod, applied, wait_until};

#[test]
fn a_change_by_the_agent_is_undone() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    fs::write(pod.target(), "tampered").unwrap();
    wait_until("the file to be restored", || match pod.read_target() {
        Some(content) if content == "good 1" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    fs::remove_file(pod.target()).unwrap();
    wait_until("the file to be restored", || {
        pod.read_target().map(drop).ok_or_else(|| "nothing".to_owned())
    });
    assert_eq!(pod.judged(), ["good 1"]);
    sync.wait_for_status(&applied("good 1"));
}

#[test]
fn a_link_or_an_empty_directory_in_place_of_the_target_is_replaced() {
    let pod = Pod::with_source("good 1");
    fs::write(pod.path("outside"), "outside").unwrap();
    symlink("../outside", pod.target()).unwrap();
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    assert_eq!(fs::read_to_string(pod.path("outside")).unwrap(), "outside");
    fs::remove_file(pod.target()).unwrap();
    fs::create_dir(pod.target()).unwrap();
    wait_until("the file to be put in place of the directory", || match pod.read_target() {
        Some(content) if content == "good 1" => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

#[test]
fn a_directory_with_content_in_place_of_the_target_is_an_error_and_left_alone() {
    let pod = Pod::with_source("good 1");
    fs::create_dir_all(pod.target().join("inner")).unwrap();
    let sync = pod.start();
    let status = sync.wait_for_message("there is a directory of that name, with content");
    assert_eq!(status.get("appliedHash"), Some(&Value::Null));
    assert_eq!(sync.get("/startupz").0, 503);
    assert!(pod.target().join("inner").is_dir());
    fs::remove_dir_all(pod.target()).unwrap();
    sync.wait_for_status(&applied("good 1"));
}

#[test]
fn a_link_in_place_of_the_targets_directory_is_not_followed() {
    let pod = Pod::with_source("good 1");
    fs::rename(pod.path("agent"), pod.path("outside")).unwrap();
    symlink("outside", pod.path("agent")).unwrap();
    let sync = pod.start();
    sync.wait_for_message("failed to open directory");
    assert_eq!(fs::read_dir(pod.path("outside")).unwrap().count(), 0);
}
