//! Contents that are taken, refused, missing or none at all, and the pod that waits for a good one.

use std::fs;
use std::os::unix::fs::MetadataExt;

use openclaw_render::seed::POD_PROTOCOL;
use serde_json::{Value, json};

use crate::pod::{PROGRAM, Pod, applied, hash, wait_until};

#[test]
fn a_valid_content_is_put_in_place_and_the_pod_starts() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    assert_eq!(sync.get("/startupz"), (200, json!({ "status": "started" })));
    assert_eq!(pod.read_target().unwrap(), "good 1");
    assert_eq!(pod.target().metadata().unwrap().mode() & 0o7777, 0o600);
    let names: Vec<_> = fs::read_dir(pod.path("agent")).unwrap().map(Result::unwrap).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let free = sync.get("/status").1["freeBytes"].as_u64();
    assert!(free.is_some_and(|free| free > 0), "{free:?}");
}

#[test]
fn a_refused_change_leaves_the_last_good_content_until_a_good_one_comes() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    pod.publish("bad 2");
    sync.wait_for_status(&json!({
        "protocol": POD_PROTOCOL, "sourceHash": hash("bad 2"), "appliedHash": hash("good 1"),
        "migrated": [], "rejectedHash": hash("bad 2"), "setAside": null,
        "message": "rejected by the application: gateway.bind: is bad",
    }));
    assert_eq!(pod.read_target().unwrap(), "good 1");
    assert_eq!(sync.get("/startupz").0, 200);
    pod.publish("good 3");
    sync.wait_for_status(&applied("good 3"));
    assert_eq!(pod.read_target().unwrap(), "good 3");
}

#[test]
fn a_swap_is_seen_without_waiting_for_the_poll() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start_with(&["--poll-seconds=3600"]);
    sync.wait_for_status(&applied("good 1"));
    pod.publish("good 2");
    sync.wait_for_status(&applied("good 2"));
}

#[test]
fn no_content_is_judged_twice() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    for _ in 0..2 {
        pod.publish("bad 2");
        sync.wait_for_message("rejected");
        pod.publish("good 1");
        sync.wait_for_status(&applied("good 1"));
    }
    assert_eq!(pod.judged(), ["good 1", "bad 2"]);
}

#[test]
fn a_pod_whose_first_content_is_refused_says_why_and_does_not_start() {
    let pod = Pod::with_source("bad 1");
    let sync = pod.start();
    sync.wait_for_message("gateway.bind: is bad");
    let message = "rejected by the application: gateway.bind: is bad";
    let expected = json!({ "status": "waiting", "message": message });
    assert_eq!(sync.get("/startupz"), (503, expected));
    assert_eq!(pod.read_target(), None);
    let output = assert_cmd::Command::new(PROGRAM)
        .args(["pod", "probe", "--expect", "status=started", "--url"])
        .arg(format!("http://127.0.0.1:{}/startupz", sync.port))
        .assert()
        .code(1);
    let line = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert_eq!(line, format!("/startupz answered 503: {message}\n"));
    pod.publish("good 2");
    sync.wait_for_status(&applied("good 2"));
    assert_cmd::Command::new(PROGRAM)
        .args(["pod", "probe", "--expect", "status=started", "--url"])
        .arg(format!("http://127.0.0.1:{}/startupz", sync.port))
        .assert()
        .success();
}

#[test]
fn a_missing_source_is_said_and_then_found() {
    let pod = Pod::new();
    let sync = pod.start();
    let status = sync.wait_for_message("failed to read");
    assert_eq!(status.get("sourceHash"), Some(&Value::Null));
    assert_eq!(sync.get("/startupz").0, 503);
    pod.publish("good 1");
    sync.wait_for_status(&applied("good 1"));
}

#[test]
fn contents_that_are_no_text_or_no_file_are_not_fatal() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    fs::remove_file(pod.path("mount/openclaw.json")).unwrap();
    fs::create_dir(pod.path("mount/openclaw.json")).unwrap();
    sync.wait_for_message("it is not a file");
    fs::remove_dir(pod.path("mount/openclaw.json")).unwrap();
    fs::write(pod.path("mount/openclaw.json"), vec![b'x'; 5 * 1024 * 1024]).unwrap();
    sync.wait_for_message("more than 4194304 bytes");
    fs::write(pod.path("mount/openclaw.json"), b"\xff\xfe\x00").unwrap();
    wait_until("the bytes", || match fs::read(pod.target()) {
        Ok(bytes) if bytes == b"\xff\xfe\x00" => Ok(()),
        other => Err(format!("{other:?}")),
    });
}
