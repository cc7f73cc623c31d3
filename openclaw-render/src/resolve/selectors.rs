//! Selectors of labels: keys, operators and values that the API server takes.
//!
//! It would refuse the whole object with a wrong one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::context::Resolving;
use crate::vocab::grammar::{is_label_key, is_label_value};

/// Checks a selector, if there is one.
pub(super) fn check(path: &str, selector: Option<&LabelSelector>, cx: &mut Resolving<'_>) {
    let Some(selector) = selector else { return };
    for (key, value) in selector.match_labels.iter().flatten() {
        check_label(&format!("{path}.matchLabels[{key:?}]"), key, value, cx);
    }
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        let values = requirement.values.as_deref().unwrap_or_default();
        match requirement.operator.as_str() {
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {
                check_count(&path, &requirement.operator, values, cx);
            }
            other => cx.error(
                format!("{path}.operator"),
                format!("{other:?} is no operator: use `In`, `NotIn`, `Exists` or `DoesNotExist`"),
            ),
        }
        check_key(&format!("{path}.key"), &requirement.key, cx);
        check_values(&path, values, cx);
    }
}

/// Checks a label.
pub(super) fn check_label(path: &str, key: &str, value: &str, cx: &mut Resolving<'_>) {
    if !is_label_key(key) {
        cx.error(
            path,
            "is no key of a label: write `name` or `domain/name`, the domain in lower case and the \
             name with at most 63 letters, digits, `-`, `_` and `.`",
        );
    } else if !is_label_value(value) {
        cx.error(path, format!("{value:?} cannot be the value of a label"));
    }
}

/// Checks the key of labels.
pub(super) fn check_key(path: &str, key: &str, cx: &mut Resolving<'_>) {
    if !is_label_key(key) {
        cx.error(
            path,
            format!(
                "{key:?} is no key of a label: write `name` or `domain/name`, the domain in lower \
                 case and the name with at most 63 letters, digits, `-`, `_` and `.`"
            ),
        );
    }
}

/// Checks that an operator has the values that it compares with.
pub(super) fn check_count(path: &str, operator: &str, values: &[String], cx: &mut Resolving<'_>) {
    let compares = matches!(operator, "In" | "NotIn");
    if compares && values.is_empty() {
        cx.error(
            format!("{path}.values"),
            format!("has no value for `{operator}` to compare with: write one"),
        );
    }
    if !compares && !values.is_empty() {
        cx.error(format!("{path}.values"), format!("has no meaning for `{operator}`: remove it"));
    }
}

/// Checks values of labels.
pub(super) fn check_values(path: &str, values: &[String], cx: &mut Resolving<'_>) {
    for (index, value) in values.iter().enumerate().filter(|(_, value)| !is_label_value(value)) {
        cx.error(
            format!("{path}.values[{index}]"),
            format!("{value:?} cannot be the value of a label"),
        );
    }
}
