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
    /// Whether a backup must succeed before each update. This version makes none: without a storage
    /// for it, the update goes on, and `AutoUpdateAvailable` says what that means. Defaults to true.
    /// A change replaces no pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_before_update: Option<bool>,
    /// Whether the image goes back when an update fails. It does not once the new version has used
    /// the state, which the one before cannot read. Defaults to true. A change counts at once.
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
    /// `HealthCheck`, then done or `RollingBack`. `BackingUp` is not written by this version.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "UpdatePhase")]
    pub update_phase: Option<UpdatePhase>,
    /// When the last update began, or its undoing. From then on its time is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// Why the last update failed, and what runs since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_error: Option<String>,
    /// The version before the update that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<String>,
    /// The backup that was made before the update. Not written by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_update_backup_path: Option<String>,
    /// A version that failed and is not tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_version: Option<String>,
    /// Updates in a row that were undone; three stop the updater.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_count: Option<i32>,
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
