//! The custom resources: types, schema, and the texts that `kubectl explain` shows.
//!
//! Nothing here behaves: defaults and checks are applied when a spec is resolved. Every field
//! below `spec` and `status` is optional, except where the schema requires it.

mod auto_update;
mod availability;
mod backup;
mod cluster_defaults;
mod conditions;
mod config;
mod instance;
mod network;
mod observability;
mod quantity;
mod schema;
mod security;
mod self_configure;
mod sidecars;
mod storage;
mod workload;
mod workspace;

pub use auto_update::*;
pub use availability::*;
pub use backup::*;
pub use cluster_defaults::*;
pub use conditions::*;
pub use config::*;
pub use instance::*;
pub use network::*;
pub use observability::*;
pub use quantity::QuantityValue;
pub use schema::custom_resource_definitions;
pub use security::*;
pub use self_configure::*;
pub use sidecars::*;
pub use storage::*;
pub use workload::*;
pub use workspace::*;
