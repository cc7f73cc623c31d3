//! Performs [`Effect`]s, in their order. Acts and never chooses.

use std::collections::BTreeMap;

use futures::future::join_all;
use openclaw_render::{
    Action, Effect, ObjectKey, Target, diff, hash, owned_hash, side_by_side, vocab,
};
use serde_json::Value;
use tracing::{info, warn};

use crate::cluster::{DEPLOYMENTS, INSTANCES, PODS, Place, Stored};
use crate::context::Context;
use crate::error::{CallError, RetryClass};
use crate::live::InstanceKey;

/// Passes in a row that fail before what is only out of order is told: a server that restarts is not.
const FAILURES_BEFORE_TOLD: u32 = 3;

/// What became of the effects.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The instance as a patch left it.
    pub(crate) instance: Option<Value>,
    /// Calls that failed.
    pub(crate) failures: Vec<CallError>,
    /// Objects that the API server refuses, and why.
    pub(crate) refused: BTreeMap<ObjectKey, String>,
    /// What else it refuses, and why.
    pub(crate) refused_besides: BTreeMap<String, String>,
    /// Objects that were not applied, with those whose failed effects they come after.
    pub(crate) withheld: BTreeMap<ObjectKey, Vec<ObjectKey>>,
    /// The instance let go of its last finalizer: there may be nothing left to report on.
    pub(crate) gone: bool,
    /// Objects of which an effect failed.
    failed: Vec<ObjectKey>,
    /// Whether passes before this one failed, too: what is out of order for long is told like what
    /// is refused.
    insists: bool,
}

impl Outcome {
    /// Whether an effect must not be performed after what has failed.
    fn stops(&mut self, effect: &Effect) -> bool {
        let object = effect.object();
        if object.is_some_and(|object| self.failed.contains(object)) {
            return true;
        }
        let missing: Vec<ObjectKey> =
            effect.after.iter().filter(|before| self.failed.contains(before)).cloned().collect();
        let stops = !missing.is_empty();
        if stops {
            self.withheld.extend(object.cloned().map(|object| (object, missing)));
        }
        stops
    }

    /// Sees the instance as an effect left it.
    fn see(&mut self, instance: Option<Value>) {
        if let Some(live) = instance {
            self.gone = live.pointer("/metadata/deletionTimestamp").is_some();
            self.instance = Some(live);
        }
    }

    fn fail(&mut self, effect: &Effect, error: CallError) {
        let is_told = match error.class() {
            RetryClass::Refused => true,
            RetryClass::Throttled | RetryClass::Unavailable => self.insists,
            RetryClass::Conflict => false,
        };
        match (&effect.target, is_told) {
            (Target::Object(object), true) => {
                self.refused.insert(object.clone(), error.message());
            }
            (target @ (Target::Deployment(_) | Target::Instance), true) => {
                self.refused_besides.insert(target.to_string(), error.message());
            }
            // Of a pod only an annotation is written, which hastens what comes by itself.
            (Target::Pod(_), true) | (_, false) => {}
        }
        self.failed.extend(effect.object().cloned());
        self.failures.push(error);
    }
}

/// Performs effects under the rules of [`Plan::effects`](openclaw_render::Plan::effects).
pub(crate) async fn execute(
    context: &Context,
    key: &InstanceKey,
    effects: &[Effect],
    failures_before: u32,
) -> Outcome {
    let insists = failures_before >= FAILURES_BEFORE_TOLD;
    let mut outcome = Outcome { insists, ..Outcome::default() };
    let mut rest = effects;
    while !rest.is_empty() {
        let (together, later) = rest.split_at(side_by_side(rest));
        rest = later;
        let together: Vec<&Effect> =
            together.iter().filter(|effect| !outcome.stops(effect)).collect();
        let results = join_all(together.iter().map(|effect| perform(context, key, effect))).await;
        for (effect, result) in together.into_iter().zip(results) {
            let (verb, kind) = (effect.verb(), effect.target.kind());
            let class = result.as_ref().err().map(CallError::class);
            context.metrics.performed(key, verb, kind, class);
            match result {
                Ok(instance) => {
                    outcome.see(instance);
                    info!(
                        namespace = key.namespace,
                        instance = key.name,
                        object = %effect.target,
                        why = ?effect.why,
                        "{verb}"
                    );
                }
                Err(error) => {
                    outcome.fail(effect, error);
                    if effect.target == Target::Instance {
                        // Without its finalizer, nothing would make the volume safe when it goes.
                        return outcome;
                    }
                }
            }
        }
    }
    outcome
}

/// Returns the instance, if it was changed.
async fn perform(
    context: &Context,
    key: &InstanceKey,
    effect: &Effect,
) -> Result<Option<Value>, CallError> {
    let cluster = &context.cluster;
    let place = place_of(key, &effect.target);
    let stored = match &effect.action {
        Action::Apply(wanted) => match &effect.target {
            Target::Object(object) => {
                return apply(context, key, object, wanted).await.map(|()| None);
            }
            Target::Pod(_) | Target::Deployment(_) | Target::Instance => {
                cluster.apply(place, wanted).await?
            }
        },
        Action::Create(wanted) => match cluster.create(place, wanted).await {
            Err(error) if error.is_already_exists() => return Ok(None),
            stored => stored?,
        },
        Action::JsonPatch(patch) => cluster.json_patch(place, patch).await?,
        Action::MergePatch(patch) => match cluster.merge_patch(place, patch).await {
            Err(error) if error.is_not_found() => return Ok(None),
            stored => stored?,
        },
        Action::Delete { uid } => match cluster.delete(place, uid).await {
            Err(error) if error.is_not_found() => return Ok(None),
            deleted => return deleted.map(|()| None),
        },
        Action::DeleteWithDependents { uid } => {
            match cluster.delete_with_dependents(place, uid).await {
                Err(error) if error.is_not_found() => return Ok(None),
                deleted => return deleted.map(|()| None),
            }
        }
    };
    remember(context, &effect.target, &stored)
}

