//! Scenes of `fixtures/lifecycle`, and the ends of runs.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of the support code")]

pub mod ends;
pub mod scenes;
