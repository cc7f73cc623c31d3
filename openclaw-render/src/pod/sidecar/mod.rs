//! Sidecars.

pub(super) mod chromium;
pub(super) mod config_sync;
pub(super) mod gateway_proxy;
pub(super) mod otel_collector;
pub(super) mod tailscale;
pub(super) mod web_terminal;
