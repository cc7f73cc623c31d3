//! Scenes, played.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{code, err, file, files_below, fixture, out, run, run_with};

const CREATED: &str = "step: It is created.\ninstance: { metadata: { name: ada }, spec: { image: { tag: 2026.9.6 } } }\n";

/// The part of a help text that is indented, from the line that begins with this word on.
fn indented<'a>(help: &'a str, from: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| !line.starts_with(&format!("  {from}")));
    lines.map_while(|line| line.strip_prefix("  ")).collect()
}

#[test]
fn the_example_of_the_help_text_plays() {
    let output = run(&["play", "--help"]);
    let scene = indented(out(&output), "step: ").join("\n");
    let command = indented(out(&output), "openclaw-cli play");
    let [command] = command.as_slice() else { panic!("one command: {command:?}") };
    let directory = TempDir::new().expect("a directory");
    file(&directory, "scene.yaml", scene);
    let played = Command::new(env!("CARGO_BIN_EXE_openclaw-cli"))
        .args(command.split_whitespace().skip(1))
        .current_dir(directory.path())
        .output()
        .expect("it runs");
    assert_eq!((code(&played), err(&played)), (0, ""));
    let said = out(&played);
    assert!(
        said.starts_with("The user creates an instance.\n  pass 1\n    sees OpenClawInstance/ada")
    );
    assert!(said.contains("\nThe user switches it off.\n"), "{said}");
    assert!(said.contains("says phase Suspended"), "{said}");
}

/// What the tests of the library play is what people play.
#[test]
fn scenes_of_the_repository_play_as_in_their_snapshots() {
    let scenes = files_below(Path::new(&fixture("lifecycle")));
    let scenes = scenes.iter().filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots/lifecycle");
    // Every one is played by the library's own tests.
    for path in scenes.step_by(5) {
        let output = run(&["play", path.to_str().expect("UTF-8")]);
        assert_eq!((code(&output), err(&output)), (0, ""), "{}", path.display());
        let name = path.file_stem().expect("a name").to_string_lossy();
        let kept = fs::read_to_string(snapshots.join(format!("{name}.snap"))).expect("a snapshot");
        let kept = kept.splitn(3, "---\n").nth(2).expect("a body").to_owned();
        assert_eq!(out(&output).trim_end(), kept.trim_end(), "{name}");
    }
}

#[test]
fn a_program_gets_the_same_as_json() {
    let output = run_with(&["play", "-o", "json", "-"], CREATED.as_bytes());
    assert_eq!((code(&output), err(&output)), (0, ""));
    let told: Value = serde_json::from_str(out(&output)).expect("JSON");
    let step = &told["steps"][0];
    assert_eq!((&step["step"], &step["podsReplaced"]), (&"It is created.".into(), &0.into()));
    let first = &step["passes"][0];
    assert_eq!(first["sees"][0], "OpenClawInstance/ada, generation 1");
    let does = first["does"].as_array().expect("a list");
    assert!(does.contains(&"apply StatefulSet/ada".into()), "{does:?}");
    let last = step["passes"].as_array().expect("a list").last().expect("a pass");
    assert_eq!(last["status"]["phase"], "Running");
}

#[test]
fn what_is_wrong_with_a_scene_is_told_its_place() {
    let wrong = |more: &str| {
        let output = run_with(&["play", "-"], format!("{CREATED}{more}").as_bytes());
        assert_eq!(code(&output), 1, "{more}: {}", err(&output));
        err(&output).to_owned()
    };
    insta::assert_snapshot!(wrong("---\nmerg: {}\n"), @"
    -:4:1: merg: unknown field `merg`, expected one of `step`, `instance`, `adopt`, `merge`, `create`, `delete`, `edit`, `settings`, `kinds`, `tags`, `broken`, `missingImages`, `later`, `packs`, `approve`
      |
    4 | merg: {}
      | ^^^^
    ");
    insta::assert_snapshot!(wrong("---\nlater: soon\n"), @r#"
    -:4:1: later: invalid type: string "soon", expected i64
      |
    4 | later: soon
      | ^^^^^
    "#);
    insta::assert_snapshot!(wrong("---\nlater: -1\n"), @"
    -:4:1: later: no time can be taken back: give seconds, at least 0
      |
    4 | later: -1
      | ^^^^^
    ");
    insta::assert_snapshot!(wrong("---\ndelete: [Secret/keys]\n"), @"
    -:4:10: delete[0]: cannot happen now: it does not exist
      |
    4 | delete: [Secret/keys]
      |          ^^^^^^^^^^^
    ");
    insta::assert_snapshot!(wrong("---\ndelete: [keys]\n"), @"
    -:4:10: delete[0]: is not `Kind/name`
      |
    4 | delete: [keys]
      |          ^^^^
    ");
    insta::assert_snapshot!(wrong("---\nedit: { object: Service/x, merge: {} }\n"), @"
    -:4:9: edit.object: cannot happen now: there is no Service/x
      |
    4 | edit: { object: Service/x, merge: {} }
      |         ^^^^^^
    ");
    insta::assert_snapshot!(wrong("---\napprove: true\n"), @"
    -:4:1: approve: cannot happen now: no roll-out is held
      |
    4 | approve: true
      | ^^^^^^^
    ");
    insta::assert_snapshot!(wrong("---\ncreate: [{ kind: Secret }]\n"), @"
    -:4:10: create[0]: is no object: `metadata.name` is not there
      |
    4 | create: [{ kind: Secret }]
      |          ^
    ");
    insta::assert_snapshot!(wrong("---\ninstance: { metadata: { name: bob } }\n"), @r#"
    -:4:1: instance: a scene is about one agent, "ada", and this is "bob"
      |
    4 | instance: { metadata: { name: bob } }
      | ^^^^^^^^
    "#);
    insta::assert_snapshot!(wrong("---\nadopt: { file: ../x.json, name: ada }\n"), @r#"
    -:4:10: adopt.file: "../x.json" is not a file in the folder of the scene
      |
    4 | adopt: { file: ../x.json, name: ada }
      |          ^^^^
    "#);
    insta::assert_snapshot!(wrong("---\nstep: [\n"), @"
    -:4:7: document: failed to parse: line 4 column 7: unclosed bracket '['
    ");
    let output = run_with(&["play", "-"], b"step: Nothing.\n");
    insta::assert_snapshot!(err(&output), @"
    -:1:1: document: the first step brings the agent: give `instance` with `metadata.name`, or `adopt`
      |
    1 | step: Nothing.
      | ^
    ");
    let output = run_with(&["play", "-"], b"");
    insta::assert_snapshot!(err(&output), @"
    -: document: the first step brings the agent: give `instance` with `metadata.name`, or `adopt`
    ");
}

#[test]
fn what_was_played_before_a_step_that_cannot_happen_is_printed() {
    let scene = format!("{CREATED}---\nstep: It is approved.\napprove: true\n");
    let output = run_with(&["play", "-"], scene.as_bytes());
    assert_eq!(code(&output), 1);
    assert!(out(&output).starts_with("It is created.\n"), "{}", out(&output));
    assert!(!out(&output).contains("It is approved."), "{}", out(&output));
}
