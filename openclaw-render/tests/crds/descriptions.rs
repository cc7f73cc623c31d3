//! What `kubectl explain` says of every field.

use std::collections::BTreeMap;

use openclaw_render::{Kind, Observed, Settings, decode_instance, render_instance};
use serde_json::{Map, Value, json};

use crate::fields::{EMBEDDED, our_fields};

/// Shorter descriptions have not said what a field is for.
const SHORTEST: usize = 30;

/// `kubectl explain` shows the beginning in lists of fields.
const MOST_WORDS: usize = 12;

/// Beginnings of texts that repeat the name of their field.
const HOLLOW: &[&str] = &[
    "Whether there is",
    "Whether there are",
    "Its ",
    "Their ",
    "It is ",
    "The name.",
    "The key.",
    "What is and what is not",
    "Where and how many",
];

/// The fields that have a description of ours, by path; items of lists and maps are described by
/// the field that holds them.
fn described() -> Vec<(String, Map<String, Value>)> {
    let ours = |path: &str| {
        !EMBEDDED.iter().any(|embedded| path.starts_with(embedded)) && !path.ends_with([']', '}'])
    };
    let fields = our_fields().into_iter().flatten();
    fields.filter(|(path, _)| ours(path) && path != "metadata").collect()
}

fn description(field: &Map<String, Value>) -> &str {
    field.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// Of each description what the check finds wrong with it.
fn complaints(check: impl Fn(&str, &Map<String, Value>, &str) -> Option<String>) -> Vec<String> {
    let complain = |(path, field): (String, Map<String, Value>)| {
        let text = description(&field);
        check(&path, &field, text).map(|complaint| format!("{path} {complaint}: {text:?}"))
    };
    described().into_iter().filter_map(complain).collect()
}

#[test]
fn every_field_of_ours_is_described_and_no_embedded_one_is() {
    for fields in our_fields() {
        for (path, field) in fields {
            let description = description(&field);
            if EMBEDDED.iter().any(|embedded| path.starts_with(embedded)) {
                assert_eq!(description, "", "{path}");
            } else if path != "metadata" && !path.ends_with([']', '}']) {
                assert!(description.trim().ends_with(['.', '`']), "{path}: {description:?}");
            }
        }
    }
}

#[test]
fn descriptions_say_more_than_the_name_and_begin_with_a_short_sentence() {
    let found = complaints(|_, _, text| {
        let first = text.split_once(". ").map_or(text, |(first, _)| first);
        let words = first.split_whitespace().count();
        if text.len() < SHORTEST {
            Some("says too little".to_owned())
        } else if HOLLOW.iter().any(|hollow| text.starts_with(hollow)) {
            Some("says only that it is there".to_owned())
        } else {
            (words > MOST_WORDS).then(|| format!("begins with {words} words"))
        }
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_value_of_a_spec_says_its_default_or_that_it_has_none() {
    let found = complaints(|path, field, text| {
        let is_section = field.contains_key("properties");
        let says = ["efault", "Required"].iter().any(|word| text.contains(word));
        (path.starts_with("spec.") && !is_section && !says).then(|| "has which default".to_owned())
    });
    assert!(found.is_empty(), "{found:#?}");
}

/// What an instance that asks for nothing gets, in the words of the descriptions.
fn rendered_defaults() -> Vec<(String, String)> {
    let (instance, _) = decode_instance(json!({"metadata": {"name": "ada"}})).unwrap();
    let (objects, _) = render_instance(&instance, &Observed::default(), &Settings::default());
    let find = |kind| objects.iter().find(|object| object.key().kind == kind).unwrap().to_value();
    let pod = find(Kind::StatefulSet)["spec"]["template"]["spec"].clone();
    let container = |name: &str| {
        let lists = [&pod["containers"], &pod["initContainers"]];
        let mut all = lists.into_iter().flat_map(|list| list.as_array().unwrap());
        all.find(|container| container["name"] == name).unwrap()
    };
    let claim = &find(Kind::PersistentVolumeClaim)["spec"]["resources"]["requests"]["storage"];
    let user = &pod["securityContext"]["runAsUser"];
    let proxy = &container("gateway-proxy")["image"];
    let mut defaults = vec![
        ("spec.gateway.image".to_owned(), format!("Defaults to `{proxy}`")),
        ("spec.security.podSecurityContext.runAsUser".to_owned(), format!("Defaults to {user}")),
        ("spec.storage.persistence.size".to_owned(), format!("Defaults to `{claim}`")),
    ];
    for (path, name) in [
        ("spec.config.sync.resources", "config-sync"),
        ("spec.gateway.resources", "gateway-proxy"),
        ("spec.resources", "openclaw"),
    ] {
        let [requests, limits] = ["requests", "limits"].map(|kind| {
            let amounts = &container(name)["resources"][kind];
            format!("{} and {}", amounts["cpu"], amounts["memory"])
        });
        let words = format!("Defaults to requests of {requests}, and limits of {limits}");
        defaults.push((path.to_owned(), words));
    }
    for name in ["liveness", "readiness", "startup"] {
        let probe = &container("openclaw")[format!("{name}Probe")];
        let words = format!(
            "Defaults to the first probe after {} s, one every {} s, {} s to answer, and {} failures",
            probe["initialDelaySeconds"],
            probe["periodSeconds"],
            probe["timeoutSeconds"],
            probe["failureThreshold"],
        );
        defaults.push((format!("spec.probes.{name}"), words));
    }
    defaults
}

#[test]
fn defaults_in_descriptions_are_those_that_are_rendered() {
    let fields: BTreeMap<_, _> = described().into_iter().collect();
    for (path, words) in rendered_defaults() {
        let (text, words) = (description(&fields[&path]), words.replace('"', ""));
        assert!(text.contains(&words), "{path} does not say {words:?}: {text:?}");
    }
}

#[test]
fn choices_are_described_by_their_field_and_not_by_their_type() {
    let found = complaints(|_, field, text| {
        let choices = field.get("enum").and_then(Value::as_array).into_iter().flatten();
        let mut named = choices.filter_map(Value::as_str).filter(|choice| !choice.is_empty());
        named
            .find(|choice| !text.contains(&format!("`{choice}`")))
            .map(|choice| format!("does not explain {choice}"))
    });
    assert!(found.is_empty(), "{found:#?}");
}
