//! What of a status is not ours, and stays as it is found.

use serde_json::{Map, Value};

use crate::api::{ConditionType, OpenClawInstanceStatus};

/// Conditions of the Go operator about what this version does not look after.
const ABANDONED: &[&str] = &["DeploymentReady", "SkillPacksReady"];

/// What of a status is not ours to write: the Go operator's records, on which it acts when it comes
/// back. A new field does not compile until
/// somebody says whose it is.
pub(super) fn records(previous: OpenClawInstanceStatus) -> OpenClawInstanceStatus {
    let OpenClawInstanceStatus {
        phase: _,
        conditions: _,
        observed_generation: _,
        gateway_endpoint: _,
        config: _,
        managed_resources: _,
        // Of a time and a port that nobody keeps any more.
        last_reconcile_time: _,
        canvas_endpoint: _,
        replicas: _,
        selector: _,
        volume: _,
        installed: _,
        backups: _,
        last_backup_path: _,
        last_backup_time: _,
        backing_up_since,
        backup_job_name,
        // What was restored keeps the Go operator, too, from restoring it once more.
        restore_job_name: _,
        restored_from: _,
        restore: _,
        auto_update: _,
    } = previous;
    OpenClawInstanceStatus {
        backing_up_since,
        backup_job_name,
        ..OpenClawInstanceStatus::default()
    }
}

/// Conditions of other writers stay. Those that only the Go operator kept up to date would go on
/// saying what nobody looks at any more.
pub(super) fn is_foreign(name: &str) -> bool {
    let ours = ConditionType::ALL.iter().any(|ours| ours.as_str() == name);
    !ours && !ABANDONED.contains(&name)
}

/// A status as far as it decodes: one field that does not must not take the others with it.
pub(crate) fn decode(status: &Value) -> OpenClawInstanceStatus {
    let mut decoded = Map::new();
    for (name, value) in status.as_object().into_iter().flatten() {
        let alone = Value::Object([(name.clone(), value.clone())].into_iter().collect());
        if serde_json::from_value::<OpenClawInstanceStatus>(alone).is_ok() {
            decoded.insert(name.clone(), value.clone());
        }
    }
    serde_json::from_value(Value::Object(decoded)).unwrap_or_default()
}
