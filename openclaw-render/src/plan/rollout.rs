//! Whether the pod may be replaced, and with it everything that the running pod depends on.
//!
//! Two annotations on the StatefulSet remember the last roll-out: `openclaw.rocks/rollout-hash`,
//! the pod as it was rolled out, and `openclaw.rocks/inputs-hash`, what users had asked for then.
//! The decision is [`verdict`], a table over these and what is wanted now.

use serde_json::{Value, json};

use super::{Wanted, inputs};
use crate::api::{OnOperatorUpgrade, OpenClawInstance};
use crate::effect::Read;
use crate::hash::{self, Hasher};
use crate::object::{Kind, Object, ObjectKey};
use crate::observed::{Fact, Observed, Seen};
use crate::ownership::{Change, diff, owned, take_over_patch};
use crate::problem::{Problem, Severity};
use crate::resolve::Resolved;
use crate::rollout::{Rollout, Verdict};
use crate::vocab::{FIELD_MANAGER, PREVIOUS_MANAGERS, annotations, names};

pub(super) fn decide(
    instance: &OpenClawInstance,
    resolved: &Resolved,
    desired: &[Wanted],
    observed: &Observed,
    problems: &[Problem],
) -> Rollout {
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    let inputs_hash = inputs::inputs_hash(resolved);
    let pod_hash = pod_hash(desired);
    let unstartable = problems.iter().any(|each| each.severity == Severity::WillNotStart);
    let approved = instance.metadata.annotations.as_ref();
    let approved = approved.and_then(|all| all.get(annotations::APPROVE_ROLLOUT));
    let verdict = match observed.objects.get(&key).unwrap_or(&Fact::Unknown) {
        Fact::Unknown => Verdict::Unknown,
        _ if unstartable => Verdict::WillNotStart,
        Fact::Absent => Verdict::Go,
        Fact::Known(seen) => verdict(
            seen,
            &inputs_hash,
            &pod_hash,
            approved.map(String::as_str),
            resolved.on_operator_upgrade,
        ),
    };
    let live = observed.live.get(&key).filter(|_| verdict.holds());
    let wanted = desired.iter().find(|wanted| wanted.object.key() == key);
    let changes = match (wanted, live) {
        (Some(wanted), Some(live)) => changes(&wanted.value, live),
        _ => Vec::new(),
    };
    Rollout { verdict, inputs_hash, pod_hash, config_hash: config_hash(desired), changes }
}

fn verdict(
    seen: &Seen,
    inputs_hash: &str,
    pod_hash: &str,
    approved: Option<&str>,
    policy: OnOperatorUpgrade,
) -> Verdict {
    let last_rollout = seen.annotations.get(annotations::ROLLOUT_HASH);
    let last_inputs = recorded_inputs(seen);
    let same_pod = last_rollout.is_some_and(|hash| hash == pod_hash);
    let user_changed = last_inputs.is_some_and(|hash| hash != inputs_hash);
    if same_pod || user_changed || approved == Some(pod_hash) || policy == OnOperatorUpgrade::Roll {
        Verdict::Go
    } else {
        Verdict::HeldForApproval
    }
}

/// Returns the inputs hash of the last roll-out, if it can be compared with today's.
fn recorded_inputs(seen: &Seen) -> Option<&String> {
    let recorded = seen.annotations.get(annotations::INPUTS_HASH);
    recorded.filter(|hash| inputs::is_comparable(hash))
}

/// What would change, as seen after the Go operator's fields became ours.
fn changes(wanted: &Value, live: &Value) -> Vec<Change> {
    let mut live = live.clone();
    if let Some(patch) = take_over_patch(&live, PREVIOUS_MANAGERS)
        && let Ok(patch) = serde_json::from_value::<json_patch::Patch>(patch)
    {
        // On failure the patch leaves the object as it was.
        let _ = json_patch::patch(&mut live, &patch);
    }
    let mut changes = diff(wanted, &live);
    changes.retain(|change| change.path.starts_with("spec.template"));
    changes
}

/// Hash of what changes with the pod: its template, and the files that it mounts.
fn pod_hash(desired: &[Wanted]) -> String {
    let mut hasher = Hasher::default();
    for wanted in desired.iter().filter(|wanted| wanted.stake.changes_with_pod()) {
        let key = wanted.object.key().to_string();
        if let Object::ConfigMap(map) = &wanted.object {
            for (name, content) in map.data.iter().flatten() {
                hasher.field(&[&key, name, content]);
            }
        } else {
            let template = wanted.value.pointer("/spec/template").map(Value::to_string);
            hasher.field(&[&key, &template.unwrap_or_default()]);
        }
    }
    hasher.finish()
}

