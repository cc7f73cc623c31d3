//! What Traefik is told by objects of its own, and what becomes of the Ingress without them.

use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Seen};
use crate::resolve::context::Resolving;

/// A Middleware of Traefik.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Middleware {
    pub(crate) name: String,
    pub(crate) guard: IngressGuard,
    pub(crate) standing: Standing,
}

/// What a Middleware does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum IngressGuard {
    /// It asks for a name and a password.
    Password { secret: String, realm: String },
    /// It limits the requests per second of each client.
    Limit(i32),
    /// It tells browsers to use only HTTPS.
    Hsts,
}

/// What an Ingress can make of a Middleware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is there, or is made before the Ingress.
    Usable,
    /// Nobody has looked.
    Unknown,
    /// The cluster does not have the kind, or the name is somebody else's.
    Missing,
}

/// Returns how a Middleware of that name stands.
pub(super) fn standing(name: &str, cx: &Resolving<'_>) -> Standing {
    let key = ObjectKey::new(Kind::Middleware, name);
    let is_ours = |seen: &Seen| seen.is_controlled_by(cx.uid());
    match (cx.observed.has(Kind::Middleware), cx.observed.objects.get(&key)) {
        (Fact::Absent, _) => Standing::Missing,
        (_, Some(Fact::Known(seen))) if !is_ours(seen) => Standing::Missing,
        (Fact::Known(()), Some(Fact::Known(_) | Fact::Absent)) => Standing::Usable,
        (Fact::Known(()) | Fact::Unknown, _) => Standing::Unknown,
    }
}
