//! Ownership of fields, against a stand-in for the API server and against what the Go operator
//! really leaves behind in a cluster.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test, in helper functions too"
)]
#![expect(clippy::panic, reason = "a test fails by panicking, in helpers too")]
#![expect(clippy::disallowed_methods, reason = "scenes are read from files")]

#[path = "../support/mod.rs"]
mod support;

mod differences;
mod objects;
mod properties;
mod stand_in;
mod take_over;