fn config_hash(desired: &[Wanted]) -> String {
    let content = desired.iter().find_map(|wanted| {
        let Object::ConfigMap(map) = &wanted.object else { return None };
        map.data.as_ref()?.get(names::CONFIG_KEY)
    });
    hash::of(content.map(String::as_str).unwrap_or_default())
}

/// The StatefulSet as it is sent: with the two annotations that remember this roll-out.
pub(super) fn annotated(mut wanted: Value, rollout: &Rollout) -> Value {
    if let Some(metadata) = wanted.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert(
            "annotations".to_owned(),
            json!({
                annotations::INPUTS_HASH: rollout.inputs_hash,
                annotations::ROLLOUT_HASH: rollout.pod_hash,
            }),
        );
    }
    wanted
}

/// What is sent while the pod is held: what we own of the live object, with replicas and the record
/// of what users ask for. `None` when nothing of that differs. A pod that would not start is not
/// started.
pub(super) fn held(
    wanted: &Value,
    seen: &Seen,
    rollout: &Rollout,
    observed: &Observed,
    key: &ObjectKey,
) -> Result<Option<Value>, Read> {
    let live = observed.live.get(key).ok_or_else(|| Read::Live(key.clone()))?;
    let may_start = rollout.verdict == Verdict::HeldForApproval;
    let current = i64::from(seen.replicas.unwrap_or(1));
    let replicas = wanted.pointer("/spec/replicas").and_then(Value::as_i64);
    let replicas = replicas.filter(|wanted| *wanted < current || (*wanted > current && may_start));
    let unrecorded = may_start && recorded_inputs(seen).is_none();
    if replicas.is_none() && !unrecorded {
        return Ok(None);
    }
    let mut sent = match replicas {
        Some(replicas) => scaled(live, replicas),
        None => owned(live, FIELD_MANAGER),
    };
    if unrecorded && let Some(metadata) = sent.get_mut("metadata").and_then(Value::as_object_mut) {
        let notes = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(notes) = notes.as_object_mut() {
            notes.insert(annotations::INPUTS_HASH.to_owned(), json!(rollout.inputs_hash));
        }
    }
    Ok(Some(sent))
}

/// What we own of a live StatefulSet, with other replicas.
pub(super) fn scaled(live: &Value, replicas: i64) -> Value {
    let mut sent = owned(live, FIELD_MANAGER);
    if let Some(object) = sent.as_object_mut() {
        let spec = object.entry("spec").or_insert_with(|| json!({}));
        if let Some(spec) = spec.as_object_mut() {
            spec.insert("replicas".to_owned(), json!(replicas));
        }
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(inputs: Option<&str>, rollout: Option<&str>) -> Seen {
        let notes = [(annotations::INPUTS_HASH, inputs), (annotations::ROLLOUT_HASH, rollout)];
        let annotations = notes
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
            .collect();
        Seen { annotations, ..Seen::default() }
    }

    #[test]
    fn the_table_of_verdicts() {
        use OnOperatorUpgrade::{Hold, Roll};
        for (name, seen, approved, policy, expected) in [
            ("nothing changed", seen(Some("2-i"), Some("r")), None, Hold, Verdict::Go),
            (
                "only inputs that do not matter",
                seen(Some("2-j"), Some("r")),
                None,
                Hold,
                Verdict::Go,
            ),
            ("the user changed the pod", seen(Some("2-j"), Some("s")), None, Hold, Verdict::Go),
            (
                "the operator did",
                seen(Some("2-i"), Some("s")),
                None,
                Hold,
                Verdict::HeldForApproval,
            ),
            ("and may", seen(Some("2-i"), Some("s")), None, Roll, Verdict::Go),
            ("approved", seen(Some("2-i"), Some("s")), Some("r"), Hold, Verdict::Go),
            (
                "another one approved",
                seen(Some("2-i"), Some("s")),
                Some("q"),
                Hold,
                Verdict::HeldForApproval,
            ),
            ("adopted", seen(None, None), None, Hold, Verdict::HeldForApproval),
            ("adopted, seen before", seen(Some("2-i"), None), None, Hold, Verdict::HeldForApproval),
            ("hashed in another way", seen(Some("i"), None), None, Hold, Verdict::HeldForApproval),
            ("adopted, then changed by the user", seen(Some("2-j"), None), None, Hold, Verdict::Go),
        ] {
            assert_eq!(verdict(&seen, "2-i", "r", approved, policy), expected, "{name}");
        }
    }
}
