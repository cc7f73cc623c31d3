//! `openclaw-cli pod install` as a process, with stand-ins for the image's programs and with npm.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");
/// Stands in for npm: counts its calls, says its arguments, and makes what npm makes.
const NPM: &str = r#"#!/bin/sh
echo "$*" >>"$HOME/calls"
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/bin"
printf '#!/bin/sh\necho 10\n' >"$2/bin/pnpm"
chmod +x "$2/bin/pnpm"
"#;
/// Stands in for uv.
const UV: &str = r##"#!/bin/sh
echo "$*" >>"$HOME/calls"
for patch in 9 16; do
  mkdir -p "$UV_PYTHON_INSTALL_DIR/cpython-3.12.$patch-linux-x86_64-gnu/bin"
  printf "#!/bin/sh\necho Python 3.12.$patch\n" \
    >"$UV_PYTHON_INSTALL_DIR/cpython-3.12.$patch-linux-x86_64-gnu/bin/python3"
  chmod +x "$UV_PYTHON_INSTALL_DIR/cpython-3.12.$patch-linux-x86_64-gnu/bin/python3"
done
ln -s cpython-3.12.9-linux-x86_64-gnu "$UV_PYTHON_INSTALL_DIR/cpython-3.12-linux-x86_64-gnu"
"##;

struct Pod {
    folder: TempDir,
}

impl Pod {
    fn with(program: &str, script: &str) -> Self {
        let pod = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "home"] {
            fs::create_dir(pod.path(folder)).unwrap();
        }
        fs::write(pod.path("bin").join(program), script).unwrap();
        let mode = Permissions::from_mode(0o755);
        fs::set_permissions(pod.path("bin").join(program), mode).unwrap();
        pod
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs it, which always ends well; returns its last words.
    fn install(&self, tool: &str, version: &str, seconds: u32) -> String {
        let path = std::env::var("PATH").unwrap();
        let _ = fs::remove_file(self.path("words"));
        let output = Command::new(PROGRAM)
            .args(["pod", "install", "--tool", tool, "--version", version, "--home"])
            .arg(self.path("home"))
            .args(["--timeout-seconds", &seconds.to_string(), "--termination-log"])
            .arg(self.path("words"))
            .env("HOME", self.path("home"))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::read_to_string(self.path("words")).unwrap_or_default()
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.path("home/calls")).unwrap_or_default().lines().count()
    }

    fn says(&self, program: &str) -> String {
        let output = Command::new(self.path("home/.local/bin").join(program)).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_tool_is_installed_once_without_scripts_and_then_left_alone() {
    let pod = Pod::with("npm", NPM);
    assert_eq!(pod.install("pnpm", "10.0.0", 30), "");
    assert_eq!(pod.says("pnpm"), "10\n");
    let calls = fs::read_to_string(pod.path("home/calls")).unwrap();
    assert!(calls.starts_with("install --global --ignore-scripts "), "{calls}");
    assert!(calls.ends_with(" -- pnpm@10.0.0\n"), "{calls}");
    assert_eq!(pod.install("pnpm", "10.0.1", 30), "");
    assert_eq!(pod.calls(), 1);
}

#[test]
fn python_is_the_newest_patch_of_its_series_and_uv_comes_with_it() {
    let pod = Pod::with("uv", UV);
    assert_eq!(pod.install("python", "3.12", 30), "");
    for program in ["python", "python3"] {
        assert_eq!(pod.says(program), "Python 3.12.16\n");
    }
    assert!(pod.path("home/.local/bin/uv").is_file());
    assert_eq!(pod.install("python", "3.12", 30), "");
    assert_eq!(pod.calls(), 1);
}

#[test]
fn what_fails_is_tried_again_then_said_and_stops_nothing() {
    let pod =
        Pod::with("npm", "#!/bin/sh\necho x >>$HOME/calls\necho registry is down >&2\nexit 3\n");
    let words = pod.install("pnpm", "10.0.0", 30);
    assert!(words.ends_with("ended with exit status: 3: registry is down"), "{words}");
    assert_eq!(pod.calls(), 3);
    assert!(!pod.path("home/.local/bin/pnpm").exists());
}

#[test]
fn a_registry_that_never_answers_costs_the_time_limit_and_no_more() {
    let pod = Pod::with("npm", "#!/bin/sh\nsleep 600\n");
    let begin = Instant::now();
    let words = pod.install("pnpm", "10.0.0", 1);
    assert!(words.ends_with("took too long"), "{words}");
    assert!(begin.elapsed() < Duration::from_secs(15));
}

#[test]
fn what_a_killed_run_left_is_no_tool_and_is_made_anew() {
    let pod = Pod::with("npm", NPM);
    let half = pod.path("home/.local/share/openclaw-tools/pnpm-10.0.0/bin");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("pnpm"), "half").unwrap();
    fs::create_dir_all(pod.path("home/.local/bin")).unwrap();
    symlink("nowhere", pod.path("home/.local/bin/pnpm")).unwrap();
    assert_eq!(pod.install("pnpm", "10.0.0", 30), "");
    assert_eq!(pod.says("pnpm"), "10\n");
}

#[test]
fn a_link_in_place_of_the_tools_leads_nowhere_out_of_home() {
    let pod = Pod::with("npm", NPM);
    fs::create_dir(pod.path("outside")).unwrap();
    symlink(pod.path("outside"), pod.path("home/.local")).unwrap();
    let words = pod.install("pnpm", "10.0.0", 30);
    assert!(words.contains("it is a symbolic link, not a directory"), "{words}");
    assert_eq!(fs::read_dir(pod.path("outside")).unwrap().count(), 0);
    assert_eq!(pod.calls(), 0);
}
