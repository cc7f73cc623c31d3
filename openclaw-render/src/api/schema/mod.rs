//! From the types to the finished `CustomResourceDefinitions`: the one step after derivation.
//!
//! What the types cannot say is put in here: [`embedded`] treats the Kubernetes types that the spec
//! embeds, [`bounds`] holds the limits of single values and the defaults, [`spellings`] the patterns,
//! [`rules`] the CEL rules.

pub(crate) mod bounds;
mod embedded;
mod rules;
pub(crate) mod spellings;

use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{AgentInstance, OpenClawClusterDefaults, OpenClawInstance, OpenClawSelfConfig};

/// An object of any content.
pub(super) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// The `CustomResourceDefinitions`, sorted by name, without status, as the chart ships them.
///
/// No field but the number of replicas has a default, and nothing is required at the root.
#[must_use]
pub fn custom_resource_definitions() -> Vec<Value> {
    let derived = [
        (serde_json::to_value(AgentInstance::crd()), Tables::AGENT),
        (serde_json::to_value(OpenClawClusterDefaults::crd()), Tables::CLUSTER_DEFAULTS),
        (serde_json::to_value(OpenClawInstance::crd()), Tables::INSTANCE),
        (serde_json::to_value(OpenClawSelfConfig::crd()), Tables::SELF_CONFIG),
    ];
    derived
        .into_iter()
        .filter_map(|(derived, tables)| derived.ok().map(|derived| finish(derived, &tables)))
        .collect()
}

/// What is put into one schema. Paths are written as users write them: `spec.env[].name`; `{}` is
/// the value of a map, the empty path the root.
struct Tables {
    embedded: &'static [&'static str],
    lists: &'static [(&'static str, &'static str, &'static [&'static str])],
    numbers: &'static [(&'static str, &'static str, i64)],
    labels: &'static [(&'static str, &'static str, i64)],
    patterns: &'static [(&'static str, &'static str)],
    times: bounds::Times,
    choices: &'static [(&'static str, &'static [&'static str])],
    defaults: &'static [(&'static str, &'static str)],
    nullable: &'static [&'static str],
    rules: &'static [rules::Rule],
}

impl Tables {
    const AGENT: Self = Self {
        embedded: embedded::AGENT,
        lists: bounds::AGENT_LISTS,
        numbers: bounds::AGENT_NUMBERS,
        labels: &[],
        patterns: bounds::AGENT_PATTERNS,
        times: &[],
        choices: bounds::CLUSTER_DEFAULTS_CHOICES,
        defaults: &[],
        nullable: &[],
        rules: rules::AGENT,
    };
    const INSTANCE: Self = Self {
        embedded: embedded::INSTANCE,
        lists: bounds::INSTANCE_LISTS,
        numbers: bounds::INSTANCE_NUMBERS,
        labels: bounds::INSTANCE_LABELS,
        patterns: bounds::INSTANCE_PATTERNS,
        times: bounds::INSTANCE_TIMES,
        choices: bounds::INSTANCE_CHOICES,
        defaults: bounds::INSTANCE_DEFAULTS,
        nullable: bounds::INSTANCE_NULLABLE,
        rules: rules::INSTANCE,
    };
    const CLUSTER_DEFAULTS: Self = Self {
        embedded: embedded::CLUSTER_DEFAULTS,
        lists: bounds::CLUSTER_DEFAULTS_LISTS,
        numbers: bounds::CLUSTER_DEFAULTS_NUMBERS,
        labels: &[],
        patterns: bounds::CLUSTER_DEFAULTS_PATTERNS,
        times: &[],
        choices: bounds::CLUSTER_DEFAULTS_CHOICES,
        defaults: &[],
        nullable: &[],
        rules: rules::CLUSTER_DEFAULTS,
    };
    const SELF_CONFIG: Self = Self {
        embedded: &[],
        lists: &[],
        numbers: bounds::SELF_CONFIG_NUMBERS,
        labels: &[],
        patterns: bounds::SELF_CONFIG_PATTERNS,
        times: &[],
        choices: &[],
        defaults: &[],
        nullable: &[],
        rules: rules::SELF_CONFIG,
    };
}

fn finish(mut derived: Value, tables: &Tables) -> Value {
    if let Some(schema) = derived.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        root(schema);
        clean(schema);
        for path in tables.embedded {
            change(schema, path, |field| embedded::finish(path, field));
        }
        for (path, list_type, keys) in tables.lists {
            change(schema, path, |field| list(field, list_type, keys));
        }
        for (path, bound, value) in tables.numbers.iter().chain(tables.labels) {
            change(schema, path, |field| set(field, bound, json!(value)));
        }
        for (path, pattern) in tables.patterns {
            change(schema, path, |field| set(field, "pattern", json!(pattern)));
        }
        for (path, least, most) in tables.times {
            change(schema, path, |field| rules::add_time(field, *least, *most));
        }
        for (path, choices) in tables.choices {
            change(schema, path, |field| set(field, "enum", json!(choices)));
        }
        for (path, default) in tables.defaults {
            let default: Value = serde_json::from_str(default).unwrap_or_default();
            change(schema, path, |field| set(field, "default", default));
        }
        for path in tables.nullable {
            change(schema, path, |field| set(field, "nullable", json!(true)));
        }
        for rule in tables.rules {
            for path in rule.paths {
                change(schema, path, |field| rule.add_to(field));
            }
        }
    }
    json!({
        "apiVersion": derived.get("apiVersion"),
        "kind": derived.get("kind"),
        "metadata": {"name": derived.pointer("/metadata/name")},
        "spec": derived.get("spec"),
    })
}

