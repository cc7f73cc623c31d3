//! Automatic updates.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::empty_is_unset;

/// Updates of the agent to the newest stable release.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoUpdateSpec {
    /// Whether the agent is updated automatically. It never is beside `image.digest`. Defaults to
    /// false. A change to false gives up an update that is under way, and the tag of the spec counts
    /// again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Time between two looks at the registry, `1h` to `168h`. Defaults to `24h`. A change counts
    /// from the next look on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_interval: Option<String>,
    /// Whether a backup must be stored before each update. It is made while the agent runs, in the
    /// time of `spec.backup.timeout`; one that fails is tried again after an hour. Without a storage
    /// for it, the update goes on, and `AutoUpdateAvailable` says what that means. Defaults to true.
    /// A change counts at once and replaces no pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_before_update: Option<bool>,
    /// Whether the agent goes back when an update fails. Once the new version has used the state,
    /// which the one before cannot read, the backup of before the update is put back, too; without
    /// one, the new version stays. Defaults to true. A change counts at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_on_failure: Option<bool>,
    /// Time in which the new version must be ready, `2m` to `30m`. Defaults to `10m`. A
    /// change counts at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_timeout: Option<String>,
}

/// What automatic updates found and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoUpdateStatus {
    /// When the registry was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_check_time: Option<Time>,
    /// The newest stable release in the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<String>,
    /// The version that the updater decided on. It wins over a lower tag in the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<String>,
    /// The version that is being rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_version: Option<String>,
    /// The step that an update is at, empty without one. `BackingUp`, `ApplyingUpdate`,
    /// `HealthCheck`, then done or `RollingBack`.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "UpdatePhase")]
    pub update_phase: Option<UpdatePhase>,
    /// When the step of the last update began. From then on its time is counted. After a backup that
    /// failed, when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// Why the last update failed, and what runs since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_error: Option<String>,
    /// The version before the update that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<String>,
    /// The backup that was made before the last update. A path in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_update_backup_path: Option<String>,
    /// How far it is that this backup is put back. `UnderWay` while the agent is off for it, `Done`
    /// from then on until its pod is ready. Absent while an update, or its undoing, leaves the state
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "StateRestore")]
    pub state_restore: Option<StateRestore>,
    /// A version that failed and is not tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_version: Option<String>,
    /// Updates in a row that were undone; three stop the updater.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_count: Option<i32>,
}

/// How far it is that the backup of before an update is put back.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum StateRestore {
    /// The agent is off for it.
    #[default]
    UnderWay,
    /// The state is that of the backup.
    Done,
}

/// The step that an update is at.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum UpdatePhase {
    /// A backup is being made.
    #[default]
    BackingUp,
    /// The new version is being rolled out.
    ApplyingUpdate,
    /// The new version must become ready.
    HealthCheck,
    /// The update is being undone.
    RollingBack,
}

impl fmt::Display for UpdatePhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BackingUp => "BackingUp",
            Self::ApplyingUpdate => "ApplyingUpdate",
            Self::HealthCheck => "HealthCheck",
            Self::RollingBack => "RollingBack",
        })
    }
}
