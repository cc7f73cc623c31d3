//! Where variables of containers take their values from: what the API server would refuse of it.

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector,
};
use serde_json::Value;

use super::context::Resolving;
use crate::quantity;
use crate::vocab::grammar::{is_env_name, is_label_key, is_object_key, is_qualified, is_subdomain};

/// What of a pod a variable can hold. `spec.host` is what `spec.nodeName` was called once.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.host",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// What of a pod a file can hold.
const FIELDS_OF_FILES: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];
const RESOURCES: &[&str] = &["cpu", "memory", "ephemeral-storage"];
const CPU_DIVISORS: &[&str] = &["1", "1m"];
const BYTE_DIVISORS: &[&str] =
    &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// Checks an entry of a list of variables.
pub(super) fn check(path: &str, entry: &EnvVar, cx: &mut Resolving<'_>) {
    let Some(source) = &entry.value_from else { return };
    if entry.value.as_ref().is_some_and(|value| !value.is_empty()) {
        cx.error(
            path,
            format!("{:?} has `value` and `valueFrom`: remove one of the two", entry.name),
        );
    }
    let path = format!("{path}.valueFrom");
    // Newer clusters have sources that this library may have no name for.
    let value = serde_json::to_value(source).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten().filter(|(_, field)| !field.is_null());
    let sources: Vec<&str> = fields.map(|(name, _): (&String, &Value)| name.as_str()).collect();
    match sources.as_slice() {
        [_] => {}
        [] => {
            cx.error(path.as_str(), "has no source: add one, for example `secretKeyRef`");
        }
        several => {
            cx.error(
                path.as_str(),
                format!("has {} sources: leave one of them", several.join(" and ")),
            );
        }
    }
    if let Some(secret) = &source.secret_key_ref {
        check_reference(&format!("{path}.secretKeyRef"), &secret.name, Some(&secret.key), cx);
    }
    if let Some(map) = &source.config_map_key_ref {
        check_reference(&format!("{path}.configMapKeyRef"), &map.name, Some(&map.key), cx);
    }
    if let Some(field) = &source.field_ref {
        check_field(&format!("{path}.fieldRef"), field, FIELDS, cx);
    }
    if let Some(resource) = &source.resource_field_ref {
        check_resource(&format!("{path}.resourceFieldRef"), resource, cx);
    }
}

/// Checks an entry of a list of whole ConfigMaps and Secrets.
pub(super) fn check_whole(path: &str, source: &EnvFromSource, cx: &mut Resolving<'_>) {
    if let Some(prefix) = source.prefix.as_deref().filter(|prefix| !prefix.is_empty())
        && !is_env_name(prefix)
    {
        cx.error(
            format!("{path}.prefix"),
            format!("{prefix:?} cannot begin the name of a variable"),
        );
    }
    if let Some(secret) = &source.secret_ref {
        check_reference(&format!("{path}.secretRef"), &secret.name, None, cx);
    }
    if let Some(map) = &source.config_map_ref {
        check_reference(&format!("{path}.configMapRef"), &map.name, None, cx);
    }
}

/// Checks what a file in a volume is to hold of its pod.
pub(super) fn check_file(path: &str, file: &DownwardAPIVolumeFile, cx: &mut Resolving<'_>) {
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(_), Some(_)) => {
            cx.error(path, "has `fieldRef` and `resourceFieldRef`: remove one of the two");
        }
        (None, None) => {
            cx.error(path, "has no source: add `fieldRef` or `resourceFieldRef`");
        }
        (Some(field), None) => {
            check_field(&format!("{path}.fieldRef"), field, FIELDS_OF_FILES, cx);
        }
        (None, Some(resource)) => {
            let path = format!("{path}.resourceFieldRef");
            if resource.container_name.as_deref().is_none_or(str::is_empty) {
                cx.error(
                    format!("{path}.containerName"),
                    "is missing: name the container, as a volume is of all of them",
                );
            }
            check_resource(&path, resource, cx);
        }
    }
}

/// That something is named at all is seen where it is looked up.
fn check_reference(path: &str, name: &str, key: Option<&str>, cx: &mut Resolving<'_>) {
    if !name.is_empty() && !is_subdomain(name) {
        cx.error(
            format!("{path}.name"),
            format!(
                "{name:?} cannot name an object: write lower-case letters, digits, `-` and `.`, a \
             letter or digit first and last"
            ),
        );
    }
    if let Some(key) = key.filter(|key| !key.is_empty() && !is_object_key(key)) {
        cx.error(format!("{path}.key"), format!(
            "{key:?} is no key of a Secret or ConfigMap: write at most 253 letters, digits, `-`, \
             `_` and `.`, and do not begin with `..`"
        ));
    }
}

fn check_field(path: &str, field: &ObjectFieldSelector, fields: &[&str], cx: &mut Resolving<'_>) {
    let ObjectFieldSelector { api_version, field_path } = field;
    if api_version.as_deref().is_some_and(|version| !matches!(version, "" | "v1")) {
        cx.error(format!("{path}.apiVersion"), "is not `v1`: remove it");
    }
    let part = field_path.strip_suffix("']").and_then(|rest| rest.split_once("['"));
    let is_there = match part {
        Some(("metadata.labels", key)) => is_label_key(key),
        Some(("metadata.annotations", key)) => is_qualified(key),
        Some(_) => false,
        None => fields.contains(&field_path.as_str()),
    };
    let (what, example) = if fields == FIELDS {
        ("a variable", "`status.podIP`")
    } else {
        ("a file", "`metadata.labels`")
    };
    if !is_there {
        cx.error(format!("{path}.fieldPath"), format!(
            "{field_path:?} is nothing that {what} can hold: write for example `metadata.name`, \
             {example} or `metadata.labels['app']`"
        ));
    }
}

fn check_resource(path: &str, field: &ResourceFieldSelector, cx: &mut Resolving<'_>) {
    let resource = &field.resource;
    let name = resource.strip_prefix("limits.").or_else(|| resource.strip_prefix("requests."));
    let Some(name) = name.filter(|it| RESOURCES.contains(it) || it.starts_with("hugepages-"))
    else {
        cx.error(format!("{path}.resource"), format!(
            "{resource:?} is nothing that a variable can hold: write for example `limits.memory` \
             or `requests.cpu`"
        ));
        return;
    };
    let Some(divisor) = &field.divisor else { return };
    let allowed = if name == "cpu" { CPU_DIVISORS } else { BYTE_DIVISORS };
    // The API server compares them as they are stored; nothing counts as one.
    let is_nothing = quantity::parse(&divisor.0).is_ok_and(|it| it.nanos() == 0);
    let stored = quantity::canonical(&divisor.0).unwrap_or_default();
    let is_taken = is_nothing || allowed.contains(&stored.as_str());
    if !is_taken {
        cx.error(
            format!("{path}.divisor"),
            format!("{:?} is no divisor: use one of {}", divisor.0, allowed.join(", ")),
        );
    }
}
