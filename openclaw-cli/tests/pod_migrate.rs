//! `openclaw-cli pod migrate` as a process, on a volume and the root of an image.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]
#![expect(clippy::panic, reason = "a test fails by panicking, in helpers too")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");
const DEADLINE: Duration = Duration::from_secs(20);
/// Exit code of a version that is older than the one which last ran.
const OLDER: i32 = 79;

/// Stands in for Node.js with the application: a repair that notes its call and its configuration,
/// writes to that as the real one does, and then ends as it is told.
const NODE: &str = r#"#!/bin/sh
[ -z "$OPENCLAW_CONFIG_READONLY" ] || exit 1
echo "$@" >> "$POD/calls"
cat "$OPENCLAW_CONFIG_PATH" > "$POD/seen"
cp "$OPENCLAW_CONFIG_PATH" "$OPENCLAW_CONFIG_PATH.bak"
echo '{"wizard":{}}' > "$OPENCLAW_CONFIG_PATH"
case "$(cat "$POD/end")" in
  well) ;;
  badly) echo 'the store is damaged' >&2; exit 3 ;;
  never) echo $$ > "$POD/pid.new"; mv "$POD/pid.new" "$POD/pid"; trap '' HUP; sleep 600 & wait ;;
esac
"#;

/// A container's view of the world: volume, state, work directory, image.
struct Pod {
    folder: TempDir,
}

