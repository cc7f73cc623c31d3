//! Ownership of fields, against a stand-in for the API server and against what the Go operator
//! really leaves behind in a cluster.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test, in helper functions too"
)]

mod differences;
mod objects;
mod properties;
mod stand_in;
mod take_over;
