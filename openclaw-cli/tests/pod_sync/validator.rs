//! Validators that hang, die, speak no verdict, or are not there.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::pod::{PROGRAM, Pod, applied, hash, wait_until};

#[test]
fn a_validator_that_hangs_is_ended_with_its_children_and_nothing_is_rejected() {
    let pod = Pod::with_source("good hang");
    let sync = pod.start_with(&["--validator-timeout-seconds=1", "--poll-seconds=1"]);
    let status = sync.wait_for_message("not judged yet: the validator did not end in 1 s");
    assert_eq!(status.get("rejectedHash"), Some(&Value::Null));
    assert_eq!(pod.read_target(), None);
    let grandchild = fs::read_to_string(pod.path("judged.pid")).unwrap();
    wait_until("the end of the validator's child", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", grandchild.trim()));
        match stat {
            Ok(stat) if !stat.contains(") Z ") => Err(stat),
            Ok(_) | Err(_) => Ok(()),
        }
    });
    wait_until("a second try", || {
        let tries = pod.judged().len();
        if tries > 1 { Ok(()) } else { Err(format!("{tries} tries")) }
    });
    pod.publish("good 2");
    sync.wait_for_status(&applied("good 2"));
}

#[test]
fn a_validator_that_cannot_run_or_dies_by_a_signal_rejects_nothing_and_is_tried_again() {
    let pod = Pod::with_source("good 1");
    fs::remove_file(pod.path("validator")).unwrap();
    let sync = pod.start();
    let status = sync.wait_for_message("not judged yet: failed to run validator");
    assert_eq!(status.get("rejectedHash"), Some(&Value::Null));
    assert_eq!(sync.get("/startupz").0, 503);
    pod.install_validator();
    sync.wait_for_status(&applied("good 1"));
    pod.publish("signal");
    let status = sync.wait_for_message("killed by signal 9");
    assert_eq!(status.get("appliedHash"), Some(&json!(hash("good 1"))));
    assert_eq!(status.get("rejectedHash"), Some(&Value::Null));
}

#[test]
fn a_rejection_without_a_verdict_names_the_output_and_is_tried_again() {
    let pod = Pod::with_source("crash");
    let sync = pod.start();
    let message =
        "not accepted yet: the validator exited with 1: a warning of the runtime no space";
    let status = sync.wait_for_message(message);
    // Who hears of a rejection asks no more.
    assert_eq!(status.get("rejectedHash"), Some(&Value::Null));
    fs::write(pod.path("judged.mended"), "").unwrap();
    sync.wait_for_status(&applied("crash"));
}

#[test]
fn parts_that_a_content_includes_are_found_where_it_will_lie() {
    let pod = Pod::with_source(r#"{"agents": {"$include": "./agents.json"}}"#);
    let answer = r#"{"valid":false,"issues":[{"path":"agents","message":"no such file"}]}"#;
    let finds = "[ -e \"${OPENCLAW_CONFIG_PATH%/*}/agents.json\" ]";
    pod.install("validator", &format!("#!/bin/sh\n{finds} && exit 0\necho '{answer}'\nexit 1\n"));
    let sync = pod.start();
    let status = sync.wait_for_message("not accepted yet: agents: no such file");
    assert_eq!(status.get("rejectedHash"), Some(&Value::Null));
    fs::write(pod.path("agent/agents.json"), "{}").unwrap();
    sync.wait_for_status(&applied(r#"{"agents": {"$include": "./agents.json"}}"#));
}

#[test]
fn without_a_validator_every_content_is_put_in_place() {
    let pod = Pod::with_source("bad 1");
    let arguments = |sync: &mut Command| {
        sync.args(["pod", "sync", "--port", "0", "--poll-seconds", "1", "--source"])
            .arg(pod.path("mount/openclaw.json"))
            .arg("--target")
            .arg(pod.target())
            .arg("--work-dir")
            .arg(pod.path("work"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut child = arguments(&mut Command::new(PROGRAM));
    wait_until("the content", || match pod.read_target() {
        Some(content) if content == "bad 1" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    child.kill().unwrap();
    child.wait().unwrap();
}
