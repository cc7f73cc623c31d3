//! Init containers.

pub(super) mod extensions;
pub(super) mod migrate_state;
pub(super) mod models;
pub(super) mod runtimes;
pub(super) mod seed;
