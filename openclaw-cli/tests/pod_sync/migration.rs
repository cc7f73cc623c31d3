//! A content with keys that the application migrates, with stand-ins for validator and migration.
//!
//! The stand-in for the validator refuses keys by their names, in the application's format: `retry`
//! and `nonsense` below `cron`, and, as the application does, `streaming` only when nothing else is
//! wrong. The one for the migration writes a prepared file in place of the copy: one if the copy has
//! the key `retry`, another one if it has not.

use std::fs;
use std::path::PathBuf;

use openclaw_render::seed::POD_PROTOCOL;
use serde_json::{Value, json};

use super::{Pod, Sync, hash, wait_until};

const VALIDATOR: &str = r#"#!/bin/sh
config=$OPENCLAW_CONFIG_PATH
refuse() { echo "{\"valid\":false,\"issues\":[{\"path\":\"$1\",\"message\":\"$2\"}]}"; exit 1; }
if grep -q '"hang"' "$config"; then sleep 600; fi
if grep -q '"retry"' "$config"; then refuse cron 'Unrecognized key: \"retry\"'; fi
if grep -q '"nonsense"' "$config"; then refuse cron 'Unrecognized key: \"nonsense\"'; fi
if grep -q '"whole"' "$config"; then refuse '<root>' 'all of it is bad'; fi
if grep -q '"disabled"' "$config"; then refuse mcp.servers.a 'Unrecognized key: \"disabled\"'; fi
if grep -q '"streaming": "' "$config"; then refuse channels.telegram.streaming 'must be object'; fi
echo '{"valid":true}'
"#;

/// Notes what it was given, then does what the test says.
const MIGRATOR: &str = r#"#!/bin/sh
cat "$OPENCLAW_CONFIG_PATH" >> "FOLDER/seen"
echo run >> "FOLDER/runs"
env > "FOLDER/environment"
pwd > "FOLDER/directory"
make() { if grep -q '"retry"' "$OPENCLAW_CONFIG_PATH"; then cat "FOLDER/with.json"; else cat "FOLDER/without.json"; fi; }
BODY
"#;
/// A migration that works.
const MIGRATES: &str = r#"make > made && mv made "$OPENCLAW_CONFIG_PATH""#;

fn pod(body: &str) -> Pod {
    let pod = Pod::new();
    pod.install("validator", VALIDATOR);
    let script = MIGRATOR.replace("BODY", body);
    pod.install("migrator", &script.replace("FOLDER", &pod.path("").to_string_lossy()));
    pod
}

/// What the migration makes of a copy with the refused key, and of one without.
fn prepare(pod: &Pod, with: &Value, without: &Value) {
    fs::write(pod.path("with.json"), with.to_string()).unwrap();
    fs::write(pod.path("without.json"), without.to_string()).unwrap();
}

fn start(pod: &Pod) -> Sync {
    start_with(pod, &[])
}

fn start_with(pod: &Pod, more: &[&str]) -> Sync {
    let migrator = format!("--migrator={}", pod.path("migrator").display());
    let mut arguments = vec!["--poll-seconds=1", migrator.as_str(), "--migrator=--fix"];
    arguments.extend(more);
    pod.start_with(&arguments)
}

fn runs(pod: &Pod) -> usize {
    fs::read_to_string(pod.path("runs")).unwrap_or_default().lines().count()
}

fn wait_for_runs(pod: &Pod, wanted: usize) {
    wait_until("the migration to run", || match runs(pod) {
        seen if seen >= wanted => Ok(()),
        seen => Err(format!("{seen} runs")),
    });
}

fn text(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap())
}

fn migrated(source: &str, changes: &[&str]) -> Value {
    json!({ "protocol": POD_PROTOCOL, "sourceHash": hash(source), "appliedHash": hash(source),
            "migrated": changes, "rejectedHash": null, "message": null })
}

fn target(pod: &Pod) -> Value {
    serde_json::from_str(&pod.read_target().unwrap()).unwrap()
}

const REASON: &str = r#"cron: Unrecognized key: "retry""#;

/// The smallest source with a retired key, and what the migration should make of it.
fn simple(pod: &Pod) -> String {
    prepare(pod, &json!({"cron": {}}), &json!({"cron": {}}));
    let source = text(&json!({"cron": {"retry": 1}}));
    pod.publish(&source);
    source
}

#[test]
fn what_became_of_refused_keys_is_served_and_named_and_nothing_else_is_taken() {
    let pod = pod(MIGRATES);
    let wanted = json!({
        "agents": {"defaults": {"model": "old"}},
        "channels": {"telegram": {"token": "x"}},
        "cron": {"enabled": true, "retry": {"attempts": 3}},
        "mcp": {"servers": {"a": {"command": "npx"}}},
    });
    // What it writes in any case.
    let junk = json!({
        "agents": {"defaults": {"model": "new", "concurrent": 8}, "entries": {"main": {}}},
        "channels": {"telegram": {"token": "x", "policy": "pairing"}},
        "cron": {"enabled": true},
        "meta": {"version": "2026.9.6"},
        "skills": {"entries": {"github": {"enabled": false}}},
        "wizard": {"at": "10:00"},
    });
    let mut moved = junk.clone();
    moved["wizard"]["at"] = json!("10:01");
    moved["jobs"] = json!({"attempts": 3});
    prepare(&pod, &moved, &junk);
    let source = text(&wanted);
    pod.publish(&source);
    let sync = start(&pod);
    sync.wait_for_status(&migrated(&source, &["removed cron.retry", "added jobs.attempts"]));
    assert_eq!(sync.get("/startupz").0, 200);
    let mut expected = wanted.clone();
    expected["cron"].as_object_mut().unwrap().remove("retry");
    expected["jobs"] = json!({"attempts": 3});
    assert_eq!(target(&pod), expected);
    assert_eq!(runs(&pod), 2);
    // An edit that makes the migration unnecessary is in place as it is.
    let mended = text(&expected);
    pod.publish(&mended);
    sync.wait_for_status(&migrated(&mended, &[]));
}

