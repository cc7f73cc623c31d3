//! Every block of YAML in the guides, as a reader would use it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::program::{code, err, file, files_below, out, run};

const ADDRESS: &str = "openclaw.rocks/v1alpha1";

/// The blocks of a page, without the indentation that they have inside of a list.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != "```yaml" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        let indented = |line: &&&str| !line.trim().is_empty();
        let width = |line: &&str| line.len() - line.trim_start().len();
        let margin = block.iter().filter(indented).map(width).min().unwrap_or_default();
        let kept = block.iter().map(|line| line.get(margin..).unwrap_or_default());
        blocks.push(kept.collect::<Vec<_>>().join("\n"));
    }
    blocks
}

/// What is left of a page's example when it stands alone: an instance, whatever part of it is shown.
fn instance(part: &Value) -> Value {
    let mut spec = part.get("spec").unwrap_or(part).clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.entry("image").or_insert_with(|| json!({"tag": "2026.9.6"}));
    }
    json!({
        "apiVersion": ADDRESS, "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": "agents"}, "spec": spec,
    })
}

/// Whether a value of the chart has this path.
fn is_value(values: &Value, part: &Value) -> bool {
    let (Some(values), Some(part)) = (values.as_object(), part.as_object()) else { return true };
    // An empty map is for what users put into it.
    values.is_empty()
        || part.iter().all(|(name, inner)| values.get(name).is_some_and(|it| is_value(it, inner)))
}

#[test]
fn every_example_of_the_guides_is_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let chart = root.join("charts/openclaw-operator/values.yaml");
    let values: Value =
        serde_saphyr::from_str(&fs::read_to_string(chart).expect("the values")).expect("YAML");
    let directory = tempdir().expect("a directory");
    let mut checked = 0;
    let mut refused = String::new();
    for page in files_below(&root.join("docs/guides")) {
        let text = fs::read_to_string(&page).expect("a page");
        for (number, block) in blocks(&text).into_iter().enumerate() {
            let place = format!("{}, block {}", page.display(), number + 1);
            let documents: Vec<Value> = serde_saphyr::from_multiple(&block)
                .unwrap_or_else(|error| panic!("{place}: {error}"));
            let is_whole = documents.iter().any(|it| it["apiVersion"] == ADDRESS);
            let is_scene = documents.iter().any(|it| it.get("step").is_some());
            let command = if is_scene { "play" } else { "check" };
            let manifest = match documents.as_slice() {
                // A comment alone.
                [] | [Value::Null] => continue,
                _ if is_whole || is_scene => block,
                [one] if one.get("kind").is_some() => continue,
                [part] if is_value(&values, part) => continue,
                [part] => instance(part).to_string(),
                _ => panic!("{place}: of several documents, one is an instance"),
            };
            let path = file(&directory, "example.yaml", manifest);
            let output = run(&[command, &path]);
            if code(&output) != 0 {
                let _ = writeln!(refused, "{place}:\n{}", err(&output));
            }
            checked += 1;
        }
    }
    assert!(refused.is_empty(), "{refused}");
    assert!(checked > 20, "{checked} examples");
}

/// Without the comments above.
fn body(text: &str) -> String {
    text.lines().skip_while(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_page_on_gitops_shows_is_what_lies_in_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/guides/gitops.md")).expect("the page");
    let shown = blocks(&page);
    let files = ["flux.yaml", "argocd-cm.yaml", "application.yaml", "kustomization.yaml"];
    assert_eq!(shown.len(), files.len(), "{shown:?}");
    for (block, name) in shown.iter().zip(files) {
        let text = fs::read_to_string(root.join("fixtures/gitops").join(name)).expect("a file");
        assert_eq!(*block, body(&text), "{name}");
    }
}

/// A phase that no health check knows would be one that nobody waits for, or for ever.
#[test]
fn health_checks_name_phases_and_conditions_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let phases = run(&["explain", "status.phase"]);
    let phases = out(&phases);
    let mut named = 0;
    for name in ["flux.yaml", "argocd-cm.yaml"] {
        let text = fs::read_to_string(root.join("fixtures/gitops").join(name)).expect("a file");
        for part in text.split("status.phase == ").skip(1) {
            let phase = part.get(1..).and_then(|part| part.split(['\'', '"']).next());
            let phase = phase.expect("a phase in quotes");
            assert!(phases.contains(phase), "{name}: {phase} is none of {phases}");
            named += 1;
        }
        // Flux asks `inProgress` before `failed`.
        assert!(!text.contains("inProgress"), "{name}");
    }
    assert_eq!(named, 5);
}

/// Volumes of other makers, whose Secrets are of storage and not of the agent.
const STORAGE: [&str; 9] =
    ["azureFile", "cephfs", "cinder", "csi", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"];

/// Collects the fields that name a ConfigMap or a Secret.
fn naming(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    let schema = schema.get("items").unwrap_or(schema);
    let holder = path.rsplit('/').next().unwrap_or_default();
    let refers = ["configMap", "configMapKeyRef", "configMapRef", "pullSecrets", "secret"]
        .contains(&holder)
        || holder.ends_with("ecretRef")
        || holder == "secretKeyRef";
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        let names = ["configMapName", "existingSecret", "secretName"].contains(&name.as_str());
        if names || name == "name" && refers {
            found.insert(path);
        } else if !STORAGE.contains(&name.as_str()) {
            naming(field, &path, found);
        }
    }
}

#[test]
fn kustomize_is_told_of_every_field_that_names_what_it_generates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("fixtures/gitops/references.yaml")).expect("the file");
    let references: Value = serde_saphyr::from_str(&text).expect("YAML");
    let fields = references["nameReference"].as_array().expect("a list").iter();
    let told: BTreeSet<String> = fields
        .flat_map(|each| each["fieldSpecs"].as_array().expect("a list"))
        .map(|field| field["path"].as_str().expect("a path").to_owned())
        .collect();
    let definitions = openclaw_render::api::custom_resource_definitions();
    let instance = definitions
        .iter()
        .find(|it| it["spec"]["names"]["kind"] == "OpenClawInstance")
        .expect("the definition");
    let spec = &instance["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut there = BTreeSet::new();
    naming(spec, "spec", &mut there);
    assert_eq!(told, there);
}
