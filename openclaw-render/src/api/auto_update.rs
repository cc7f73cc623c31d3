//! Automatic updates.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::empty_is_unset;

/// Automatic updates of the image tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoUpdateSpec {
    /// Whether there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How often the registry is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_interval: Option<String>,
    /// Whether a backup comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_before_update: Option<bool>,
    /// Whether an update that fails is undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_on_failure: Option<bool>,
    /// How long the new version may take to become ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_timeout: Option<String>,
}

/// What the updater did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoUpdateStatus {
    /// When the registry was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_check_time: Option<Time>,
    /// The newest version seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<String>,
    /// The version that the updater decided on; it wins over the tag in the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<String>,
    /// The version that is being rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_version: Option<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "empty_is_unset")]
    #[schemars(with = "UpdatePhase")]
    pub update_phase: Option<UpdatePhase>,
    /// When the last update began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_error: Option<String>,
    /// The version before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<String>,
    /// The backup before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_update_backup_path: Option<String>,
    /// A version that is not tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_version: Option<String>,
    /// How often updates were undone in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_count: Option<i32>,
}

/// How far an update is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum UpdatePhase {
    /// A backup is made.
    #[default]
    BackingUp,
    /// The new version is rolled out.
    ApplyingUpdate,
    /// It is being watched.
    HealthCheck,
    /// It is being undone.
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
