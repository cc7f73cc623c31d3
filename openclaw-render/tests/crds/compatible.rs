//! What the Go operator accepts and stores, and what of ours is another thing on purpose.

use std::collections::BTreeSet;

use openclaw_render::{Observed, Rule, Settings, Severity, decode_instance, render_instance};
use serde_json::{Map, Value, json};

use crate::fields::{EMBEDDED, RULES, fields, pairs, version};
use crate::on_purpose::ON_PURPOSE;

/// Keywords in which a field of ours refuses more than, or differs from, that of the other.
fn differences(theirs: &Map<String, Value>, ours: &Map<String, Value>) -> Vec<&'static str> {
    let mut found = Vec::new();
    let quantity = theirs.get("type").is_some_and(|kind| kind == "string")
        && ours.contains_key("x-kubernetes-int-or-string");
    for keyword in ["type", "anyOf", "x-kubernetes-int-or-string"] {
        if !quantity && theirs.get(keyword) != ours.get(keyword) {
            found.push(keyword);
        }
    }
    for keyword in [
        "format",
        "nullable",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
    ] {
        if theirs.get(keyword) != ours.get(keyword) {
            found.push(keyword);
        }
    }
    let set = |field: &Map<String, Value>, keyword| -> Option<BTreeSet<String>> {
        Some(field.get(keyword)?.as_array()?.iter().map(Value::to_string).collect())
    };
    let required = |field| set(field, "required").unwrap_or_default();
    if !required(ours).is_subset(&required(theirs)) {
        found.push("required");
    }
    if let Some(choices) = set(ours, "enum")
        && set(theirs, "enum").is_none_or(|theirs| !theirs.is_subset(&choices))
    {
        found.push("enum");
    }
    let number = |field: &Map<String, Value>, keyword| field.get(keyword).and_then(Value::as_f64);
    for keyword in ["minimum", "minLength", "minItems", "minProperties"] {
        if number(ours, keyword) > number(theirs, keyword) {
            found.push(keyword);
        }
    }
    for keyword in ["maximum", "maxLength", "maxItems", "maxProperties"] {
        let most = |field| number(field, keyword).unwrap_or(f64::INFINITY);
        if most(ours) < most(theirs) {
            found.push(keyword);
        }
    }
    if ours.get("pattern").is_some_and(|pattern| theirs.get("pattern") != Some(pattern)) {
        found.push("pattern");
    }
    if ours.contains_key(RULES) {
        found.push(RULES);
    }
    found
}

fn matches(entry: &str, path: &str) -> bool {
    match entry.strip_prefix('*') {
        Some(end) => path.ends_with(end),
        None => entry == path,
    }
}

