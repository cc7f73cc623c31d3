//! `openclaw-cli pod seed` as a process, on real folders.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]
#![expect(clippy::panic, reason = "a test fails by panicking, in helpers too")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::assert::Assert;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use openclaw_render::seed::POD_PROTOCOL;
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");

/// An init container's view of the world: mounts, plan, contents.
struct Pod {
    folder: TempDir,
}

impl Pod {
    /// A helper that is there already keeps runs short: copying it is a test of its own.
    fn new(plan: &Value) -> Self {
        let pod = Self::with_plan_bytes(plan.to_string().as_bytes());
        // A copy, not a link: a second run must not find its own inode.
        fs::copy(PROGRAM, pod.path("bin/openclaw-cli")).unwrap();
        pod
    }

    fn with_plan_bytes(plan: &[u8]) -> Self {
        let pod = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["contents/..2026", "data", "scratch", "bin"] {
            fs::create_dir_all(pod.path(name)).unwrap();
        }
        // The kubelet's layout: every key is a link through `..data`.
        symlink("..2026", pod.path("contents/..data")).unwrap();
        for (key, content) in [("one", "first"), ("two", "second"), ("raw", "\u{0}\u{1}")] {
            fs::write(pod.path("contents/..2026").join(key), content).unwrap();
            symlink(format!("..data/{key}"), pod.path("contents").join(key)).unwrap();
        }
        fs::write(pod.path("plan.json"), plan).unwrap();
        pod
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["pod".to_owned(), "seed".to_owned()];
        for (flag, path) in [
            ("--plan", "plan.json"),
            ("--contents", "contents"),
            ("--data", "data"),
            ("--scratch", "scratch"),
            ("--helper-to", "bin/openclaw-cli"),
            ("--termination-log", "termination-log"),
        ] {
            arguments.extend([flag.to_owned(), self.path(path).to_str().unwrap().to_owned()]);
        }
        arguments
    }

    fn run(&self) -> Assert {
        assert_cmd::Command::new(PROGRAM).args(self.arguments()).assert()
    }

    /// What it says when it succeeds.
    fn said(&self) -> String {
        let assert = self.run().success();
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    }

    /// Runs, expects exit 1, and returns the message, which must be in the termination log too.
    fn fail(&self) -> String {
        let output = self.run().code(1).get_output().clone();
        let message = String::from_utf8(output.stderr).unwrap();
        let log = fs::read_to_string(self.path("termination-log")).unwrap();
        assert_eq!(message, format!("error: {log}\n"));
        message
    }

    fn tree(&self, path: &str) -> BTreeMap<PathBuf, Entry> {
        let mut tree = BTreeMap::new();
        collect(&self.path(path), Path::new(""), &mut tree);
        tree
    }

