//! Migrations that hang, die or leave a mess, and harm nothing.

use std::fs;

use serde_json::{Value, json};

use super::{
    MIGRATES, REASON, VALIDATOR, migrated, pod, prepare, runs, simple, start, start_with, text,
    wait_for_runs,
};
use crate::pod::{Pod, hash, wait_until};

#[test]
fn whatever_a_migration_leaves_behind_does_no_harm() {
    let config = "rm -rf \"$OPENCLAW_CONFIG_PATH\"";
    for (body, why) in [
        ("echo '{' > \"$OPENCLAW_CONFIG_PATH\"".to_owned(), "what it made cannot be read"),
        (format!("{config}; truncate -s 5M \"$OPENCLAW_CONFIG_PATH\""), "cannot be read"),
        (config.to_owned(), "No such file"),
        (format!("{config}; mkdir \"$OPENCLAW_CONFIG_PATH\""), "cannot be read"),
        (format!("{config}; mkfifo \"$OPENCLAW_CONFIG_PATH\""), "cannot be read"),
        (format!("{config}; ln -s /etc/hostname \"$OPENCLAW_CONFIG_PATH\""), "failed to read"),
        (
            format!("{config}; yes '[' | head -c 2M | tr -d '\\n' > \"$OPENCLAW_CONFIG_PATH\""),
            "cannot be read",
        ),
        ("cd /; rm -rf \"${HOME%/*}\"".to_owned(), "No such file"),
        ("kill -9 $$".to_owned(), "it was killed by signal 9"),
        ("truncate -s 1G big; sleep 600".to_owned(), "it wrote too much"),
        ("yes | head -c 64M; yes | head -c 64M >&2; kill -9 $$".to_owned(), "signal 9"),
        (
            r#"grep -q retry "$OPENCLAW_CONFIG_PATH" && x=$HOME
               echo "{\"cron\":{\"x\":\"$x\"}}" > "$OPENCLAW_CONFIG_PATH""#
                .to_owned(),
            "its own folder",
        ),
    ] {
        let pod = pod(&body);
        let source = simple(&pod);
        let sync = start(&pod);
        let status = sync.wait_for_message("its migration failed");
        let message = status["message"].as_str().unwrap();
        assert!(message.contains(why) && message.contains(REASON), "{body}: {message}");
        assert_eq!(status["rejectedHash"], hash(&source), "{body}");
        wait_until("the folder to be removed", || {
            if pod.path("work/migration").exists() { Err(body.clone()) } else { Ok(()) }
        });
    }
}

#[test]
fn a_migration_that_hangs_is_ended_with_its_children_and_stops_nothing_meanwhile() {
    let pod = pod("sleep 600 & echo $! > \"FOLDER/pid\"; wait");
    pod.publish("{}");
    let sync = start_with(&pod, &["--migrator-timeout-seconds=3"]);
    sync.wait_for_status(&migrated("{}", &[]));
    let source = simple(&pod);
    let status = sync.wait_for_message("own migration is at work on it: cron: Unrecognized key");
    assert_eq!(status["appliedHash"], hash("{}"));
    assert_eq!(status["rejectedHash"], Value::Null);
    fs::write(pod.target(), "tampered").unwrap();
    wait_until("the file to be restored", || match pod.read_target() {
        Some(content) if content == "{}" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let status = sync.wait_for_message("its migration failed: it did not end in 3 s");
    assert_eq!(status["rejectedHash"], hash(&source));
    assert_eq!(runs(&pod), 1);
    wait_for_end_of_child(&pod);
}

#[test]
fn a_new_content_does_not_wait_for_the_migration_of_the_last_one() {
    let pod = pod("sleep 600 & echo $! > \"FOLDER/pid\"; wait");
    let source = simple(&pod);
    let sync = start(&pod);
    wait_for_runs(&pod, 1);
    pod.publish("{}");
    sync.wait_for_status(&migrated("{}", &[]));
    wait_for_end_of_child(&pod);
    // What was cut short is not held against the content.
    pod.publish(&source);
    wait_for_runs(&pod, 2);
    let other = text(&json!({"cron": {"retry": 2}}));
    pod.publish(&other);
    wait_for_runs(&pod, 3);
    // Nor does it keep the program from ending.
    assert_eq!(sync.terminate().code(), Some(0));
    wait_for_end_of_child(&pod);
    assert!(!pod.path("work/migration").exists());
    let sync = start(&pod);
    wait_for_runs(&pod, 4);
    drop(sync);
}

fn wait_for_end_of_child(pod: &Pod) {
    let child = fs::read_to_string(pod.path("pid")).unwrap();
    wait_until("the end of the migration's child", || {
        match fs::read_to_string(format!("/proc/{}/stat", child.trim())) {
            Ok(stat) if !stat.contains(") Z ") => Err(stat),
            Ok(_) | Err(_) => Ok(()),
        }
    });
}

#[test]
fn a_migration_that_takes_this_program_with_it_is_not_tried_again() {
    let pod = pod("kill -9 $(cat \"FOLDER/sync\")");
    pod.publish("{}");
    let sync = start(&pod);
    sync.wait_for_status(&migrated("{}", &[]));
    fs::write(pod.path("sync"), sync.child.id().to_string()).unwrap();
    let source = simple(&pod);
    wait_for_runs(&pod, 1);
    let mut sync = sync;
    sync.child.wait().unwrap();
    let sync = start(&pod);
    let status = sync.wait_for_message("raise spec.config.sync.resources.limits.memory");
    assert_eq!(status["appliedHash"], hash("{}"));
    assert_eq!(status["rejectedHash"], hash(&source));
    assert_eq!(runs(&pod), 1);
    assert!(!pod.path("work/migration").exists());
}

#[test]
fn a_validator_that_hangs_during_a_migration_is_named() {
    let pod = pod(MIGRATES);
    let source = text(&json!({"cron": {"hang": 1, "retry": 1}}));
    pod.publish(&source);
    prepare(&pod, &json!({"cron": {"hang": 1}}), &json!({"cron": {"hang": 1}}));
    let hangs = VALIDATOR.replace(r#"if grep -q '"hang"'"#, r#"if ! grep -q '"retry"'"#);
    pod.install("validator", &hangs);
    let sync = start_with(&pod, &["--validator-timeout-seconds=1"]);
    let status = sync.wait_for_message("its migration failed: the validator did not end in 1 s");
    assert_eq!(status["rejectedHash"], hash(&source));
}