impl Pod {
    /// Whose image is the official one of that version, and whose volume is fresh.
    fn of(version: &str) -> Self {
        let pod = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["data/home/.openclaw", "work", "image/app", "bin"] {
            fs::create_dir_all(pod.path(folder)).unwrap();
        }
        pod.write("data/home/.openclaw/openclaw.json", r#"{"agents":{"entries":{"ada":{}}}}"#);
        pod.write("image/app/openclaw.mjs", "");
        pod.write("bin/node", NODE);
        fs::set_permissions(pod.path("bin/node"), Permissions::from_mode(0o755)).unwrap();
        pod.ends("well");
        pod.package("app", version);
        pod
    }

    /// After another version has run on it.
    fn after(last: &str, version: &str) -> Self {
        let pod = Self::of(version);
        pod.write("data/.openclaw-version", &format!("{last}\n"));
        fs::create_dir_all(pod.path("data/home/.openclaw/agents/main")).unwrap();
        pod
    }

    fn package(&self, folder: &str, version: &str) {
        let package = json!({"name": "openclaw", "version": version}).to_string();
        self.write(&format!("image/{folder}/package.json"), &package);
    }

    /// How the repair ends.
    fn ends(&self, how: &str) {
        self.write("end", how);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    /// The version that last ran, as the volume has it.
    fn noted(&self) -> Option<String> {
        self.read("data/.openclaw-version").map(|text| text.trim_end().to_owned())
    }

    fn last_words(&self) -> String {
        self.read("termination-log").unwrap_or_default()
    }

    /// How often the application was called.
    fn calls(&self) -> usize {
        self.read("calls").unwrap_or_default().lines().count()
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["pod", "migrate"]);
        for (flag, path) in [
            ("--data", "data"),
            ("--state", "data/home/.openclaw"),
            ("--config", "data/home/.openclaw/openclaw.json"),
            ("--work-dir", "work"),
            ("--root", "image"),
            ("--termination-log", "termination-log"),
        ] {
            command.arg(flag).arg(self.path(path));
        }
        command
            .args(more)
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("POD", self.folder.path())
            .env("OPENCLAW_CONFIG_READONLY", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run_with(&self, more: &[&str]) -> Output {
        self.command(more).output().unwrap()
    }

    fn succeeds(&self) {
        let output = self.run_with(&[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs, expects that exit code, and returns the reason, which must be in the log too.
    fn fails(&self, code: i32, more: &[&str]) -> String {
        let output = self.run_with(more);
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{log}");
        let words = self.last_words();
        assert!(!words.is_empty() && log.contains(&words), "{words} is not in {log}");
        words
    }

    /// Starts it with a repair that does not end, and waits for that. Its process.
    fn starts_repair(&self) -> (Child, Pid) {
        self.ends("never");
        let _ = fs::remove_file(self.path("pid"));
        let child = self.command(&[]).spawn().unwrap();
        until("the repair runs", || self.path("pid").exists());
        let repair = self.read("pid").unwrap().trim().parse().unwrap();
        (child, Pid::from_raw(repair))
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < DEADLINE, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

fn ended(mut child: Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is gone, or only left for somebody to collect.
fn is_gone(process: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat"));
    state.map_or(true, |state| state.contains(") Z "))
}

#[test]
fn a_version_whose_gateway_migrates_is_noted_and_nothing_is_called() {
    for pod in [Pod::of("2026.9.6"), Pod::after("2026.8.1", "2026.9.6")] {
        pod.succeeds();
        assert_eq!(pod.noted().as_deref(), Some("2026.9.6"));
        assert_eq!(pod.last_words(), "2026.9.6");
        assert_eq!(pod.calls(), 0);
    }
}

#[test]
fn an_older_state_is_migrated_once_on_a_configuration_of_its_own() {
    let pod = Pod::after("2026.9.6", "2026.9.7");
    let config = pod.read("data/home/.openclaw/openclaw.json");
    pod.succeeds();
    let script = pod.path("image/app/openclaw.mjs");
    let expected = format!("{} doctor --fix --non-interactive\n", script.display());
    assert_eq!(pod.read("calls"), Some(expected));
    let seen: Value = serde_json::from_str(&pod.read("seen").unwrap()).unwrap();
    let own = json!({"gateway": {"mode": "local"}, "agents": {"entries": {"ada": {}}}});
    assert_eq!(seen, own);
    assert_eq!(pod.read("data/home/.openclaw/openclaw.json"), config);
    assert_eq!(pod.noted().as_deref(), Some("2026.9.7"));
    pod.succeeds();
    assert_eq!(pod.calls(), 1, "the second start has nothing to do");
}

#[test]
fn a_version_whose_gateway_refuses_older_conversations_gets_them_repaired() {
    for (last, next) in [("2026.7.1", "2026.8.1"), ("2026.8.1", "2026.8.34")] {
        let pod = Pod::after(last, next);
        pod.succeeds();
        assert_eq!((pod.calls(), pod.noted().as_deref()), (1, Some(next)));
    }
    let adopted = Pod::of("2026.8.1");
    adopted.write("data/home/.openclaw/agents/main/sessions/sessions.json", "{}");
    adopted.succeeds();
    assert_eq!(adopted.calls(), 1);
    // This one keeps them in files itself.
    let older = Pod::after("2026.6.11", "2026.7.1");
    older.succeeds();
    assert_eq!(older.calls(), 0);
}

#[test]
fn a_volume_without_a_note_is_migrated_only_if_it_holds_a_state() {
    let fresh = Pod::of("2026.9.7");
    fresh.succeeds();
    assert_eq!(fresh.calls(), 0);
    for state in ["state/openclaw.sqlite", "agents/main/sessions/one.jsonl"] {
        let adopted = Pod::of("2026.9.7");
        adopted.write(&format!("data/home/.openclaw/{state}"), "");
        adopted.succeeds();
        assert_eq!(adopted.calls(), 1, "{state}");
        assert_eq!(adopted.noted().as_deref(), Some("2026.9.7"));
    }
}

#[test]
fn an_older_version_is_refused_with_both_names_until_it_is_allowed() {
    let pod = Pod::after("2026.9.6", "2026.8.34");
    for more in [&[][..], &["--allow-downgrade=2026.8.1"]] {
        let reason = pod.fails(OLDER, more);
        let both = "2026.8.34 is older than 2026.9.6, which last ran on this volume";
        assert!(reason.starts_with(both), "{reason}");
        assert!(reason.contains("openclaw.rocks/allow-downgrade=2026.8.34"), "{reason}");
        assert_eq!(pod.noted().as_deref(), Some("2026.9.6"));
    }
    let allowed = pod.run_with(&["--allow-downgrade=2026.8.34"]);
    assert!(allowed.status.success());
    assert_eq!(pod.noted().as_deref(), Some("2026.8.34"));
    assert_eq!(pod.calls(), 0);
}

#[test]
fn a_repair_that_fails_is_told_once_and_the_next_run_waits_for_the_end_of_the_pod() {
    let pod = Pod::after("2026.9.6", "2026.9.7");
    pod.ends("badly");
    let reason = pod.fails(1, &[]);
    assert_eq!(
        reason,
        "failed to bring the state of 2026.9.6 up to 2026.9.7: doctor --fix exited with 3: the \
         store is damaged"
    );
    assert_eq!(pod.noted().as_deref(), Some("2026.9.6"));

    let mut child = pod.command(&[]).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let log = thread::spawn(move || std::io::read_to_string(&mut stderr).unwrap());
    // It handles the signal from the moment on that it waits.
    until("it handles signals", || handles_sigterm(child.id()));
    assert!(child.try_wait().unwrap().is_none());
    assert_eq!(pod.last_words(), reason, "which the kubelet has read already");
    send(&child, Signal::SIGTERM);
    assert_eq!(ended(child).code(), Some(1));
    assert!(log.join().unwrap().contains("waiting for the end of the pod"));
    assert_eq!(pod.calls(), 1);

    // Another pod has another work directory.
    fs::remove_dir_all(pod.path("work")).unwrap();
    fs::create_dir(pod.path("work")).unwrap();
    pod.ends("well");
    pod.succeeds();
    assert_eq!(pod.noted().as_deref(), Some("2026.9.7"));
}

fn handles_sigterm(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & (1 << (Signal::SIGTERM as u32 - 1)) != 0)
}

#[test]
fn a_repair_that_succeeded_is_not_repeated_where_it_could_not_be_noted() {
    let pod = Pod::of("2026.9.7");
    pod.write("data/home/.openclaw/state/openclaw.sqlite", "");
    fs::create_dir_all(pod.path("data/.openclaw-version/in the way")).unwrap();
    for _ in 0..3 {
        let reason = pod.fails(1, &[]);
        assert!(reason.starts_with("failed to note the version that runs: "), "{reason}");
    }
    fs::remove_dir_all(pod.path("data/.openclaw-version")).unwrap();
    pod.succeeds();
    assert_eq!(pod.noted().as_deref(), Some("2026.9.7"));
    assert_eq!(pod.calls(), 1);
}

#[test]
fn a_repair_that_takes_too_long_is_ended_with_all_that_it_started() {
    let pod = Pod::after("2026.9.6", "2026.9.7");
    pod.ends("never");
    let reason = pod.fails(1, &["--timeout-seconds=1"]);
    assert!(reason.contains("doctor --fix did not end in 1 s"), "{reason}");
    let repair = Pid::from_raw(pod.read("pid").unwrap().trim().parse().unwrap());
    assert!(is_gone(repair));
}

#[test]
fn a_pod_that_is_stopped_stops_the_repair_and_that_is_no_failure() {
    let pod = Pod::after("2026.9.6", "2026.9.7");
    for _ in 0..3 {
        let (child, repair) = pod.starts_repair();
        send(&child, Signal::SIGTERM);
        assert_eq!(ended(child).code(), Some(1));
        assert!(is_gone(repair));
    }
    pod.ends("well");
    pod.succeeds();
    assert_eq!(pod.noted().as_deref(), Some("2026.9.7"));
}

#[test]
fn a_repair_that_is_killed_is_tried_once_more() {
    let pod = Pod::after("2026.9.6", "2026.9.7");
    for _ in 0..2 {
        let (child, repair) = pod.starts_repair();
        send(&child, Signal::SIGKILL);
        ended(child);
        // The kernel ends all of a container that is out of memory.
        kill(repair, Signal::SIGKILL).unwrap();
    }
    let reason = pod.fails(1, &[]);
    assert!(reason.contains("killed 2 times"), "{reason}");
    assert_eq!(pod.calls(), 2);
}

#[test]
fn the_version_is_that_of_the_package_wherever_it_is_installed() {
    let noted = |lay_out: &dyn Fn(&Pod)| {
        let pod = Pod::of("2026.9.6");
        fs::remove_dir_all(pod.path("image/app")).unwrap();
        let program = |path: &Path| {
            fs::write(path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        };
        program(&pod.path("bin/openclaw"));
        lay_out(&pod);
        pod.succeeds();
        pod.noted()
    };
    let beside = noted(&|pod| pod.package("app/node_modules/openclaw", "2026.8.1"));
    assert_eq!(beside.as_deref(), Some("2026.8.1"));
    let global = noted(&|pod| {
        let package = pod.path("image/lib/node_modules/openclaw");
        pod.package("lib/node_modules/openclaw", "2026.7.1-2");
        fs::rename(pod.path("bin/openclaw"), package.join("openclaw.mjs")).unwrap();
        symlink(package.join("openclaw.mjs"), pod.path("bin/openclaw")).unwrap();
    });
    assert_eq!(global.as_deref(), Some("2026.7.1-2"));
    // Of somebody else's package, or of none, nothing is known, and nothing is done.
    let other = noted(&|pod| pod.write("image/app/package.json", r#"{"version":"2026.9.9"}"#));
    assert_eq!(other, None);
    assert_eq!(noted(&|_| ()), None);
}

#[test]
fn a_note_that_the_agent_has_bent_says_nothing_and_is_replaced() {
    let pod = Pod::of("2026.9.6");
    pod.write("elsewhere", "2027.1.1\n");
    symlink(pod.path("elsewhere"), pod.path("data/.openclaw-version")).unwrap();
    pod.succeeds();
    assert_eq!(pod.noted().as_deref(), Some("2026.9.6"));
    assert_eq!(pod.read("elsewhere").as_deref(), Some("2027.1.1\n"));
    pod.write("data/.openclaw-version", "latest");
    pod.succeeds();
    assert_eq!(pod.noted().as_deref(), Some("2026.9.6"));
}
