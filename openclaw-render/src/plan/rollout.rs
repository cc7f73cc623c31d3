//! Whether the pod may be replaced, and with it everything that the running pod depends on.
//!
//! Annotations on the StatefulSet remember the last roll-out: `openclaw.rocks/rollout-hash`, the pod
//! as it was rolled out, `openclaw.rocks/inputs-hash`, what users had asked for then, and
//! `openclaw.rocks/rollout-cause`, if many agents were replaced for one cause. [`why`] is a table over
//! these and what is wanted now; what concerns many agents happens [in turn](crate::pacing).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::inputs::{Changed, Inputs};
use crate::api::{OnOperatorUpgrade, OpenClawInstance};
use crate::effect::Read;
use crate::hash::{self, Hasher};
use crate::object::{Kind, Object, ObjectKey};
use crate::observed::{Fact, Observed, Pod, Seen, Trouble};
use crate::ownership::{self, Change, diff, owned, take_over_patch};
use crate::pacing::{Cause, CauseKind, News, Stage};
use crate::predecessor::{Predecessor, predecessor};
use crate::problem::{Problem, Severity};
use crate::resolve::Resolved;
use crate::resource::stake::Rendered;
use crate::rollout::{Rollout, Verdict, newest_pod};
use crate::settings::Settings;
use crate::vocab::{FIELD_MANAGER, PREVIOUS_MANAGERS, annotations, names};

pub(super) fn decide(
    instance: &OpenClawInstance,
    resolved: &Resolved,
    desired: &[Rendered],
    observed: &Observed,
    settings: &Settings,
    problems: &[Problem],
) -> Rollout {
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    let inputs = Inputs::of(instance, resolved);
    let pod_hash = pod_hash(desired);
    let unstartable = problems.iter().any(|each| each.severity == Severity::WillNotStart);
    let approved = instance.metadata.annotations.as_ref();
    let approved = approved.and_then(|all| all.get(annotations::APPROVE_ROLLOUT));
    let windows = resolved.windows.at(observed.now);
    let decided = |seen: &Seen| {
        let why = why(seen, &inputs, &pod_hash, approved.map(String::as_str));
        let rolls = windows.is_open() || resolved.on_operator_upgrade == OnOperatorUpgrade::Roll;
        match why {
            Why::Same => same(seen, observed),
            Why::User => (Verdict::Go, None, None),
            Why::Operator if !rolls => (Verdict::HeldForApproval, None, None),
            Why::Operator => in_turn(operator(settings), seen, observed),
            Why::ClusterDefaults => in_turn(defaults(observed), seen, observed),
        }
    };
    let (verdict, cause, stage) = match observed.objects.get(&key).unwrap_or(&Fact::Unknown) {
        Fact::Unknown => (Verdict::Unknown, None, None),
        _ if unstartable => (Verdict::WillNotStart, None, None),
        Fact::Absent => {
            match predecessor(resolved.name.as_str(), resolved.uid.as_deref(), observed) {
                Predecessor::None | Predecessor::Ends => (Verdict::Go, None, None),
                Predecessor::Unknown => (Verdict::Unknown, None, None),
                // It has no record of a roll-out.
                Predecessor::Runs(_) => decided(&Seen::default()),
            }
        }
        Fact::Known(seen) => decided(seen),
    };
    let live = observed.live.get(&key).filter(|_| verdict.holds());
    let wanted = desired.iter().find(|wanted| wanted.object.is(&key));
    let changes = match (wanted, live) {
        (Some(wanted), Some(live)) => changes(&wanted.object.to_value(), live),
        _ => Vec::new(),
    };
    let config_hash = config_hash(desired);
    let inputs_hash = inputs.to_string();
    Rollout { verdict, inputs_hash, pod_hash, config_hash, changes, cause, stage, windows }
}

/// Why another pod is wanted than was last rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It is the same one.
    Same,
    /// The user has asked for it, or approved it.
    User,
    /// The defaults of all agents are others.
    ClusterDefaults,
    /// Nobody has asked for it.
    Operator,
}

