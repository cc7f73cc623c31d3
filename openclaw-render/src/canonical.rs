//! Kubernetes fragments as the API server stores them.
//!
//! What we apply must come back as it was sent, or it would be sent again and again. The server
//! rewrites three things that we own: it puts quantities into canonical form (those of resources
//! rounded up to thousandths), it fills in defaults inside parts that are owned as a whole (a
//! `fieldRef`, a list without keys), and it drops empty values. [`canonicalise`] does the same
//! beforehand. Defaults anywhere else are fields that we do not own, and are left to the server.
//! Which fields these are was read from the Go types of k8s.io/api v0.36.3 and the merge schema in
//! k8s.io/client-go v0.36.3.

mod serializer;
mod writer;

use std::convert::identity;

use serde_json::{Map, Value, json};

use crate::quantity::{self, Quantity};
pub(crate) use writer::{write, write_part};

/// Maps with keys of the user's: what is in them is text or an amount, never a field.
const FREE_MAPS: [&str; 9] = [
    "annotations",
    "labels",
    "matchLabels",
    "nodeSelector",
    "data",
    "binaryData",
    "stringData",
    "volumeAttributes",
    "options",
];

/// Texts that are dropped when empty, wherever they stand in the kinds that we render.
const TEXTS: [&str; 35] = [
    "audience",
    "clusterIP",
    "concurrencyPolicy",
    "dnsPolicy",
    "effect",
    "externalName",
    "externalTrafficPolicy",
    "group",
    "host",
    "hostIP",
    "hostname",
    "imagePullPolicy",
    "level",
    "loadBalancerIP",
    "medium",
    "nodeName",
    "podManagementPolicy",
    "prefix",
    "priorityClassName",
    "role",
    "scheme",
    "schedulerName",
    "serviceAccount",
    "serviceAccountName",
    "sessionAffinity",
    "subPath",
    "subPathExpr",
    "subdomain",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "user",
    "volumeName",
    "whenDeleted",
    "whenScaled",
    "workingDir",
];

/// Switches that are dropped when false. Others are pointers in Kubernetes, where false is a value.
const SWITCHES: [&str; 7] =
    ["hostIPC", "hostNetwork", "hostPID", "publishNotReadyAddresses", "stdin", "stdinOnce", "tty"];

/// Numbers that are dropped when zero; zero means the default.
const NUMBERS: [&str; 6] = [
    "failureThreshold",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "successThreshold",
];

/// Brings an object that we are about to apply into the form in which the API server stores it.
///
/// Idempotent. Only the built-in kinds that we render are looked into; of any other kind (custom
/// resources are stored as they were sent) only the metadata. A text that is no quantity stays as it
/// is: the server will refuse it, and so does the validation before it.
pub fn canonicalise(object: &mut Value) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(fields) = object.as_object_mut() else { return };
    match kind.as_str() {
        kind if is_built_in(kind) => {
            if kind == "RoleBinding" {
                complete_binding(fields);
            }
            if kind == "Service"
                && let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut)
                && spec.get("selector").is_some_and(is_empty)
            {
                spec.remove("selector");
            }
            walk_map("", "", fields);
        }
        _ => {
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
                walk_map("", "metadata", metadata);
            }
        }
    }
}

/// Whether we know every field of a kind.
fn is_built_in(kind: &str) -> bool {
    matches!(
        kind,
        "StatefulSet"
            | "Deployment"
            | "Pod"
            | "Job"
            | "CronJob"
            | "Service"
            | "Ingress"
            | "NetworkPolicy"
            | "PodDisruptionBudget"
            | "HorizontalPodAutoscaler"
            | "PersistentVolumeClaim"
            | "ServiceAccount"
            | "Role"
            | "RoleBinding"
            | "ConfigMap"
            | "Secret"
    )
}

