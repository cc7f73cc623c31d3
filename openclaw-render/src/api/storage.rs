//! Volumes and claims.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::QuantityValue;

/// Where the agent's home directory is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageSpec {
    /// The volume of the agent's home directory, `/home/openclaw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<PersistenceSpec>,
}

/// The volume of the agent's home directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersistenceSpec {
    /// Whether the agent's state outlives its pod. If not, it is in an emptyDir and lost with the
    /// pod. Defaults to true. A change replaces the pod, which starts on another volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// StorageClass of the claim. Empty text means no dynamic provisioning. Defaults to the
    /// cluster's default class. Once set it cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Size of the claim, for example `20Gi`. A larger one expands a bound claim, if its class
    /// allows that; a smaller one has no effect. Defaults to `10Gi`. A change leaves the running
    /// pod alone. Without persistence it limits the emptyDir, and a change replaces the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<QuantityValue>,
    /// Access modes of the claim: `ReadWriteOnce`, `ReadWriteOncePod`, `ReadWriteMany` or
    /// `ReadOnlyMany`. Defaults to `[ReadWriteOnce]`. They count when the claim is made: a change
    /// has no effect on one that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_modes: Option<Vec<String>>,
    /// Name of a claim of your own to use instead. The operator never changes or deletes it. Has no
    /// default. A change replaces the pod, which starts on that volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
    /// Whether the claim stays when the instance is deleted. If not, it is deleted too, with all
    /// data, unless a last backup was asked for by `spec.backup` and not made. Defaults to true. A change leaves the running pod alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphan: Option<bool>,
}
