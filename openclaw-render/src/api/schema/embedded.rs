//! What the schemas of embedded Kubernetes types lack: list types, map types, numbers as
//! quantities. Their descriptions go: they alone are larger than a definition may be.

use serde_json::{Map, Value, json};

/// Fields at which a Kubernetes type begins. Their own description is ours; below, none is kept.
pub(super) const STARTS: &[&str] = &[
    ".spec.availability.affinity",
    ".spec.availability.tolerations",
    ".spec.availability.topologySpreadConstraints",
    ".spec.chromium.extraEnv",
    ".spec.env",
    ".spec.envFrom",
    ".spec.extraVolumeMounts",
    ".spec.extraVolumes",
    ".spec.image.pullSecrets",
    ".spec.initContainers",
    ".spec.networking.metricsIngress",
    ".spec.security.containerSecurityContext.capabilities",
    ".spec.security.networkPolicy.additionalEgress",
    ".spec.sidecarVolumes",
    ".spec.sidecars",
    ".spec.tailscale.authKeySecretRef",
    ".spec.webTerminal.credential.secretRef",
    ".status.conditions",
];

/// A Kubernetes quantity, which may have a sign.
const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// Lists whose items have an identity, by field and key. With it several writers can each own an
/// item; without it the last one owns the list.
const MAP_LISTS: &[(&str, &[&str])] = &[
    ("claims", &["name"]),
    ("env", &["name"]),
    ("ports", &["containerPort", "protocol"]),
    ("volumeDevices", &["devicePath"]),
    ("volumeMounts", &["mountPath"]),
];

/// Structures that Kubernetes replaces as a whole, by the names of their fields.
const ATOMIC_MAPS: &[&[&str]] = &[
    &["apiGroup", "kind", "name"],
    &["apiVersion", "fieldPath"],
    &["containerName", "divisor", "resource"],
    &["key", "name", "optional"],
    &["matchExpressions", "matchFields"],
    &["matchExpressions", "matchLabels"],
    &["name"],
    &["nodeSelectorTerms"],
];

/// Adds what the schema of one part of a Kubernetes type lacks.
pub(super) fn mend(node: &mut Map<String, Value>, path: &str) {
    let field = path.rsplit('.').next().unwrap_or_default();
    if node.contains_key("x-kubernetes-int-or-string") {
        node.insert("anyOf".to_owned(), json!([{ "type": "integer" }, { "type": "string" }]));
        // A port is a number or a name; whatever else is of this type is a quantity.
        if field != "port" {
            node.insert("pattern".to_owned(), json!(QUANTITY));
        }
    }
    let named: Option<Vec<&str>> = node
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect());
    if named.is_some_and(|mut names| {
        names.sort_unstable();
        ATOMIC_MAPS.contains(&names.as_slice())
    }) {
        node.insert("x-kubernetes-map-type".to_owned(), json!("atomic"));
    }
    for (list, keys) in MAP_LISTS {
        if field == *list && has_item_fields(node, keys) {
            node.insert("x-kubernetes-list-type".to_owned(), json!("map"));
            node.insert("x-kubernetes-list-map-keys".to_owned(), json!(keys));
        }
    }
    // A key of a list must be required or have a default; this one is Kubernetes' own.
    if node.get("x-kubernetes-list-map-keys") == Some(&json!(["containerPort", "protocol"]))
        && let Some(Value::Object(protocol)) =
            node.get_mut("items").and_then(|items| items.pointer_mut("/properties/protocol"))
    {
        protocol.insert("default".to_owned(), json!("TCP"));
    }
}

fn has_item_fields(node: &Map<String, Value>, fields: &[&str]) -> bool {
    let properties = node.get("items").and_then(|items| items.get("properties"));
    properties.is_some_and(|properties| fields.iter().all(|field| properties.get(field).is_some()))
}
