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

#[allow(dead_code, unreachable_pub, missing_docs, reason = "its tests use more of it")]
#[path = "../../../openclaw-render/tests/support/api_server.rs"]
mod api_server;
mod existing;
#[path = "../../../openclaw-render/tests/support/field_sets.rs"]
mod field_sets;
#[path = "../../../openclaw-render/tests/support/merge.rs"]
mod merge;
mod removed;
mod rendered;
mod stand_in;
mod verdicts;
