//! Fields that the API has and this version does not render.
//!
//! Such a field is never silence: an instance that sets one gets no writes and no prune, and
//! condition `Unsupported` lists the fields. A field counts as set when it asks for something; the
//! settings of a feature that is off ask for nothing.

use super::context::Resolving;
use super::extensions::has_pack;
use crate::api::OpenClawInstanceSpec;

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
    ("spec.maintenanceWindows", |spec| listed(spec.maintenance_windows.as_ref())),
    ("spec.netbird", |spec| is(spec.netbird.as_ref().and_then(|each| each.enabled))),
    ("spec.networking.httpRoute", |spec| {
        let networking = spec.networking.as_ref();
        is(networking.and_then(|each| each.http_route.as_ref()?.enabled))
    }),
    ("spec.ollama", |spec| is(spec.ollama.as_ref().and_then(|each| each.enabled))),
    ("spec.restoreFrom", |spec| filled(spec.restore_from.as_ref())),
    // Those of packs alone.
    ("spec.skills", |spec| has_pack(spec.skills.as_ref())),
    ("spec.workspace.additionalWorkspaces[].skills", |spec| {
        let workspaces = spec.workspace.as_ref().and_then(|it| it.additional_workspaces.as_ref());
        workspaces.is_some_and(|all| all.iter().any(|each| has_pack(each.skills.as_ref())))
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

/// Reports the fields that are set.
pub(super) fn check(merged: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    for (path, _) in FIELDS.iter().filter(|(_, is_set)| is_set(merged)) {
        cx.unsupported(*path);
    }
}
