//! What else comes of a spec that is wrong: what it refers to, and which condition tells of it.

use openclaw_render::{Fact, Observed, Settings, plan, resolve};
use serde_json::{Value, json};

use super::instance;

#[test]
fn what_a_spec_refers_to_is_found_whatever_else_is_wrong_with_it() {
    let references = |spec: &Value| {
        let found = resolve(&instance(spec), &Observed::default(), &Settings::default());
        assert_eq!(found.resolved, None, "{spec}");
        let texts: Vec<String> = found.references.iter().map(ToString::to_string).collect();
        texts.join(" ")
    };
    let from = |reference: &str, name: &str| json!({reference: {"name": name, "key": "k"}});
    let spec = json!({
        "replicas": 7,
        "config": {"configMapRef": {"name": "c"}},
        // As long as the user has a token, nothing is taken from this.
        "gateway": {"existingSecret": "t", "enabled": false},
        "storage": {"persistence": {"existingClaim": "v"}},
        "env": [
            {"name": "A", "valueFrom": from("secretKeyRef", "s")},
            {"name": "B", "valueFrom": from("configMapKeyRef", "m")},
            {"name": "OPENCLAW_GATEWAY_TOKEN", "value": "own"},
        ],
        "envFrom": [{"secretRef": {"name": "w"}}],
    });
    insta::assert_snapshot!(references(&spec), @"Secret/ada-gateway-token Secret/s Secret/t Secret/w ConfigMap/c ConfigMap/m PersistentVolumeClaim/ada-data PersistentVolumeClaim/v");
    let nested = (0..129).fold(json!(1), |inner, _| json!([inner]));
    let too_deep = json!({"config": {"raw": {"session": nested}}, "envFrom": spec["envFrom"]});
    insta::assert_snapshot!(references(&too_deep), @"Secret/ada-gateway-token PersistentVolumeClaim/ada-data");
}

/// Status and reason of a condition of a spec.
fn condition(spec: &Value, observed: &Observed, about: &str) -> Option<(String, String)> {
    let plan = plan(&instance(spec), observed, &Settings::default());
    let mut conditions = plan.status.conditions.into_iter().flatten();
    let found = conditions.find(|condition| condition.type_ == about);
    found.map(|condition| (condition.status, condition.reason))
}

#[test]
fn a_condition_tells_of_what_it_is_about_and_of_nothing_beside_it() {
    let known = |keys: &[&str]| {
        Fact::Known(keys.iter().map(|key| ((*key).to_owned(), "x".to_owned())).collect())
    };
    let observed = Observed {
        config_maps: [("there".to_owned(), known(&[])), ("gone".to_owned(), Fact::Absent)].into(),
        secrets: [("there".to_owned(), known(&[])), ("gone".to_owned(), Fact::Absent)].into(),
        claims: [("gone".to_owned(), Fact::Absent)].into(),
        ..Observed::default()
    };
    let config_map = |name: &str| json!({"config": {"configMapRef": {"name": name}}});
    let secret = |name: &str| {
        let source = json!({"secretKeyRef": {"name": name, "key": "k"}});
        json!({"env": [{"name": "A", "valueFrom": source}]})
    };
    let size = json!({"requests": {"cpu": "many"}});
    let claim = |name: &str| json!({"storage": {"persistence": {"existingClaim": name}}});
    for (spec, about, reason) in [
        (json!({"config": {"raw": 1}}), "ConfigValid", Some("InvalidJSON")),
        (config_map("gone"), "ConfigValid", Some("ConfigMapMissing")),
        (config_map("there"), "ConfigValid", Some("ConfigMapKeyMissing")),
        (config_map("unseen"), "ConfigValid", Some("ConfigMapUnknown")),
        // Of the sidecar, and not of what it hands over.
        (json!({"config": {"sync": {"resources": size}}}), "ConfigValid", None),
        (json!({"config": {"forcePaths": ["a"]}}), "ConfigValid", None),
        (secret("gone"), "SecretsReady", Some("SecretMissing")),
        (secret("there"), "SecretsReady", Some("SecretMissing")),
        (secret("unseen"), "SecretsReady", Some("SecretUnknown")),
        (json!({"gateway": {"existingSecret": "gone"}}), "SecretsReady", Some("SecretMissing")),
        (claim("gone"), "StorageReady", Some("ClaimMissing")),
    ] {
        let expected = reason.map(|reason| ("False".to_owned(), reason.to_owned()));
        assert_eq!(condition(&spec, &observed, about), expected, "{spec}");
    }
}
