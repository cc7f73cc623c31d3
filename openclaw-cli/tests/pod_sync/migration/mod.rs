//! A content with keys that the application migrates, with stand-ins for validator and migration.
//!
//! The stand-in for the validator refuses keys by their names, in the application's format: `retry`
//! and `nonsense` below `cron`, and, as the application does, `streaming` only when nothing else is
//! wrong. The one for the migration writes a prepared file in place of the copy: one if the copy has
//! the key `retry`, another one if it has not.

mod refused;
mod served;
mod unruly;

use std::fs;

use openclaw_render::seed::POD_PROTOCOL;
use serde_json::{Value, json};

use crate::pod::{Pod, Sync, hash, wait_until};

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
            "migrated": changes, "rejectedHash": null, "setAside": null, "message": null })
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
