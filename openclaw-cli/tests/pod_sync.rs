//! `openclaw-cli pod sync` as a process, on the kubelet's layout of a mounted `ConfigMap`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]
#![expect(clippy::panic, reason = "a test fails by panicking, in helpers too")]

#[path = "pod_sync/migration.rs"]
mod migration;

use std::cell::Cell;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use openclaw_render::seed::{POD_PROTOCOL, content_hash};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");
const DEADLINE: Duration = Duration::from_secs(20);

/// Stands in for the application's validator: what contains `bad` is refused in its format. Every
/// run leaves the judged content in a file, one line each.
const VALIDATOR: &str = r#"#!/bin/sh
cat "$OPENCLAW_CONFIG_PATH" >> "$JUDGED"
echo >> "$JUDGED"
echo 'a warning of the runtime' >&2
if grep -q hang "$OPENCLAW_CONFIG_PATH"; then sleep 600 & echo $! > "$JUDGED.pid"; wait; fi
if grep -q signal "$OPENCLAW_CONFIG_PATH"; then kill -9 $$; fi
if grep -q crash "$OPENCLAW_CONFIG_PATH" && ! [ -e "$JUDGED.mended" ]; then
  echo 'no space left' >&2
  exit 1
fi
if grep -q bad "$OPENCLAW_CONFIG_PATH"; then
  echo '{"valid":false,"issues":[{"path":"gateway.bind","message":"is bad"}]}'
  exit 1
fi
echo '{"valid":true,"warnings":[]}'
"#;

/// A sidecar's view of the world: the mount, the agent's folder, the scratch folder.
struct Pod {
    folder: TempDir,
    generation: Cell<u32>,
}

impl Pod {
    fn new() -> Self {
        let pod = Self { folder: tempfile::tempdir().unwrap(), generation: Cell::new(0) };
        for name in ["mount", "agent", "work"] {
            fs::create_dir(pod.path(name)).unwrap();
        }
        pod.install_validator();
        pod
    }

