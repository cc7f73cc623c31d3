//! Fields without a value: absent, as they are to the API server.

use serde_json::{Map, Value};

use crate::problem::{Problem, Rule};

/// Where they are looked for later: openclaw.json, which may also come from a ConfigMap.
const KEPT: &str = "spec.config.raw";
/// So many are named.
const LISTED: usize = 32;

/// Takes fields without a value out of a spec, and returns advice on each. An item of a list is no
/// field and stays.
///
/// The API server does the same before it looks at anything else ([`nullable`
/// fields](https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable)).
pub(super) fn take_away(document: &mut Value) -> Vec<Problem> {
    // What is stored has none: the API server has taken them away.
    document.get_mut("spec").map(|spec| take_away_below("spec", spec)).unwrap_or_default()
}

/// Takes keys without a value out of openclaw.json, which the API server leaves as it is and the
/// application refuses.
pub(crate) fn take_away_of_configuration(
    path: &str,
    document: Map<String, Value>,
) -> (Map<String, Value>, Vec<Problem>) {
    let mut document = Value::Object(document);
    let advice = take_away_below(path, &mut document);
    let Value::Object(document) = document else { return (Map::new(), advice) };
    (document, advice)
}

fn take_away_below(path: &str, value: &mut Value) -> Vec<Problem> {
    let mut taken = Vec::new();
    if has_any(value) {
        take_from(value, path, &mut taken);
    }
    let advice = taken.into_iter().map(|path| {
        let message = "has no value, so it counts as absent: give it one, or remove it";
        Problem::advice(path, Rule::Ineffective, message)
    });
    advice.collect()
}

/// A document is no deeper than what is read, see [`crate::nesting`].
fn has_any(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(has_any),
        Value::Array(items) => items.iter().any(has_any),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn take_from(value: &mut Value, path: &str, taken: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.retain(|name, field| {
            let path = format!("{path}.{name}");
            if field.is_null() {
                if taken.len() < LISTED {
                    taken.push(path);
                }
                return false;
            }
            if path != KEPT {
                take_from(field, &path, taken);
            }
            true
        }),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                take_from(item, &format!("{path}[{index}]"), taken);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::documents::decode_instance;

    #[test]
    fn a_manifest_with_a_key_to_be_filled_in_decodes_with_advice() {
        let manifest = json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
            "metadata": {"name": "ada"},
            "spec": {"security": {"rbac": {"serviceAccountAnnotations": {
                "eks.amazonaws.com/role-arn": null,
            }}}},
        });
        let (instance, problems) = decode_instance(manifest).expect("it decodes");
        let rbac = instance.spec.security.and_then(|security| security.rbac).expect("rbac");
        assert_eq!(rbac.service_account_annotations, Some(std::collections::BTreeMap::new()));
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        let path = "spec.security.rbac.serviceAccountAnnotations.eks.amazonaws.com/role-arn";
        assert_eq!(paths, [path]);
    }

    #[test]
    fn a_field_without_a_value_is_absent_wherever_it_is() {
        let mut document = json!({"metadata": {"labels": null}, "spec": {
            "suspended": null,
            "security": {"rbac": {"serviceAccountAnnotations": {"role": null, "team": "a"}}},
            "env": [{"name": "A", "value": null}, null],
            "config": {"raw": {"tools": null}, "mode": null},
        }});
        let advice = take_away(&mut document);
        let paths: Vec<&str> = advice.iter().map(|advice| advice.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "spec.config.mode",
                "spec.env[0].value",
                "spec.security.rbac.serviceAccountAnnotations.role",
                "spec.suspended",
            ]
        );
        let left = json!({"metadata": {"labels": null}, "spec": {
            "security": {"rbac": {"serviceAccountAnnotations": {"team": "a"}}},
            "env": [{"name": "A"}, null],
            "config": {"raw": {"tools": null}},
        }});
        assert_eq!(document, left);
    }
}
