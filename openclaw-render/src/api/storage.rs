//! The volume that holds the agent's state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::QuantityValue;

/// Where the agent's state is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageSpec {
    /// The volume of the agent's home directory `/home/openclaw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<PersistenceSpec>,
}

/// The claim behind the agent's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersistenceSpec {
    /// Whether the state outlives the pod. Default: true. With false the state lies in an emptyDir
    /// and is lost with the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// StorageClass of the claim. Unset means the default class of the cluster; the empty string is
    /// a value of its own and means no dynamic provisioning. Once set it cannot be changed to
    /// another value, as the claim cannot either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Size of the claim in bytes. Default: `10Gi`. A larger value expands the claim if its
    /// StorageClass allows that; a smaller one has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<QuantityValue>,
    /// Access modes of the claim, used when it is made. Default: `ReadWriteOnce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_modes: Option<Vec<String>>,
    /// Name of a claim in the namespace of the instance to use instead of making `<name>-data`. It
    /// is mounted as it is and never deleted. Default: none. A change restarts the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
    /// Whether the claim `<name>-data` survives when the instance is deleted. Default: true. It has
    /// no effect on an existing claim, which always survives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphan: Option<bool>,
}
