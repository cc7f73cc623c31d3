//! [`Wait`]: something without which the pod is left alone.

use std::fmt;

use crate::object::ObjectKey;
use crate::vocab::DEPLOYMENT;

/// An object that is waited for, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wait {
    pub(crate) on: On,
    pub(crate) why: Why,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum On {
    /// The end of the Deployment of that name.
    Deployment(String),
    Object(ObjectKey),
}

impl From<ObjectKey> for On {
    fn from(key: ObjectKey) -> Self {
        Self::Object(key)
    }
}

/// Why an object is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Whether it is there is not known.
    Unknown,
    /// It is there, and must be read before it is changed.
    Unread,
    /// It belongs to somebody else.
    Foreign,
    /// It is being deleted.
    Deleting,
    /// It is not there, and is made when the roll-out that is held goes on.
    Held,
    /// It is not there, and this is missing to make it.
    Lacks(&'static str),
    /// It is not there yet.
    Absent,
    /// The cluster does not have its kind, which comes with this project.
    NoKind(&'static str),
    /// Whether the cluster has its kind is not known yet.
    KindUnknown,
    /// It is what runs the agent.
    Runs,
    /// Writing it failed.
    Refused,
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployment(name) => write!(f, "{DEPLOYMENT}/{name}"),
            Self::Object(key) => write!(f, "{key}"),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.on, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("could not be looked at yet"),
            Self::Unread => f.write_str("could not be read yet"),
            Self::Foreign => f.write_str("is not this instance's"),
            Self::Deleting => f.write_str("is being deleted"),
            Self::Held => f.write_str("is made when the roll-out goes on"),
            Self::Lacks(what) => write!(f, "cannot be made without {what}"),
            Self::Absent => f.write_str("is not there yet"),
            Self::NoKind(project) => {
                write!(f, "is made once the cluster knows this kind: install {project}")
            }
            Self::KindUnknown => f.write_str(
                "waits until it is known whether the cluster has this kind; the operator's log says \
                 what keeps it from looking",
            ),
            Self::Runs => f.write_str("still runs the agent"),
            Self::Refused => f.write_str("could not be written"),
        }
    }
}