    fn mode(&self, path: &str) -> u32 {
        self.path(path).symlink_metadata().unwrap().mode() & 0o7777
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    mode: u32,
    content: Vec<u8>,
}

fn collect(root: &Path, path: &Path, tree: &mut BTreeMap<PathBuf, Entry>) {
    for entry in fs::read_dir(root.join(path)).unwrap() {
        let entry = entry.unwrap();
        let name = path.join(entry.file_name());
        let metadata = entry.path().symlink_metadata().unwrap();
        let content = if metadata.is_dir() {
            collect(root, &name, tree);
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
        } else {
            assert!(!metadata.file_type().is_fifo(), "{} is a pipe", name.display());
            fs::read(entry.path()).unwrap()
        };
        tree.insert(name, Entry { mode: metadata.mode(), content });
    }
}

fn plan(directories: &Value, files: &Value) -> Value {
    json!({ "version": POD_PROTOCOL, "directories": directories, "files": files })
}

fn directory(path: &str, mode: &str) -> Value {
    json!({ "root": "data", "path": path, "mode": mode })
}

fn file(path: &str, key: &str, policy: &str) -> Value {
    json!({ "root": "data", "path": path, "key": key, "mode": "0644", "policy": policy })
}

fn one_file(path: &str, policy: &str) -> Pod {
    Pod::new(&plan(&json!([]), &json!([file(path, "one", policy)])))
}

#[test]
fn a_plan_is_performed_with_exact_modes_whatever_the_umask() {
    let pod = Pod::new(&plan(
        &json!([
            directory("home", "0700"),
            directory("home/tmp", "1777"),
            { "root": "scratch", "path": "cache", "mode": "0770" },
        ]),
        &json!([
            { "root": "data", "path": "home/a/b/tool.sh", "key": "one", "mode": "0755",
              "policy": "converge" },
            { "root": "data", "path": "home/secret", "key": "raw", "mode": "0600",
              "policy": "createOnly" },
            { "root": "scratch", "path": "open", "key": "two", "mode": "0666",
              "policy": "createOnly" },
        ]),
    ));
    for mask in ["000", "077", "027"] {
        let status = Command::new("sh")
            .args(["-c", &format!("umask {mask}; exec \"$0\" \"$@\""), PROGRAM])
            .args(pod.arguments())
            .status()
            .unwrap();
        assert!(status.success());
        for (path, mode) in [
            ("data/home", 0o700),
            ("data/home/tmp", 0o1777),
            ("scratch/cache", 0o770),
            ("data/home/a", 0o755),
            ("data/home/a/b", 0o755),
            ("data/home/a/b/tool.sh", 0o755),
            ("data/home/secret", 0o600),
            ("scratch/open", 0o666),
        ] {
            assert_eq!(pod.mode(path), mode, "{path} with umask {mask}");
        }
        assert_eq!(pod.read("data/home/a/b/tool.sh"), "first");
        assert_eq!(pod.read("data/home/secret"), "\u{0}\u{1}");
        for root in ["data", "scratch"] {
            fs::remove_dir_all(pod.path(root)).unwrap();
            fs::create_dir(pod.path(root)).unwrap();
        }
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let pod = Pod::new(&plan(
        &json!([directory("home", "0700")]),
        &json!([file("home/a", "one", "converge"), file("home/b", "two", "createOnly")]),
    ));
    pod.run().success();
    let inodes = |pod: &Pod| -> Vec<_> {
        ["data/home", "data/home/a", "data/home/b", "bin", "bin/openclaw-cli"]
            .iter()
            .map(|path| {
                let metadata = pod.path(path).metadata().unwrap();
                (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.ctime_nsec())
            })
            .collect()
    };
    let before = inodes(&pod);
    pod.run().success();
    assert_eq!(inodes(&pod), before);
}

#[test]
fn an_existing_directory_keeps_its_mode_and_content() {
    let pod = Pod::new(&plan(&json!([directory("home", "0700")]), &json!([])));
    fs::create_dir(pod.path("data/home")).unwrap();
    fs::set_permissions(pod.path("data/home"), Permissions::from_mode(0o751)).unwrap();
    fs::write(pod.path("data/home/mine"), "mine").unwrap();
    pod.run().success();
    assert_eq!(pod.mode("data/home"), 0o751);
    assert_eq!(pod.read("data/home/mine"), "mine");
}

#[test]
fn an_inherited_group_id_bit_is_kept() {
    let pod = Pod::new(&plan(&json!([directory("home", "0750")]), &json!([])));
    fs::set_permissions(pod.path("data"), Permissions::from_mode(0o2775)).unwrap();
    pod.run().success();
    assert_eq!(pod.mode("data/home"), 0o2750);
}

#[test]
fn a_create_only_file_keeps_what_the_agent_made_of_it() {
    let pod = one_file("notes.md", "createOnly");
    fs::write(pod.path("data/notes.md"), "mine").unwrap();
    pod.run().success();
    assert_eq!(pod.read("data/notes.md"), "mine");
}

#[test]
fn a_create_only_file_keeps_a_dangling_link() {
    let pod = one_file("notes.md", "createOnly");
    symlink("nowhere", pod.path("data/notes.md")).unwrap();
    pod.run().success();
    assert_eq!(fs::read_link(pod.path("data/notes.md")).unwrap(), Path::new("nowhere"));
    assert!(!pod.path("data/nowhere").exists());
}

#[test]
fn a_converging_file_is_replaced_when_its_bytes_differ() {
    let pod = one_file("notes.md", "converge");
    for old in ["fIrst", "longer than first", "", "f"] {
        fs::write(pod.path("data/notes.md"), old).unwrap();
        pod.run().success();
        assert_eq!(pod.read("data/notes.md"), "first", "{old:?}");
    }
}

#[test]
fn a_link_in_place_of_a_converging_file_is_replaced_and_its_target_left_alone() {
    let pod = one_file("notes.md", "converge");
    fs::write(pod.path("outside"), "outside").unwrap();
    symlink(pod.path("outside"), pod.path("data/notes.md")).unwrap();
    pod.run().success();
    assert_eq!(pod.read("outside"), "outside");
    assert!(pod.path("data/notes.md").symlink_metadata().unwrap().is_file());
    assert_eq!(pod.read("data/notes.md"), "first");
}

#[test]
fn a_pipe_in_place_of_a_converging_file_is_replaced_without_waiting_for_it() {
    let pod = one_file("notes.md", "converge");
    assert!(Command::new("mkfifo").arg(pod.path("data/notes.md")).status().unwrap().success());
    pod.run().success();
    assert_eq!(pod.read("data/notes.md"), "first");
}

#[test]
fn a_link_among_the_parents_is_never_followed() {
    for policy in ["createOnly", "converge"] {
        for planted in ["a", "a/b"] {
            let pod = one_file("a/b/notes.md", policy);
            fs::create_dir_all(pod.path("outside/b")).unwrap();
            if planted == "a/b" {
                fs::create_dir(pod.path("data/a")).unwrap();
            }
            symlink(pod.path("outside"), pod.path("data").join(planted)).unwrap();
            let outside = pod.tree("outside");
            // Where a file lay that is the agent's, the agent may have tidied up.
            let message = if policy == "createOnly" { pod.said() } else { pod.fail() };
            assert!(message.contains("it is a symbolic link, not a directory"), "{message}");
            assert!(message.contains(&format!("data/{planted}")), "{message}");
            assert_eq!(pod.tree("outside"), outside);
        }
    }
}

#[test]
fn home_and_the_state_must_be_directories() {
    for planted in ["home", "home/.openclaw"] {
        for link in [true, false] {
            let directories =
                json!([directory("home", "0755"), directory("home/.openclaw", "0700")]);
            let pod = Pod::new(&plan(&directories, &json!([])));
            let place = pod.path("data").join(planted);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::create_dir(pod.path("outside")).unwrap();
            if link {
                symlink(pod.path("outside"), &place).unwrap();
            } else {
                fs::write(&place, "mine").unwrap();
            }
            let message = pod.fail();
            let what = if link { "a symbolic link" } else { "a file" };
            let expected = format!("data/{planted}\": it is {what}, not a directory");
            assert!(message.contains(&expected), "{message}");
        }
    }
}

#[test]
fn what_the_agent_tidied_up_in_its_home_stays_and_stops_nothing() {
    let directories = json!([
        directory("home", "0755"),
        directory("home/.cache", "0755"),
        directory("home/.openclaw", "0700"),
        directory("home/.openclaw/workspace", "0755"),
        directory("home/.openclaw/workspace/notes/old", "0755"),
    ]);
    let files = json!([file("home/.openclaw/workspace/notes/a.md", "one", "createOnly")]);
    let pod = Pod::new(&plan(&directories, &files));
    pod.run().success();
    let workspace = pod.path("data/home/.openclaw/workspace");
    fs::remove_dir_all(&workspace).unwrap();
    fs::create_dir(pod.path("elsewhere")).unwrap();
    symlink(pod.path("elsewhere"), &workspace).unwrap();
    fs::remove_dir(pod.path("data/home/.cache")).unwrap();
    fs::write(pod.path("data/home/.cache"), "mine").unwrap();
    let said = pod.said();
    for left in ["home/.cache", "workspace", "workspace/notes/old", "workspace/notes/a.md"] {
        assert!(said.contains(&format!("{left} is left out: ")), "{left}: {said}");
    }
    assert_eq!(pod.read("data/home/.cache"), "mine");
    assert_eq!(fs::read_dir(pod.path("elsewhere")).unwrap().count(), 0);
    assert!(pod.path("bin/openclaw-cli").is_file());
}

#[test]
fn what_the_kubelet_would_not_mount_of_a_flat_volume_is_set_aside() {
    let pod = Pod::new(&plan(&json!([directory(".cache", "0755")]), &json!([])));
    fs::create_dir(pod.path("outside")).unwrap();
    symlink(pod.path("outside"), pod.path("data/.cache")).unwrap();
    let said = pod.said();
    assert!(said.contains(".cache was no directory and is .cache.set-aside-0 now"), "{said}");
    assert!(pod.path("data/.cache").symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read_link(pod.path("data/.cache.set-aside-0")).unwrap(), pod.path("outside"));
}

#[test]
fn a_directory_in_place_of_a_file_is_the_agents_or_an_error() {
    for policy in ["createOnly", "converge"] {
        let pod = one_file("notes.md", policy);
        fs::create_dir(pod.path("data/notes.md")).unwrap();
        if policy == "createOnly" {
            pod.run().success();
        } else {
            let message = pod.fail();
            assert!(message.contains("\"notes.md\": there is a directory"), "{message}");
        }
        assert!(pod.path("data/notes.md").is_dir());
    }
}

#[test]
fn a_plan_with_one_bad_entry_writes_nothing() {
    let good = json!([directory("home", "0700")]);
    let escape = "failed to accept path \"../outside\": it has an empty, `.` or `..` segment";
    let cases = [
        (good.clone(), json!([file("../outside", "one", "converge")]), escape),
        (good.clone(), json!([file("/etc/x", "one", "converge")]), "must be relative"),
        (json!([directory("a", "0700"), directory("..", "0700")]), json!([]), "\"..\""),
        (json!([directory("a", "0700"), directory("b", "4755")]), json!([]), "mode \"4755\""),
        (good.clone(), json!([file("a", "../two", "converge")]), "key \"../two\""),
        (good.clone(), json!([file("a", "", "converge")]), "key \"\""),
        (good, json!([file("a", "..", "converge")]), "key \"..\""),
    ];
    for (directories, files, expected) in cases {
        let pod = Pod::new(&plan(&directories, &files));
        let before = pod.tree("data");
        let message = pod.fail();
        assert!(message.contains(expected), "{message}");
        assert_eq!(pod.tree("data"), before, "{expected}");
    }
}

#[test]
fn a_plan_that_cannot_be_read_is_an_error_and_no_panic() {
    let cases: [(&[u8], &str); 6] = [
        (br#"{"version":1,"steps":[]}"#, "its version is 1, this program performs 2"),
        (br#"{"directories":[],"files":[]}"#, "missing field `version`"),
        (br#"{"version":2,"directories":[],"files":[],"more":1}"#, "unknown field `more`"),
        (b"{", "failed to decode plan"),
        (b"", "failed to decode plan"),
        (b"{\"version\":\"\xff\xfe\"}", "failed to decode plan"),
    ];
    for (bytes, expected) in cases {
        let message = Pod::with_plan_bytes(bytes).fail();
        assert!(message.contains(expected), "{message}");
    }
    let deep = Pod::with_plan_bytes("[".repeat(1_000_000).as_bytes());
    assert!(deep.fail().contains("failed to decode plan"));
    let huge = Pod::with_plan_bytes(&vec![b' '; 5 * 1024 * 1024]);
    assert!(huge.fail().contains("more than 4194304 bytes"));
}

#[test]
fn a_missing_plan_or_a_directory_in_its_place_is_an_error() {
    let pod = Pod::with_plan_bytes(b"");
    fs::remove_file(pod.path("plan.json")).unwrap();
    assert!(pod.fail().contains("failed to read plan"));
    fs::create_dir(pod.path("plan.json")).unwrap();
    assert!(pod.fail().contains("it is not a file"));
}

#[test]
fn a_missing_content_is_an_error_that_names_key_and_path() {
    let pod = Pod::new(&plan(&json!([]), &json!([file("notes.md", "none", "createOnly")])));
    let message = pod.fail();
    assert!(message.contains("failed to read content \"none\" of \"notes.md\""), "{message}");
    assert!(!pod.path("data/notes.md").exists());
}

#[test]
fn a_long_message_is_cut_in_the_termination_log_only() {
    let pod = Pod::new(&json!({ "version": "ä".repeat(5000), "directories": [], "files": [] }));
    let output = pod.run().code(1).get_output().clone();
    let log = pod.read("termination-log");
    assert!(output.stderr.len() > 10_000);
    assert!((4090..=4096).contains(&log.len()), "{}", log.len());
}

#[test]
fn a_termination_log_that_cannot_be_written_does_not_hide_the_reason() {
    let pod = Pod::with_plan_bytes(b"{");
    fs::create_dir(pod.path("termination-log")).unwrap();
    let output = pod.run().code(1).get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("failed to decode plan"));
}

#[test]
fn the_helper_is_copied_and_an_outdated_one_replaced() {
    let pod = Pod::with_plan_bytes(plan(&json!([]), &json!([])).to_string().as_bytes());
    fs::write(pod.path("bin/openclaw-cli"), "outdated").unwrap();
    pod.run().success();
    assert_eq!(pod.mode("bin/openclaw-cli"), 0o755);
    assert!(fs::read(pod.path("bin/openclaw-cli")).unwrap() == fs::read(PROGRAM).unwrap());
    assert!(
        Command::new(pod.path("bin/openclaw-cli")).arg("--version").status().unwrap().success()
    );
}

#[test]
fn wrong_usage_exits_with_2() {
    assert_cmd::Command::new(PROGRAM).args(["pod", "seed"]).assert().code(2);
    assert_cmd::Command::new(PROGRAM).args(["pod", "sow"]).assert().code(2);
}

#[test]
fn a_run_killed_before_any_write_leaves_a_tree_that_a_second_run_completes() {
    let plan = plan(
        &json!([directory("home", "0700"), directory("home/tmp", "1777")]),
        &json!([
            file("home/a/new.md", "one", "createOnly"),
            file("home/changed.md", "two", "converge"),
            file("home/kept.md", "one", "createOnly"),
            file("home/new.md", "two", "converge"),
        ]),
    );
    let prepare = || {
        let pod = Pod::new(&plan);
        fs::create_dir(pod.path("data/home")).unwrap();
        fs::write(pod.path("data/home/kept.md"), "mine").unwrap();
        fs::write(pod.path("data/home/changed.md"), "old").unwrap();
        pod
    };
    let whole = prepare();
    whole.run().success();
    let end = whole.tree("data");

    let writes = kill_at_every_write(prepare, |pod, killed_at| {
        for (path, entry) in pod.tree("data") {
            let temporary = path.to_str().unwrap().contains(".openclaw-write-");
            let old = path == Path::new("home/changed.md") && entry.content == b"old";
            // No name ever holds half a file or a wrong mode.
            assert!(
                temporary || old || end.get(&path) == Some(&entry),
                "{killed_at}: {}",
                path.display()
            );
        }
        pod.run().success();
        assert_eq!(pod.tree("data"), end, "killed at write {killed_at}");
    });
    // Three files and two directories, none of which is made in fewer than five calls or two.
    assert!(writes > 3 * 5 + 2 * 2, "only {writes} writes were seen");
}

#[test]
fn a_helper_copy_killed_before_any_write_is_completed_by_a_second_run() {
    let plan = plan(&json!([]), &json!([])).to_string();
    let program = fs::read(PROGRAM).unwrap();
    let writes = kill_at_every_write(
        || Pod::with_plan_bytes(plan.as_bytes()),
        |pod, killed_at| {
            if let Ok(bytes) = fs::read(pod.path("bin/openclaw-cli")) {
                assert!(bytes == program, "killed at write {killed_at}: half a helper");
            }
            pod.run().success();
            let tree = pod.tree("bin");
            assert_eq!(tree.len(), 1, "killed at write {killed_at}: {:?}", tree.keys());
            let helper = tree.get(Path::new("openclaw-cli")).unwrap();
            assert!(helper.mode & 0o7777 == 0o755 && helper.content == program);
        },
    );
    assert!(writes >= 5, "only {writes} writes were seen");
}

/// Runs the program again and again, each time killed (SIGKILL, nothing of it is caught) right
/// before its next system call that can change a file system, until a run gets to its end.
fn kill_at_every_write(prepare: impl Fn() -> Pod, check: impl Fn(&Pod, usize)) -> usize {
    for killed_at in 0..1000 {
        let pod = prepare();
        if !killed_before_write(&pod, killed_at) {
            return killed_at;
        }
        check(&pod, killed_at);
    }
    panic!("the program never ended");
}

/// Whether the run was killed; `false` if it ended with fewer writes.
#[expect(clippy::zombie_processes, reason = "`waitpid` collects it, as its tracer must")]
fn killed_before_write(pod: &Pod, killed_at: usize) -> bool {
    // Waits for a line until it is traced, so that no call is missed.
    let mut child = Command::new("sh")
        .args(["-c", "read -r line; exec \"$0\" \"$@\"", PROGRAM])
        .args(pod.arguments())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, options).unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let (mut writes, mut inside) = (0, false);
    loop {
        match waitpid(pid, None).unwrap() {
            WaitStatus::Exited(_, code) => {
                assert_eq!(code, 0);
                return false;
            }
            // Calls stop twice, when they begin and when they end; the first to end is `exec`.
            WaitStatus::PtraceEvent(..) => inside = true,
            WaitStatus::PtraceSyscall(_) => {
                inside = !inside;
                if inside && is_in_write(pid) {
                    if writes == killed_at {
                        kill(pid, Signal::SIGKILL).unwrap();
                        let end = waitpid(pid, None).unwrap();
                        assert!(matches!(end, WaitStatus::Signaled(_, Signal::SIGKILL, _)));
                        return true;
                    }
                    writes += 1;
                }
            }
            other @ (WaitStatus::Signaled(..)
            | WaitStatus::Stopped(..)
            | WaitStatus::Continued(_)
            | WaitStatus::StillAlive) => panic!("unexpected {other:?}"),
        }
        ptrace::syscall(pid, None).unwrap();
    }
}

fn is_in_write(pid: Pid) -> bool {
    const CHANGING: [libc::c_long; 14] = [
        libc::SYS_openat,
        libc::SYS_mkdirat,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_pwrite64,
        libc::SYS_copy_file_range,
        libc::SYS_sendfile,
        libc::SYS_fchmod,
        libc::SYS_fsync,
        libc::SYS_renameat,
        libc::SYS_renameat2,
        libc::SYS_linkat,
        libc::SYS_unlinkat,
        libc::SYS_ftruncate,
    ];
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap();
    let number = call.split(' ').next().unwrap().parse().unwrap();
    CHANGING.contains(&number)
}
