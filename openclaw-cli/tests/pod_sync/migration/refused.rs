//! Contents that stay refused: with a migration that is none, or without one.

use openclaw_render::seed::POD_PROTOCOL;
use serde_json::json;

use super::{MIGRATES, REASON, migrated, pod, prepare, runs, simple, start};
use crate::pod::hash;

#[test]
fn what_the_application_cannot_migrate_stays_refused_and_is_tried_once() {
    let pod = pod("echo 'config fixes were not applied' >&2; exit 1");
    let source = simple(&pod);
    let sync = start(&pod);
    let expected = json!({
        "protocol": POD_PROTOCOL, "sourceHash": hash(&source), "appliedHash": null, "migrated": [],
        "rejectedHash": hash(&source), "setAside": null,
        "message": format!("rejected by the application: {REASON}"),
    });
    sync.wait_for_status(&expected);
    assert_eq!(sync.get("/startupz").0, 503);
    pod.publish("{}");
    sync.wait_for_status(&migrated("{}", &[]));
    pod.publish(&source);
    sync.wait_for_message(REASON);
    sync.terminate();
    let sync = start(&pod);
    sync.wait_for_message(REASON);
    assert_eq!(runs(&pod), 1);
    assert_eq!(pod.read_target().unwrap(), "{}");
}

#[test]
fn a_migration_that_the_validator_refuses_is_not_served() {
    let pod = pod(MIGRATES);
    let source = simple(&pod);
    for made in [
        json!({"cron": {"retry": 1}}),
        json!({"cron": {"nonsense": 1}}),
        json!({"whole": true}),
        json!([]),
        json!(null),
    ] {
        prepare(&pod, &made, &json!({"cron": {}}));
        // Another content each time: one is tried once.
        let source = format!("{source}{}", " ".repeat(made.to_string().len()));
        pod.publish(&source);
        let sync = start(&pod);
        let status = sync.wait_for_message(&format!("rejected by the application: {REASON}"));
        assert_eq!(status["rejectedHash"], hash(&source), "{made}: {status}");
        assert_eq!(pod.read_target(), None, "{made}");
        sync.terminate();
    }
}

#[test]
fn a_refusal_that_is_not_about_keys_is_not_tried() {
    let pod = pod(MIGRATES);
    for source in [
        r#"{"whole": 1}"#,
        r#"{"mcp": {"servers": {"a": {"disabled": true}}}}"#,
        r#"{"retry": 1, broken"#,
        &format!("{{\"retry\": {}1{}}}", "[".repeat(1000), "]".repeat(1000)),
    ] {
        pod.publish(source);
        let sync = start(&pod);
        let status = sync.wait_for_message("rejected by the application");
        assert_eq!(status["rejectedHash"], hash(source), "{status}");
        sync.terminate();
    }
    assert_eq!(runs(&pod), 0);
}

#[test]
fn nonsense_from_the_validator_does_no_harm() {
    for issue in [
        r#"{"path":"cron[18446744073709551616].x","message":"\"\"\"\"retry\" \" "}"#,
        r#"{"path":".....","message":"bad"}"#,
        r#"{"path":["cron"],"message":"bad"}"#,
        r#"{"path":"cron.retry.cron.retry","message":"bad"}"#,
        r#"{"path":"cron"}, {"message":"bad"}, 7, null"#,
    ] {
        let pod = pod(MIGRATES);
        let answer = format!("{{\"valid\":false,\"issues\":[{issue}]}}");
        pod.install("validator", &format!("#!/bin/sh\necho '{answer}'\nexit 1\n"));
        let source = simple(&pod);
        let sync = start(&pod);
        let status = sync.wait_for_message("rejected by the application");
        assert_eq!(status["rejectedHash"], hash(&source), "{issue}: {status}");
        assert!(runs(&pod) <= 1, "{issue}");
    }
}