    fn with_source(content: &str) -> Self {
        let pod = Self::new();
        pod.publish(content);
        pod
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn install_validator(&self) {
        self.install("validator", VALIDATOR);
    }

    fn install(&self, name: &str, script: &str) {
        // Renamed into place, so that it is never executed while open for writing.
        let new = self.path(&format!("{name}.new"));
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Changes the mounted file as the kubelet does: a new directory, then a swapped link.
    fn publish(&self, content: &str) {
        self.generation.set(self.generation.get() + 1);
        let name = format!("..2026_{}", self.generation.get());
        fs::create_dir(self.path("mount").join(&name)).unwrap();
        fs::write(self.path("mount").join(&name).join("openclaw.json"), content).unwrap();
        symlink(&name, self.path("mount/..data_tmp")).unwrap();
        fs::rename(self.path("mount/..data_tmp"), self.path("mount/..data")).unwrap();
        let link = self.path("mount/openclaw.json");
        if link.symlink_metadata().is_err() {
            symlink("..data/openclaw.json", link).unwrap();
        }
    }

    fn target(&self) -> PathBuf {
        self.path("agent/openclaw.json")
    }

    fn read_target(&self) -> Option<String> {
        fs::read_to_string(self.target()).ok()
    }

    /// What the validator has judged so far.
    fn judged(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("judged")).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }

    fn start(&self) -> Sync {
        self.start_with(&["--poll-seconds=1"])
    }

    fn start_with(&self, more: &[&str]) -> Sync {
        let mut child = Command::new(PROGRAM)
            .args(["pod", "sync", "--port", "0"])
            .arg("--source")
            .arg(self.path("mount/openclaw.json"))
            .arg("--target")
            .arg(self.target())
            .arg("--work-dir")
            .arg(self.path("work"))
            .args(more)
            .arg("--")
            .arg(self.path("validator"))
            .args(["config", "validate", "--json"])
            .env("JUDGED", self.path("judged"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let first = lines.recv_timeout(DEADLINE).unwrap();
        let port = first.rsplit(' ').next().unwrap().parse().unwrap();
        Sync { child, port, lines }
    }
}

/// A running `pod sync`, killed when the test is over.
struct Sync {
    child: Child,
    port: u16,
    lines: mpsc::Receiver<String>,
}

impl Sync {
    fn get(&self, path: &str) -> (u16, Value) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let answer = self.send(request.as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, serde_json::from_str(body).unwrap())
    }

    fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Without the space that is left on the disk, which others take too.
    fn status(&self) -> Value {
        let mut status = self.get("/status").1;
        status.as_object_mut().unwrap().remove("freeBytes").unwrap();
        status
    }

    fn wait_for_status(&self, expected: &Value) {
        let expected_text = expected.to_string();
        wait_until(&expected_text, || {
            let status = self.status();
            if status == *expected { Ok(()) } else { Err(status.to_string()) }
        });
    }

    fn wait_for_message(&self, part: &str) -> Value {
        let mut found = Value::Null;
        wait_until(part, || {
            found = self.status();
            let message = found.get("message").and_then(Value::as_str).unwrap_or_default();
            if message.contains(part) { Ok(()) } else { Err(found.to_string()) }
        });
        found
    }

    fn terminate(mut self) -> ExitStatus {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let mut status = None;
        wait_until("the end of the process", || {
            status = self.child.try_wait().unwrap();
            status.map(drop).ok_or_else(|| "it runs".to_owned())
        });
        status.unwrap()
    }
}

impl Drop for Sync {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_until(what: &str, mut condition: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match condition() {
            Ok(()) => return,
            Err(seen) if Instant::now() > deadline => panic!("waited for {what}, saw {seen}"),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn hash(content: &str) -> String {
    content_hash(content.as_bytes())
}

fn applied(content: &str) -> Value {
    json!({ "protocol": POD_PROTOCOL, "sourceHash": hash(content), "appliedHash": hash(content),
            "migrated": [], "rejectedHash": null, "message": null })
}

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
        "migrated": [], "rejectedHash": hash("bad 2"),
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
fn an_earlier_pods_target_is_judged_before_it_counts_as_good() {
    let pod = Pod::with_source("bad 2");
    fs::write(pod.target(), "good 1").unwrap();
    let sync = pod.start();
    let status = sync.wait_for_message("is bad");
    assert_eq!(status.get("appliedHash"), Some(&json!(hash("good 1"))));
    assert_eq!(sync.get("/startupz").0, 200);
    assert_eq!(pod.read_target().unwrap(), "good 1");
    assert_eq!(pod.judged(), ["bad 2", "good 1"]);
}

#[test]
fn a_target_that_the_application_refuses_is_no_last_good_content() {
    let pod = Pod::with_source("bad 2");
    fs::write(pod.target(), "bad 1").unwrap();
    let sync = pod.start();
    sync.wait_for_message("is bad");
    assert_eq!(sync.get("/startupz").0, 503);
    assert_eq!(pod.read_target().unwrap(), "bad 1");
}

#[test]
fn a_restart_judges_nothing_that_was_judged_valid_before() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    sync.terminate();
    let inode = pod.target().metadata().unwrap().ino();
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    assert_eq!(pod.judged(), ["good 1"]);
    assert_eq!(pod.target().metadata().unwrap().ino(), inode, "the file was written again");
}

#[test]
fn a_restart_with_a_refused_source_restores_the_last_good_content() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    sync.terminate();
    pod.publish("bad 2");
    fs::write(pod.target(), "tampered").unwrap();
    let sync = pod.start();
    sync.wait_for_message("is bad");
    assert_eq!(sync.get("/startupz").0, 200);
    assert_eq!(pod.read_target().unwrap(), "good 1");
}

#[test]
fn another_validators_memory_does_not_count() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    sync.terminate();
    // As if its command had been another one.
    let entries = fs::read_dir(pod.path("work")).unwrap().map(Result::unwrap);
    let is_memory = |name: &str| name.starts_with("last-good-");
    let memories: Vec<_> =
        entries.filter(|entry| is_memory(&entry.file_name().to_string_lossy())).collect();
    assert_eq!(memories.len(), 1, "{memories:?}");
    fs::rename(memories[0].path(), pod.path("work/last-good-0000000000000000.json")).unwrap();
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    assert_eq!(pod.judged(), ["good 1", "good 1"]);
}

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

#[test]
fn sigterm_ends_it_at_once_even_during_a_validation() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start_with(&["--poll-seconds=3600"]);
    sync.wait_for_status(&applied("good 1"));
    let begin = Instant::now();
    assert_eq!(sync.terminate().code(), Some(0));
    let pod = Pod::with_source("hang");
    let sync = pod.start();
    wait_until("the validator to run", || {
        if pod.path("judged.pid").exists() { Ok(()) } else { Err("nothing".to_owned()) }
    });
    assert_eq!(sync.terminate().code(), Some(0));
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
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

#[test]
fn clients_that_misbehave_do_not_end_it() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    // As many that say nothing as there are places, minus one for the next requests.
    let silent: Vec<_> =
        (0..15).map(|_| TcpStream::connect(("127.0.0.1", sync.port)).unwrap()).collect();
    for request in [
        b"\x00\xff\xfe\r\n\r\n".as_slice(),
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /status HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"GET /other HTTP/1.1\r\n\r\n",
    ] {
        let answer = sync.send(request);
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
    }
    let head = sync.send(b"HEAD /status?x=y HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    drop(silent);
    let mut endless = TcpStream::connect(("127.0.0.1", sync.port)).unwrap();
    wait_until("an endless request to be cut off", || {
        endless.write_all(&[b'x'; 1024]).map_or(Ok(()), |()| Err("it goes on".to_owned()))
    });
    sync.wait_for_status(&applied("good 1"));
}

#[test]
fn both_address_families_are_served() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    assert!(TcpStream::connect(("127.0.0.1", sync.port)).is_ok());
    let has_ipv6 = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    assert_eq!(TcpStream::connect((Ipv6Addr::LOCALHOST, sync.port)).is_ok(), has_ipv6);
}

#[test]
fn a_taken_port_is_an_error() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    let output = assert_cmd::Command::new(PROGRAM)
        .args(["pod", "sync", "--port", &sync.port.to_string(), "--source", "s"])
        .args(["--target", "t", "--work-dir", ".", "--", "true"])
        .assert()
        .code(1);
    let message = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(message.contains(&format!("failed to listen on port {}", sync.port)), "{message}");
}

#[test]
fn every_event_is_one_line() {
    let pod = Pod::with_source("good 1");
    let sync = pod.start();
    sync.wait_for_status(&applied("good 1"));
    pod.publish("bad 2");
    sync.wait_for_message("is bad");
    fs::write(pod.target(), "tampered").unwrap();
    let mut lines = Vec::new();
    let restored = format!("restored {}", hash("good 1"));
    wait_until(&restored, || {
        lines.extend(sync.lines.try_iter());
        if lines.iter().any(|line: &String| line.contains(&restored)) {
            Ok(())
        } else {
            Err(lines.join("\n"))
        }
    });
    let expected = [
        format!("config-sync: applied {}", hash("good 1")),
        "config-sync: rejected by the application: gateway.bind: is bad".to_owned(),
        format!("config-sync: {restored}: somebody else had changed the file"),
    ];
    assert_eq!(lines, expected);
}
