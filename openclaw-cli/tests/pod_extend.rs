//! `openclaw-cli pod extend` as a process, with stand-ins for npm and the application.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_openclaw-cli");
/// Stands in for npm: counts its calls, and makes what npm makes.
const NPM: &str = r#"#!/bin/sh
echo "npm $* scripts:$NPM_CONFIG_IGNORE_SCRIPTS$npm_config_ignore_scripts options:$NODE_OPTIONS" >>"$HOME/calls"
[ -e "$HOME/down" ] && { echo registry is down >&2; exit 1; }
verb=$1
while [ "$1" != --prefix ]; do shift; done
package=$(echo "$4" | sed 's/\(.\)@.*/\1/')
[ "$verb" = uninstall ] && { rm -r "$2/lib/node_modules/$package"; exit; }
mkdir -p "$2/lib/node_modules/$package"
echo '{}' >"$2/lib/node_modules/$package/package.json"
"#;
/// Stands in for the application, whose installers write into its configuration.
const OPENCLAW: &str = r#"#!/bin/sh
[ "$3" = --help ] && { echo " --accept-capabilities  Accept"; exit 0; }
echo "openclaw $* scripts:$NPM_CONFIG_IGNORE_SCRIPTS$npm_config_ignore_scripts $(cat "$OPENCLAW_CONFIG_PATH")" >>"$HOME/calls"
[ -e "$HOME/hangs" ] && sleep 600
[ -e "$HOME/down" ] && { echo hub is down >&2; exit 1; }
case "$*" in
"plugins uninstall tiny --force") rm -r "$OPENCLAW_STATE_DIR/extensions/tiny" ;;
*missing*) echo "Skill not found" >&2; exit 1 ;;
"plugins install"*)
  mkdir -p "$OPENCLAW_STATE_DIR/extensions/tiny"
  echo '{}' >"$OPENCLAW_STATE_DIR/extensions/tiny/package.json"
  echo '{"id":"tiny"}' >"$OPENCLAW_STATE_DIR/extensions/tiny/openclaw.plugin.json"
  echo '{"plugins":{"entries":{"tiny":{"enabled":true}}}}' >"$OPENCLAW_CONFIG_PATH" ;;
