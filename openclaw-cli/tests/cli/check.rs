//! `check`: what it finds, where, and in which form it says so.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, file, out, run, run_with};

const WRONG: &str = "\
apiVersion: openclaw.rocks/v1alpha1
kind: OpenClawInstance
metadata:
  name: ada
spec:
  image:
    tag: 2026.9.6
  nodeSelector:
    disk: fast
  env:
    - name: A
      value: [1]
    - name: B
      value: {}
";

#[test]
fn every_mistake_is_shown_at_its_place() {
    let output = run_with(&["check", "-"], WRONG.as_bytes());
    assert_eq!((code(&output), out(&output)), (1, ""));
    insta::assert_snapshot!(err(&output), @r#"
    -:8:3: spec.nodeSelector: is no field of the API: the API server drops it; it belongs at `spec.availability.nodeSelector`
      |
    8 |   nodeSelector:
      |   ^^^^^^^^^^^^
    -:12:7: spec.env[0].value: is a list, and a text is wanted: write it as `value: text`
       |
    12 |       value: [1]
       |       ^^^^^
    -:14:7: spec.env[1].value: is a map, and a text is wanted: write it as `value: text`
       |
    14 |       value: {}
       |       ^^^^^
    "#);
}

#[test]
fn programs_get_json() {
    let output = run_with(&["check", "-o", "json", "-"], WRONG.as_bytes());
    assert_eq!((code(&output), err(&output)), (1, ""));
    let said: Value = serde_json::from_str(out(&output)).expect("it is JSON");
    assert_eq!(said["ok"], false);
    let problems = &said["files"][0]["problems"];
    let places: Vec<_> = problems
        .as_array()
        .expect("problems")
        .iter()
        .map(|problem| json!([problem["path"], problem["line"], problem["column"]]))
        .collect();
    assert_eq!(
        json!(places),
        json!([
            ["spec.nodeSelector", 8, 3],
            ["spec.env[0].value", 12, 7],
            ["spec.env[1].value", 14, 7],
        ])
    );
    let fine = run_with(&["check", "-o", "json", "-"], MINIMAL.as_bytes());
    assert_eq!(code(&fine), 0);
    let said: Value = serde_json::from_str(out(&fine)).expect("it is JSON");
    assert_eq!(said, json!({"ok": true, "files": [{"file": "-", "ok": true, "problems": []}]}));
}

#[test]
fn github_gets_annotations_that_no_text_can_forge() {
    let directory = TempDir::new().expect("a directory");
    let text = WRONG.replace("nodeSelector:", "\"a,b\\n::error::c\":");
    let path = file(&directory, "a,b.yaml", text);
    let output = run(&["check", "-o", "github", &path]);
    assert_eq!(code(&output), 1);
    let lines: Vec<&str> = out(&output).lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with("::error file=")), "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("a%2Cb.yaml,line=")), "{lines:?}");
}

#[test]
fn a_directory_is_everything_below_it() {
    let directory = TempDir::new().expect("a directory");
    fs::create_dir_all(directory.path().join("b/.git")).expect("it is made");
    file(&directory, "values.yaml", "replicas: 1\n");
    file(&directory, "notes.txt", "{[");
    file(&directory, "b/.git/bad.yaml", "{[");
    file(&directory, "b/ada.yml", MINIMAL);
    let path = directory.path().to_str().expect("UTF-8");
    let output = run(&["check", path]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output), format!("{path}/b/ada.yml: ok\n{path}/values.yaml: ok\n"));
    assert!(err(&output).contains("values.yaml: document: advice: has no `kind`"));
    let rendered = run(&["render", path]);
    assert_eq!(rendered.stdout, run_with(&["render", "-"], MINIMAL.as_bytes()).stdout);
}

#[test]
fn the_order_of_inputs_changes_nothing() {
    let directory = TempDir::new().expect("a directory");
    let zoe = file(&directory, "1.yaml", MINIMAL.replace("name: ada", "name: zoe"));
    let ada = file(&directory, "2.yaml", MINIMAL);
    let early =
        file(&directory, "3.yaml", MINIMAL.replace("name: ada", "name: bea, namespace: agents"));
    let rendered = run(&["render", &zoe, &ada, &early]);
    assert_eq!(code(&rendered), 0, "{}", err(&rendered));
    assert_eq!(rendered.stdout, run(&["render", &early, &zoe, &ada]).stdout);
    let names = run(&["render", "-o", "name", &zoe, &ada, &early]);
    let sets: Vec<&str> =
        out(&names).lines().filter(|line| line.starts_with("statefulset.apps/")).collect();
    assert_eq!(sets, ["statefulset.apps/bea", "statefulset.apps/ada", "statefulset.apps/zoe"]);
}

