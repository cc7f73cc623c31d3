//! Schedule of backups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Backups of the agent's state to object storage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupSpec {
    /// When backups are made, as a cron expression. Example: `0 3 * * *` for three every night. Has
    /// no default: none are scheduled. Reported as `Unsupported` by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Jobs of finished backups that are kept, 0 or more. Defaults to 3. Counts only with
    /// `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_limit: Option<i32>,
    /// Jobs of failed backups that are kept, 0 or more. Defaults to 1. Counts only with `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_history_limit: Option<i32>,
    /// Time that a backup may take, `5m` to `24h`. Defaults to `30m`. Counts only with `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// ServiceAccount of the backup's pods, for workload identity. Defaults to that of the
    /// namespace. Counts only with `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Days for which backups are kept, 1 to 365. Defaults to 7. Counts only with `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i32>,
}