*)
  case "$*" in *--global*) to=$OPENCLAW_STATE_DIR ;; *) to=$OPENCLAW_STATE_DIR/workspace-ops ;; esac
  slug=${3##*/}
  mkdir -p "$to/skills/$slug/.clawhub"
  echo "$*" >"$to/skills/$slug/SKILL.md"
  echo '{"ownerHandle":"a","installedVersion":"1.0.0"}' >"$to/skills/$slug/.clawhub/origin.json" ;;
esac
"#;

struct Pod {
    folder: TempDir,
}

impl Pod {
    fn new() -> Self {
        let pod = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "home/.openclaw", "work"] {
            fs::create_dir_all(pod.path(folder)).unwrap();
        }
        for (program, script) in [("npm", NPM), ("openclaw", OPENCLAW)] {
            fs::write(pod.path("bin").join(program), script).unwrap();
            let mode = Permissions::from_mode(0o755);
            fs::set_permissions(pod.path("bin").join(program), mode).unwrap();
        }
        pod.runs("2026.9.6");
        pod
    }

    /// The version that the application has from now on.
    fn runs(&self, version: &str) {
        let package = format!(r#"{{"name": "openclaw", "version": "{version}"}}"#);
        fs::write(self.path("bin/package.json"), package).unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn skills(&self, seconds: u32, what: &[&str]) -> String {
        self.extend("skills", seconds, what)
    }

    fn plugins(&self, what: &[&str]) -> String {
        self.extend("plugins", 30, what)
    }

    /// Runs it, which always ends well; returns its last words.
    fn extend(&self, sort: &str, seconds: u32, what: &[&str]) -> String {
        let path = std::env::var("PATH").unwrap();
        let _ = fs::remove_file(self.path("words"));
        let output = Command::new(PROGRAM)
            .args(["pod", "extend", "--sort", sort, "--home"])
            .arg(self.path("home"))
            .arg("--state")
            .arg(self.path("home/.openclaw"))
            .arg("--work-dir")
            .arg(self.path("work"))
            .args(["--timeout-seconds", &seconds.to_string(), "--termination-log"])
            .arg(self.path("words"))
            .args(what)
            .env("HOME", self.path("home"))
            .env("NODE_OPTIONS", "--require /x")
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::read_to_string(self.path("words")).unwrap_or_default()
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("home/calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn touch(&self, path: &str) {
        fs::write(self.path(path), "").unwrap();
    }
}

const SKILLS: &[&str] = &[
    "--npm=@s/tool@1.0.0",
    "--skill=@a/weather@1.0.0",
    "--workspace-skill=workspace-ops=@a/notes",
];
const PLUGINS: &[&str] = &["--plugin=npm:tiny-plugin@1.2.3"];

#[test]
fn everything_is_installed_once_without_scripts_and_then_needs_no_network() {
    let pod = Pod::new();
    assert_eq!((pod.skills(30, SKILLS), pod.plugins(PLUGINS)), Default::default());
    let calls = pod.calls();
    assert_eq!(calls.len(), 4, "{calls:#?}");
    assert!(calls.iter().all(|call| call.contains("scripts:truetrue")), "{calls:#?}");
    assert!(calls[0].ends_with("-- @s/tool@1.0.0 scripts:truetrue options:"), "{calls:#?}");
    assert!(calls[1].contains("install @a/weather --version 1.0.0 --global "), "{calls:#?}");
    assert!(calls[2].contains("install @a/notes scripts:truetrue {\"agents\""), "{calls:#?}");
    let plugin = "plugins install npm:tiny-plugin@1.2.3 --force --accept-capabilities ";
    assert!(calls[3].contains(plugin), "{calls:#?}");
    assert!(!pod.path("home/.openclaw/openclaw.json").exists());
    pod.touch("home/down");
    assert_eq!((pod.skills(30, SKILLS), pod.plugins(PLUGINS)), Default::default());
    assert_eq!(pod.calls().len(), 4);
}

#[test]
fn what_fails_is_named_and_stops_nothing_else() {
    let pod = Pod::new();
    let words = pod.skills(30, &["--skill=@a/missing", "--skill=@a/weather"]);
    assert!(words.starts_with("@a/missing: "), "{words}");
    assert!(words.contains("Skill not found") && !words.contains("weather"), "{words}");
    assert!(pod.path("home/.openclaw/skills/weather/SKILL.md").is_file());
}

#[test]
fn a_plugin_is_installed_anew_for_another_version_and_what_is_there_stays_if_that_fails() {
    let pod = Pod::new();
    assert_eq!(pod.plugins(&["--plugin=npm:tiny-plugin"]), "");
    pod.runs("2026.9.7");
    pod.touch("home/down");
    let words = pod.plugins(&["--plugin=npm:tiny-plugin"]);
    assert!(words.contains("hub is down"), "{words}");
    assert!(pod.path("home/.openclaw/extensions/tiny/package.json").is_file());
}

#[test]
fn a_skill_of_the_agents_own_stays_and_that_of_another_owner_does_not() {
    let pod = Pod::new();
    let skills = pod.path("home/.openclaw/skills");
    fs::create_dir_all(skills.join("own")).unwrap();
    fs::write(skills.join("own/SKILL.md"), "mine").unwrap();
    fs::create_dir_all(skills.join("other/.clawhub")).unwrap();
    fs::write(skills.join("other/SKILL.md"), "theirs").unwrap();
    fs::write(skills.join("other/.clawhub/origin.json"), r#"{"ownerHandle": "evil"}"#).unwrap();
    let words = pod.skills(30, &["--skill=@a/own", "--skill=@a/other"]);
    assert!(words.contains("does not come from ClawHub, and stays"), "{words}");
    assert_eq!(fs::read_to_string(skills.join("own/SKILL.md")).unwrap(), "mine");
    let other = fs::read_to_string(skills.join("other/SKILL.md")).unwrap();
    assert!(other.contains("@a/other --force"), "{other}");
}

#[test]
fn a_hub_that_never_answers_costs_the_time_limit_once_for_all() {
    let pod = Pod::new();
    pod.touch("home/hangs");
    let begin = Instant::now();
    let words = pod.skills(2, &["--skill=@a/one", "--skill=@a/two"]);
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(words.contains("@a/one: ") && words.contains("took too long"), "{words}");
    assert!(words.contains("@a/two: was not tried: the time is over"), "{words}");
}

#[test]
fn what_is_asked_for_no_more_goes_and_a_run_for_skills_takes_no_plugin_away() {
    let pod = Pod::new();
    assert_eq!((pod.skills(30, SKILLS), pod.plugins(PLUGINS)), Default::default());
    let left = ["--skill=@a/weather@1.0.0"];
    assert_eq!(pod.skills(30, &left), "");
    let [tool, weather, notes, plugin] = [
        ".local/lib/node_modules/@s/tool",
        ".openclaw/skills/weather",
        ".openclaw/workspace-ops/skills/notes",
        ".openclaw/extensions/tiny",
    ]
    .map(|path| pod.path("home").join(path));
    assert!(!tool.exists() && !notes.exists());
    assert!(weather.is_dir() && plugin.is_dir());
    assert_eq!(pod.plugins(&[]), "");
    assert!(!plugin.exists());
    let calls = pod.calls();
    assert!(calls.iter().all(|call| call.contains("scripts:truetrue")), "{calls:#?}");
    // What is gone is not taken away twice.
    assert_eq!((pod.skills(30, &left), pod.plugins(&[])), Default::default());
    assert_eq!(pod.calls(), calls);
}

#[test]
fn what_was_there_before_it_was_asked_for_stays_and_so_does_what_the_agent_made_its_own() {
    let pod = Pod::new();
    let state = pod.path("home/.openclaw");
    let before = [
        "skills/weather/.clawhub/origin.json",
        "extensions/tiny/package.json",
        "../.local/lib/node_modules/@s/tool/package.json",
    ]
    .map(|path| state.join(path));
    for file in &before {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, r#"{"name": "tiny-plugin"}"#).unwrap();
    }
    assert_eq!((pod.skills(30, SKILLS), pod.plugins(PLUGINS)), Default::default());
    let own = state.join("workspace-ops/skills/notes");
    fs::remove_dir_all(own.join(".clawhub")).unwrap();
    assert_eq!((pod.skills(30, &[]), pod.plugins(&[])), Default::default());
    assert!(before.iter().all(|file| file.is_file()), "{before:?}");
    assert!(own.join("SKILL.md").is_file());
}

#[test]
fn what_cannot_be_removed_is_named_and_tried_again_and_everything_else_is_done() {
    let pod = Pod::new();
    assert_eq!(pod.plugins(PLUGINS), "");
    pod.touch("home/down");
    let words = pod.plugins(&[]);
    assert!(
        words.starts_with("npm:tiny-plugin@1.2.3 is asked for no more, and still there"),
        "{words}"
    );
    assert!(words.contains("hub is down"), "{words}");
    fs::remove_file(pod.path("home/down")).unwrap();
    assert_eq!(pod.plugins(&[]), "");
    assert!(!pod.path("home/.openclaw/extensions/tiny").exists());
}

#[test]
fn a_record_leads_nowhere_but_to_skills() {
    let pod = Pod::new();
    assert_eq!(pod.skills(30, &["--skill=@a/weather"]), "");
    let records = pod.path("home/.local/share/openclaw-tools/installed");
    let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    let forged = fs::read_to_string(&record).unwrap().replace("@a/weather", "@a/..");
    assert!(forged.contains("@a/.."));
    fs::write(&record, forged).unwrap();
    fs::create_dir_all(pod.path("home/.openclaw/.clawhub")).unwrap();
    fs::write(pod.path("home/.openclaw/.clawhub/origin.json"), "{}").unwrap();
    assert_eq!(pod.skills(30, &[]), "");
    assert!(pod.path("home/.openclaw/skills/weather").is_dir());
}