fn place_of<'a>(key: &'a InstanceKey, target: &'a Target) -> Place<'a> {
    let (resource, name) = match target {
        Target::Object(object) => (object.kind.into(), &object.name),
        Target::Pod(name) => (PODS, name),
        Target::Deployment(name) => (DEPLOYMENTS, name),
        Target::Instance => (INSTANCES, &key.name),
    };
    Place { resource, namespace: &key.namespace, name }
}

/// What was written is seen at once, not only when the watch tells.
fn remember(
    context: &Context,
    target: &Target,
    stored: &Stored,
) -> Result<Option<Value>, CallError> {
    match target {
        Target::Object(object) => {
            // Instances to wake are of no interest: the pass that writes reports by itself.
            let _ = context.cache.put(object.kind, &stored.value()?);
            Ok(None)
        }
        Target::Pod(_) | Target::Deployment(_) => Ok(None),
        Target::Instance => {
            let stored = stored.instance()?;
            let live = stored.read().live;
            context.instances.written(stored);
            Ok(Some(live))
        }
    }
}

/// Applies an object, and remembers a result that is not what was sent: the apply would be repeated
/// for ever.
async fn apply(
    context: &Context,
    key: &InstanceKey,
    object: &ObjectKey,
    wanted: &Value,
) -> Result<(), CallError> {
    let place =
        Place { resource: object.kind.into(), namespace: &key.namespace, name: &object.name };
    let mut stored = context.cluster.apply(place, wanted).await?.value()?;
    if !is_as_sent(wanted, &stored) {
        // A map that loses its last field goes, even if it is wanted empty: the next apply makes
        // it.
        stored = context.cluster.apply(place, wanted).await?.value()?;
    }
    let mismatch = (!is_as_sent(wanted, &stored)).then(|| {
        let changes = diff(wanted, &stored);
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        context.metrics.unsettled(object.kind);
        warn!(
            namespace = key.namespace,
            instance = key.name,
            %object,
            paths = paths.join(", "),
            "the API server stores something else than what was applied"
        );
        (hash(wanted), owned_hash(&stored, vocab::FIELD_MANAGER))
    });
    context.cache.remember_mismatch(key, object, mismatch);
    // As above.
    let _ = context.cache.put(object.kind, &stored);
    Ok(())
}

fn is_as_sent(wanted: &Value, stored: &Value) -> bool {
    hash(wanted) == owned_hash(stored, vocab::FIELD_MANAGER)
}

#[cfg(test)]
mod tests {
    use openclaw_render::{Kind, Purpose};

    use super::*;

    fn effect(kind: Kind, name: &str, why: Purpose) -> Effect {
        Effect::json_patch(Target::Object(ObjectKey::new(kind, name)), why, Value::Null)
    }

    fn refused() -> CallError {
        CallError::Unreadable { call: "patch it".to_owned(), why: "it is too deep".to_owned() }
    }

    #[test]
    fn a_patch_of_a_claim_is_about_the_claim_so_that_its_refusal_is_told() {
        let mut outcome = Outcome::default();
        outcome.fail(&effect(Kind::PersistentVolumeClaim, "ada-data", Purpose::Expand), refused());
        let claim = ObjectKey::new(Kind::PersistentVolumeClaim, "ada-data");
        assert_eq!(outcome.refused.keys().collect::<Vec<_>>(), [&claim]);
    }

    #[test]
    fn what_is_out_of_order_is_told_once_it_lasts_and_so_is_what_is_no_object() {
        let late = || CallError::TimedOut {
            call: "patch it".to_owned(),
            deadline: std::time::Duration::ZERO,
        };
        let policy = effect(Kind::NetworkPolicy, "ada", Purpose::Expand);
        let instance = Effect::json_patch(Target::Instance, Purpose::Finalizer, Value::Null);
        for insists in [false, true] {
            let mut outcome = Outcome { insists, ..Outcome::default() };
            outcome.fail(&policy, late());
            outcome.fail(&instance, late());
            assert_eq!(outcome.refused.len(), usize::from(insists));
            assert_eq!(outcome.refused_besides.len(), usize::from(insists));
        }
        let mut outcome = Outcome::default();
        outcome.fail(&instance, refused());
        assert!(outcome.refused_besides.contains_key("OpenClawInstance"));
    }

    #[test]
    fn what_failed_stops_what_is_about_the_same_and_what_comes_after_it() {
        let mut outcome = Outcome::default();
        let config = ObjectKey::new(Kind::ConfigMap, "ada-config");
        outcome.fail(&effect(Kind::ConfigMap, "ada-config", Purpose::TakeOver), refused());
        assert!(outcome.stops(&Effect::apply(config.clone(), Value::Null)));
        assert!(!outcome.stops(&effect(Kind::Service, "ada", Purpose::TakeOver)));
        assert!(outcome.withheld.is_empty());
        let set = ObjectKey::new(Kind::StatefulSet, "ada");
        let after = vec![ObjectKey::new(Kind::Role, "ada"), config.clone()];
        assert!(outcome.stops(&Effect { after, ..Effect::apply(set.clone(), Value::Null) }));
        assert_eq!(outcome.withheld, BTreeMap::from([(set, vec![config])]));
    }
}
