//! [`Plan`], [`Effect`] and [`Question`]: what the controller must do, as data that leaves nothing
//! to choose.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{OpenClawInstanceStatus, Phase};
use crate::object::{Kind, ObjectKey};
use crate::pacing::Standing;
use crate::packs::WantedPack;
use crate::problem::Problem;
use crate::vocab::{self, DEPLOYMENT};

/// One pass: what to read before deciding more, what to do, what to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What must be seen before the plan is complete. If this is not empty, read it and plan again
    /// (three rounds at most); the effects of this plan are already safe to perform.
    pub reads: Vec<Read>,
    /// What config-sync is to be asked, outside of passes: nobody waits for the answer, which a later
    /// pass finds in [`Observed::asked`](crate::Observed::asked). `None` ends the question of an
    /// earlier plan.
    pub ask: Option<Question>,
    /// Which image's tags are to be read, outside of passes, and how often; a later pass finds them in
    /// [`Observed::registry`](crate::Observed::registry). `None` ends the look-up of an earlier plan.
    pub look_up: Option<Lookup>,
    /// Skill packs that are to be fetched, outside of passes: a later pass finds them in
    /// [`Observed::packs`](crate::Observed::packs). `None` where nobody looked, and what an earlier
    /// plan wanted stands.
    pub packs: Option<Vec<WantedPack>>,
    /// Where the agent stands with what is to replace the pods of many: see [`crate::pacing`]. A later
    /// pass finds in [`Observed::turns`](crate::Observed::turns) whether it is its turn.
    pub standings: Vec<Standing>,
    /// What to do, in this order, but for what goes [`side_by_side`]. A failed effect stops none but those on the same object and
    /// those that name it in `after`; one on the instance itself stops all that follow.
    pub effects: Vec<Effect>,
    /// The whole status.
    pub status: OpenClawInstanceStatus,
    /// What to tell the user, once per change.
    pub events: Vec<Event>,
    /// Everything that the spec refers to: a change of it must wake the instance. `None` where
    /// nobody looked, and what an earlier plan said stands.
    pub references: Option<BTreeSet<ObjectKey>>,
    /// Everything that was found wrong with the spec.
    pub problems: Vec<Problem>,
    /// When to look again, in seconds; the shell adds jitter.
    pub look_again_in: u32,
}

impl Plan {
    /// Returns the status as it is sent to an instance, unless it says so already.
    #[must_use]
    pub fn news(&self, live: &Value) -> Option<Value> {
        let status = serde_json::to_value(&self.status).unwrap_or_default();
        (live.get("status") != Some(&status)).then_some(status)
    }

    /// Whether this is better said a moment later, when there is likely to be more to say: the
    /// cluster answers effects with changes of its own, and progress goes on.
    #[must_use]
    pub fn may_report_later(&self, live: &Value) -> bool {
        let is_progress = self.events.is_empty() && !is_at_rest(&self.status);
        !self.effects.is_empty() || is_progress && self.news(live).is_some()
    }

    /// Returns this plan with what another one says, which knows what became of the effects.
    #[must_use]
    pub fn reporting(self, later: Self) -> Self {
        let Self { status, events, ask, look_up, standings, .. } = later;
        Self { ask, look_up, standings, status, events, ..self }
    }
}

/// Something that the plan must see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Read {
    /// Metadata of an object that the cache does not hold: whose is it?
    Metadata(ObjectKey),
    /// A whole object, its managed fields included.
    Live(ObjectKey),
    /// What a ConfigMap, a Secret or a claim holds that a spec refers to.
    Content(ObjectKey),
    /// The Deployment of that name, its metadata alone.
    Deployment(String),
    /// The namespace, its metadata alone.
    Namespace,
    /// The OpenClawClusterDefaults named `cluster`.
    ClusterDefaults,
}

/// A question to config-sync of one pod. It is put until it is answered, with growing pauses, and
/// after an answer again; a plan that no longer asks it ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The pod's name, for people.
    pub pod: String,
    /// The pod's uid: the answer of another pod of the name does not count.
    pub uid: String,
    /// Where it answers.
    pub address: String,
    /// Whether the pod was ready when the question came up. From then on it should answer.
    pub ready: bool,
    /// Hash of the configuration that the question is about.
    pub hash: Option<String>,
    /// Seconds between an answer and the next question, for more may be to come.
    pub again_in: u32,
}

