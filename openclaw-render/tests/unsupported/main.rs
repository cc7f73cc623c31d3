//! No field is silent: what a user sets is rendered, reported as unsupported, or listed here.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what is broken must be loud"
)]

mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use openclaw_render::{Observed, Settings, api, decode_instance, render_instance};
use serde_json::{Map, Value, json};
use tables::{AS_WRITTEN, CONTEXT, SAMPLES, WITHOUT_EFFECT};

fn spec_schema() -> Value {
    let definition = api::custom_resource_definitions()
        .into_iter()
        .find(|each| each["spec"]["names"]["kind"] == "OpenClawInstance")
        .expect("the definition of instances");
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"].clone()
}

/// Every leaf below a schema; `[]` stands for the items of a list of objects.
fn leaves(path: &str, schema: &Value, found: &mut BTreeMap<String, Value>) {
    if AS_WRITTEN.contains(&path) {
        found.insert(path.to_owned(), schema.clone());
    } else if let Some(properties) = schema["properties"].as_object() {
        for (name, inner) in properties {
            leaves(&format!("{path}.{name}"), inner, found);
        }
    } else if schema["items"]["properties"].is_object() {
        leaves(&format!("{path}[]"), &schema["items"], found);
    } else {
        found.insert(path.to_owned(), schema.clone());
    }
}

fn samples(path: &str, schema: &Value) -> Vec<Value> {
    if let Some((_, values)) = SAMPLES.iter().find(|(name, _)| *name == path) {
        return serde_json::from_str(values).expect("the table holds JSON");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.clone();
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return vec![json!("901Mi"), json!("902Mi")];
    }
    match schema["type"].as_str() {
        Some("boolean") => vec![json!(true), json!(false)],
        Some("integer") => vec![json!(901), json!(902)],
        Some("array") => vec![json!(["sample"]), json!(["another"])],
        Some("object") => vec![json!({"sample": "one"}), json!({"sample": "two"})],
        _ => vec![json!("sample"), json!("another")],
    }
}

/// The least that a schema accepts.
fn least(schema: &Value) -> Value {
    if schema["properties"].is_object() {
        let mut object = Map::new();
        fill(schema, &mut object);
        return Value::Object(object);
    }
    if schema["items"]["properties"].is_object() {
        return json!([least(&schema["items"])]);
    }
    samples("", schema).swap_remove(0)
}

/// Adds the required fields that are not there.
fn fill(schema: &Value, object: &mut Map<String, Value>) {
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        object.entry(name).or_insert_with(|| least(&schema["properties"][name]));
    }
}

/// Sets the leaf at a path below `value`, and whatever is required on the way.
fn set(value: &mut Value, schema: &Value, segments: &[&str], leaf: Option<&Value>) {
    let Some((first, rest)) = segments.split_first() else { return };
    let name = first.trim_end_matches("[]");
    let inner = &schema["properties"][name];
    let object = value.as_object_mut().expect("an object");
    if rest.is_empty() {
        if let Some(leaf) = leaf {
            object.insert(name.to_owned(), leaf.clone());
        }
    } else if first.ends_with("[]") {
        let list = object.entry(name).or_insert_with(|| json!([{}]));
        set(&mut list[0], &inner["items"], rest, leaf);
    } else {
        set(object.entry(name).or_insert_with(|| json!({})), inner, rest, leaf);
    }
    fill(schema, object);
}

/// Objects of a spec, as text; nothing when it is refused.
fn rendered(spec: &Value) -> Option<String> {
    let (instance, _) = decode_instance(json!({
        "metadata": {"name": "ada", "namespace": "agents", "uid": "u-1"},
        "spec": spec,
    }))
    .ok()?;
    let maps = ["sample", "another"].map(|name| {
        let data = ["key", "one", "loose", "sample", "another"].map(|key| {
            let loose = if key == "loose" { "// JSON5\n" } else { "" };
            let content = format!("{loose}{{\"session\": {{\"scope\": \"{name}-{key}\"}}}}");
            (key.to_owned(), content)
        });
        let data: BTreeMap<String, String> = data.into_iter().collect();
        (name.to_owned(), openclaw_render::Fact::Known(data))
    });
    let random_password = Some("0".repeat(72));
    let observed = Observed { config_maps: maps.into(), random_password, ..Observed::default() };
    let (objects, _) = render_instance(&instance, &observed, &Settings::default());
    (!objects.is_empty()).then(|| objects.iter().map(openclaw_render::Object::to_yaml).collect())
}

