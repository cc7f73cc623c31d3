//! Performs [`Effect`]s, in order. Acts and never chooses.

use std::collections::BTreeMap;

use openclaw_render::{Effect, Kind, ObjectKey, diff, hash, owned_hash, vocab};
use serde_json::Value;
use tracing::{info, warn};

use crate::cache::InstanceKey;
use crate::cluster::INSTANCES;
use crate::context::Context;
use crate::error::{CallError, RetryClass};

/// What became of the effects.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The instance as a patch left it.
    pub(crate) instance: Option<Value>,
    /// Calls that failed.
    pub(crate) failures: Vec<CallError>,
    /// Objects that the API server refuses, and why.
    pub(crate) refused: BTreeMap<ObjectKey, String>,
    /// Objects that were not applied, with those whose failed effects they come after.
    pub(crate) withheld: BTreeMap<ObjectKey, Vec<ObjectKey>>,
    /// The instance let go of its last finalizer: there may be nothing left to report on.
    pub(crate) gone: bool,
}

/// One failed effect does not stop the others, except for those that need it.
pub(crate) async fn execute(context: &Context, key: &InstanceKey, effects: &[Effect]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut failed: Vec<ObjectKey> = Vec::new();
    for effect in effects {
        let object = object_of(effect);
        if object.as_ref().is_some_and(|object| failed.contains(object)) {
            continue;
        }
        if let Effect::Apply { key, after, .. } = effect {
            let missing: Vec<ObjectKey> =
                after.iter().filter(|it| failed.contains(it)).cloned().collect();
            if !missing.is_empty() {
                outcome.withheld.insert(key.clone(), missing);
                continue;
            }
        }
        let result = perform(context, key, effect, &mut outcome).await;
        let (name, kind) = labels(effect);
        context.metrics.performed(name, kind, result.as_ref().err().map(CallError::class));
        match result {
            Ok(()) => info!(
                namespace = key.namespace,
                instance = key.name,
                object = target(effect),
                "{name}"
            ),
            Err(error) => {
                if let Some(object) = object {
                    if error.class() == RetryClass::Refused {
                        outcome.refused.insert(object.clone(), error.message());
                    }
                    failed.push(object);
                }
                outcome.failures.push(error);
                if matches!(effect, Effect::PatchFinalizers { .. }) {
                    // Without it, nothing would make the volume safe when the instance goes.
                    break;
                }
            }
        }
    }
    outcome
}

async fn perform(
    context: &Context,
    key: &InstanceKey,
    effect: &Effect,
    outcome: &mut Outcome,
) -> Result<(), CallError> {
    let cluster = &context.cluster;
    let namespace = key.namespace.as_str();
    match effect {
        Effect::Apply { key: object, object: wanted, .. } => {
            let mut stored = cluster.apply(namespace, object, wanted).await?;
            if !is_settled(wanted, &stored) {
                // A map that loses its last field goes, even if it is wanted empty: the next apply
                // makes it.
                stored = cluster.apply(namespace, object, wanted).await?;
            }
            settle(context, key, object, wanted, &stored);
            keep(context, object.kind, &stored);
        }
        Effect::CreateOnce { key: object, object: wanted } => {
            match cluster.create(namespace, object, wanted).await {
                Ok(stored) => keep(context, object.kind, &stored),
                Err(error) if error.is_already_exists() => {}
                Err(error) => return Err(error),
            }
        }
        Effect::TakeOver { key: object, patch } => {
            let resource = object.kind.into();
            let stored = cluster.json_patch(namespace, resource, &object.name, patch).await?;
            keep(context, object.kind, &stored);
        }
        Effect::PatchClaim { name, patch, .. } => {
            let kind = Kind::PersistentVolumeClaim;
            let stored = cluster.json_patch(namespace, kind.into(), name, patch).await?;
            keep(context, kind, &stored);
        }
        Effect::Delete { key: object, uid } => match cluster.delete(namespace, object, uid).await {
            Err(error) if error.is_not_found() => {}
            other => other?,
        },
        Effect::AnnotatePod { name, patch } => {
            match cluster.merge_pod(namespace, name, patch).await {
                Err(error) if error.is_not_found() => {}
                other => drop(other?),
            }
        }
        Effect::PatchFinalizers { patch } => {
            let stored = cluster.patch_instance(namespace, &key.name, patch).await?;
            let live = stored.read().live;
            context.instances.written(stored);
            outcome.gone = live.pointer("/metadata/deletionTimestamp").is_some();
            outcome.instance = Some(live);
        }
    }
    Ok(())
}

