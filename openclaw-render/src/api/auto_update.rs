//! Automatic updates: what is wanted, and what the updater has done.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::empty_is_unset;

/// Automatic updates of the agent image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoUpdateSpec {
    /// Whether the agent is updated automatically.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How often the registry is asked for a newer version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_interval: Option<String>,
    /// Whether a backup is taken before an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_before_update: Option<bool>,
    /// Whether a failed update is rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_on_failure: Option<bool>,
    /// How long an updated agent may take to become ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_timeout: Option<String>,
}

/// What the updater has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoUpdateStatus {
    /// When the registry was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_check_time: Option<Time>,
    /// Newest version that the registry offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<String>,
    /// Version that the updater has decided to run; it takes the place of the tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<String>,
    /// Version that is being rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_version: Option<String>,
    /// What the updater is doing.
    #[serde(default, deserialize_with = "empty_is_unset", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "UpdatePhase")]
    pub update_phase: Option<UpdatePhase>,
    /// When the last update began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// Why the last update failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_error: Option<String>,
    /// Version before the update that is being rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<String>,
    /// Path of the backup that was taken before the update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_update_backup_path: Option<String>,
    /// Version that failed and is not tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_version: Option<String>,
    /// How many updates in a row were rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_count: Option<i32>,
}

/// What the updater is doing. Nothing, if unset or empty.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum UpdatePhase {
    /// A backup is being taken.
    #[default]
    BackingUp,
    /// The new version is being applied.
    ApplyingUpdate,
    /// The new version has to become ready.
    HealthCheck,
    /// The previous version is being restored.
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