/// Whether any two values of a leaf, or one and none, render differently.
fn changes_the_rendering(path: &str, root: &Value, leaf: &Value) -> bool {
    let context = CONTEXT.iter().find(|(prefix, _)| path.starts_with(prefix));
    let context = context.map_or_else(
        || json!({"image": {"tag": "2026.9.6"}}),
        |(_, spec)| serde_json::from_str(spec).expect("the table holds JSON"),
    );
    let segments: Vec<&str> = path.split('.').skip(1).collect();
    let values = samples(path, leaf);
    let variants = std::iter::once(None).chain(values.iter().map(Some)).map(|value| {
        let mut spec = context.clone();
        set(&mut spec, root, &segments, value);
        rendered(&spec)
    });
    // A wrong sample must not pass for an effect; but whether JSON5 is refused is what a format is.
    let renderings: BTreeSet<Option<String>> =
        variants.filter(|each| each.is_some() || path == "spec.config.format").collect();
    renderings.len() > 1
}

/// Paths that the operator reports as unsupported, out of its source.
fn unsupported() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resolve/unsupported.rs");
    let source = fs::read_to_string(path).expect("the source is readable");
    // However the list is broken into lines.
    let entries = source.split("(\"spec.").skip(1);
    entries.map(|rest| format!("spec.{}", rest.split('"').next().unwrap_or_default())).collect()
}

fn is_below(path: &str, parents: &BTreeSet<String>) -> bool {
    parents.iter().any(|parent| {
        path.strip_prefix(parent.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

#[test]
fn every_field_of_the_schema_is_rendered_unsupported_or_listed_as_without_effect() {
    let root = spec_schema();
    let mut all = BTreeMap::new();
    leaves("spec", &root, &mut all);
    let unsupported = unsupported();
    let without_effect: BTreeSet<String> =
        WITHOUT_EFFECT.iter().map(|(path, _)| (*path).to_owned()).collect();
    let mut silent = BTreeSet::new();
    for (path, schema) in all.iter().filter(|(path, _)| !is_below(path, &unsupported)) {
        if !changes_the_rendering(path, &root, schema) {
            silent.insert(path.clone());
        }
    }
    assert_eq!(silent, without_effect, "left: no effect; right: listed as such");
    for path in &unsupported {
        assert!(
            all.keys().any(|leaf| is_below(leaf, &[path.clone()].into())),
            "{path} is no field"
        );
    }
    for (prefix, _) in CONTEXT.iter().chain(SAMPLES) {
        assert!(all.keys().any(|leaf| leaf.starts_with(prefix)), "{prefix} is no field");
    }
}

/// What every field says of itself, by path; Kubernetes' own types say nothing.
fn descriptions(path: &str, schema: &Value, found: &mut BTreeMap<String, String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let items = format!("{path}[]");
        if let Some(text) = inner["description"].as_str() {
            found.insert(path.clone(), text.to_owned());
        }
        descriptions(&path, inner, found);
        descriptions(&items, &inner["items"], found);
    }
}

#[test]
fn the_schema_says_which_fields_are_unsupported() {
    let mut all = BTreeMap::new();
    descriptions("spec", &spec_schema(), &mut all);
    let says = |text: &String| text.to_lowercase().contains("reported as `unsupported` by this");
    let said: BTreeSet<String> =
        all.into_iter().filter(|(_, text)| says(text)).map(|(path, _)| path).collect();
    assert_eq!(said, unsupported(), "left: so described; right: so reported");
}

#[test]
fn every_field_that_works_says_what_a_change_does() {
    let root = spec_schema();
    let (mut all, mut texts) = (BTreeMap::new(), BTreeMap::new());
    leaves("spec", &root, &mut all);
    descriptions("spec", &root, &mut texts);
    let unsupported = unsupported();
    for path in all.keys().filter(|path| !is_below(path, &unsupported)) {
        let Some(text) = texts.get(path) else { continue };
        let says = ["change", "Counts only with"].iter().any(|word| text.contains(word));
        assert!(says, "{path}: what does a change do? {text:?}");
    }
}
