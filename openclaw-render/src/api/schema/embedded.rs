//! The Kubernetes types that the spec embeds, as the API server has them.
//!
//! `k8s-openapi` describes their shape. Missing are how server-side apply merges lists and maps,
//! how quantities are written, and which names may be left out; too much are the descriptions,
//! which would make the definition larger than the API server takes.

use serde_json::{Map, Value, json};

use super::{children, list, set};

/// Fields of an instance that hold an embedded type. Their own description is ours.
pub(super) const INSTANCE: &[&str] = &[
    "spec.availability.affinity",
    "spec.availability.tolerations",
    "spec.availability.topologySpreadConstraints",
    "spec.backup.storage.secretRef",
    "spec.chromium.extraEnv",
    "spec.env",
    "spec.envFrom",
    "spec.extraVolumeMounts",
    "spec.extraVolumes",
    "spec.image.pullSecrets",
    "spec.initContainers",
    "spec.netbird.setupKeySecretRef",
    "spec.networking.metricsIngress.podSelector",
    "spec.security.containerSecurityContext.capabilities",
    "spec.security.networkPolicy.additionalEgress",
    "spec.sidecarVolumes",
    "spec.sidecars",
    "spec.tailscale.authKeySecretRef",
    "spec.webTerminal.credential.secretRef",
    "status.conditions",
];

/// The same of cluster defaults.
pub(super) const CLUSTER_DEFAULTS: &[&str] =
    &["spec.env", "spec.image.pullSecrets", "status.conditions"];

/// Fields of the smaller kind that are Kubernetes types.
pub(super) const AGENT: &[&str] = &["status.conditions"];

/// Quantities of Kubernetes types may be negative; what a sign means is for the kubelet to say.
const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// Objects that server-side apply takes as a whole: selectors and references.
const ATOMIC_OBJECTS: &[&str] = &[
    "authKeySecretRef",
    "configMap",
    "configMapKeyRef",
    "configMapRef",
    "dataSource",
    "fieldRef",
    "labelSelector",
    "namespaceSelector",
    "nodePublishSecretRef",
    "nodeSelectorTerms[]",
    "podSelector",
    "preference",
    "pullSecrets[]",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "resourceFieldRef",
    "secret",
    "secretKeyRef",
    "secretRef",
    "selector",
    "setupKeySecretRef",
];

/// Lists that server-side apply merges item by item. Container ports are not among them: a part of
/// their key, the protocol, may be left out, which a schema without defaults cannot express.
const MAPS: &[(&str, &str)] = &[
    ("claims", "name"),
    ("env", "name"),
    ("volumeDevices", "devicePath"),
    ("volumeMounts", "mountPath"),
];

/// Finishes the embedded type at a path.
pub(super) fn finish(path: &str, field: &mut Map<String, Value>) {
    let description = field.remove("description");
    let mut schema = Value::Object(std::mem::take(field));
    let name = path.rsplit('.').next().unwrap_or(path);
    if let Some(items) = schema.get_mut("items") {
        walk(&format!("{name}[]"), items);
    } else {
        walk(name, &mut schema);
    }
    if let Value::Object(finished) = schema {
        *field = finished;
    }
    if let Some(description) = description {
        set(field, "description", description);
    }
}

fn walk(name: &str, schema: &mut Value) {
    let Value::Object(field) = schema else { return };
    field.remove("description");
    if field.contains_key("x-kubernetes-int-or-string") {
        quantity(name, field);
    }
    match field.get("type").and_then(Value::as_str) {
        Some("array") => match MAPS.iter().find(|(list, _)| *list == name) {
            Some((_, key)) => list(field, "map", &[key]),
            None => list(field, "atomic", &[]),
        },
        Some("object") => object(name, field),
        _ => {}
    }
    if let Some(Value::Object(properties)) = field.get_mut("properties") {
        for (name, child) in properties {
            walk(name, child);
        }
        return;
    }
    let suffix = if field.contains_key("items") { "[]" } else { "{}" };
    for child in children(schema) {
        walk(&format!("{name}{suffix}"), child);
    }
}

fn object(name: &str, field: &mut Map<String, Value>) {
    if name == "metadata" {
        // Of the metadata of a claim's template nothing else has an effect.
        if let Some(Value::Object(properties)) = field.get_mut("properties") {
            properties.retain(|name, _| name == "labels" || name == "annotations");
        }
        return;
    }
    let has =
        |property: &str| field.get("properties").is_some_and(|all| all.get(property).is_some());
    // The Secret of a volume is a source, not a reference.
    if !ATOMIC_OBJECTS.contains(&name) || has("secretName") {
        return;
    }
    let typed = has("kind");
    set(field, "x-kubernetes-map-type", json!("atomic"));
    // The API server takes a reference without a name, and so do deployed instances.
    if !typed && let Some(Value::Array(required)) = field.get_mut("required") {
        required.retain(|property| property != "name");
        if required.is_empty() {
            field.remove("required");
        }
    }
}

/// Ports are numbers or names, everything else is a quantity.
fn quantity(name: &str, field: &mut Map<String, Value>) {
    field.remove("maxLength");
    field.remove("minimum");
    if name == "port" {
        field.remove("pattern");
    } else {
        set(field, "pattern", json!(QUANTITY));
    }
}
