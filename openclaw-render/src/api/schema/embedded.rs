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
    &["defaultMode", "items", "name", "optional"],
    &["items", "name", "optional"],
    &["key", "name", "optional"],
    &["matchExpressions", "matchFields"],
    &["matchExpressions", "matchLabels"],
    &["name"],
    &["name", "optional"],
    &["nodeSelectorTerms"],
];

/// Adds what the schema of one part of a Kubernetes type lacks.
pub(super) fn mend(node: &mut Map<String, Value>, path: &str) {
    let field = path.rsplit('.').next().unwrap_or_default();
    // A port is a number or a name; whatever else may be both is a quantity.
    if node.contains_key("x-kubernetes-int-or-string") && field != "port" {
        node.insert("pattern".to_owned(), json!(QUANTITY));
    }
    let fields = field_names(node);
    let is_reference_by_kind = fields.contains(&"kind");
    if ATOMIC_MAPS.contains(&fields.as_slice()) {
        if !is_reference_by_kind {
            allow_no_name(node);
        }
        node.insert("x-kubernetes-map-type".to_owned(), json!("atomic"));
    }
    if path.ends_with(".volumeClaimTemplate.metadata")
        && let Some(Value::Object(properties)) = node.get_mut("properties")
    {
        // Kubernetes refuses the rest in the template of a claim.
        properties.retain(|name, _| name == "annotations" || name == "labels");
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

fn field_names(node: &Map<String, Value>) -> Vec<&str> {
    let properties = node.get("properties").and_then(Value::as_object);
    let mut names: Vec<&str> =
        properties.map_or_else(Vec::new, |all| all.keys().map(String::as_str).collect());
    names.sort_unstable();
    names
}

/// A reference without a name refers to nothing, but Kubernetes does not refuse it.
fn allow_no_name(node: &mut Map<String, Value>) {
    if let Some(Value::Array(required)) = node.get_mut("required") {
        required.retain(|name| name != "name");
        if required.is_empty() {
            node.remove("required");
        }
    }
}

fn has_item_fields(node: &Map<String, Value>, fields: &[&str]) -> bool {
    let properties = node.get("items").and_then(|items| items.get("properties"));
    properties.is_some_and(|properties| fields.iter().all(|field| properties.get(field).is_some()))
}
