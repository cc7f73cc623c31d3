//! `ServiceReady`, `NetworkPolicyReady`, `RBACReady`: the objects are there.

use super::refusal;
use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::resolve::Resolved;
use crate::status::Statement;

/// Returns what is said of the objects that are wanted.
pub(super) fn statements(resolved: &Resolved, observed: &Observed) -> Vec<Statement> {
    let policy = resolved.network_policy.as_ref();
    let policy =
        policy.map(|_| applied(About::NetworkPolicyReady, Kind::NetworkPolicy, resolved, observed));
    let service = applied(About::ServiceReady, Kind::Service, resolved, observed);
    [service, rbac_ready(resolved, observed)].into_iter().chain(policy).collect()
}

/// Role and `RoleBinding` are one thing to users.
fn rbac_ready(resolved: &Resolved, observed: &Observed) -> Statement {
    let about = |kind| applied(About::RBACReady, kind, resolved, observed);
    let role = about(Kind::Role);
    if role.reason == Reason::ApplyRefused { role } else { about(Kind::RoleBinding) }
}

/// Whether an object of the instance's name is there.
fn applied(about: About, kind: Kind, resolved: &Resolved, observed: &Observed) -> Statement {
    let key = ObjectKey::new(kind, resolved.name.as_str());
    let uid = resolved.uid.as_deref();
    if let Some(message) = refusal(observed, &key) {
        return Statement::new(about, false, Reason::ApplyRefused, message);
    }
    let ours = observed.objects.get(&key).and_then(Fact::known);
    if ours.is_some_and(|seen| seen.controller.as_deref() == uid) {
        Statement::new(about, true, Reason::Applied, format!("{key} is there"))
    } else {
        Statement::new(about, false, Reason::NotApplied, format!("{key} is not there yet"))
    }
}