impl Question {
    /// Whether an answer to the other question is one to this.
    #[must_use]
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        self.uid == other.uid && self.hash == other.hash
    }

    /// Whether the other question may go on in place of this one: what keeps config-sync from
    /// answering is the same as before.
    #[must_use]
    pub fn stands_as(&self, other: &Self) -> bool {
        self.is_about_the_same(other) && self.address == other.address && self.ready == other.ready
    }
}

/// The tags of an image, to be read from its registry again and again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lookup {
    /// The image, without tag.
    pub repository: String,
    /// Seconds between two looks.
    pub every: u32,
}

/// One thing that the controller must do. Every effect is safe to perform twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// What it is done to.
    pub target: Target,
    /// What is done.
    pub action: Action,
    /// What it is done for.
    pub why: Purpose,
    /// Objects that earlier effects of the plan are about. If one of those fails, this effect is
    /// left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<ObjectKey>,
}

/// Requests of one plan that are under way at the same time.
const MOST_AT_ONCE: usize = 4;
/// A policy stands before anything that it guards is sent. A binding needs its Role: the API server
/// looks at what is granted.
const ALONE: [Kind; 2] = [Kind::NetworkPolicy, Kind::RoleBinding];

/// Returns how many of the first effects may be performed at the same time, one at least.
///
/// They are applies of objects of which none comes after another. What others rely on goes alone, and so
/// does whatever removes, closes or takes over something.
#[must_use]
pub fn side_by_side(effects: &[Effect]) -> usize {
    let is_alike = |effect: &Effect| {
        let Some(object) = effect.object() else { return false };
        !ALONE.contains(&object.kind)
            && effect.why == Purpose::Rendered
            && matches!(effect.action, Action::Apply(_))
    };
    let waits = |effect: &Effect, before: &[Effect]| {
        before
            .iter()
            .filter_map(Effect::object)
            .any(|object| effect.after.contains(object) || effect.object() == Some(object))
    };
    let alike = effects.iter().enumerate().take(MOST_AT_ONCE).take_while(|(at, effect)| {
        is_alike(effect) && effects.get(..*at).is_some_and(|before| !waits(effect, before))
    });
    alike.count().max(1)
}

/// What an effect is done to, in the instance's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// An object of a kind that we render.
    Object(ObjectKey),
    /// The pod of that name.
    Pod(String),
    /// The Deployment of that name, which ran the agent before.
    Deployment(String),
    /// The instance itself.
    Instance,
}

/// The verbs of the shell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Server-side apply of this object, with our field manager and force.
    Apply(Value),
    /// Creation of this object; one that exists already is left alone.
    Create(Value),
    /// JSON patch (RFC 6902). It tests what it relies on.
    JsonPatch(Value),
    /// JSON merge patch (RFC 7386); there is nothing to do if the target is gone.
    MergePatch(Value),
    /// Deletion of the object of this uid, and of no later one of the name.
    Delete {
        /// The uid, a precondition.
        uid: String,
    },
    /// The same in the foreground: it is there until all that it owns is gone, pods included.
    DeleteWithDependents {
        /// The uid, a precondition.
        uid: String,
    },
}

/// What an effect is done for, for logs, metrics and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// The object is not what is rendered.
    Rendered,
    /// The object is no longer rendered.
    NotRendered,
    /// A StatefulSet takes its place.
    Replace,
    /// The pod must stop, whatever else is wrong.
    Stop,
    /// Its user has closed it, whatever else is wrong.
    Close,
    /// Another manager's fields become ours.
    TakeOver,
    /// The claim must outlive the instance.
    Release,
    /// The claim must go with the instance.
    Adopt,
    /// The claim must grow.
    Expand,
    /// The kubelet must refresh the pod's ConfigMaps at once.
    Refresh,
    /// The instance must not go before its volume is safe, or may go now.
    Finalizer,
}

impl Effect {
    /// Returns the apply of an object, so that it becomes what is rendered.
    #[must_use]
    pub fn apply(key: ObjectKey, object: Value) -> Self {
        Self::new(Target::Object(key), Action::Apply(object), Purpose::Rendered)
    }