/// What was written is seen at once, not only when the watch tells.
fn keep(context: &Context, kind: Kind, stored: &Value) {
    // The pass that writes reports by itself.
    let _ = context.cache.put(kind, stored);
}

/// An apply whose result is not what was sent would be repeated for ever: it is remembered.
fn settle(
    context: &Context,
    key: &InstanceKey,
    object: &ObjectKey,
    wanted: &Value,
    stored: &Value,
) {
    if is_settled(wanted, stored) {
        context.cache.settle(key, object, None);
        return;
    }
    let changes = diff(wanted, stored);
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    context.metrics.unsettled(object.kind);
    warn!(
        namespace = key.namespace,
        instance = key.name,
        %object,
        paths = paths.join(", "),
        "the API server stores something else than what was applied"
    );
    let pair = (hash(wanted), owned_hash(stored, vocab::FIELD_MANAGER));
    context.cache.settle(key, object, Some(pair));
}

fn is_settled(wanted: &Value, stored: &Value) -> bool {
    hash(wanted) == owned_hash(stored, vocab::FIELD_MANAGER)
}

fn object_of(effect: &Effect) -> Option<ObjectKey> {
    match effect {
        Effect::Apply { key, .. }
        | Effect::CreateOnce { key, .. }
        | Effect::TakeOver { key, .. }
        | Effect::Delete { key, .. } => Some(key.clone()),
        Effect::PatchClaim { name, .. } => Some(ObjectKey::new(Kind::PersistentVolumeClaim, name)),
        Effect::AnnotatePod { .. } | Effect::PatchFinalizers { .. } => None,
    }
}

/// For metrics: which effect, on which kind.
fn labels(effect: &Effect) -> (&'static str, &'static str) {
    match effect {
        Effect::Apply { key, .. } => ("apply", key.kind.as_str()),
        Effect::CreateOnce { key, .. } => ("create", key.kind.as_str()),
        Effect::TakeOver { key, .. } => ("take over", key.kind.as_str()),
        Effect::Delete { key, .. } => ("delete", key.kind.as_str()),
        Effect::PatchClaim { .. } => ("patch", Kind::PersistentVolumeClaim.as_str()),
        Effect::AnnotatePod { .. } => ("annotate", "Pod"),
        Effect::PatchFinalizers { .. } => ("patch finalizers", INSTANCES.kind),
    }
}

fn target(effect: &Effect) -> String {
    match effect {
        Effect::Apply { key, .. }
        | Effect::CreateOnce { key, .. }
        | Effect::TakeOver { key, .. }
        | Effect::Delete { key, .. } => key.to_string(),
        Effect::PatchClaim { name, reason, .. } => {
            format!("{}/{name} ({reason:?})", Kind::PersistentVolumeClaim)
        }
        Effect::AnnotatePod { name, .. } => format!("Pod/{name}"),
        Effect::PatchFinalizers { .. } => INSTANCES.kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use openclaw_render::ClaimChange;

    use super::*;

    #[test]
    fn a_patch_of_a_claim_is_about_the_claim_so_that_its_refusal_is_told() {
        let patch = Effect::PatchClaim {
            name: "ada-data".to_owned(),
            reason: ClaimChange::Expand,
            patch: Value::Null,
        };
        let claim = ObjectKey::new(Kind::PersistentVolumeClaim, "ada-data");
        assert_eq!(object_of(&patch), Some(claim));
    }
}
