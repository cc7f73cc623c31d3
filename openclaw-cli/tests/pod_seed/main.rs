//! `openclaw-cli pod seed` as a process, on real folders.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]
#![expect(clippy::panic, reason = "a test fails by panicking, in helpers too")]

mod errors;
mod in_the_way;
mod kills;
mod performed;
mod pod;
mod remembered;
