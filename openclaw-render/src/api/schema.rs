//! The finished custom resource definitions: one step over what the types derive.
//!
//! The API server prunes and validates by these schemas, and `kubectl explain` reads them. Three
//! things cannot be said at the types: what holds inside embedded Kubernetes types, rules over
//! several fields, and that nothing has a default or may be null.

mod embedded;
mod rules;

use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{OpenClawClusterDefaults, OpenClawInstance};

/// The only field that may be null: the Go operator's schema allows it, and charts rely on it.
const NULLABLE: &str = ".spec.probes";

/// The schema of an object whose fields are not ours to name.
pub(super) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// All custom resource definitions as JSON, sorted by name.
///
/// They have no defaults: a default in the schema would end up in stored objects, where
/// `OpenClawClusterDefaults` and later versions of the operator could no longer reach it.
#[must_use]
pub fn custom_resource_definitions() -> Vec<Value> {
    [OpenClawClusterDefaults::crd(), OpenClawInstance::crd()]
        .iter()
        .filter_map(|crd| serde_json::to_value(crd).ok())
        .map(finish)
        .collect()
}

fn finish(mut crd: Value) -> Value {
    let kind = crd.pointer("/spec/names/kind").and_then(Value::as_str).unwrap_or_default();
    let kind = kind.to_owned();
    if let Some(schema) = crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        visit(schema, "", false);
        mend_root(schema);
        for rule in rules::RULES.iter().filter(|rule| rule.kind == kind) {
            add_rule(schema, rule);
        }
        // The idle updater writes the empty string.
        if let Some(Value::Array(phases)) =
            find(schema, ".status.autoUpdate.updatePhase").and_then(|node| node.get_mut("enum"))
        {
            phases.insert(0, json!(""));
        }
    }
    crd
}

/// Puts one schema and all below it into their final form.
fn visit(schema: &mut Value, path: &str, inside_kubernetes_type: bool) {
    let Value::Object(node) = schema else { return };
    node.remove("default");
    if node.contains_key("x-kubernetes-int-or-string") {
        // The derive takes the types out of the alternatives.
        node.insert("anyOf".to_owned(), json!([{ "type": "integer" }, { "type": "string" }]));
    }
    if path != NULLABLE {
        node.remove("nullable");
    }
    for bound in ["minimum", "maximum"] {
        whole_number(node, bound);
    }
    if inside_kubernetes_type {
        node.remove("description");
    } else if let Some(Value::String(text)) = node.get_mut("description") {
        *text = one_line_each(text);
    }
    let inside = inside_kubernetes_type || embedded::STARTS.contains(&path);
    if let Some(Value::Object(properties)) = node.get_mut("properties") {
        for (name, property) in properties {
            visit(property, &format!("{path}.{name}"), inside);
        }
    }
    if let Some(items) = node.get_mut("items") {
        visit(items, &format!("{path}[]"), inside);
    }
    if let Some(values) = node.get_mut("additionalProperties") {
        visit(values, &format!("{path}{{}}"), inside);
    }
    if inside {
        embedded::mend(node, path);
    }
}

/// An object may come without a spec, and has what every object has.
fn mend_root(schema: &mut Value) {
    let Value::Object(root) = schema else { return };
    root.remove("required");
    root.remove("title");
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        for (name, text) in [
            ("apiVersion", "Group and version of this definition."),
            ("kind", "Kind of this object."),
        ] {
            properties.insert(name.to_owned(), json!({ "type": "string", "description": text }));
        }
        // The API server knows the metadata and lets nobody describe them.
        properties.insert("metadata".to_owned(), json!({ "type": "object" }));
    }
}

/// `1.0` becomes `1`, as people write it.
fn whole_number(node: &mut Map<String, Value>, key: &str) {
    let Some(text) = node.get(key).map(Value::to_string) else { return };
    if let Some(Ok(number)) = text.strip_suffix(".0").map(str::parse::<i64>) {
        node.insert(key.to_owned(), json!(number));
    }
}

/// Joins the lines of a paragraph, which are as long as source lines, and keeps paragraphs apart.
fn one_line_each(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn add_rule(schema: &mut Value, rule: &rules::Rule) {
    let Some(Value::Object(node)) = find(schema, rule.path) else { return };
    let rules = node.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Value::Array(rules) = rules {
        rules.push(json!({ "rule": rule.expression, "message": rule.message }));
    }
}

/// The schema at a path such as `.spec.env[].name`.
fn find<'a>(schema: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let mut node = schema;
    for segment in path.split('.').skip(1) {
        let (name, is_list) = match segment.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (segment, false),
        };
        node = node.get_mut("properties")?.get_mut(name)?;
        if is_list {
            node = node.get_mut("items")?;
        }
    }
    Some(node)
}

#[cfg(test)]
mod tests {
    use super::{custom_resource_definitions, find, rules, visit};
    use serde_json::{Value, json};

    #[test]
    fn every_rule_stands_in_its_definition() {
        let mut definitions = custom_resource_definitions();
        for rule in rules::RULES {
            let definition = definitions
                .iter_mut()
                .find(|crd| crd["spec"]["names"]["kind"] == rule.kind)
                .unwrap_or_else(|| panic!("{} has a definition", rule.kind));
            let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            let node = find(schema, rule.path).unwrap_or_else(|| panic!("{} exists", rule.path));
            let texts: Vec<&Value> = node["x-kubernetes-validations"]
                .as_array()
                .unwrap_or_else(|| panic!("{} has rules", rule.path))
                .iter()
                .map(|entry| &entry["rule"])
                .collect();
            assert!(texts.contains(&&json!(rule.expression)), "{}: {}", rule.path, rule.expression);
        }
    }

    #[test]
    fn every_start_of_a_kubernetes_type_is_a_field() {
        let mut definitions = custom_resource_definitions();
        for start in super::embedded::STARTS {
            let found = definitions.iter_mut().any(|crd| {
                find(&mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], start).is_some()
            });
            assert!(found, "{start}");
        }
    }

    #[test]
    fn descriptions_keep_their_paragraphs_and_bounds_lose_their_fraction() {
        let mut schema = json!({
            "description": "One\ntwo.\n\nThree.", "minimum": 1.0, "default": 1, "nullable": true,
        });
        visit(&mut schema, ".spec.other", false);
        assert_eq!(schema, json!({ "description": "One two.\n\nThree.", "minimum": 1 }));
    }
}