/// `parent` and `name` are the fields that lead here; an item of a list bears the list's name.
fn walk(parent: &str, name: &str, value: &mut Value) {
    match value {
        Value::Object(fields) if is_amounts(parent, name) => {
            fields.retain(|_, amount| !amount.is_null());
            for amount in fields.values_mut() {
                canonicalise_amount(amount, Quantity::rounded_up_to_milli);
            }
        }
        Value::Object(fields) => walk_map(parent, name, fields),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(parent, name, item)),
        Value::String(_) | Value::Number(_) if is_amount(parent, name) => {
            canonicalise_amount(value, identity);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn walk_map(parent: &str, name: &str, fields: &mut Map<String, Value>) {
    if FREE_MAPS.contains(&name) {
        fields.retain(|_, value| !value.is_null());
        return;
    }
    complete(parent, name, fields);
    for (field, value) in fields.iter_mut() {
        walk(name, field, value);
    }
    fields.retain(|field, value| {
        Blank::of(value).is_none_or(|blank| !is_dropped(parent, name, field, blank))
    });
}

/// Maps from resource names to amounts.
fn is_amounts(parent: &str, name: &str) -> bool {
    matches!((parent, name), ("resources", "limits" | "requests") | (_, "overhead"))
}

/// Single amounts. A metric's `value` is an amount, that of an environment variable is text.
fn is_amount(parent: &str, name: &str) -> bool {
    matches!((parent, name), (_, "sizeLimit" | "divisor") | ("target", "averageValue" | "value"))
}

fn canonicalise_amount(amount: &mut Value, round: impl Fn(Quantity) -> Quantity) {
    let canonical = match &*amount {
        Value::String(text) => quantity::parse(text),
        Value::Number(number) => quantity::parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return,
    };
    if let Ok(quantity) = canonical {
        *amount = Value::String(round(quantity).to_string());
    }
}

/// Defaults inside parts that are owned as a whole, and those of list keys.
fn complete(parent: &str, name: &str, fields: &mut Map<String, Value>) {
    match name {
        "fieldRef" => default(fields, "apiVersion", "v1"),
        "resourceFieldRef" => default(fields, "divisor", "0"),
        // Container ports, Service ports, and those of a NetworkPolicy.
        "ports" => default(fields, "protocol", "TCP"),
        "serviceAccountToken"
            if parent == "sources"
                && fields.get("expirationSeconds").is_none_or(Value::is_null) =>
        {
            fields.insert("expirationSeconds".to_owned(), json!(3600));
        }
        "volumeClaimTemplates" => {
            default(fields, "apiVersion", "v1");
            default(fields, "kind", "PersistentVolumeClaim");
            if let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) {
                default(spec, "volumeMode", "Filesystem");
            }
            let status = fields.entry("status").or_insert_with(|| json!({}));
            if status.is_null() {
                *status = json!({});
            }
            if let Some(status) = status.as_object_mut() {
                default(status, "phase", "Pending");
            }
        }
        _ => {}
    }
}

fn complete_binding(binding: &mut Map<String, Value>) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    if let Some(role) = binding.get_mut("roleRef").and_then(Value::as_object_mut) {
        default(role, "apiGroup", GROUP);
    }
    for subject in binding.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_account = subject.get("kind").is_some_and(|kind| kind == "ServiceAccount");
        if let Some(subject) = subject.as_object_mut() {
            if !is_account {
                default(subject, "apiGroup", GROUP);
            } else if subject.get("apiGroup").is_some_and(is_empty) {
                subject.remove("apiGroup");
            }
        }
    }
}

/// An empty text counts as absent here, as it does for the server.
fn default(fields: &mut Map<String, Value>, name: &str, value: &str) {
    if fields.get(name).is_none_or(|present| present.is_null() || present == "") {
        fields.insert(name.to_owned(), json!(value));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value that says nothing, as far as the server may forget it.
#[derive(Clone, Copy)]
enum Blank {
    Null,
    List,
    Map,
    Text,
    Off,
    Zero,
}

impl Blank {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Array(items) => items.is_empty().then_some(Self::List),
            Value::Object(fields) => fields.is_empty().then_some(Self::Map),
            Value::String(text) => text.is_empty().then_some(Self::Text),
            Value::Bool(switch) => (!switch).then_some(Self::Off),
            Value::Number(number) => (number.as_i64() == Some(0)).then_some(Self::Zero),
        }
    }

    /// The same of a value that was written as compact JSON.
    fn of_json(text: &[u8]) -> Option<Self> {
        match text {
            b"null" => Some(Self::Null),
            b"[]" => Some(Self::List),
            b"{}" => Some(Self::Map),
            b"\"\"" => Some(Self::Text),
            b"false" => Some(Self::Off),
            b"0" => Some(Self::Zero),
            _ => None,
        }
    }
}