#[test]
fn defaults_and_requests_are_checked_without_an_instance() {
    let defaults = "apiVersion: openclaw.rocks/v1alpha1\nkind: OpenClawClusterDefaults\n\
                    metadata: { name: cluster }\nspec: { registry: r.example.com }\n";
    let request = "apiVersion: openclaw.rocks/v1alpha1\nkind: OpenClawSelfConfig\n\
                   metadata: { name: r }\nspec: { instanceRef: ada, addSkills: [a] }\n";
    for (text, wrong, said) in [
        (defaults, ("registry:", "registri:"), "spec.registri: is no field of the API"),
        (
            request,
            ("addSkills: [a]", "addSkills: a"),
            "spec.addSkills: is a text, and a list is wanted: write it as `addSkills: [a]`",
        ),
        (request, ("addSkills:", "addSkill:"), "`addSkills` is probably meant"),
    ] {
        let fine = run_with(&["check", "-"], text.as_bytes());
        assert_eq!((code(&fine), out(&fine)), (0, "-: ok\n"), "{}", err(&fine));
        let output = run_with(&["check", "-"], text.replace(wrong.0, wrong.1).as_bytes());
        assert_eq!(code(&output), 1, "{said}");
        assert!(err(&output).contains(said), "{}", err(&output));
    }
    let foreign = "apiVersion: v1\nkind: Service\nmetadata: { name: a }\n";
    assert_eq!(code(&run_with(&["check", "-"], foreign.as_bytes())), 1);
}

#[test]
fn a_secret_that_something_else_makes_is_as_good_as_seen() {
    let text = MINIMAL.replace("spec: {", "spec: { envFrom: [{ secretRef: { name: keys } }], ");
    for maker in [
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: { name: keys }\n",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: { name: a }\n\
         spec: { target: { name: keys } }\n",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: { name: keys }\n",
        "apiVersion: onepassword.com/v1\nkind: OnePasswordItem\nmetadata: { name: keys }\n",
    ] {
        let output =
            run_with(&["check", "--strict", "-"], format!("{text}---\n{maker}").as_bytes());
        assert_eq!((code(&output), err(&output)), (0, ""), "{maker}");
        let other = maker.replace("keys", "others");
        let output =
            run_with(&["check", "--strict", "-"], format!("{text}---\n{other}").as_bytes());
        assert_eq!(code(&output), 1, "{maker}");
    }
}

#[test]
fn what_cannot_be_found_out_exits_2() {
    let output = run(&["check", "/does/not/exist.yaml"]);
    assert_eq!((code(&output), out(&output)), (2, ""));
    assert!(err(&output).contains("exist.yaml"));
}

#[test]
fn a_strangers_text_does_nothing_to_a_terminal_or_a_log() {
    let text = MINIMAL.replace("spec: {", "spec: { \"x\\e[31m\\n::add-mask::a\\u202E\": 1, ");
    for arguments in [["check", "-"].as_slice(), &["render", "-"], &["check", "-o", "github", "-"]]
    {
        let output = run_with(arguments, text.as_bytes());
        let said = format!("{}{}", out(&output), err(&output));
        let harmful = |it: char| (it.is_control() && it != '\n') || it == '\u{202e}';
        assert!(!said.contains(harmful), "{said:?}");
        assert!(!said.lines().any(|line| line.starts_with("::add-mask::")), "{said:?}");
        assert!(said.contains("add-mask"), "{said:?}");
    }
}

/// Were the schema made anew for each of them, this would not end.
#[test]
fn thousands_of_unknown_fields_are_all_told() {
    let many: Vec<String> = (0..9_000).map(|number| format!("x{number}: 1")).collect();
    let text = MINIMAL.replace("spec: {", &format!("spec: {{ {}, ", many.join(", ")));
    let output = run_with(&["render", "-"], text.as_bytes());
    assert_eq!((code(&output), err(&output).lines().count()), (0, 9_000));
}

/// What `kustomize build` makes of a fleet is one stream.
#[test]
fn a_stream_may_have_thousands_of_documents() {
    let agent = |number: u32| MINIMAL.replace("name: ada", &format!("name: a{number}"));
    let fleet: Vec<String> = (0..1_500).map(agent).collect();
    let output = run_with(&["check", "-o", "json", "-"], fleet.join("\n---\n").as_bytes());
    assert_eq!(code(&output), 0, "{}", err(&output));
}

#[test]
fn an_object_of_no_kind_is_no_advice_beside_a_good_instance() {
    let other = "apiVersion: openclaw.rocks/v1beta1\nkind: OpenClawInstance\n";
    let text = format!("{MINIMAL}\n---\n{other}");
    let output = run_with(&["check", "-"], text.as_bytes());
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("write `openclaw.rocks/v1alpha1`"), "{}", err(&output));
}
