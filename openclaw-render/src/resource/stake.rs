//! [`Stake`]: where an object stands to the pod, marked where the object is rendered.

use crate::object::{Kind, Object};
use crate::observed::Seen;
use crate::vocab::annotations::{STANDS, STANDS_BESIDE};

/// Kinds of which objects can be held together with the pod.
const HELD_WITH_PODS: &[Kind] = &[
    Kind::ServiceAccount,
    Kind::Role,
    Kind::RoleBinding,
    Kind::NetworkPolicy,
    Kind::ConfigMap,
    Kind::Service,
    Kind::StatefulSet,
];
/// Kinds of which a pod's template names objects.
const NAMED_BY_PODS: &[Kind] = &[Kind::ServiceAccount, Kind::ConfigMap];

/// An object that is wanted, and where it stands to the pod.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rendered {
    pub(crate) object: Object,
    pub(crate) stake: Stake,
    /// What is missing to make it. If it is there already, nothing is.
    pub(crate) lacks: Option<&'static str>,
    /// Whether it does more harm than good without that, even if it is there already.
    pub(crate) goes: bool,
}

/// Where an object stands to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stake {
    /// It is the pod: the StatefulSet that keeps it.
    Pod,
    /// The pod needs it before it starts: what it mounts and runs as, what keeps it apart.
    Needed(WhileHeld),
    /// The pod starts without it, and the two belong together: what leads to it, what it may do.
    Linked(WhileHeld),
    /// It stands beside: nothing of the pod depends on it.
    Beside,
}

/// What happens to an object while the running pod is kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhileHeld {
    /// It changes on its own.
    Changes,
    /// It is made if it is not there, and not changed: without it the pod could not come back as it
    /// was, or would stand open.
    OnlyMade,
    /// Nothing: it changes together with the pod.
    Stays,
}

impl Stake {
    /// Whether the pod is left alone while it is not certain how the object is.
    pub(crate) fn is_awaited(self) -> bool {
        matches!(self, Self::Needed(_) | Self::Linked(_))
    }

    /// Whether the object must have been written before the pod.
    pub(crate) fn precedes_pod(self) -> bool {
        matches!(self, Self::Needed(_))
    }

    /// Whether the object is kept as it is while the running pod is.
    pub(crate) fn is_held(self) -> bool {
        match self {
            Self::Pod => true,
            Self::Needed(held) | Self::Linked(held) => held != WhileHeld::Changes,
            Self::Beside => false,
        }
    }

    /// Whether the object is made even while the running pod is kept as it is.
    pub(crate) fn is_always_made(self) -> bool {
        match self {
            Self::Pod => false,
            Self::Needed(held) | Self::Linked(held) => held != WhileHeld::Stays,
            Self::Beside => true,
        }
    }

    /// Whether a change of its content is a change of the pod.
    pub(crate) fn changes_with_pod(self) -> bool {
        matches!(self, Self::Pod | Self::Needed(WhileHeld::Stays))
    }
}

/// Whether an object that is no longer rendered may have been held together with the pod.
pub(crate) fn was_held_with_pod(kind: Kind, seen: &Seen) -> bool {
    HELD_WITH_PODS.contains(&kind) && !stood_beside(seen)
}

/// Whether a pod's template may name an object that is no longer rendered.
pub(crate) fn was_named_by_pod(kind: Kind, seen: &Seen) -> bool {
    NAMED_BY_PODS.contains(&kind) && !stood_beside(seen)
}

fn stood_beside(seen: &Seen) -> bool {
    seen.annotations.get(STANDS).is_some_and(|stands| stands == STANDS_BESIDE)
}

/// Marks objects that can be made at any time. What stands beside says so itself where its kind does
/// not, for the time when it is no longer rendered.
pub(crate) fn marked<O: Into<Object>>(
    stake: Stake,
    objects: impl IntoIterator<Item = O>,
) -> impl Iterator<Item = Rendered> {
    objects.into_iter().map(move |object| {
        let mut object = object.into();
        if stake == Stake::Beside && HELD_WITH_PODS.contains(&object.kind()) {
            object.annotate(STANDS, STANDS_BESIDE);
        }
        Rendered { object, stake, lacks: None, goes: false }
    })
}
