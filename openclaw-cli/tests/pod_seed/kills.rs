//! Runs that are killed before any of their writes, and completed by a second one.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::json;

use crate::pod::{PROGRAM, Pod, directory, file, plan};

#[test]
fn a_run_killed_before_any_write_leaves_a_tree_that_a_second_run_completes() {
    let plan = plan(
        &json!([directory("home", "0700"), directory("home/tmp", "1777")]),
        &json!([
            file("home/a/new.md", "one", "createOnly"),
            file("home/changed.md", "two", "converge"),
            file("home/kept.md", "one", "createOnly"),
            file("home/new.md", "two", "converge"),
            file("home/replaced.md", "two", "replace"),
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