fn why(seen: &Seen, inputs: &Inputs, pod_hash: &str, approved: Option<&str>) -> Why {
    if seen.annotations.get(annotations::ROLLOUT_HASH).is_some_and(|hash| hash == pod_hash) {
        return Why::Same;
    }
    if approved == Some(pod_hash) {
        return Why::User;
    }
    match recorded_inputs(seen).map(|recorded| inputs.changed_since(&recorded)) {
        Some(Changed::ByUser) => Why::User,
        Some(Changed::ClusterDefaults) => Why::ClusterDefaults,
        Some(Changed::Nothing) | None => Why::Operator,
    }
}

type Decided = (Verdict, Option<Cause>, Option<Stage>);

/// How far the pod is that was last rolled out, if that concerned many agents.
///
/// Of one that is switched off nobody waits for a pod.
fn same(seen: &Seen, observed: &Observed) -> Decided {
    let cause = seen.annotations.get(annotations::ROLLOUT_CAUSE);
    let cause: Option<Cause> = cause.and_then(|cause| cause.parse().ok());
    let is_on = seen.replicas != Some(0);
    let stage = cause.as_ref().filter(|_| is_on).map(|_| stage(seen, observed));
    (Verdict::Go, cause, stage)
}

fn stage(seen: &Seen, observed: &Observed) -> Stage {
    match newest_pod(seen, observed) {
        Some(Pod { ready_since: Some(since), .. }) => Stage::Ready(*since),
        Some(pod) if pod.trouble.iter().any(fails) => Stage::Failed,
        Some(_) | None => Stage::Starting,
    }
}

/// Whether it is more than a start that takes its time.
fn fails(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::ImagePull(..) | Trouble::Exited(..) | Trouble::OutOfMemory(_) => true,
        // A container that was ready once did start.
        Trouble::Unschedulable(_)
        | Trouble::Waiting(..)
        | Trouble::NodeLost(_)
        | Trouble::NotResponding(_) => false,
    }
}

/// An agent that does not serve waits for nobody, and nobody waits for it: nothing is taken from it,
/// and its own trouble says nothing of the cause.
fn in_turn(cause: Cause, seen: &Seen, observed: &Observed) -> Decided {
    let serves = match &observed.pods {
        Fact::Known(pods) => pods.iter().any(|pod| pod.ready),
        Fact::Absent => false,
        Fact::Unknown => true,
    };
    if !serves || seen.replicas == Some(0) {
        return (Verdict::Go, None, None);
    }
    let verdict = match observed.news_of(&cause) {
        Some(News::Begin) => Verdict::Go,
        Some(News::Stopped) => Verdict::Stopped,
        None => Verdict::WaitsForTurn,
    };
    (verdict, Some(cause), Some(Stage::Waits))
}

/// The operator as it is now: its version, and the helper that it puts into pods.
fn operator(settings: &Settings) -> Cause {
    let id = hash::of_all(&[env!("CARGO_PKG_VERSION"), &settings.pod_image]);
    Cause { kind: CauseKind::Operator, id }
}

/// The defaults as they are now.
fn defaults(observed: &Observed) -> Cause {
    let spec = observed.cluster_defaults.known().map(|defaults| &defaults.spec);
    let spec = serde_json::to_value(spec).unwrap_or_default();
    Cause { kind: CauseKind::ClusterDefaults, id: ownership::hash(&spec) }
}

