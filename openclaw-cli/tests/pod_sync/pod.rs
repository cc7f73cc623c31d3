//! A pod in which `pod sync` runs: the mounted `ConfigMap`, the agent's folder, the validator.

use std::cell::Cell;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
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

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");
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
pub(crate) struct Pod {
    folder: TempDir,
    generation: Cell<u32>,
}

impl Pod {
    pub(crate) fn new() -> Self {
        let pod = Self { folder: tempfile::tempdir().unwrap(), generation: Cell::new(0) };
        for name in ["mount", "agent", "work"] {
            fs::create_dir(pod.path(name)).unwrap();
        }
        pod.install_validator();
        pod
    }

    pub(crate) fn with_source(content: &str) -> Self {
        let pod = Self::new();
        pod.publish(content);
        pod
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn install_validator(&self) {
        self.install("validator", VALIDATOR);
    }

    pub(crate) fn install(&self, name: &str, script: &str) {
        // Renamed into place, so that it is never executed while open for writing.
        let new = self.path(&format!("{name}.new"));
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Changes the mounted file as the kubelet does: a new directory, then a swapped link.
    pub(crate) fn publish(&self, content: &str) {
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

    pub(crate) fn target(&self) -> PathBuf {
        self.path("agent/openclaw.json")
    }

    pub(crate) fn read_target(&self) -> Option<String> {
        fs::read_to_string(self.target()).ok()
    }

    /// What the validator has judged so far.
    pub(crate) fn judged(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("judged")).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }

    pub(crate) fn start(&self) -> Sync {
        self.start_with(&["--poll-seconds=1"])
    }

    pub(crate) fn start_with(&self, more: &[&str]) -> Sync {
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
pub(crate) struct Sync {
    pub(crate) child: Child,
    pub(crate) port: u16,
    pub(crate) lines: mpsc::Receiver<String>,
}

impl Sync {
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let answer = self.send(request.as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, serde_json::from_str(body).unwrap())
    }

    pub(crate) fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Without the space that is left on the disk, which others take too.
    pub(crate) fn status(&self) -> Value {
        let mut status = self.get("/status").1;
        status.as_object_mut().unwrap().remove("freeBytes").unwrap();
        status
    }

    pub(crate) fn wait_for_status(&self, expected: &Value) {
        let expected_text = expected.to_string();
        wait_until(&expected_text, || {
            let status = self.status();
            if status == *expected { Ok(()) } else { Err(status.to_string()) }
        });
    }

    pub(crate) fn wait_for_message(&self, part: &str) -> Value {
        let mut found = Value::Null;
        wait_until(part, || {
            found = self.status();
            let message = found.get("message").and_then(Value::as_str).unwrap_or_default();
            if message.contains(part) { Ok(()) } else { Err(found.to_string()) }
        });
        found
    }

    pub(crate) fn terminate(mut self) -> ExitStatus {
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

pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match condition() {
            Ok(()) => return,
            Err(seen) if Instant::now() > deadline => panic!("waited for {what}, saw {seen}"),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

pub(crate) fn hash(content: &str) -> String {
    content_hash(content.as_bytes())
}

pub(crate) fn applied(content: &str) -> Value {
    json!({ "protocol": POD_PROTOCOL, "sourceHash": hash(content), "appliedHash": hash(content),
            "migrated": [], "rejectedHash": null, "setAside": null, "message": null })
}
