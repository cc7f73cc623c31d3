//! What people and CI see of `render`, `check` and `crds`: output, exit codes, problem lines.

#![expect(clippy::expect_used, reason = "helpers of tests: what is broken must be loud")]

mod check;
mod diff;
mod folders;
mod guides;
mod help;
mod output;
mod play;
mod podman;
mod problems;
mod program;
mod reference;
mod refused;
