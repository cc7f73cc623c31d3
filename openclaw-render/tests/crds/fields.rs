//! The fields of both operators' definitions, by path.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use openclaw_render::api::custom_resource_definitions;
use serde_json::{Map, Value};

pub(crate) const RULES: &str = "x-kubernetes-validations";

/// Kubernetes types, whose descriptions are left out.
pub(crate) const EMBEDDED: &[&str] = &[
    "spec.availability.affinity.",
    "spec.availability.tolerations[]",
    "spec.availability.topologySpreadConstraints[]",
    "spec.backup.storage.secretRef.",
    "spec.chromium.extraEnv[]",
    "spec.env[]",
    "spec.envFrom[]",
    "spec.extraVolumeMounts[]",
    "spec.extraVolumes[]",
    "spec.image.pullSecrets[]",
    "spec.initContainers[]",
    "spec.netbird.setupKeySecretRef.",
    "spec.networking.metricsIngress.podSelector.",
    "spec.security.containerSecurityContext.capabilities.",
    "spec.security.networkPolicy.additionalEgress[]",
    "spec.sidecarVolumes[]",
    "spec.sidecars[]",
    "spec.tailscale.authKeySecretRef.",
    "spec.webTerminal.credential.secretRef.",
    "status.conditions[]",
];

pub(crate) type Fields = BTreeMap<String, Map<String, Value>>;

#[expect(clippy::disallowed_methods, reason = "a test reads its data from disk")]
pub(crate) fn pairs() -> Vec<(Value, Value)> {
    custom_resource_definitions()
        .into_iter()
        .filter(|ours| ours["spec"]["group"] == "openclaw.rocks")
        .map(|ours| {
            let plural = ours["spec"]["names"]["plural"].as_str().unwrap();
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/data/crds/{plural}.json"));
            (serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(), ours)
        })
        .collect()
}

pub(crate) fn version(definition: &Value) -> &Value {
    &definition["spec"]["versions"][0]
}

pub(crate) fn fields(schema: &Value) -> Fields {
    fn walk(schema: &Value, path: &str, fields: &mut Fields) {
        let Some(field) = schema.as_object() else { return };
        fields.insert(path.to_owned(), field.clone());
        for (name, child) in
            field.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let dot = if path.is_empty() { "" } else { "." };
            walk(child, &format!("{path}{dot}{name}"), fields);
        }
        for (key, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(child) = field.get(key) {
                walk(child, &format!("{path}{suffix}"), fields);
            }
        }
    }
    let mut all = Fields::new();
    walk(schema, "", &mut all);
    all
}

pub(crate) fn our_fields() -> Vec<Fields> {
    let definitions = custom_resource_definitions();
    definitions.iter().map(|it| fields(&version(it)["schema"]["openAPIV3Schema"])).collect()
}