/// What every object has; a spec is not required, as in the first version of this API. The API
/// server describes the metadata itself and takes no description here.
fn root(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    schema.remove("required");
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let text = |description: &str| json!({"type": "string", "description": description});
        set(
            properties,
            "apiVersion",
            text("Group and version of the API that the object belongs to."),
        );
        set(
            properties,
            "kind",
            text("Kind of this object, by which the API server finds its definition."),
        );
        set(properties, "metadata", json!({"type": "object"}));
    }
}

/// Removes what a structural schema must not or ours shall not have, and bounds what is the same
/// everywhere: images and quantities.
fn clean(schema: &mut Value) {
    if let Value::Object(field) = schema {
        for unwanted in ["default", "title", "nullable"] {
            field.remove(unwanted);
        }
        if let Some(Value::String(description)) = field.get_mut("description") {
            // Lines end where the source's do; `kubectl explain` breaks them itself.
            let paragraphs = description.split("\n\n").map(|each| each.replace('\n', " "));
            *description = paragraphs.collect::<Vec<_>>().join("\n\n");
        }
        if let Some(Value::Array(choices)) = field.get_mut("enum") {
            choices.retain(|choice| !choice.is_null());
        }
        if field.contains_key("x-kubernetes-int-or-string") {
            field.remove("type");
            field.remove("format");
            set(field, "anyOf", json!([{"type": "integer"}, {"type": "string"}]));
            set(field, "pattern", json!(spellings::QUANTITY));
            set(field, "maxLength", json!(spellings::QUANTITY_LENGTH));
            set(field, "minimum", json!(0));
        }
        if let Some(Value::Object(properties)) = field.get_mut("properties")
            && let Some(Value::Object(digest)) = properties.get_mut("digest")
        {
            set(digest, "pattern", json!(spellings::DIGEST));
            set(digest, "maxLength", json!(spellings::DIGEST_LENGTH));
            // What has a digest is an image.
            for (part, pattern, length) in [
                ("repository", spellings::REPOSITORY, spellings::REPOSITORY_LENGTH),
                ("tag", spellings::TAG, spellings::TAG_LENGTH),
            ] {
                if let Some(Value::Object(part)) = properties.get_mut(part) {
                    set(part, "pattern", json!(pattern));
                    set(part, "maxLength", json!(length));
                }
            }
        }
    }
    for child in children(schema) {
        clean(child);
    }
}

/// The schemas directly below one.
fn children(schema: &mut Value) -> Vec<&mut Value> {
    let Value::Object(field) = schema else { return Vec::new() };
    let mut children = Vec::new();
    for (key, value) in field {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => children.extend(properties.values_mut()),
            ("items" | "additionalProperties", value @ Value::Object(_)) => children.push(value),
            _ => {}
        }
    }
    children
}

fn list(field: &mut Map<String, Value>, list_type: &str, keys: &[&str]) {
    set(field, "x-kubernetes-list-type", json!(list_type));
    if !keys.is_empty() {
        set(field, "x-kubernetes-list-map-keys", json!(keys));
    }
}

fn set(field: &mut Map<String, Value>, key: &str, value: Value) {
    field.insert(key.to_owned(), value);
}

/// Changes the field at a path; a test sees to it that every path of the tables exists.
fn change(schema: &mut Value, path: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(Value::Object(field)) = schema.pointer_mut(&pointer(path)) {
        change(field);
    }
}

/// The JSON pointer into a schema of a path as users write it.
fn pointer(path: &str) -> String {
    let mut pointer = String::new();
    for segment in path.split('.').filter(|segment| !segment.is_empty()) {
        let name = segment.trim_end_matches(['[', ']', '{', '}']);
        pointer.push_str("/properties/");
        pointer.push_str(name);
        match segment.get(name.len()..) {
            Some("[]") => pointer.push_str("/items"),
            Some("{}") => pointer.push_str("/additionalProperties"),
            _ => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::{Tables, custom_resource_definitions, pointer};

    #[test]
    fn every_path_of_the_tables_exists() {
        let definitions = custom_resource_definitions();
        for (tables, definition) in
            [Tables::AGENT, Tables::CLUSTER_DEFAULTS, Tables::INSTANCE, Tables::SELF_CONFIG]
                .iter()
                .zip(&definitions)
        {
            let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            let paths = (tables.embedded.iter().chain(tables.nullable))
                .chain(tables.lists.iter().map(|(path, ..)| path))
                .chain(tables.numbers.iter().map(|(path, ..)| path))
                .chain(tables.labels.iter().map(|(path, ..)| path))
                .chain(tables.patterns.iter().map(|(path, _)| path))
                .chain(tables.times.iter().map(|(path, ..)| path))
                .chain(tables.choices.iter().map(|(path, _)| path))
                .chain(tables.defaults.iter().map(|(path, _)| path))
                .chain(tables.rules.iter().flat_map(|rule| rule.paths));
            for path in paths {
                let field = schema.pointer(&pointer(path));
                assert!(field.is_some_and(serde_json::Value::is_object), "{path}");
            }
        }
    }

    #[test]
    fn paths_lead_through_lists_and_maps() {
        assert_eq!(pointer(""), "");
        assert_eq!(pointer("a.b[].c"), "/properties/a/properties/b/items/properties/c");
        assert_eq!(pointer("a{}"), "/properties/a/additionalProperties");
    }
}
