//! What people and CI see of `render`, `check` and `crds`: output, exit codes, problem lines.

#![expect(clippy::expect_used, reason = "helpers of tests: what is broken must be loud")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use assert_cmd::Command;
use tempfile::TempDir;

const MINIMAL: &str = "apiVersion: openclaw.rocks/v1alpha1\nkind: OpenClawInstance\n\
                       metadata: { name: ada }\nspec: { image: { tag: 2026.9.6 } }\n";

fn cli(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("openclaw-cli").expect("the program is built");
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    cli(arguments).output().expect("it runs")
}

fn run_with(arguments: &[&str], stdin: &[u8]) -> Output {
    cli(arguments).write_stdin(stdin).output().expect("it runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits by itself")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

fn fixture(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(path);
    path.to_str().expect("UTF-8").to_owned()
}

fn file(directory: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.path().join(name);
    fs::write(&path, content).expect("the file is written");
    path.to_str().expect("UTF-8").to_owned()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory exists") {
        let path = entry.expect("it is readable").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn yaml_json_and_files_hold_the_same_objects() {
    let minimal = fixture("instances/minimal.yaml");
    let yaml = run(&["render", &minimal]);
    assert_eq!((code(&yaml), err(&yaml)), (0, ""));
    let from_yaml: Vec<serde_json::Value> =
        serde_saphyr::from_multiple(out(&yaml)).expect("it is YAML");

    let json = run(&["render", "-o", "json", &minimal]);
    let list: serde_json::Value = serde_json::from_str(out(&json)).expect("it is JSON");
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"].as_array().expect("items"), &from_yaml);

    let directory = TempDir::new().expect("a directory");
    let target = format!("dir={}", directory.path().display());
    let written = run(&["render", "-o", &target, &minimal]);
    assert_eq!((code(&written), out(&written)), (0, ""));
    let files = files_below(directory.path());
    assert_eq!(files.len(), from_yaml.len());
    for path in files {
        let text = fs::read_to_string(&path).expect("it is readable");
        let object: serde_json::Value = serde_saphyr::from_str(&text).expect("it is YAML");
        assert!(from_yaml.contains(&object), "{path:?}");
    }
    assert!(directory.path().join("agents/StatefulSet.ada.yaml").is_file());
}

#[test]
fn standard_input_renders_like_a_file() {
    let minimal = fixture("instances/minimal.yaml");
    let text = fs::read(&minimal).expect("it is readable");
    let piped = run_with(&["render", "-"], &text);
    assert_eq!(code(&piped), 0);
    assert_eq!(piped.stdout, run(&["render", &minimal]).stdout);
}

#[test]
fn a_namespace_is_given_only_to_what_names_none() {
    let without = run_with(&["render", "-n", "elsewhere", "-"], MINIMAL.as_bytes());
    assert!(out(&without).contains("namespace: elsewhere"));
    assert!(!out(&without).contains("namespace: default"));
    let minimal = fixture("instances/minimal.yaml");
    let named = run(&["render", "--namespace", "elsewhere", &minimal]);
    assert_eq!(named.stdout, run(&["render", &minimal]).stdout);
}

#[test]
fn a_generated_token_is_64_hexadecimal_digits_and_new_every_time() {
    let token = || {
        let output =
            run_with(&["render", "--generate-secrets", "-o", "json", "-"], MINIMAL.as_bytes());
        let list: serde_json::Value = serde_json::from_str(out(&output)).expect("it is JSON");
        let items = list["items"].as_array().expect("items").clone();
        let secret = items.iter().find(|item| item["kind"] == "Secret").expect("a Secret");
        decode(secret["data"]["token"].as_str().expect("a token"))
    };
    let (first, second) = (token(), token());
    assert_eq!(first.len(), 64);
    assert!(first.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{first}");
    assert_ne!(first, second);
}

/// Base64, of text.
fn decode(text: &str) -> String {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = chunk.iter().fold(0, |bits, byte| (bits << 6) | value(*byte));
        let bits = bits << (6 * (4 - chunk.len()));
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(chunk.len() - 1));
    }
    String::from_utf8(bytes).expect("the token is text")
}

#[test]
fn without_being_asked_no_token_is_made_and_two_runs_are_equal() {
    let first = run_with(&["render", "-"], MINIMAL.as_bytes());
    assert!(!out(&first).contains("token:"));
    assert_eq!(first.stdout, run_with(&["render", "-"], MINIMAL.as_bytes()).stdout);
}

#[test]
fn a_problem_is_a_line_with_file_path_and_message() {
    let directory = TempDir::new().expect("a directory");
    let path = file(&directory, "a.yaml", format!("{MINIMAL}---\n"));
    let output = run_with(&["render", "-"], format!("{MINIMAL}suspended: 1\n").as_bytes());
    assert_eq!(code(&output), 0);
    assert_eq!(
        err(&output),
        "-: suspended: advice: is no field of the API: the API server drops it; correct the \
         spelling or remove it\n"
    );
    let bad = fixture("invalid/probes.yaml");
    let output = run(&["render", &path, &bad]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "", "nothing is printed when one input is wrong");
    assert!(err(&output).lines().all(|line| line.starts_with(&format!("{bad}: spec."))));
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
    assert!(err(&rendered).starts_with("-: spec.colour: advice: is no field"));
    for arguments in [["check", "-"].as_slice(), &["render", "--strict", "-"]] {
        let output = run_with(arguments, text.as_bytes());
        assert_eq!((code(&output), out(&output)), (1, ""), "{arguments:?}");
        assert!(err(&output).starts_with("-: spec.colour: is no field"), "{}", err(&output));
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
fn check_says_which_inputs_are_well() {
    let output = run_with(&["check", "-"], MINIMAL.as_bytes());
    assert_eq!((code(&output), out(&output), err(&output)), (0, "-: ok\n", ""));
}

#[test]
fn definitions_are_printed_or_written() {
    let printed = run(&["crds"]);
    assert_eq!(code(&printed), 0);
    let definitions: Vec<serde_json::Value> =
        serde_saphyr::from_multiple(out(&printed)).expect("it is YAML");
    assert!(definitions.iter().all(|each| each["kind"] == "CustomResourceDefinition"));
    let directory = TempDir::new().expect("a directory");
    let target = directory.path().join("new/crds");
    let written = run(&["crds", "--out", target.to_str().expect("UTF-8")]);
    assert_eq!((code(&written), out(&written)), (0, ""));
    assert_eq!(files_below(&target).len(), definitions.len());
}

#[test]
fn wrong_usage_exits_2() {
    for arguments in [
        [].as_slice(),
        &["render"],
        &["check"],
        &["render", "--output", "xml", "-"],
        &["render", "--output", "dir=", "-"],
        &["render", "--no-such-option", "-"],
        &["no-such-command"],
        &["pod"],
        &["crds", "surplus"],
        &["render", ""],
    ] {
        let output = run(arguments);
        assert_eq!((code(&output), out(&output)), (2, ""), "{arguments:?}");
    }
}

#[test]
fn input_that_is_no_manifest_fails_with_one_reason() {
    let deep = "[".repeat(100_000);
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e]\n\
                g: [*f,*f,*f,*f,*f,*f,*f,*f]\n";
    let inputs: [(&str, &[u8]); 10] = [
        ("empty", b""),
        ("only separators", b"---\n---\n"),
        ("null", b"null\n"),
        ("NUL bytes", b"\0\0\0"),
        ("not UTF-8", b"\xff\xfe\x00a"),
        ("garbage", b"}{ %$&: [\t"),
        ("a tab", b"a:\n\t- b"),
        ("a string", b"hello"),
        ("deep", deep.as_bytes()),
        ("aliases without end", bomb.as_bytes()),
    ];
    for (name, input) in inputs {
        for command in ["render", "check"] {
            let output = run_with(&[command, "-"], input);
            assert_eq!((code(&output), out(&output)), (1, ""), "{command}: {name}");
            assert_eq!(err(&output).lines().count(), 1, "{command}: {name}: {}", err(&output));
            assert!(!err(&output).contains("panicked"), "{name}: {}", err(&output));
        }
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let directory = TempDir::new().expect("a directory");
    let folder = directory.path().to_str().expect("UTF-8");
    let absent = directory.path().join("absent.yaml");
    for path in [folder, absent.to_str().expect("UTF-8")] {
        let output = run(&["render", path]);
        assert_eq!((code(&output), out(&output)), (1, ""), "{path}");
        assert!(err(&output).contains(&format!("{path:?}")), "{}", err(&output));
    }
}

#[test]
fn an_input_above_the_limit_is_refused_without_being_parsed() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("huge.yaml");
    // Sparse: it takes no space.
    fs::File::create(&path).expect("it is made").set_len((64 << 20) + 1).expect("it grows");
    let output = run(&["render", path.to_str().expect("UTF-8")]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("larger than 67108864 bytes"), "{}", err(&output));
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = TempDir::new().expect("a directory");
    let path = file(&directory, "taken", "");
    let output = run_with(&["render", "-o", &format!("dir={path}"), "-"], MINIMAL.as_bytes());
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("failed to write"), "{}", err(&output));
}

#[test]
fn nothing_is_written_outside_of_the_directory() {
    for namespace in ["..", "../..", "/tmp/elsewhere", "a/../../b", "a/b", ".", "Agents", "a.b"] {
        let directory = TempDir::new().expect("a directory");
        let target = directory.path().join("a/b/out");
        let manifest = MINIMAL.replace("name: ada", &format!("name: ada, namespace: {namespace}"));
        let arguments = ["render", "-o", &format!("dir={}", target.display()), "-"];
        let output = run_with(&arguments, manifest.as_bytes());
        assert_eq!(code(&output), 1, "{namespace}");
        assert!(err(&output).contains("metadata.namespace: "), "{namespace}: {}", err(&output));
        assert_eq!(files_below(directory.path()), Vec::<PathBuf>::new(), "{namespace}");
        let checked = run_with(&["check", "-"], manifest.as_bytes());
        assert_eq!(code(&checked), 1, "{namespace}");
    }
    let given = run_with(&["render", "-n", "../x", "-"], MINIMAL.as_bytes());
    assert_eq!((code(&given), out(&given)), (1, ""));
}

#[test]
fn no_link_in_the_directory_is_followed() {
    let write = |target: &Path| {
        let arguments = ["render", "-o", &format!("dir={}", target.display()), "-"];
        run_with(&arguments, MINIMAL.as_bytes())
    };
    for link in ["default", "default/StatefulSet.ada.yaml"] {
        let directory = TempDir::new().expect("a directory");
        let (target, elsewhere) = (directory.path().join("out"), directory.path().join("else"));
        fs::create_dir_all(target.join(link).parent().expect("a folder")).expect("it is made");
        fs::create_dir(&elsewhere).expect("it is made");
        let victim = if link == "default" { elsewhere.clone() } else { elsewhere.join("file") };
        std::os::unix::fs::symlink(victim, target.join(link)).expect("it is linked");
        let output = write(&target);
        assert_eq!(code(&output), 1, "{link}");
        assert!(err(&output).contains("it is a symbolic link"), "{link}: {}", err(&output));
        assert_eq!(files_below(&elsewhere), Vec::<PathBuf>::new(), "{link}");
    }
    // The directory itself is where the user wants it.
    let directory = TempDir::new().expect("a directory");
    fs::create_dir(directory.path().join("real")).expect("it is made");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("real", &link).expect("it is linked");
    assert_eq!(code(&write(&link)), 0);
    assert!(directory.path().join("real/default/StatefulSet.ada.yaml").is_file());
}

/// Whoever writes a ConfigMap must not end the process that reads it.
#[test]
fn configurations_of_any_depth_and_size_are_refused_by_name() {
    let referring = |format: &str, content: &str| {
        let content = serde_json::Value::from(content);
        format!(
            "{MINIMAL}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c }}\n\
             data: {{ openclaw.json: {content} }}\n"
        )
        .replace(
            "spec: {",
            &format!("spec: {{ config: {{ configMapRef: {{ name: c }}, format: {format} }}, "),
        )
    };
    let inline = |raw: &str| {
        MINIMAL.replace("spec: {", &format!("spec: {{ config: {{ raw: {{ session: {raw} }} }}, "))
    };
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for (what, manifest, said) in [
        ("JSON5", referring("json5", &"{a:[".repeat(250_000)), "deeper than 128 levels"),
        ("JSON", referring("json", &"[".repeat(1_000_000)), "deeper than 128 levels"),
        // The reader of YAML has a bound of its own, which is lower.
        ("inline", inline(&deep(140)), "failed to parse"),
        (
            "indented",
            inline(&format!("[{}0]", format!("{},", deep(55)).repeat(175))),
            "spec.config.raw: makes a ConfigMap of ",
        ),
        (
            "many",
            inline(&format!("[{}0]", "0,".repeat(20_000))),
            "spec.config.raw: has, with all that is before it, more than 10000 values",
        ),
    ] {
        for command in ["render", "check"] {
            let output = run_with(&[command, "-"], manifest.as_bytes());
            assert_eq!((code(&output), out(&output)), (1, ""), "{what}: {}", err(&output));
            assert!(err(&output).contains(said), "{what}: {}", err(&output));
        }
    }
}

#[test]
fn nobody_reading_is_no_panic() {
    for arguments in [["crds"].as_slice(), &["render", &fixture("instances/minimal.yaml")]] {
        let program = assert_cmd::cargo::cargo_bin("openclaw-cli");
        let mut child = std::process::Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("standard error").read_to_string(&mut said).expect("UTF-8");
        let status = child.wait().expect("it ends");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        assert!(status.code().is_none_or(|code| code <= 1), "{arguments:?}: {status}");
    }
}