/// Returns the inputs of the last roll-out, if they can be compared with today's.
fn recorded_inputs(seen: &Seen) -> Option<Inputs> {
    Inputs::read(seen.annotations.get(annotations::INPUTS_HASH)?)
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
fn pod_hash(desired: &[Rendered]) -> String {
    let mut hasher = Hasher::default();
    for wanted in desired.iter().filter(|wanted| wanted.stake.changes_with_pod()) {
        let key = wanted.object.key().to_string();
        if let Object::ConfigMap(map) = &wanted.object {
            for (name, content) in map.data.iter().flatten() {
                hasher.field(&[&key, name, content]);
            }
        } else {
            hasher.field(&[&key, &wanted.object.template_json().unwrap_or_default()]);
        }
    }
    hasher.finish()
}

fn config_hash(desired: &[Rendered]) -> String {
    let content = desired.iter().find_map(|wanted| {
        let Object::ConfigMap(map) = &wanted.object else { return None };
        map.data.as_ref()?.get(names::CONFIG_KEY)
    });
    hash::of(content.map(String::as_str).unwrap_or_default())
}

/// The StatefulSet as it is sent: with the annotations that remember this roll-out.
pub(super) fn annotated(wanted: Object, rollout: &Rollout) -> Object {
    let mut notes = BTreeMap::from([
        (annotations::INPUTS_HASH.to_owned(), rollout.inputs_hash.clone()),
        (annotations::ROLLOUT_HASH.to_owned(), rollout.pod_hash.clone()),
    ]);
    if let Some(cause) = &rollout.cause {
        notes.insert(annotations::ROLLOUT_CAUSE.to_owned(), cause.to_string());
    }
    wanted.annotated(notes)
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
    let may_start = matches!(
        rollout.verdict,
        Verdict::HeldForApproval | Verdict::WaitsForTurn | Verdict::Stopped
    );
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
    use crate::pacing::Turn;

    fn seen(inputs: Option<&str>, rollout: Option<&str>) -> Seen {
        let notes = [(annotations::INPUTS_HASH, inputs), (annotations::ROLLOUT_HASH, rollout)];
        let annotations = notes
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
            .collect();
        Seen { annotations, ..Seen::default() }
    }

    #[test]
    fn the_table_of_reasons() {
        let now = Inputs::read("2-i-o-m").expect("ours");
        for (name, seen, approved, expected) in [
            ("nothing changed", seen(Some("2-i-o-m"), Some("r")), None, Why::Same),
            ("only inputs that do not matter", seen(Some("2-j-p-m"), Some("r")), None, Why::Same),
            ("the user changed the pod", seen(Some("2-j-p-m"), Some("s")), None, Why::User),
            ("one of us did", seen(Some("2-j"), Some("s")), None, Why::User),
            ("the defaults did", seen(Some("2-j-o-n"), Some("s")), None, Why::ClusterDefaults),
            ("the operator did", seen(Some("2-i-o-m"), Some("s")), None, Why::Operator),
            ("approved", seen(Some("2-i-o-m"), Some("s")), Some("r"), Why::User),
            ("another one approved", seen(Some("2-i-o-m"), Some("s")), Some("q"), Why::Operator),
            ("adopted", seen(None, None), None, Why::Operator),
            ("adopted, seen before", seen(Some("2-i-o-m"), None), None, Why::Operator),
            ("hashed in another way", seen(Some("i"), None), None, Why::Operator),
            ("adopted, then changed by the user", seen(Some("2-j-p-m"), None), None, Why::User),
        ] {
            assert_eq!(why(&seen, &now, "r", approved), expected, "{name}");
        }
    }

    #[test]
    fn who_serves_waits_for_its_turn_and_who_does_not_needs_none() {
        let cause = Cause { kind: CauseKind::Operator, id: "1".to_owned() };
        let pod = |ready| Pod { ready, ..Pod::default() };
        let news = |news| vec![Turn { cause: cause.clone(), news }];
        let of = |pods: Fact<Vec<Pod>>, turns: Vec<Turn>, replicas: Option<i32>| {
            let observed = Observed { pods, turns, ..Observed::default() };
            let seen = Seen { replicas, ..Seen::default() };
            let (verdict, named, stage) = in_turn(cause.clone(), &seen, &observed);
            assert_eq!(named.is_some(), stage.is_some());
            (verdict, named.is_some())
        };
        let serves = || Fact::Known(vec![pod(true)]);
        for (found, expected) in [
            (of(serves(), Vec::new(), Some(1)), (Verdict::WaitsForTurn, true)),
            (of(Fact::Unknown, Vec::new(), Some(1)), (Verdict::WaitsForTurn, true)),
            (of(serves(), news(News::Stopped), Some(1)), (Verdict::Stopped, true)),
            (of(serves(), news(News::Begin), Some(1)), (Verdict::Go, true)),
            (of(serves(), Vec::new(), Some(0)), (Verdict::Go, false)),
            (of(Fact::Known(vec![pod(false)]), Vec::new(), Some(1)), (Verdict::Go, false)),
            (of(Fact::Known(Vec::new()), Vec::new(), Some(1)), (Verdict::Go, false)),
        ] {
            assert_eq!(found, expected);
        }
        let other = Cause { kind: CauseKind::Operator, id: "2".to_owned() };
        let observed = Observed { pods: serves(), turns: news(News::Begin), ..Observed::default() };
        let (verdict, ..) = in_turn(other, &Seen::default(), &observed);
        assert_eq!(verdict, Verdict::WaitsForTurn, "its turn was for another cause");
    }
}
