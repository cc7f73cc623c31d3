//! Backups: when, where to, and what came of them.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Backups of the agent's state to object storage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupSpec {
    /// When backups are made, as a cron expression in UTC. Example: `0 3 * * *` for three every
    /// night; `@daily` and the like, too. Has no default: none are scheduled. A change restarts
    /// nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Jobs of finished backups that are kept, 0 or more. Defaults to 3. Counts only with
    /// `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_limit: Option<i32>,
    /// Jobs of failed backups that are kept, 0 or more. Defaults to 1. Counts only with `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_history_limit: Option<i32>,
    /// Time that a backup or a restore may take, `5m` to `24h`. Defaults to `1h`. An instance that is
    /// deleted waits as long for its last backup, and a quarter of an hour more. A change counts from
    /// the next one on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// ServiceAccount of the pods of backups and restores, for workload identity. Defaults to that of
    /// the namespace. No token of it is mounted but by the cloud's own means. A change counts from
    /// the next one on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Days for which backups are kept, 1 to 365. Defaults to 7. Older ones are removed after the
    /// next good one; the newest stays in any case. A change counts from that one on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i32>,
    /// Where backups are stored, and restored from. Without it there are none. With it, an agent
    /// whose instance is deleted is stopped and backed up first. A change restarts nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<BackupStorageSpec>,
}

/// Where backups are stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupStorageSpec {
    /// Secret that names the bucket, in the instance's namespace. Keys: `S3_BUCKET`, `S3_ENDPOINT`;
    /// if there is no workload identity `S3_ACCESS_KEY_ID`, `S3_SECRET_ACCESS_KEY`; optional
    /// `S3_REGION`, `S3_PROVIDER`. Has no default. Only the container that stores or fetches sees
    /// it, and a change of its values counts from the next backup on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
}

/// A restore that is under way or failed. Also what the last one left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreStatus {
    /// What is restored, as `spec.restoreFrom` had it. Or the backup of before an update that is
    /// undone. Absent once that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When it was begun. Absent while it is being given up, and once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// Whether it undoes an update that failed. Absent where `spec.restoreFrom` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes_update: Option<bool>,
    /// Why it failed. What was there before is as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Directory in HOME that holds what was there before the last restore. It is yours to remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// A backup, taken or given up: when, where it lies, and what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupStatus {
    /// Name of the Job that made the backup.
    pub job_name: String,
    /// When the backup was finished, or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// Whether the backup was stored and verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub succeeded: Option<bool>,
    /// Where the backup is, as a path in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Version of OpenClaw that wrote the state in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Size of what was stored, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
    /// What went wrong, or what is worth knowing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
