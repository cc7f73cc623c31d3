//! Order, names, labels, owners.

use serde_json::Value;

use super::{View, at, list, text, unique};
use crate::object::{Kind, Object};
use crate::vocab::grammar::{is_label, is_subdomain};
use crate::vocab::labels;

pub(super) fn check(view: &View<'_>, found: &mut Vec<String>) {
    let keys: Vec<String> =
        view.objects.iter().map(|(object, _)| object.key().to_string()).collect();
    unique("object", keys.iter().map(String::as_str), found);
    for pair in view.objects.windows(2) {
        if let [(before, _), (after, _)] = pair
            && before.kind() > after.kind()
        {
            found.push(format!("{}: comes after {}", after.key(), before.key()));
        }
    }
    let first = view.objects.first().map_or(&Value::Null, |(_, value)| value);
    let owner = view
        .objects
        .iter()
        .find(|(object, _)| object.kind() == Kind::StatefulSet)
        .map_or(&Value::Null, |(_, value)| at(value, "/metadata/ownerReferences"));
    for (object, value) in &view.objects {
        check_object(object, value, first, owner, found);
    }
}

fn check_object(
    object: &Object,
    value: &Value,
    first: &Value,
    owner: &Value,
    found: &mut Vec<String>,
) {
    let key = object.key();
    let mut say = |what: &str| found.push(format!("{key}: {what}"));
    let valid = if object.kind() == Kind::Service {
        is_label(object.name()) && !starts_with_digit(object.name())
    } else {
        is_subdomain(object.name())
    };
    if !valid {
        say("its name is none that the API server accepts");
    }
    if object.namespace().is_empty() || object.namespace() != text(first, "/metadata/namespace") {
        say("is not in the namespace of the others");
    }
    // Jobs are named as their pods are, which nothing that selects the agent may select.
    let name = (object.kind() != Kind::Job).then_some(labels::NAME);
    for label in name.into_iter().chain([labels::INSTANCE, labels::MANAGED_BY]) {
        let get = |value: &Value| at(value, "/metadata/labels").get(label).cloned();
        if get(value).is_none() || get(value) != get(first) {
            say(&format!("label {label} is not that of the others"));
        }
    }
    let owners = at(value, "/metadata/ownerReferences");
    // A claim may outlive its instance.
    let outlives = object.kind() == Kind::PersistentVolumeClaim && owners.is_null();
    if owners != owner && !outlives {
        say("its owner is not that of the others");
    }
    for reference in list(value, "/metadata/ownerReferences") {
        if text(reference, "/uid").is_empty() || at(reference, "/controller") != true {
            say("its owner has no uid or does not control it");
        }
    }
}

fn starts_with_digit(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_digit())
}