    /// Returns the creation of an object that is rendered.
    #[must_use]
    pub fn create(key: ObjectKey, object: Value) -> Self {
        Self::new(Target::Object(key), Action::Create(object), Purpose::Rendered)
    }

    /// Returns the deletion of an object that is no longer rendered.
    #[must_use]
    pub fn delete(key: ObjectKey, uid: impl Into<String>) -> Self {
        Self::new(Target::Object(key), Action::Delete { uid: uid.into() }, Purpose::NotRendered)
    }

    /// Returns the deletion of the Deployment that ran the agent before, and of its pods.
    #[must_use]
    pub fn delete_deployment(name: impl Into<String>, uid: &str, why: Purpose) -> Self {
        let action = Action::DeleteWithDependents { uid: uid.to_owned() };
        Self::new(Target::Deployment(name.into()), action, why)
    }

    /// Returns a JSON patch. It must test what it relies on.
    #[must_use]
    pub fn json_patch(target: Target, why: Purpose, patch: Value) -> Self {
        Self::new(target, Action::JsonPatch(patch), why)
    }

    /// Returns a JSON merge patch.
    #[must_use]
    pub fn merge_patch(target: Target, why: Purpose, patch: Value) -> Self {
        Self::new(target, Action::MergePatch(patch), why)
    }

    fn new(target: Target, action: Action, why: Purpose) -> Self {
        Self { target, action, why, after: Vec::new() }
    }

    /// Returns the object that this is about, if it is of a kind that we render.
    #[must_use]
    pub fn object(&self) -> Option<&ObjectKey> {
        match &self.target {
            Target::Object(key) => Some(key),
            Target::Pod(_) | Target::Deployment(_) | Target::Instance => None,
        }
    }

    /// Returns what this applies, if it is about that object.
    #[must_use]
    pub fn applied_to(&self, key: &ObjectKey) -> Option<&Value> {
        match &self.action {
            Action::Apply(object) if self.object() == Some(key) => Some(object),
            Action::Apply(_)
            | Action::Create(_)
            | Action::JsonPatch(_)
            | Action::MergePatch(_)
            | Action::Delete { .. }
            | Action::DeleteWithDependents { .. } => None,
        }
    }

    /// Returns what logs and metrics call it.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match (&self.action, self.why) {
            (_, Purpose::TakeOver) => "take over",
            (_, Purpose::Refresh) => "annotate",
            (_, Purpose::Finalizer) => "patch finalizers",
            (Action::Apply(_), _) => "apply",
            (Action::Create(_), _) => "create",
            (Action::JsonPatch(_) | Action::MergePatch(_), _) => "patch",
            (Action::Delete { .. } | Action::DeleteWithDependents { .. }, _) => "delete",
        }
    }
}

impl Target {
    /// Returns the kind's name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Object(key) => key.kind.as_str(),
            Self::Pod(_) => "Pod",
            Self::Deployment(_) => DEPLOYMENT,
            Self::Instance => vocab::KIND,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(key) => write!(f, "{key}"),
            Self::Pod(name) | Self::Deployment(name) => write!(f, "{}/{name}", self.kind()),
            Self::Instance => f.write_str(self.kind()),
        }
    }
}

/// Something that users see with `kubectl describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The event's type.
    pub kind: EventKind,
    /// One CamelCase word.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

/// Whether an event is news or trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// Something happened as it should.
    Normal,
    /// A user has to act.
    Warning,
}

/// Whether nothing is waited for.
pub(crate) fn is_at_rest(status: &OpenClawInstanceStatus) -> bool {
    matches!(status.phase, Some(Phase::Running | Phase::Suspended))
}