#[test]
fn the_migration_sees_a_copy_without_servers_paths_and_environment() {
    let pod = pod(
        r#"sed 's/"retry"/"again"/' "$OPENCLAW_CONFIG_PATH" > made && mv made "$OPENCLAW_CONFIG_PATH""#,
    );
    let wanted = json!({
        "cron": {"retry": "/home/openclaw/cron", "store": "/home/openclaw/cron"},
        "mcp": {"servers": {"a": {"command": "npx"}}},
        "model": "anthropic/claude",
    });
    let source = text(&wanted);
    pod.publish(&source);
    let sync = start(&pod);
    sync.wait_for_status(&migrated(&source, &["added cron.again", "removed cron.retry"]));
    let mut expected = wanted.clone();
    expected["cron"] = json!({"again": "/home/openclaw/cron", "store": "/home/openclaw/cron"});
    assert_eq!(target(&pod), expected);

    let seen = fs::read_to_string(pod.path("seen")).unwrap();
    assert!(seen.contains("anthropic/claude"), "{seen}");
    assert!(!seen.contains("npx") && !seen.contains("/home/openclaw"), "{seen}");
    let scratch = pod.path("work/migration");
    let directory = fs::read_to_string(pod.path("directory")).unwrap();
    assert_eq!(
        PathBuf::from(directory.trim()),
        fs::canonicalize(pod.path("work")).unwrap().join("migration")
    );
    let environment = fs::read_to_string(pod.path("environment")).unwrap();
    let value = |name: &str| {
        environment.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    for (name, below) in [
        ("HOME", "home"),
        ("TMPDIR", "tmp"),
        ("OPENCLAW_STATE_DIR", "state"),
        ("OPENCLAW_CONFIG_PATH", "openclaw.json"),
    ] {
        assert_eq!(value(name), scratch.join(below).to_str(), "{environment}");
    }
    // `JUDGED` is what these tests give to every program of the agent's image.
    for name in ["JUDGED", "OPENCLAW_CONFIG_READONLY", "CARGO"] {
        assert_eq!(value(name), None, "{environment}");
    }
    assert!(!scratch.exists());
}

#[test]
fn what_the_application_cannot_migrate_stays_refused_and_is_tried_once() {
    let pod = pod("echo 'config fixes were not applied' >&2; exit 1");
    let source = simple(&pod);
    let sync = start(&pod);
    let expected = json!({
        "protocol": POD_PROTOCOL, "sourceHash": hash(&source), "appliedHash": null, "migrated": [],
        "rejectedHash": hash(&source), "message": format!("rejected by the application: {REASON}"),
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
fn a_restart_knows_what_was_migrated_and_from_what() {
    let pod = pod(MIGRATES);
    let source = simple(&pod);
    let sync = start(&pod);
    let status = migrated(&source, &["removed cron.retry"]);
    sync.wait_for_status(&status);
    sync.terminate();
    let sync = start(&pod);
    sync.wait_for_status(&status);
    // Also while the source cannot be read.
    fs::remove_file(pod.path("mount/openclaw.json")).unwrap();
    let seen = sync.wait_for_message("failed to read");
    assert_eq!(
        (&seen["appliedHash"], &seen["migrated"]),
        (&status["appliedHash"], &status["migrated"])
    );
    assert_eq!(runs(&pod), 2);
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

#[test]
fn keys_that_show_when_others_are_gone_are_migrated_as_well() {
    let pod = pod(MIGRATES);
    let wanted = json!({
        "channels": {"telegram": {"streaming": "partial", "token": "x"}},
        "cron": {"nonsense": 1, "retry": 1},
    });
    let made = json!({"channels": {"telegram": {"streaming": {"mode": "partial"}, "token": "x"}}, "cron": {}});
    prepare(&pod, &made, &json!({"channels": {"telegram": {"token": "x"}}, "cron": {}}));
    let source = text(&wanted);
    pod.publish(&source);
    let sync = start(&pod);
    sync.wait_for_status(&migrated(
        &source,
        &["changed channels.telegram.streaming", "removed cron.nonsense", "removed cron.retry"],
    ));
    assert_eq!(target(&pod), made);
}

#[test]
fn a_streaming_mode_is_nested_where_the_migration_stands_in_a_plugin() {
    let pod = pod("true");
    let source = text(&json!({"channels": {"telegram": {"streaming": "partial"}}}));
    pod.publish(&source);
    let sync = start(&pod);
    sync.wait_for_status(&migrated(&source, &["changed channels.telegram.streaming"]));
    assert_eq!(target(&pod), json!({"channels": {"telegram": {"streaming": {"mode": "partial"}}}}));
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
