//! What an API server says to everything that is rendered, and whether the stand-in for it, in which
//! plans are played, says the same.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets nothing there fails, in helpers too"
)]

#[path = "../support/mod.rs"]
mod support;

mod existing;
mod hostile;
mod policies;
mod removed;
mod rendered;
mod stand_in;
mod verdicts;
