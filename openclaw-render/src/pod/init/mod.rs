//! Init containers.

pub(super) mod config;
pub(super) mod migrate_state;