/// Whether the server forgets such a value of `field` in `name` in `parent`.
fn is_dropped(parent: &str, name: &str, field: &str, value: Blank) -> bool {
    match value {
        Blank::Null | Blank::List => true,
        Blank::Map => FREE_MAPS.contains(&field) || is_amounts(name, field),
        Blank::Text => {
            TEXTS.contains(&field)
                || matches!((name, field), ("env" | "tolerations", "value"))
                || (name == "tolerations" && matches!(field, "key" | "operator"))
                || (name == "ports" && field == "name")
                || matches!((name, field), ("httpGet" | "paths", "path"))
                || (name == "tls" && field == "secretName")
                || (parent, name, field) == ("spec", "updateStrategy", "type")
        }
        Blank::Off => {
            SWITCHES.contains(&field)
                || (field == "readOnly" && !matches!(name, "csi" | "azureDisk"))
        }
        Blank::Zero => {
            NUMBERS.contains(&field)
                || (name.ends_with("Probe") && matches!(field, "periodSeconds" | "timeoutSeconds"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::canonicalise;

    fn canonical(mut object: Value) -> Value {
        canonicalise(&mut object);
        let once = object.clone();
        canonicalise(&mut object);
        assert_eq!(object, once, "canonicalising twice is canonicalising once");
        object
    }

    /// A `StatefulSet` whose only container is given.
    fn container(fields: &Value) -> Value {
        let object = json!({ "kind": "StatefulSet",
            "spec": { "template": { "spec": { "containers": [fields] } } } });
        canonical(object)["spec"]["template"]["spec"]["containers"][0].clone()
    }

    #[test]
    fn amounts_become_canonical_wherever_they_stand() {
        let stored = container(&json!({ "name": "main",
            "resources": { "limits": { "cpu": 1, "memory": "1024Mi" },
                           "requests": { "cpu": 0.5, "memory": "0.5Gi" } } }));
        assert_eq!(
            stored["resources"],
            json!({
            "limits": { "cpu": "1", "memory": "1Gi" },
            "requests": { "cpu": "500m", "memory": "512Mi" } })
        );
        let stored = canonical(json!({ "kind": "StatefulSet", "spec": { "template": { "spec": {
            "overhead": { "cpu": "0.1" },
            "volumes": [{ "name": "tmp", "emptyDir": { "sizeLimit": "2048Mi" } }] } } } }));
        let pod = &stored["spec"]["template"]["spec"];
        assert_eq!(pod["overhead"]["cpu"], "100m");
        assert_eq!(pod["volumes"][0]["emptyDir"]["sizeLimit"], "2Gi");
        let stored = canonical(json!({ "kind": "HorizontalPodAutoscaler", "spec": { "metrics": [
            { "resource": { "target": { "averageValue": "1000m", "type": "AverageValue" } } }] } }));
        assert_eq!(stored["spec"]["metrics"][0]["resource"]["target"]["averageValue"], "1");
    }

    #[test]
    fn text_that_looks_like_an_amount_is_left_alone() {
        let env = json!([{ "name": "limits", "value": "1024Mi" }]);
        assert_eq!(container(&json!({ "env": env }))["env"], env);
        let map = json!({ "kind": "ConfigMap", "data": { "divisor": "1000m", "tty": "" } });
        assert_eq!(canonical(map.clone()), map);
    }

    #[test]
    fn references_get_the_defaults_that_are_stored_in_them() {
        let stored = container(&json!({ "env": [
            { "name": "A", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
            { "name": "B", "valueFrom": { "resourceFieldRef": { "resource": "limits.cpu" } } },
            { "name": "C", "valueFrom": { "resourceFieldRef": { "divisor": 1, "resource": "x" } } },
        ] }));
        let from = |index: usize| stored["env"][index]["valueFrom"].clone();
        assert_eq!(
            from(0),
            json!({ "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } })
        );
        assert_eq!(
            from(1),
            json!({ "resourceFieldRef": { "divisor": "0", "resource": "limits.cpu" } })
        );
        assert_eq!(from(2), json!({ "resourceFieldRef": { "divisor": "1", "resource": "x" } }));
    }

    #[test]
    fn ports_are_tcp_unless_they_say_otherwise() {
        let stored = canonical(json!({ "kind": "NetworkPolicy", "spec": {
            "egress": [{ "ports": [{ "port": 53, "protocol": "UDP" }, { "port": 443 }], "to": [] }],
            "ingress": [{}] } }));
        assert_eq!(
            stored["spec"],
            json!({
            "egress": [{ "ports": [{ "port": 53, "protocol": "UDP" },
                                   { "port": 443, "protocol": "TCP" }] }],
            "ingress": [{}] })
        );
        let stored = container(&json!({ "ports": [{ "containerPort": 80 }] }));
        assert_eq!(stored["ports"], json!([{ "containerPort": 80, "protocol": "TCP" }]));
    }

    #[test]
    fn a_claim_template_is_completed_as_the_server_does() {
        let stored = canonical(json!({ "kind": "StatefulSet", "spec": { "volumeClaimTemplates": [
            { "metadata": { "name": "data", "creationTimestamp": null },
              "spec": { "accessModes": ["ReadWriteOnce"],
                        "resources": { "requests": { "storage": "10240Mi" } } } }] } }));
        assert_eq!(
            stored["spec"]["volumeClaimTemplates"],
            json!([
            { "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data" },
              "spec": { "accessModes": ["ReadWriteOnce"],
                        "resources": { "requests": { "storage": "10Gi" } },
                        "volumeMode": "Filesystem" },
              "status": { "phase": "Pending" } }])
        );
    }

    #[test]
    fn empty_values_go_and_meaningful_ones_stay() {
        let stored = container(&json!({ "args": [], "stdin": false, "workingDir": "",
            "env": [{ "name": "EMPTY", "value": "" }, { "name": "NULL", "value": null }],
            "livenessProbe": { "initialDelaySeconds": 0, "periodSeconds": 0, "exec": {} },
            "resources": { "limits": {} }, "securityContext": { "privileged": false, "runAsUser": 0 },
            "volumeMounts": [{ "mountPath": "/a", "name": "a", "readOnly": false, "subPath": "" }] }));
        assert_eq!(
            stored,
            json!({
            "env": [{ "name": "EMPTY" }, { "name": "NULL" }],
            "livenessProbe": { "exec": {} },
            "resources": {}, "securityContext": { "privileged": false, "runAsUser": 0 },
            "volumeMounts": [{ "mountPath": "/a", "name": "a" }] })
        );
        let stored = canonical(json!({ "kind": "PersistentVolumeClaim",
            "metadata": { "labels": { "empty": "" }, "annotations": {} },
            "spec": { "storageClassName": "", "volumeName": "" } }));
        assert_eq!(
            stored,
            json!({ "kind": "PersistentVolumeClaim",
            "metadata": { "labels": { "empty": "" } }, "spec": { "storageClassName": "" } })
        );
    }

    #[test]
    fn a_role_without_rules_owns_none() {
        let stored = canonical(json!({ "kind": "Role", "rules": [] }));
        assert_eq!(stored, json!({ "kind": "Role" }));
        let binding = canonical(json!({ "kind": "RoleBinding",
            "roleRef": { "kind": "Role", "name": "a" },
            "subjects": [{ "kind": "ServiceAccount", "name": "a", "apiGroup": "" }] }));
        assert_eq!(binding["roleRef"]["apiGroup"], "rbac.authorization.k8s.io");
        assert_eq!(binding["subjects"][0].get("apiGroup"), None);
    }

    #[test]
    fn custom_resources_keep_their_empty_values() {
        let monitor = json!({ "kind": "ServiceMonitor", "spec": { "endpoints": [], "port": "" } });
        assert_eq!(canonical(monitor.clone()), monitor);
    }
}
