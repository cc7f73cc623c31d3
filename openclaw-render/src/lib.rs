//! Renders the Kubernetes objects of one OpenClaw agent.

pub mod api;
mod problem;
pub mod seed;

pub use problem::{Problem, Rule, Severity};
