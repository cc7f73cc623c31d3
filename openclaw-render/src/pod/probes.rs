//! The agent's probes: our binary asks the gateway on loopback and reads the answer's body, so that
//! neither the bind address nor the proxy decides over the agent's life.
//!
//! The application answers every path that it does not know with a page and status 200; only the
//! body tells a probe's answer from that page.

use k8s_openapi::api::core::v1::{ExecAction, Probe};

use crate::resolve::{Resolved, Timing};
use crate::vocab::{paths, ports};

/// A probe that also looks at the disk needs time to start a process and wait for the volume.
const LEAST_TIMEOUT_WITH_DISK: i32 = 5;
/// In seconds. The pod's own grace period is for turns in flight: a gateway that hangs ends none, and
/// would be waited for all that time before it is started again.
const GRACE_OF_THE_HUNG: i64 = 30;

pub(super) fn startup(instance: &Resolved) -> Option<Probe> {
    let timing = instance.probes.startup?;
    let endpoint = if instance.image.version.has_startupz() {
        ("/startupz", "status=started")
    } else {
        ("/healthz", "ok=true")
    };
    Some(probe(timing, endpoint, &[]))
}

/// `/startupz` where the version has it: `/readyz` also fails when a single channel is broken, which
/// would cut off the Control UI that could mend it.
pub(super) fn readiness(instance: &Resolved) -> Option<Probe> {
    let mut timing = instance.probes.readiness?;
    let endpoint = if instance.image.version.has_startupz() {
        ("/startupz", "status=started")
    } else {
        ("/readyz", "ready=true")
    };
    let Some(disk) = &instance.probes.disk else { return Some(probe(timing, endpoint, &[])) };
    timing.timeout = timing.timeout.max(LEAST_TIMEOUT_WITH_DISK);
    let min_free = disk.min_free_bytes.to_string();
    Some(probe(timing, endpoint, &["--disk-path", &disk.path, "--min-free-bytes", &min_free]))
}

pub(super) fn liveness(instance: &Resolved) -> Option<Probe> {
    let probe = probe(instance.probes.liveness?, ("/healthz", "ok=true"), &[]);
    Some(Probe { termination_grace_period_seconds: Some(GRACE_OF_THE_HUNG), ..probe })
}

fn probe(timing: Timing, (path, expected): (&str, &str), more: &[&str]) -> Probe {
    let url = format!("http://127.0.0.1:{}{path}", ports::GATEWAY);
    // The kubelet ends a probe that takes too long, and its reason with it: be a second earlier.
    let seconds = (timing.timeout - 1).max(1).to_string();
    let command = [
        paths::HELPER,
        "pod",
        "probe",
        "--url",
        &url,
        "--expect",
        expected,
        "--timeout-seconds",
        &seconds,
    ];
    Probe {
        exec: Some(ExecAction {
            command: Some(command.iter().chain(more).map(|each| (*each).to_owned()).collect()),
        }),
        failure_threshold: Some(timing.failures),
        initial_delay_seconds: Some(timing.initial_delay),
        period_seconds: Some(timing.period),
        success_threshold: Some(1),
        timeout_seconds: Some(timing.timeout),
        ..Default::default()
    }
}
