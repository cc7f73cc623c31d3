//! Backups: when, where to, and what came of them.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
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
    /// Where backups are stored. Reported as `Unsupported` by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<BackupStorageSpec>,
}

/// Where backups are stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupStorageSpec {
    /// Secret that names the bucket, in the instance's namespace. Keys: `S3_BUCKET`, `S3_ENDPOINT`;
    /// if there is no workload identity `S3_ACCESS_KEY_ID`, `S3_SECRET_ACCESS_KEY`; optional
    /// `S3_REGION`, `S3_PROVIDER`. Defaults to the operator's shared Secret, if the namespace gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
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
    /// Where the backup is, as a path in the bucket, for `spec.restoreFrom`.
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
