//! Usage and inputs that are wrong, unreadable or too large, and a reader who leaves.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, fixture, out, run, run_with};

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
            // What is no text at all was not looked into.
            let expected = if (command, name) == ("check", "not UTF-8") { 2 } else { 1 };
            assert_eq!((code(&output), out(&output)), (expected, ""), "{command}: {name}");
            let said = err(&output)
                .lines()
                .filter(|line| line.starts_with("-:") || line.starts_with("error:"))
                .count();
            assert_eq!(said, 1, "{command}: {name}: {}", err(&output));
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
fn standard_input_is_read_once() {
    for (arguments, expected) in [
        (["render", "-", "-"], 1),
        (["images", "-", "-"], 1),
        (["check", "-", "-"], 2),
        (["diff", "-", "-"], 2),
    ] {
        let output = run_with(&arguments, MINIMAL.as_bytes());
        assert_eq!((code(&output), out(&output)), (expected, ""), "{arguments:?}");
        assert!(err(&output).contains("named twice"), "{arguments:?}: {}", err(&output));
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
