//! Labels and annotations that the user gives for objects of ours, and labels of nodes.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::context::Resolving;
use super::selectors;
use crate::api::OpenClawInstanceSpec;
use crate::vocab::grammar::is_qualified;
use crate::vocab::{annotations, labels};

type Keys = BTreeMap<String, String>;

/// Bytes of all annotations of an object together, keys included.
const MAX_ANNOTATIONS: usize = 256 << 10;

/// Reports what no object can have, because the API server would refuse the whole object: the
/// instance itself, or one of ours.
pub(super) fn check(own: &ObjectMeta, spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    let rbac = spec.security.as_ref().and_then(|each| each.rbac.as_ref());
    let service = spec.networking.as_ref().and_then(|each| each.service.as_ref());
    let availability = spec.availability.as_ref();
    let metrics = spec.observability.as_ref().and_then(|each| each.metrics.as_ref());
    let monitor = metrics.and_then(|each| each.service_monitor.as_ref());
    let rule = metrics.and_then(|each| each.prometheus_rule.as_ref());
    let dashboard = metrics.and_then(|each| each.grafana_dashboard.as_ref());
    let ingress = spec.networking.as_ref().and_then(|each| each.ingress.as_ref());
    let route = spec.networking.as_ref().and_then(|each| each.http_route.as_ref());
    let annotations: [(&str, Option<&Keys>); 6] = [
        ("metadata.annotations", own.annotations.as_ref()),
        ("spec.podAnnotations", spec.pod_annotations.as_ref()),
        ("spec.networking.service.annotations", service.and_then(|it| it.annotations.as_ref())),
        ("spec.networking.ingress.annotations", ingress.and_then(|it| it.annotations.as_ref())),
        ("spec.networking.httpRoute.annotations", route.and_then(|it| it.annotations.as_ref())),
        (
            "spec.security.rbac.serviceAccountAnnotations",
            rbac.and_then(|it| it.service_account_annotations.as_ref()),
        ),
    ];
    for (path, keys) in annotations {
        for key in keys.into_iter().flat_map(BTreeMap::keys).filter(|key| !is_qualified(key)) {
            cx.error(
                format!("{path}[{key:?}]"),
                "is no key of an annotation: write `name` or `domain/name`, the name with at most \
                 63 letters, digits, `-`, `_` and `.`",
            );
        }
        let bytes: usize =
            keys.into_iter().flatten().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > MAX_ANNOTATIONS {
            cx.error(
                path,
                format!(
                    "have {bytes} bytes together, and {MAX_ANNOTATIONS} are allowed: keep large \
                     texts in a ConfigMap"
                ),
            );
        }
    }
    let labels = [
        ("metadata.labels", own.labels.as_ref()),
        (
            "spec.observability.metrics.serviceMonitor.labels",
            monitor.and_then(|it| it.labels.as_ref()),
        ),
        (
            "spec.observability.metrics.prometheusRule.labels",
            rule.and_then(|it| it.labels.as_ref()),
        ),
        (
            "spec.observability.metrics.grafanaDashboard.labels",
            dashboard.and_then(|it| it.labels.as_ref()),
        ),
        ("spec.availability.nodeSelector", availability.and_then(|it| it.node_selector.as_ref())),
    ];
    for (path, labels) in labels {
        for (key, value) in labels.into_iter().flatten() {
            let path = format!("{path}[{key:?}]");
            selectors::check_label(&path, key, value, cx);
        }
    }
}

/// Returns the labels that the user adds to an object of ours. Ours say whose the object is.
pub(super) fn users_labels(
    path: &str,
    mut users: BTreeMap<String, String>,
    cx: &mut Resolving<'_>,
) -> BTreeMap<String, String> {
    users.retain(|key, _| {
        let path = format!("{path}[{key:?}]");
        let is_ours = [labels::NAME, labels::INSTANCE, labels::MANAGED_BY].contains(&key.as_str());
        if is_ours {
            cx.ineffective(path, "has no effect: this label says whose the object is");
        }
        !is_ours
    });
    users
}

/// The user's annotations of the pod, less those that belong to the operator.
pub(super) fn pod_annotations(
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> BTreeMap<String, String> {
    let mut annotations = spec.pod_annotations.clone().unwrap_or_default();
    annotations.retain(|key, _| {
        let ours = key.starts_with(annotations::PREFIX);
        if ours {
            cx.ineffective(
                format!("spec.podAnnotations[{key:?}]"),
                "has no effect: keys with this prefix belong to the operator",
            );
        }
        !ours
    });
    annotations
}
