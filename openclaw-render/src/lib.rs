//! Renders the Kubernetes objects of one OpenClaw agent.

pub mod canonical;
pub mod ownership;
mod problem;
pub mod quantity;
pub mod seed;

pub use problem::{Problem, Rule, Severity};
