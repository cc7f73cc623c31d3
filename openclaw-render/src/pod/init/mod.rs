//! Init containers.

pub(super) mod config;
