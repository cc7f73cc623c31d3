//! `AutoscalingActive`: the load sets the number of replicas.

use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::resolve::{Resolved, Scaling};
use crate::status::Statement;

/// Returns what is said of scaling by load, where it is asked for.
pub(super) fn statement(resolved: &Resolved, observed: &Observed) -> Option<Statement> {
    let said = |holds, reason, message: String| {
        Some(Statement::new(About::AutoscalingActive, holds, reason, message))
    };
    let replicas = match resolved.scaling.as_ref()? {
        Scaling::ByLoad(replicas) => replicas,
        Scaling::OneWriter(what) => {
            let message = format!("there is one replica: {what} can have one writer");
            return said(false, Reason::SingleWriter, message);
        }
    };
    let key = ObjectKey::new(Kind::HorizontalPodAutoscaler, resolved.name.as_str());
    let seen = observed.objects.get(&key).and_then(Fact::known);
    if !seen.is_some_and(|seen| seen.is_controlled_by(resolved.uid.as_deref())) {
        return said(false, Reason::NotApplied, format!("{key} is not there: see CompanionsReady"));
    }
    let bounds = format!("{key} sets {} to {} replicas", replicas.fewest, replicas.most);
    said(true, Reason::Applied, bounds)
}
