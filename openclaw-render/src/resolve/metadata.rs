//! Labels and annotations that the user gives for objects of ours.

use std::collections::BTreeMap;

use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;
use crate::vocab::annotations;
use crate::vocab::grammar::is_qualified;

type Keys = BTreeMap<String, String>;

/// Reports keys that no object can have, because the API server would refuse the whole object.
pub(super) fn check(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    let rbac = spec.security.as_ref().and_then(|each| each.rbac.as_ref());
    let service = spec.networking.as_ref().and_then(|each| each.service.as_ref());
    let availability = spec.availability.as_ref();
    let metrics = spec.observability.as_ref().and_then(|each| each.metrics.as_ref());
    let monitor = metrics.and_then(|each| each.service_monitor.as_ref());
    let ingress = spec.networking.as_ref().and_then(|each| each.ingress.as_ref());
    let places: [(&str, Option<&Keys>); 6] = [
        ("spec.podAnnotations", spec.pod_annotations.as_ref()),
        ("spec.networking.service.annotations", service.and_then(|it| it.annotations.as_ref())),
        ("spec.networking.ingress.annotations", ingress.and_then(|it| it.annotations.as_ref())),
        (
            "spec.security.rbac.serviceAccountAnnotations",
            rbac.and_then(|it| it.service_account_annotations.as_ref()),
        ),
        (
            "spec.observability.metrics.serviceMonitor.labels",
            monitor.and_then(|it| it.labels.as_ref()),
        ),
        ("spec.availability.nodeSelector", availability.and_then(|it| it.node_selector.as_ref())),
    ];
    for (path, keys) in places {
        for key in keys.into_iter().flat_map(BTreeMap::keys).filter(|key| !is_qualified(key)) {
            cx.error(
                format!("{path}[{key:?}]"),
                "is no key of a label or annotation: write `name` or `domain/name`, the name with \
                 at most 63 letters, digits, `-`, `_` and `.`",
            );
        }
    }
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
