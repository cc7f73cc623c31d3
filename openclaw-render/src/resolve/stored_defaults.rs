//! Defaults that the Go operator's schema stored in a spec: only managed fields tell them from the
//! user's choices.

use super::context::Resolving;
use crate::api::OpenClawInstance;
use crate::ownership::fields::{Fields, Step, children};
use crate::vocab::PREVIOUS_MANAGERS;

/// Reports what is stored: it counts as the user's, and a later default has no effect.
pub(super) fn check(instance: &OpenClawInstance, cx: &mut Resolving<'_>) {
    let mut paths = Vec::new();
    for fields in of_previous(instance) {
        if let Some(spec) = children(fields.get("f:spec")) {
            leaves("spec", spec, &mut paths);
        }
    }
    paths.sort();
    paths.dedup();
    if !paths.is_empty() {
        cx.ineffective(
            "spec",
            format!(
                "the Go operator stored its defaults here, and they count as yours: {}; remove \
                 them to follow the operator's defaults",
                paths.join(", ")
            ),
        );
    }
}

/// Whether the Go operator stored the field at a path, whose names are given.
pub(super) fn is_stored(instance: &OpenClawInstance, path: &[&str]) -> bool {
    of_previous(instance).any(|fields| {
        let Some((last, outer)) = path.split_last() else { return false };
        let inner = outer
            .iter()
            .try_fold(fields, |fields, name| children(fields.get(&format!("f:{name}"))));
        inner.is_some_and(|fields| fields.contains_key(&format!("f:{last}")))
    })
}

/// Sets of fields that the Go operator owns, those of subresources aside.
fn of_previous(instance: &OpenClawInstance) -> impl Iterator<Item = &Fields> {
    instance.metadata.managed_fields.iter().flatten().filter_map(|entry| {
        let is_previous = PREVIOUS_MANAGERS.contains(&entry.manager.as_deref()?);
        let is_main = entry.subresource.as_deref().unwrap_or_default().is_empty();
        entry.fields_v1.as_ref().filter(|_| is_previous && is_main)?.0.as_object()
    })
}

/// Adds the paths of all fields without fields of their own.
fn leaves(path: &str, fields: &Fields, paths: &mut Vec<String>) {
    for (step, inner) in fields {
        let Step::Field(name) = Step::read(step) else { continue };
        let path = format!("{path}.{name}");
        match children(Some(inner)) {
            Some(inner) => leaves(&path, inner, paths),
            None => paths.push(path),
        }
    }
}
