//! Sidecars.

pub(super) mod chromium;
pub(super) mod config_sync;
pub(super) mod gateway_proxy;
pub(super) mod netbird;
pub(super) mod ollama;
pub(super) mod otel_collector;
pub(super) mod tailscale;
pub(super) mod web_terminal;

use k8s_openapi::api::core::v1::{ExecAction, Probe};

use crate::vocab::paths;

/// Has a server that no longer answers on loopback started again. There is no startup probe: it would
/// keep the agent waiting for a server that never comes.
fn answers(url: &str) -> Probe {
    let command = [paths::HELPER, "pod", "probe", "--url", url, "--timeout-seconds", "9"];
    Probe {
        exec: Some(ExecAction { command: Some(command.map(str::to_owned).to_vec()) }),
        failure_threshold: Some(4),
        initial_delay_seconds: Some(30),
        period_seconds: Some(30),
        success_threshold: Some(1),
        timeout_seconds: Some(10),
        ..Default::default()
    }
}
