//! What the tests against a real API server share.

#![expect(clippy::expect_used, reason = "a test that cannot go on says so by failing")]
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "every test target uses a part of this"
)]

pub mod agent;
pub mod backups;
pub mod buckets;
pub mod cluster;
pub mod config_syncs;
pub mod definitions;
pub mod dump;
pub mod ends;
pub mod fixtures;
pub mod fleet;
pub mod http;
pub mod hub;
pub mod models;
pub mod operator;
pub mod pods;
pub mod proxy;
pub mod random;
pub mod rest;
pub mod stopped;