/// The first step of a guarded JSON patch: the object is still the one that was seen.
pub(crate) fn unchanged_since(resource_version: Option<&str>) -> Value {
    json!({"op": "test", "path": "/metadata/resourceVersion", "value": resource_version})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Phase;
    use crate::object::Kind;

    fn plan(phase: Phase) -> Plan {
        let status = OpenClawInstanceStatus { phase: Some(phase), ..Default::default() };
        Plan { status, ..Plan::default() }
    }

    #[test]
    fn only_progress_and_what_effects_will_be_answered_with_is_reported_later() {
        let stored = |phase: &str| json!({"status": {"phase": phase}});
        let starting = plan(Phase::Provisioning);
        assert!(starting.may_report_later(&stored("Running")));
        assert!(!starting.may_report_later(&stored("Provisioning")), "it says so already");
        assert!(!plan(Phase::Running).may_report_later(&stored("Provisioning")), "it has come");
        let event = Event {
            kind: EventKind::Warning,
            reason: "ApplyRefused".to_owned(),
            message: String::new(),
        };
        let told = Plan { events: vec![event], ..starting.clone() };
        assert!(!told.may_report_later(&stored("Running")), "users are told at once");
        let key = ObjectKey::new(Kind::Service, "ada");
        let acts = Plan { effects: vec![Effect::delete(key, "uid")], ..plan(Phase::Running) };
        assert!(acts.may_report_later(&stored("Running")));
    }

    #[test]
    fn what_is_reported_later_is_said_by_the_plan_that_knows_more() {
        let key = ObjectKey::new(Kind::Service, "ada");
        let acts = Plan {
            effects: vec![Effect::delete(key, "uid")],
            look_again_in: 30,
            ..plan(Phase::Provisioning)
        };
        let later = Plan { look_again_in: 600, ..plan(Phase::Running) };
        let reported = acts.clone().reporting(later);
        assert_eq!(reported.status.phase, Some(Phase::Running));
        assert_eq!((reported.effects, reported.look_again_in), (acts.effects, 30));
    }

    /// Dashboards and alerts go by them.
    #[test]
    fn metrics_have_a_word_for_every_kind_of_effect() {
        let claim = || Target::Object(ObjectKey::new(Kind::PersistentVolumeClaim, "ada-data"));
        let key = || ObjectKey::new(Kind::Service, "ada");
        let patch = |target, why| Effect::json_patch(target, why, Value::Null);
        for (effect, words) in [
            (Effect::apply(key(), Value::Null), "apply Service"),
            (Effect::create(key(), Value::Null), "create Service"),
            (Effect::delete(key(), ""), "delete Service"),
            (patch(Target::Object(key()), Purpose::TakeOver), "take over Service"),
            (patch(claim(), Purpose::Release), "patch PersistentVolumeClaim"),
            (patch(claim(), Purpose::Adopt), "patch PersistentVolumeClaim"),
            (patch(claim(), Purpose::Expand), "patch PersistentVolumeClaim"),
            (patch(Target::Instance, Purpose::Finalizer), "patch finalizers OpenClawInstance"),
            (Effect::delete_deployment("ada", "", Purpose::Replace), "delete Deployment"),
            (
                Effect::merge_patch(Target::Pod("ada-0".to_owned()), Purpose::Refresh, Value::Null),
                "annotate Pod",
            ),
        ] {
            assert_eq!(format!("{} {}", effect.verb(), effect.target.kind()), words);
        }
    }

    #[test]
    fn objects_go_side_by_side_but_for_what_others_rely_on_and_what_needs_the_others() {
        let apply = |kind, name: &str| Effect::apply(ObjectKey::new(kind, name), json!({}));
        let config = ObjectKey::new(Kind::ConfigMap, "ada-config");
        let set = Effect { after: vec![config], ..apply(Kind::StatefulSet, "ada") };
        let effects = [
            Effect::json_patch(Target::Instance, Purpose::Finalizer, json!([])),
            apply(Kind::ServiceAccount, "ada"),
            apply(Kind::Role, "ada"),
            apply(Kind::RoleBinding, "ada"),
            apply(Kind::NetworkPolicy, "ada"),
            apply(Kind::Secret, "ada-gateway-token"),
            apply(Kind::ConfigMap, "ada-config"),
            set,
            Effect { why: Purpose::Close, ..apply(Kind::Role, "ada") },
        ];
        let mut rest = effects.as_slice();
        let mut together = Vec::new();
        while !rest.is_empty() {
            let count = side_by_side(rest);
            together.push(count);
            rest = &rest[count..];
        }
        assert_eq!(together, [1, 2, 1, 1, 2, 1, 1]);
        let number = |number: usize| apply(Kind::ConfigMap, &format!("ada-{number}"));
        let many: Vec<Effect> = (0..20).map(number).collect();
        assert_eq!(side_by_side(&many), MOST_AT_ONCE);
        assert_eq!(side_by_side(&[number(0), number(0)]), 1, "one object, one after the other");
    }
}
