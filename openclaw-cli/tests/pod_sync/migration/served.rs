//! Migrations that work: what is served, what is named, what they see.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{MIGRATES, migrated, pod, prepare, runs, simple, start, target, text};

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
