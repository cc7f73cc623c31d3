//! `openclaw-cli pod sync` as a process, on the kubelet's layout of a mounted `ConfigMap`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in helpers too")]
#![expect(clippy::panic, reason = "a test fails by panicking, in helpers too")]

mod contents;
mod merge;
mod migration;
mod pod;
mod process;
mod restarts;
mod target;
mod validator;
