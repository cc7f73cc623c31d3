//! What failed and no other condition tells of: no refusal leaves all of them green.

use super::{refusal, refused_by_server};
use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::Observed;
use crate::status::Statement;
use crate::vocab::names::InstanceName;

/// Adds to the statements every refusal that none of them tells of.
pub(in crate::status) fn tell(name: &str, observed: &Observed, statements: &mut Vec<Statement>) {
    let of_objects = observed.refused.keys().filter_map(|key| {
        let said = observed.refused.get(key)?;
        Some((key.name.as_str(), said, about(key, name), refusal(observed, key)?))
    });
    // Nothing else is done in a pass after them.
    let of_others = observed.refused_besides.iter().map(|(target, said)| {
        let name = target.rsplit('/').next().unwrap_or_default();
        (name, said, About::StatefulSetReady, refused_by_server(target, said))
    });
    for (name, said, about, message) in of_objects.chain(of_others) {
        let tells = |it: &Statement| {
            it.is_bad() && it.message.contains(said.as_str()) && it.message.contains(name)
        };
        if !statements.iter().any(tells) {
            say(about, message, statements);
        }
    }
}

fn say(about: About, message: String, statements: &mut Vec<Statement>) {
    let refused = |message| Statement::new(about, false, Reason::ApplyRefused, message);
    match statements.iter_mut().find(|it| it.about == about) {
        None => statements.push(refused(message)),
        Some(statement) if statement.is_bad() => {
            statement.message = format!("{}; {message}", statement.message);
        }
        Some(statement) => *statement = refused(message),
    }
}

/// Returns the condition of what an object is for.
fn about(key: &ObjectKey, name: &str) -> About {
    let name = InstanceName::new(name).unwrap_or_else(|_| InstanceName::placeholder());
    match key.kind {
        Kind::ConfigMap if key.name == name.config() => About::ConfigValid,
        Kind::ConfigMap if key.name.starts_with(&name.packs()) => About::SkillPacksReady,
        Kind::ConfigMap => About::WorkspaceReady,
        Kind::ServiceAccount | Kind::Role | Kind::RoleBinding => About::RBACReady,
        Kind::NetworkPolicy => About::NetworkPolicyReady,
        Kind::Secret => About::SecretsReady,
        Kind::PersistentVolumeClaim => About::StorageReady,
        Kind::Service => About::ServiceReady,
        Kind::StatefulSet => About::StatefulSetReady,
        Kind::CronJob => About::BackupReady,
        Kind::Job => About::RestoreComplete,
        Kind::PodDisruptionBudget
        | Kind::Middleware
        | Kind::Ingress
        | Kind::HTTPRoute
        | Kind::HorizontalPodAutoscaler
        | Kind::ServiceMonitor
        | Kind::PrometheusRule => About::CompanionsReady,
    }
}
