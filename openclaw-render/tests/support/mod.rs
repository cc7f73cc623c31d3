//! Stand-ins for the world around the renderer.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of the support code")]

pub mod api_server;
mod field_sets;
mod merge;
pub mod scene;
pub mod world;
