//! Labels and annotations that the API server refuses, of the instance and of what is made for it.

use openclaw_render::{Observed, Settings, Severity, decode_instance, resolve};
use serde_json::{Value, json};

/// Places of annotations in an instance.
const ANNOTATIONS: [&str; 6] = [
    "/metadata/annotations",
    "/spec/podAnnotations",
    "/spec/networking/service/annotations",
    "/spec/networking/ingress/annotations",
    "/spec/networking/httpRoute/annotations",
    "/spec/security/rbac/serviceAccountAnnotations",
];

/// Errors of an instance with a value at a place.
fn errors(pointer: &str, value: &Value) -> Vec<String> {
    let mut document = json!({
        "metadata": {"name": "ada", "namespace": "agents"},
        "spec": {
            "networking": {"service": {}, "ingress": {}, "httpRoute": {}},
            "security": {"rbac": {}},
        },
    });
    let (holder, name) = pointer.rsplit_once('/').expect("a pointer");
    document.pointer_mut(holder).expect("its holder is there")[name] = value.clone();
    let (instance, _) = decode_instance(document).expect("it decodes");
    let mut problems = resolve(&instance, &Observed::default(), &Settings::default()).problems;
    problems.retain(|problem| problem.severity == Severity::Error);
    problems.iter().map(ToString::to_string).collect()
}

/// Too large for a fixture.
pub(super) fn said() -> Vec<String> {
    errors("/metadata/annotations", &json!({"a": "x".repeat(1 << 18)}))
}

#[test]
fn annotations_may_have_256_kib_together() {
    let filled = |bytes: usize| json!({"a": "x".repeat(1 << 17), "b": "x".repeat(bytes)});
    let most = (1 << 17) - 2;
    for pointer in ANNOTATIONS {
        assert_eq!(errors(pointer, &filled(most)), Vec::<String>::new(), "{pointer}");
        let path = pointer.trim_start_matches('/').replace('/', ".");
        let said = format!(
            "{path}: have 262145 bytes together, and 262144 are allowed: keep large texts in a \
             ConfigMap"
        );
        assert_eq!(errors(pointer, &filled(most + 1)), [said]);
    }
}

#[test]
fn keys_and_values_of_the_instance_itself_are_those_of_kubernetes() {
    let good = json!({"a": "", "example.com/B_c": "X-1.y"});
    assert_eq!(errors("/metadata/labels", &good), Vec::<String>::new());
    assert_eq!(
        errors("/metadata/annotations", &json!({"Example.com/a": "b c"})),
        Vec::<String>::new()
    );
    let bad = json!({"a b": "c", "long": "x".repeat(64), "word": "a b"});
    let said = errors("/metadata/labels", &bad).join("\n");
    for part in [
        r#"metadata.labels["a b"]: is no key of a label: write `name`"#,
        &format!(r#"metadata.labels["long"]: "{}" cannot be the value"#, "x".repeat(64)),
        r#"metadata.labels["word"]: "a b" cannot be the value"#,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = errors("/metadata/annotations", &json!({"a b": "c"})).join("\n");
    assert!(
        said.starts_with(r#"metadata.annotations["a b"]: is no key of an annotation"#),
        "{said}"
    );
}
