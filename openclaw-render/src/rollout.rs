//! [`Rollout`]: what was decided about replacing the pod.

use crate::maintenance::Standing;
use crate::observed::{Observed, Pod, Seen};
use crate::ownership::Change;
use crate::pacing::{Cause, Stage, Standing as PaceStanding};

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
    /// What the pod was replaced for, or is, if that concerns many agents.
    pub(crate) cause: Option<Cause>,
    /// Where the agent stands with that cause.
    pub(crate) stage: Option<Stage>,
    /// How it stands with the maintenance windows.
    pub(crate) windows: Standing,
}

/// May the pod be replaced?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Yes, or nothing would be replaced.
    #[default]
    Go,
    /// The operator itself is the cause: not before someone approves.
    HeldForApproval,
    /// Many agents are replaced for one cause, and it is not this one's turn.
    WaitsForTurn,
    /// One of them has failed, and nobody's turn comes.
    Stopped,
    /// The application would not start with it.
    WillNotStart,
    /// What the StatefulSet looks like is not known yet.
    Unknown,
}

/// Returns the pod of exactly the template that a StatefulSet has now.
pub(crate) fn newest_pod<'a>(set: &Seen, observed: &'a Observed) -> Option<&'a Pod> {
    let workload = set.workload.as_ref().filter(|workload| workload.current)?;
    observed.pods.known()?.iter().find(|pod| pod.revision == workload.update_revision)
}

impl Rollout {
    /// Returns where the agent stands with what concerns many.
    pub(crate) fn standing(&self) -> Option<PaceStanding> {
        Some(PaceStanding { cause: self.cause.clone()?, stage: self.stage? })
    }
}

impl Verdict {
    /// Whether the running pod's group stays as it is.
    pub(crate) fn holds(self) -> bool {
        self != Self::Go
    }
}
