//! Fields that the API has and this version does not render.
//!
//! Such a field is never silence: an instance that sets one gets no writes and no prune, and
//! condition `Unsupported` lists the fields. A field counts as set when it asks for something; the
//! settings of a feature that is off ask for nothing.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::context::Resolving;
use super::stored_defaults;
use crate::api::{MetricsIngressFrom, MetricsSpec, OpenClawInstance, OpenClawInstanceSpec};

type IsSet = fn(&OpenClawInstanceSpec) -> bool;

/// Every such field, sorted by path, and how to tell that it is set.
pub(crate) const FIELDS: &[(&str, IsSet)] = &[
    ("spec.autoUpdate", |spec| is(spec.auto_update.as_ref().and_then(|each| each.enabled))),
    ("spec.availability.autoScaling", |spec| {
        let availability = spec.availability.as_ref();
        is(availability.and_then(|each| each.auto_scaling.as_ref()?.enabled))
    }),
    ("spec.backup.schedule", |spec| {
        filled(spec.backup.as_ref().and_then(|each| each.schedule.as_ref()))
    }),
    ("spec.backup.storage", |spec| {
        let storage = spec.backup.as_ref().and_then(|each| each.storage.as_ref());
        storage.is_some_and(|storage| {
            storage.secret_ref.as_ref().is_some_and(|secret| !secret.name.is_empty())
        })
    }),
    ("spec.extraVolumeMounts", |spec| listed(spec.extra_volume_mounts.as_ref())),
    ("spec.extraVolumes", |spec| listed(spec.extra_volumes.as_ref())),
    ("spec.initContainers", |spec| listed(spec.init_containers.as_ref())),
    ("spec.maintenanceWindows", |spec| listed(spec.maintenance_windows.as_ref())),
    ("spec.netbird", |spec| is(spec.netbird.as_ref().and_then(|each| each.enabled))),
    ("spec.networking.httpRoute", |spec| {
        let networking = spec.networking.as_ref();
        is(networking.and_then(|each| each.http_route.as_ref()?.enabled))
    }),
    ("spec.networking.ingress", |spec| {
        let networking = spec.networking.as_ref();
        is(networking.and_then(|each| each.ingress.as_ref()?.enabled))
    }),
    ("spec.networking.metricsIngress", |spec| {
        let networking = spec.networking.as_ref();
        networking.and_then(|each| each.metrics_ingress.as_ref()).is_some_and(|ingress| {
            ingress.from.is_some_and(|from| from != MetricsIngressFrom::SameNamespace)
                || listed(ingress.allowed_namespaces.as_ref())
                || listed(ingress.allowed_cidrs.as_ref())
                || ingress
                    .pod_selector
                    .as_ref()
                    .is_some_and(|pods| *pods != LabelSelector::default())
        })
    }),
    ("spec.networking.service.ports", |spec| {
        let service = spec.networking.as_ref().and_then(|each| each.service.as_ref());
        listed(service.and_then(|service| service.ports.as_ref()))
    }),
    ("spec.observability.metrics", metrics),
    ("spec.ollama", |spec| is(spec.ollama.as_ref().and_then(|each| each.enabled))),
    ("spec.plugins", |spec| listed(spec.plugins.as_ref())),
    ("spec.restoreFrom", |spec| filled(spec.restore_from.as_ref())),
    ("spec.runtimeDeps.pnpm", |spec| is(spec.runtime_deps.as_ref().and_then(|each| each.pnpm))),
    ("spec.runtimeDeps.python", |spec| is(spec.runtime_deps.as_ref().and_then(|each| each.python))),
    ("spec.sidecarVolumes", |spec| listed(spec.sidecar_volumes.as_ref())),
    ("spec.sidecars", |spec| listed(spec.sidecars.as_ref())),
    ("spec.skills", |spec| listed(spec.skills.as_ref())),
    ("spec.tailscale", |spec| is(spec.tailscale.as_ref().and_then(|each| each.enabled))),
    ("spec.webTerminal", |spec| is(spec.web_terminal.as_ref().and_then(|each| each.enabled))),
    ("spec.workspace.additionalWorkspaces[].skills", |spec| {
        let workspaces = spec.workspace.as_ref().and_then(|it| it.additional_workspaces.as_ref());
        workspaces.is_some_and(|all| all.iter().any(|each| listed(each.skills.as_ref())))
    }),
];

fn is(value: Option<bool>) -> bool {
    value.unwrap_or(false)
}

fn filled(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

fn listed<T>(list: Option<&Vec<T>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

/// Metrics are on when they are turned on, or when anything under them is used and nothing turns
/// them off.
fn metrics(spec: &OpenClawInstanceSpec) -> bool {
    let metrics = spec.observability.as_ref().and_then(|each| each.metrics.as_ref());
    metrics.is_some_and(|metrics| {
        metrics.enabled.unwrap_or_else(|| metrics.port.is_some() || are_used(metrics))
    })
}

/// Whether anything is made of the metrics.
fn are_used(metrics: &MetricsSpec) -> bool {
    is(metrics.service_monitor.as_ref().and_then(|each| each.enabled))
        || is(metrics.prometheus_rule.as_ref().and_then(|each| each.enabled))
        || is(metrics.grafana_dashboard.as_ref().and_then(|each| each.enabled))
}

/// Fields that the Go operator's schema turns on by itself: path of the feature, path of the switch,
/// and whether the spec asks for nothing beyond that switch.
const STORED: &[(&str, &[&str], IsSet)] =
    &[("spec.observability.metrics", &["spec", "observability", "metrics", "enabled"], |spec| {
        let metrics = spec.observability.as_ref().and_then(|each| each.metrics.as_ref());
        metrics.is_some_and(|metrics| {
            metrics.port.is_none_or(|port| port == 9090) && !are_used(metrics)
        })
    })];

/// Reports the fields that are set.
pub(super) fn check(
    instance: &OpenClawInstance,
    merged: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) {
    for (path, _) in FIELDS.iter().filter(|(_, is_set)| is_set(merged)) {
        // Only managedFields can tell the Go operator's schema default from the user's choice.
        let stored = STORED.iter().any(|(feature, switch, asks_nothing_more)| {
            feature == path
                && asks_nothing_more(merged)
                && stored_defaults::is_stored(instance, switch)
        });
        if stored {
            cx.ineffective(
                format!("{path}.enabled"),
                "is a default that the Go operator stored: it is not rendered yet, and nothing \
                 asks for it",
            );
        } else {
            cx.unsupported(*path);
        }
    }
}
