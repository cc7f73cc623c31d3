//! The gateway proxy as it really is: nginx.conf judged by nginx, and nginx in front of the real
//! application. Not part of `cargo test`: it needs nginx, the application and the right to make a
//! network; `scripts/test application` runs it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what is missing in a test is a failed test"
)]

mod configuration;
mod pod;
mod requests;
