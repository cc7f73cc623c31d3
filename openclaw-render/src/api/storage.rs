//! Volumes and claims.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::QuantityValue;

/// Where the agent keeps its state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageSpec {
    /// The volume of the agent's home directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<PersistenceSpec>,
}

/// The volume of the agent's home directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersistenceSpec {
    /// Whether the state outlives the pod. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Class of the claim. Unset: the cluster's default class; empty: no dynamic provisioning. It
    /// cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Size of the claim. Default `10Gi`. A larger size expands the claim, a smaller one has no
    /// effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<QuantityValue>,
    /// Access modes of the claim. Default `ReadWriteOnce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_modes: Option<Vec<String>>,
    /// A claim of your own to use instead. It is never changed or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
    /// Whether the claim outlives the instance. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphan: Option<bool>,
}
