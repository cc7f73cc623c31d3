//! `HTTPRouteReady`: Gateways lead to the agent.

use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Gateways, Observed};
use crate::resolve::Resolved;
use crate::status::Statement;

/// Returns what is said of the HTTPRoute, where one is asked for.
pub(super) fn statement(resolved: &Resolved, observed: &Observed) -> Option<Statement> {
    let route = resolved.http_route.as_ref()?;
    let key = ObjectKey::new(Kind::HTTPRoute, resolved.name.as_str());
    let said = |holds, reason, message: String| {
        Some(Statement::new(About::HTTPRouteReady, holds, reason, message))
    };
    if *observed.has(Kind::HTTPRoute) == Fact::Absent {
        let message = format!("{key} is made once the cluster has the Gateway API: install it");
        return said(false, Reason::KindMissing, message);
    }
    if route.parents.is_empty() {
        let message = "no Gateway is named in spec.networking.httpRoute.parentRefs";
        return said(false, Reason::NoParentRefs, message.to_owned());
    }
    let seen = observed.objects.get(&key).and_then(Fact::known);
    let ours = seen.filter(|seen| seen.is_controlled_by(resolved.uid.as_deref()));
    match ours.map(|seen| &seen.gateways) {
        None => said(false, Reason::NotApplied, format!("{key} is not there: see CompanionsReady")),
        Some(Gateways::Accept) => {
            said(true, Reason::Accepted, format!("every Gateway of {key} accepts it"))
        }
        Some(Gateways::Refuse(why)) => said(false, Reason::NotAccepted, why.clone()),
        Some(Gateways::Silent) => said(
            false,
            Reason::NotAccepted,
            format!(
                "not every Gateway of {key} has answered: look whether it exists and is programmed"
            ),
        ),
    }
}
