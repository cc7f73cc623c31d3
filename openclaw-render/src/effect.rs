//! [`Plan`], [`Effect`] and [`Question`]: what the controller must do, as data that leaves nothing
//! to choose.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::OpenClawInstanceStatus;
use crate::object::ObjectKey;
use crate::problem::Problem;
use crate::status::is_settled;

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
    /// What to do, in this order. A failed effect stops none but those on the same object, and
    /// those that name it in `after`.
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
    /// Whether the status tells of nothing but progress: it may be published a moment later, when
    /// it is likely to say more.
    #[must_use]
    pub fn is_progress(&self) -> bool {
        self.events.is_empty() && !is_settled(&self.status)
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
    /// A claim.
    Claim(String),
    /// The data of a ConfigMap.
    ConfigMap(String),
    /// The hashes of a Secret's values.
    Secret(String),
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

/// Everything that the controller may do. Every effect is safe to perform twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Server-side apply with our field manager and force.
    Apply {
        /// What to apply.
        key: ObjectKey,
        /// The object as it is sent.
        object: Value,
        /// Objects that earlier effects of the plan are about. If one of those fails, this one is
        /// left out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        after: Vec<ObjectKey>,
    },
    /// Create; one that exists already is left alone.
    CreateOnce {
        /// What to create.
        key: ObjectKey,
        /// The object as it is sent.
        object: Value,
    },
    /// JSON patch that gives another manager's fields to ours. It tests the resource version.
    TakeOver {
        /// What to patch.
        key: ObjectKey,
        /// The patch (RFC 6902).
        patch: Value,
    },
    /// JSON patch of a claim: release it from an owner, or make it larger. It tests the resource
    /// version.
    PatchClaim {
        /// The claim.
        name: String,
        /// Why, for the log.
        reason: ClaimChange,
        /// The patch (RFC 6902).
        patch: Value,
    },
    /// Delete, with the uid as a precondition.
    Delete {
        /// What to delete.
        key: ObjectKey,
        /// Its uid.
        uid: String,
    },
    /// JSON patch of a pod's annotations, which makes the kubelet refresh its ConfigMaps at once.
    AnnotatePod {
        /// The pod.
        name: String,
        /// The patch (RFC 7386).
        patch: Value,
    },
    /// JSON patch of the instance's finalizers. It tests what it changes.
    PatchFinalizers {
        /// The patch (RFC 6902).
        patch: Value,
    },
}

/// Why a claim is patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClaimChange {
    /// It must outlive the instance.
    Release,
    /// It must go with the instance.
    Adopt,
    /// It must grow.
    Expand,
}

/// Something that users see with `kubectl describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: EventKind,
    /// One CamelCase word.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

/// Whether an event is news or trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// News.
    Normal,
    /// Trouble.
    Warning,
}