#[test]
fn what_the_go_operator_accepts_is_accepted_but_for_what_the_table_names() {
    let mut unexplained = Vec::new();
    let mut used = BTreeSet::new();
    for (theirs, ours) in pairs() {
        let ours = fields(&version(&ours)["schema"]["openAPIV3Schema"]);
        for (path, theirs) in fields(&theirs["schema"]) {
            let found = match ours.get(&path) {
                None => vec!["missing"],
                Some(ours) => differences(&theirs, ours),
            };
            for keyword in found {
                let entry = ON_PURPOSE.iter().position(|(entry, expected, reason)| {
                    *expected == keyword && !reason.is_empty() && matches(entry, &path)
                });
                match entry {
                    Some(entry) => _ = used.insert(entry),
                    None => unexplained.push(format!("{path:?} {keyword}")),
                }
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    let stale: Vec<_> =
        ON_PURPOSE.iter().enumerate().filter(|(entry, _)| !used.contains(entry)).collect();
    assert!(stale.is_empty(), "{stale:#?}");
}

/// Fields that the Go operator does not have, with everything below them.
const OURS: &[&str] = &[
    "spec.backup.storage",
    "spec.config.sync",
    "spec.image.version",
    "spec.maintenanceWindows",
    "spec.networking.service.ports[].nodePort",
    "spec.replicas",
    "spec.rollout",
    "spec.runtimeDeps.resources",
    "spec.security.networkPolicy.allowHTTPS",
    "spec.security.rbac.automountServiceAccountToken",
    "spec.selfConfigure.allowedSkillSources",
    "spec.skillsInstall",
    "status.backups",
    "status.autoUpdate.stateRestore",
    "status.config",
    "status.installed",
    "status.replicas",
    "status.restore",
    "status.selector",
    "status.volume",
];

#[test]
fn no_field_is_ours_alone_but_for_those_that_the_list_names() {
    let mut found = BTreeSet::new();
    for (theirs, ours) in pairs() {
        let theirs = fields(&theirs["schema"]);
        let ours = fields(&version(&ours)["schema"]["openAPIV3Schema"]);
        let alone = ours.into_keys().filter(|path| !theirs.contains_key(path));
        let alone = alone.filter(|path| !EMBEDDED.iter().any(|type_| path.starts_with(type_)));
        found.extend(alone.map(|path| {
            let listed = OURS.iter().find(|ours| path.starts_with(*ours));
            listed.map_or(path.clone(), |ours| (*ours).to_owned())
        }));
    }
    assert_eq!(found, OURS.iter().map(|path| (*path).to_owned()).collect());
}

/// What the Go operator stores of an instance that sets nothing: it writes every section back, and
/// the API server fills in its schema's defaults.
fn stored(path: &str, schema: &Value) -> Value {
    // References cannot be empty, and of the names of a CA bundle one must be set.
    let left_out = |path: &str, schema: &Value| {
        schema.get("required").is_some() || path == "spec.security.caBundle"
    };
    let mut object = Map::new();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if let Some(default) = inner.get("default") {
            object.insert(name.clone(), default.clone());
        } else if inner.get("properties").is_some() && !left_out(&path, inner) {
            object.insert(name.clone(), stored(&path, inner));
        }
    }
    Value::Object(object)
}

/// The fields of a value in the format `FieldsV1`.
fn field_set(value: &Value) -> Value {
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(name, inner)| (format!("f:{name}"), field_set(inner)))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
fn what_the_go_operator_stores_by_itself_decodes_and_asks_for_nothing_unsupported() {
    let pairs = pairs();
    let (theirs, _) = &pairs[1];
    let spec = stored("spec", &theirs["schema"]["properties"]["spec"]);
    assert_eq!(spec["workspace"]["fileUpdatePolicy"], "CreateOnly");
    assert_eq!(spec["networking"]["metricsIngress"]["from"], "SameNamespace");
    let manager = json!({
        "manager": "manager",
        "operation": "Update",
        "apiVersion": "openclaw.rocks/v1alpha1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": field_set(&spec)},
    });
    let (instance, unknown) = decode_instance(json!({
        "apiVersion": "openclaw.rocks/v1alpha1",
        "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": "agents", "managedFields": [manager]},
        "spec": spec,
    }))
    .unwrap();
    assert_eq!(unknown, [], "a field that this API does not have");
    let (objects, problems) =
        render_instance(&instance, &Observed::default(), &Settings::default());
    let graver: Vec<_> = problems
        .into_iter()
        .filter(|it| it.severity != Severity::Advice || it.rule == Rule::Unsupported)
        .collect();
    assert_eq!(graver, []);
    assert!(!objects.is_empty());
}

#[test]
fn names_scope_columns_and_subresources_are_those_of_the_go_operator() {
    for (theirs, ours) in pairs() {
        for name in ["kind", "plural", "singular", "shortNames"] {
            assert_eq!(theirs["names"][name], ours["spec"]["names"][name], "{name}");
        }
        assert_eq!(theirs["scope"], ours["spec"]["scope"]);
        for (name, subresource) in theirs["subresources"].as_object().unwrap() {
            assert_eq!(version(&ours)["subresources"].get(name), Some(subresource));
        }
        let columns = version(&ours)["additionalPrinterColumns"].as_array().unwrap();
        for column in theirs["columns"].as_array().unwrap() {
            assert!(columns.contains(column), "{column}");
        }
    }
}
