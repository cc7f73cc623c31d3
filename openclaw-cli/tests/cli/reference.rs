//! What is told without a manifest: fields, schemas, completions, the manual page; and images.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, files_below, fixture, out, run, run_with};

#[test]
fn a_field_is_explained() {
    let output = run(&["explain", "spec.suspended"]);
    assert_eq!(code(&output), 0);
    insta::assert_snapshot!(out(&output), @r#"
    KIND:   OpenClawInstance
    FIELD:  spec.suspended <boolean>

        Whether the agent is switched off. A change to true ends the pod within six minutes and keeps
        the data; a change to false starts one. Excludes `availability.autoScaling`. Defaults to false.
    "#);
    assert_eq!(run(&["explain", "suspended"]).stdout, output.stdout);
    assert_eq!(run(&["explain", "OpenClawInstance.spec.suspended"]).stdout, output.stdout);
}

#[test]
fn a_field_that_is_not_there_is_told_its_place() {
    let output = run(&["explain", "spec.nodeSelector"]);
    assert_eq!((code(&output), out(&output)), (1, ""));
    assert_eq!(
        err(&output),
        "error: OpenClawInstance has no field \"spec.nodeSelector\": it belongs at \
         `spec.availability.nodeSelector`\n"
    );
    for field in ["", ".", "spec.", "spec..a", "spec[0]", "openclawselfconfig.spec.x", "\u{1f980}"]
    {
        let output = run(&["explain", field]);
        assert_eq!((code(&output), out(&output)), (1, ""), "{field:?}");
    }
}

#[test]
fn every_field_of_every_kind_is_listed() {
    for kind in
        ["openclawinstance", "openclawclusterdefaults", "OpenClawSelfConfig", "AgentInstance"]
    {
        let output = run(&["explain", "--recursive", kind]);
        assert_eq!(code(&output), 0, "{kind}: {}", err(&output));
        assert!(out(&output).lines().count() > 10, "{kind}");
    }
}

#[test]
fn the_schema_names_every_kind_and_closes_its_objects() {
    let output = run(&["schema"]);
    assert_eq!(code(&output), 0);
    let schema: Value = serde_json::from_str(out(&output)).expect("it is JSON");
    let kinds: Vec<&Value> =
        schema["oneOf"].as_array().expect("kinds").iter().map(|kind| &kind["title"]).collect();
    assert_eq!(
        kinds,
        ["AgentInstance", "OpenClawClusterDefaults", "OpenClawInstance", "OpenClawSelfConfig"]
    );
    let spec = &schema["oneOf"][2]["properties"]["spec"];
    assert_eq!(spec["additionalProperties"], false);
    assert!(!out(&output).contains("x-kubernetes-"), "words of Kubernetes alone are left");
}

#[test]
fn images_are_listed_once_and_follow_the_registry() {
    let output = run(&["images", &fixture("instances/chromium.yaml")]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let images: Vec<&str> = out(&output).lines().collect();
    assert!(images.is_sorted() && images.iter().all(|image| image.contains(':')), "{images:?}");
    assert!(images.iter().any(|image| image.contains("nginx")), "{images:?}");
    assert!(images.iter().any(|image| image.contains("headless-shell")), "{images:?}");
    let text = MINIMAL.replace("spec: {", "spec: { registry: r.example.com, ");
    let mirrored = run_with(&["images", "-"], text.as_bytes());
    assert!(out(&mirrored).lines().all(|image| image.starts_with("r.example.com/")));
}

#[test]
fn shells_and_man_get_what_they_ask_for() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), 0, "{shell}");
        assert!(out(&output).contains("openclaw-cli"), "{shell}");
    }
    assert_eq!(code(&run(&["completions", "tcsh"])), 2);
    let page = run(&["man"]);
    assert_eq!(code(&page), 0);
    for command in ["render", "check", "diff", "explain"] {
        assert!(out(&page).contains(command), "{command}");
    }
}

/// `UPDATE_SNAPSHOTS=1` writes the pages instead.
#[test]
fn the_pages_of_the_reference_are_fresh() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let output = run(&["docs", "--out", kept.to_str().expect("UTF-8")]);
        assert_eq!(code(&output), 0, "{}", err(&output));
    }
    let directory = TempDir::new().expect("a directory");
    let output = run(&["docs", "--out", directory.path().to_str().expect("UTF-8")]);
    assert_eq!((code(&output), out(&output), err(&output)), (0, "", ""));
    let pages = |folder: &Path| -> Vec<(String, String)> {
        let files = files_below(folder);
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        files
            .iter()
            .map(|path| (name(path), fs::read_to_string(path).expect("it is readable")))
            .collect()
    };
    for (fresh, kept) in pages(directory.path()).iter().zip(pages(&kept)) {
        assert!(*fresh == kept, "{}: openclaw-cli docs --out docs/reference", kept.0);
    }
    assert_eq!(pages(directory.path()).len(), pages(&kept).len());
}
