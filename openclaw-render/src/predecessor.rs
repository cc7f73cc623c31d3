//! [`Predecessor`]: the Deployment in which very old versions of the Go operator ran an agent.
//!
//! It and our StatefulSet would write to one volume. So the StatefulSet is not made before the
//! Deployment is gone, and its pods with it.

use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::wait::Why;

/// How it stands with the Deployment of the instance's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Predecessor<'a> {
    /// There is none, or it is not this instance's, or the StatefulSet has taken its place.
    None,
    /// Nobody has looked.
    Unknown,
    /// It runs the agent; its uid.
    Runs(&'a str),
    /// It is being deleted, and is there until its pods are gone.
    Ends,
}

impl Predecessor<'_> {
    /// Returns why the StatefulSet waits, if it does.
    pub(crate) fn why(self) -> Option<Why> {
        match self {
            Self::None => None,
            Self::Unknown => Some(Why::Unknown),
            Self::Runs(_) => Some(Why::Runs),
            Self::Ends => Some(Why::Deleting),
        }
    }
}

/// Whether nothing makes pods of the agent: the StatefulSet is scaled to zero, or there is neither it nor
/// a Deployment before it.
pub(crate) fn is_scaled_down(name: &str, uid: Option<&str>, observed: &Observed) -> bool {
    match observed.objects.get(&ObjectKey::new(Kind::StatefulSet, name)) {
        Some(Fact::Known(set)) => set.replicas == Some(0),
        Some(Fact::Absent) => predecessor(name, uid, observed) == Predecessor::None,
        Some(Fact::Unknown) | None => false,
    }
}

/// Whether neither the StatefulSet wants a pod nor one is there.
pub(crate) fn is_gone(name: &str, uid: Option<&str>, observed: &Observed) -> bool {
    let set = observed.objects.get(&ObjectKey::new(Kind::StatefulSet, name)).and_then(Fact::known);
    let workload = set.and_then(|set| set.workload.as_ref());
    is_scaled_down(name, uid, observed)
        && workload.is_none_or(|workload| workload.replicas == 0)
        && observed.pods.known().is_some_and(Vec::is_empty)
}

/// Returns how it stands with the Deployment of an instance of that name and uid.
pub(crate) fn predecessor<'a>(
    name: &str,
    uid: Option<&str>,
    observed: &'a Observed,
) -> Predecessor<'a> {
    let set = ObjectKey::new(Kind::StatefulSet, name);
    if observed.objects.get(&set).and_then(Fact::known).is_some() {
        return Predecessor::None;
    }
    match &observed.deployment {
        Fact::Unknown => Predecessor::Unknown,
        Fact::Absent => Predecessor::None,
        Fact::Known(live) if !live.owners.iter().any(|owner| Some(owner.as_str()) == uid) => {
            Predecessor::None
        }
        Fact::Known(live) if live.deleting => Predecessor::Ends,
        Fact::Known(live) => Predecessor::Runs(&live.uid),
    }
}
