//! The operator of a whole cluster: many agents, several replicas, definitions that come and go.
//! One test at a time, since two operators of all namespaces would see each other's agents.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod definitions;
mod many;
mod replicas;
