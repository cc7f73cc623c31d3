//! [`Rollout`]: what was decided about replacing the pod.

use crate::ownership::Change;

/// What is decided about the pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rollout {
    pub(crate) verdict: Verdict,
    /// Hash of what users own and what can reach the pod.
    pub(crate) inputs_hash: String,
    /// Hash of the pod that is wanted.
    pub(crate) pod_hash: String,
    /// Hash of openclaw.json as rendered.
    pub(crate) config_hash: String,
    /// What would change, if it is held and the live object was seen.
    pub(crate) changes: Vec<Change>,
}

/// May the pod be replaced?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Yes, or nothing would be replaced.
    #[default]
    Go,
    /// The operator itself is the cause: not before someone approves.
    HeldForApproval,
    /// The application would not start with it.
    WillNotStart,
    /// What the StatefulSet looks like is not known yet.
    Unknown,
}

impl Verdict {
    /// Whether the running pod's group stays as it is.
    pub(crate) fn holds(self) -> bool {
        self != Self::Go
    }
}
