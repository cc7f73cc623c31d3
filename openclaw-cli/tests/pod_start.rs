//! `openclaw-cli pod start` as a process, on folders that are laid out as images are.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");

/// Stands in for every program of an image: says who it is, how it was called, and in what state.
const STAND_IN: &str = r#"#!/bin/sh
echo "$$ ${0##*/} $*"
while read -r key value; do
  case $key in Sig[BI]*) echo "$value" ;; esac
done </proc/self/status
echo "for $WHOM"
"#;

/// The root of an image, with its programs in `bin`.
struct Image {
    folder: TempDir,
}

impl Image {
    fn with(programs: &[&str]) -> Self {
        let image = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["app", "bin"] {
            fs::create_dir(image.path(folder)).unwrap();
        }
        for program in programs {
            image.write(&format!("bin/{program}"), STAND_IN);
            let mode = Permissions::from_mode(0o755);
            fs::set_permissions(image.path("bin").join(program), mode).unwrap();
        }
        image
    }

    fn official(programs: &[&str]) -> Self {
        let image = Self::with(programs);
        image.write("app/openclaw.mjs", "");
        image
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        fs::write(self.path(path), content).unwrap();
    }

    /// Runs `pod start` to the end. Its number as a process, and what came of it.
    fn start(&self) -> (u32, Output) {
        let child = Command::new(PROGRAM)
            .args(["pod", "start", "--root"])
            .arg(self.folder.path())
            .arg("--termination-log")
            .arg(self.path("termination-log"))
            // A folder that depends on where the process is does not count.
            .env("PATH", format!("app:{}", self.path("bin").display()))
            .env("WHOM", "ada")
            .current_dir(self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        (child.id(), child.wait_with_output().unwrap())
    }

    /// What the process says that `pod start` became, its own number left out.
    fn becomes(&self) -> String {
        let (id, output) = self.start();
        let said = String::from_utf8(output.stdout).unwrap();
        let (number, words) = said.lines().next().unwrap().split_once(' ').unwrap();
        assert_eq!(number, id.to_string(), "it is the process that was started");
        words.replace(self.folder.path().to_str().unwrap(), "")
    }
}

#[test]
fn the_official_image_is_started_as_its_early_entry_point_did() {
    let image = Image::official(&["tini", "node", "openclaw"]);
    assert_eq!(image.becomes(), "tini -s -- /bin/node /app/openclaw.mjs gateway");
}

#[test]
fn an_image_without_tini_is_started_without_it() {
    assert_eq!(Image::official(&["node"]).becomes(), "node /app/openclaw.mjs gateway");
}

#[test]
fn an_image_that_is_laid_out_otherwise_is_started_by_its_program() {
    assert_eq!(Image::with(&["openclaw"]).becomes(), "openclaw gateway");
    assert_eq!(Image::with(&["tini", "openclaw"]).becomes(), "tini -s -- /bin/openclaw gateway");
    // A script that nothing runs is none.
    assert_eq!(Image::official(&["openclaw"]).becomes(), "openclaw gateway");
}

#[test]
fn the_gateway_has_the_environment_and_the_signals_of_a_fresh_process() {
    let (_, output) = Image::with(&["openclaw"]).start();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().skip(1).collect();
    let mask = |text| u64::from_str_radix(text, 16).unwrap();
    let pipe = 1 << (Signal::SIGPIPE as u32 - 1);
    assert_eq!((mask(lines[0]), mask(lines[1]) & pipe, lines[2]), (0, 0, "for ada"));
}

#[test]
fn an_image_that_nothing_can_start_is_named_with_a_way_out() {
    let image = Image::with(&["node", "tini"]);
    image.write("bin/openclaw", "not executable");
    let (_, output) = image.start();
    assert_eq!(output.status.code(), Some(1));
    let words = fs::read_to_string(image.path("termination-log")).unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("error: {words}\n"));
    for word in ["/app/openclaw.mjs", "a program openclaw", "openclaw.rocks/entrypoint=image"] {
        assert!(words.contains(word), "{words}");
    }
}

#[test]
fn a_program_that_cannot_be_run_is_named() {
    let image = Image::official(&["node"]);
    image.write("bin/node", "#!/no/such/interpreter\n");
    let (_, output) = image.start();
    assert_eq!(output.status.code(), Some(1));
    let words = fs::read_to_string(image.path("termination-log")).unwrap();
    assert!(words.contains("failed to run") && words.contains("bin/node"), "{words}");
}

#[test]
fn the_gateway_finds_the_agents_own_programs_first_and_is_not_one_of_them() {
    let image = Image::official(&["node"]);
    let home = image.path("home");
    fs::create_dir_all(home.join(".local/bin")).unwrap();
    let planted = home.join(".local/bin/node");
    fs::write(&planted, "#!/bin/sh\necho planted\n").unwrap();
    fs::set_permissions(&planted, Permissions::from_mode(0o755)).unwrap();
    image.write("bin/node", "#!/bin/sh\necho $PATH\n");
    let output = Command::new(PROGRAM)
        .args(["pod", "start", "--root"])
        .arg(image.folder.path())
        .env("PATH", image.path("bin"))
        .env("HOME", &home)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected =
        format!("{}:{}\n", home.join(".local/bin").display(), image.path("bin").display());
    assert_eq!(said, expected);
}
