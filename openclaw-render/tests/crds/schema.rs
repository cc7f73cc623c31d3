//! The form of the definitions: structural, bounded, small enough, always the same.

use openclaw_render::api::custom_resource_definitions;
use serde_json::{Value, json};

use crate::fields::{RULES, our_fields};

/// Client-side apply keeps the whole object in an annotation, and annotations end at 262 144 bytes.
const MAX_BYTES: usize = 230_000;

#[test]
fn only_the_number_of_replicas_has_a_default_and_the_root_requires_nothing() {
    let mut defaults = Vec::new();
    for fields in our_fields() {
        assert_eq!(fields[""].get("required"), None);
        for (path, field) in fields {
            defaults.extend(field.get("default").map(|default| (path, default.clone())));
        }
    }
    assert_eq!(defaults, [("spec".to_owned(), json!({})), ("spec.replicas".to_owned(), json!(1))]);
}

#[test]
fn the_schema_is_structural() {
    for fields in our_fields() {
        for (path, field) in fields {
            for keyword in ["$ref", "allOf", "oneOf", "not", "title"] {
                assert_eq!(field.get(keyword), None, "{path} {keyword}");
            }
            let free = field.contains_key("x-kubernetes-int-or-string");
            assert_eq!(field.contains_key("anyOf"), free, "{path}");
            assert_eq!(field.contains_key("type"), !free, "{path}");
            let choices = field.get("enum").and_then(Value::as_array);
            assert!(choices.is_none_or(|all| all.iter().all(Value::is_string)), "{path}");
        }
    }
}

#[test]
fn rules_walk_only_what_is_bounded() {
    for fields in our_fields() {
        for (path, field) in fields {
            let rules = field.get(RULES).and_then(Value::as_array);
            let walks = rules
                .into_iter()
                .flatten()
                .any(|rule| rule["rule"].as_str().is_some_and(|rule| rule.contains("self.all(")));
            let bounded = field.contains_key("maxItems") || field.contains_key("maxProperties");
            assert!(!walks || bounded, "{path}");
        }
    }
}

#[test]
fn definitions_fit_into_the_annotation_of_client_side_apply() {
    for definition in custom_resource_definitions() {
        let bytes = serde_json::to_vec(&definition).unwrap().len();
        assert!(bytes < MAX_BYTES, "{} has {bytes} bytes", definition["metadata"]["name"]);
    }
}

#[test]
fn definitions_are_sorted_and_always_the_same() {
    let definitions = custom_resource_definitions();
    let names: Vec<_> =
        definitions.iter().map(|each| each["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "agentinstances.openclaw.io",
            "openclawclusterdefaults.openclaw.rocks",
            "openclawinstances.openclaw.rocks",
            "openclawselfconfigs.openclaw.rocks"
        ]
    );
    for definition in &definitions {
        assert_eq!(definition["metadata"].as_object().unwrap().len(), 1);
        assert_eq!(definition.get("status"), None);
    }
    let text = |definitions: &[Value]| serde_json::to_string(definitions).unwrap();
    assert_eq!(text(&definitions), text(&custom_resource_definitions()));
}
