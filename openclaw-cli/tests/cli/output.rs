//! What is printed or written of good inputs.

use std::fs;

use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, files_below, fixture, out, run, run_with};

#[test]
fn yaml_json_and_files_hold_the_same_objects() {
    let minimal = fixture("instances/minimal.yaml");
    let yaml = run(&["render", &minimal]);
    assert_eq!((code(&yaml), err(&yaml).lines().count()), (0, 1), "advice on keys");
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
fn an_agent_in_a_few_fields_is_taken_for_its_instance() {
    let small = fixture("agent-instances/small.yaml");
    let converted = run(&["convert", &small]);
    assert_eq!(code(&converted), 0, "{}", err(&converted));
    assert!(out(&converted).starts_with("---\napiVersion: openclaw.rocks/v1alpha1\n"));
    assert!(!out(&converted).contains("ownerReferences"), "{}", out(&converted));
    let names = |output: &std::process::Output| out(output).to_owned();
    let of_agent = names(&run(&["render", "-o", "name", &small]));
    let of_instance = names(&run_with(&["render", "-o", "name", "-"], &converted.stdout));
    assert_eq!(of_agent, of_instance);
    assert!(of_agent.contains("statefulset.apps/ada\n"), "{of_agent}");
}

#[test]
fn what_is_wrong_with_an_agent_is_told_at_its_own_field() {
    let wrong = fixture("agent-instances/wrong.yaml");
    let output = run(&["check", &wrong]);
    assert_eq!(code(&output), 1);
    let told = format!("{wrong}:15:16: spec.workspace.persistentVolumeClaim: \"Not_A_Claim\"");
    assert!(err(&output).contains(&told), "{}", err(&output));
    assert_eq!((code(&run(&["convert", &wrong])), out(&run(&["convert", &wrong]))), (1, ""));
}
