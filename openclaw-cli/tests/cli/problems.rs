//! What is said of specs, and when it fails `render` or `check`.

use std::path::Path;

use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, file, files_below, fixture, out, run, run_with};

#[test]
fn a_problem_is_a_line_with_file_path_and_message() {
    let directory = TempDir::new().expect("a directory");
    let path = file(&directory, "a.yaml", format!("{MINIMAL}---\n"));
    let output = run_with(&["render", "-"], format!("{MINIMAL}suspended: 1\n").as_bytes());
    assert_eq!(code(&output), 0);
    assert_eq!(
        err(&output),
        "-:5:1: suspended: advice: is no field of the API: the API server drops it; it belongs at \
         `spec.suspended`\n"
    );
    let bad = fixture("invalid/probes.yaml");
    let output = run(&["render", &path, &bad]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "", "nothing is printed when one input is wrong");
    let line = |line: &str| {
        let rest = line.strip_prefix(&format!("{bad}:"))?;
        let mut rest = rest.splitn(3, ':');
        let place = [rest.next()?.parse::<u32>().ok()?, rest.next()?.parse::<u32>().ok()?];
        Some((place, rest.next()?.starts_with(" spec.")))
    };
    assert!(err(&output).lines().all(|each| matches!(line(each), Some((_, true)))));
}

#[test]
fn every_invalid_fixture_prints_nothing_or_everything() {
    for path in files_below(Path::new(&fixture("invalid"))) {
        let path = path.to_str().expect("UTF-8");
        let output = run(&["render", path]);
        assert_eq!(code(&output) == 1, out(&output).is_empty(), "{path}: {}", err(&output));
        assert!(!err(&output).is_empty(), "{path}");
        assert!(!err(&output).contains("panicked"), "{path}");
    }
}

#[test]
fn a_spec_that_will_not_start_is_rendered_and_fails_the_check() {
    let path = fixture("invalid/config-will-not-start.yaml");
    let rendered = run(&["render", &path]);
    assert_eq!(code(&rendered), 0);
    assert!(out(&rendered).contains("kind: StatefulSet"));
    assert!(err(&rendered).contains(": will not start: "));
    let checked = run(&["check", &path]);
    assert_eq!((code(&checked), out(&checked)), (1, ""));
}

#[test]
fn a_retired_key_that_the_application_migrates_passes_the_check_with_advice() {
    let checked = run(&["check", &fixture("instances/config-retired.yaml")]);
    assert_eq!(code(&checked), 0, "{}", err(&checked));
    assert!(err(&checked).contains("cron.retry: advice: 2026.9.6 refuses this key"));
}

#[test]
fn an_unknown_field_is_advice_and_fails_the_check() {
    let text = MINIMAL.replace("spec: {", "spec: { colour: blue, ");
    let rendered = run_with(&["render", "-"], text.as_bytes());
    assert_eq!(code(&rendered), 0);
    assert!(err(&rendered).starts_with("-:4:9: spec.colour: advice: is no field"));
    for arguments in [["check", "-"].as_slice(), &["render", "--strict", "-"]] {
        let output = run_with(arguments, text.as_bytes());
        assert_eq!((code(&output), out(&output)), (1, ""), "{arguments:?}");
        assert!(err(&output).starts_with("-:4:9: spec.colour: is no field"), "{}", err(&output));
    }
}

#[test]
fn a_reference_that_was_not_seen_fails_only_when_strict() {
    let text = MINIMAL.replace("spec: {", "spec: { envFrom: [{ secretRef: { name: keys } }], ");
    for command in ["render", "check"] {
        assert_eq!(code(&run_with(&[command, "-"], text.as_bytes())), 0, "{command}");
        let strict = run_with(&[command, "--strict", "-"], text.as_bytes());
        assert_eq!((code(&strict), out(&strict)), (1, ""), "{command}");
    }
}

#[test]
fn what_one_file_says_of_the_world_holds_for_the_others() {
    let directory = TempDir::new().expect("a directory");
    let text = MINIMAL.replace("spec: {", "spec: { envFrom: [{ secretRef: { name: keys } }], ");
    let instance = file(&directory, "instance.yaml", text);
    let world = file(
        &directory,
        "world.json",
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"keys"},"stringData":{"A":"hidden-value"}}"#,
    );
    for arguments in
        [["render", "--strict", &instance, &world], ["render", "--strict", &world, &instance]]
    {
        let output = run(&arguments);
        assert_eq!((code(&output), err(&output)), (0, ""));
        assert!(!out(&output).contains("hidden-value"), "the value of a Secret is printed");
    }
}

#[test]
fn two_instances_that_make_one_object_are_refused() {
    let other = MINIMAL.replace("name: ada", "name: ada-x").replace("---", "");
    let both = format!("{MINIMAL}---\n{other}");
    assert_eq!(code(&run_with(&["render", "-"], both.as_bytes())), 0);
    let twice = format!("{MINIMAL}---\n{MINIMAL}");
    let output = run_with(&["render", "-"], twice.as_bytes());
    assert_eq!((code(&output), out(&output)), (1, ""));
}

#[test]
fn a_number_with_a_leading_zero_is_octal_as_kubectl_reads_it() {
    let volume = "extraVolumes: [{ name: keys, secret: { secretName: keys, defaultMode: 0600 } }], \
                  extraVolumeMounts: [{ name: keys, mountPath: /keys }]";
    let text = MINIMAL.replace("spec: {", &format!("spec: {{ {volume}, "));
    let rendered = run_with(&["render", "-"], text.as_bytes());
    assert_eq!(code(&rendered), 0, "{}", err(&rendered));
    assert!(out(&rendered).contains("defaultMode: 384"));
}
