//! What an API server says to everything that is rendered, and whether the stand-in for it, which
//! the tests of `openclaw-render` use, says the same.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets nothing there fails, in helpers too"
)]

#[path = "../support/mod.rs"]
mod support;

mod rendered;
mod verdicts;
