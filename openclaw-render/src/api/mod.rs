//! The API: types, schema and the texts that users read. No behaviour.
//!
//! Every field below `spec` is optional and, but for `replicas`, has no default in the schema:
//! defaults are applied when a spec is resolved, so that the stored object stays what the user wrote.

mod agent_instance;
mod auto_update;
mod availability;
mod backup;
mod cluster_defaults;
mod conditions;
mod config;
mod ingress;
mod instance;
mod network;
mod observability;
pub mod places;
mod quantity;
pub(crate) mod schema;
mod security;
mod self_config;
mod self_configure;
mod sidecars;
mod status;
mod storage;
mod workload;
mod workspace;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;

pub use agent_instance::*;
pub use auto_update::*;
pub use availability::*;
pub use backup::*;
pub use cluster_defaults::*;
pub use conditions::*;
pub use config::*;
pub use ingress::*;
pub use instance::*;
pub use network::*;
pub use observability::*;
pub use quantity::*;
pub use schema::custom_resource_definitions;
pub use security::*;
pub use self_config::*;
pub use self_configure::*;
pub use sidecars::*;
pub use status::*;
pub use storage::*;
pub use workload::*;
pub use workspace::*;

/// An empty string means unset in every field, so that templates may leave values empty.
fn empty_is_unset<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(value) => serde_json::from_value(value).map(Some).map_err(D::Error::custom),
    }
}
