//! Renders the Kubernetes objects of one OpenClaw agent.

mod problem;
pub mod seed;

pub use problem::{Problem, Rule, Severity};
