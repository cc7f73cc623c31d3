//! What a user of a cluster sees of the operator, one scenario a test, on a real API server.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets nothing there fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod agents;
mod inputs;
mod objects;
mod requests;
mod self_config;
mod sharing;
mod switches;
mod updates;
