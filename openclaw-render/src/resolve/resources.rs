//! CPU and memory of containers.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::context::Resolving;
use crate::api::{OpenClawInstanceSpec, QuantityValue, ResourcesSpec};
use crate::quantity;

/// The smallest limit that container runtimes take.
const LEAST_MEMORY: &str = "6Mi";

/// Requests and limits of one container by default: CPU and memory asked for, CPU and memory
/// allowed.
pub(super) struct Defaults([&'static str; 4]);

const AGENT: Defaults = Defaults(["500m", "1Gi", "2", "4Gi"]);
/// nginx in front of one gateway.
const PROXY: Defaults = Defaults(["10m", "16Mi", "100m", "64Mi"]);
/// One validation by OpenClaw 2026.9.6 takes up to 1.8 s of CPU and 210 MB; a migration, which few
/// configurations need, 10 s and 600 MB.
const SYNC: Defaults = Defaults(["10m", "32Mi", "1", "1Gi"]);
/// A browser with some pages open.
pub(super) const CHROMIUM: Defaults = Defaults(["250m", "512Mi", "1", "2Gi"]);
/// One node of a tailnet.
pub(super) const TAILSCALE: Defaults = Defaults(["50m", "64Mi", "200m", "256Mi"]);
/// One member of a NetBird network.
pub(super) const NETBIRD: Defaults = Defaults(["50m", "64Mi", "200m", "256Mi"]);
/// A small model.
pub(super) const OLLAMA: Defaults = Defaults(["500m", "1Gi", "2", "4Gi"]);
/// A shell and what is started in it.
pub(super) const TERMINAL: Defaults = Defaults(["50m", "64Mi", "200m", "128Mi"]);
/// npm unpacks pnpm in 200 MB; uv takes less.
pub(super) const INSTALLERS: Defaults = Defaults(["50m", "128Mi", "1", "1Gi"]);
/// The application's own installers take 660 MB (2026.9.6), and npm some more.
pub(super) const EXTENDERS: Defaults = Defaults(["50m", "128Mi", "1", "2Gi"]);
/// Holds the last values of some hundred series.
pub(super) const COLLECTOR: Defaults = Defaults(["25m", "32Mi", "100m", "128Mi"]);
/// rclone keeps some parts of a file in memory while it sends them.
pub(super) const UPLOADER: Defaults = Defaults(["50m", "64Mi", "1", "512Mi"]);
/// Copies files and one binary.
const INIT: Defaults = Defaults(["10m", "16Mi", "200m", "64Mi"]);

/// Resources of the containers that every agent has, and of its proxy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resources {
    pub(crate) agent: ResourceRequirements,
    /// Bound of the agent's heap in MiB: three quarters of its memory limit. `None` without one,
    /// which is what a limit of zero means to Kubernetes.
    pub(crate) heap_mib: Option<u64>,
    pub(crate) proxy: ResourceRequirements,
    pub(crate) sync: ResourceRequirements,
    pub(crate) init: ResourceRequirements,
}

pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Resources {
    let proxy = spec.gateway.as_ref().and_then(|gateway| gateway.resources.as_ref());
    let sync = spec.config.as_ref().and_then(|config| config.sync.as_ref());
    let sync = sync.and_then(|sync| sync.resources.as_ref());
    let agent = requirements("spec.resources", spec.resources.as_ref(), &AGENT, cx);
    Resources {
        heap_mib: heap_mib(&agent),
        agent,
        proxy: requirements("spec.gateway.resources", proxy, &PROXY, cx),
        sync: requirements("spec.config.sync.resources", sync, &SYNC, cx),
        init: requirements("", None, &INIT, cx),
    }
}

fn heap_mib(resources: &ResourceRequirements) -> Option<u64> {
    let memory = resources.limits.as_ref().and_then(|limits| limits.get("memory"));
    let bytes = memory
        .and_then(|memory| quantity::parse(&memory.0).ok())
        .and_then(quantity::Quantity::bytes)
        .unwrap_or_default();
    Some(bytes / 4 * 3 / (1 << 20)).filter(|heap| *heap > 0)
}

/// Each of the four values has its own default, but a default never makes a request exceed a limit:
/// the value that the user gave wins, and the other one follows it.
pub(super) fn requirements(
    path: &str,
    spec: Option<&ResourcesSpec>,
    defaults: &Defaults,
    cx: &mut Resolving<'_>,
) -> ResourceRequirements {
    let spec = spec.cloned().unwrap_or_default();
    let (requests, limits) = (spec.requests.unwrap_or_default(), spec.limits.unwrap_or_default());
    let Defaults([request_cpu, request_memory, limit_cpu, limit_memory]) = defaults;
    let cpu = pair(path, "cpu", (requests.cpu, limits.cpu), (request_cpu, limit_cpu), cx);
    let memory =
        pair(path, "memory", (requests.memory, limits.memory), (request_memory, limit_memory), cx);
    check_memory(path, &memory.1.0, cx);
    let list = |cpu: Quantity, memory: Quantity| {
        Some(BTreeMap::from([("cpu".to_owned(), cpu), ("memory".to_owned(), memory)]))
    };
    ResourceRequirements {
        requests: list(cpu.0, memory.0),
        limits: list(cpu.1, memory.1),
        ..Default::default()
    }
}

fn pair(
    path: &str,
    name: &str,
    (request, limit): (Option<QuantityValue>, Option<QuantityValue>),
    (default_request, default_limit): (&str, &str),
    cx: &mut Resolving<'_>,
) -> (Quantity, Quantity) {
    let (request, limit) = match (given(request.as_ref()), given(limit.as_ref())) {
        (Some(request), Some(limit)) => {
            if exceeds(&request, &limit) {
                cx.error(
                    format!("{path}.requests.{name}"),
                    format!("{request} is more than the limit {limit}"),
                );
            }
            (request, limit)
        }
        (Some(request), None) if exceeds(&request, default_limit) => (request.clone(), request),
        (None, Some(limit)) if exceeds(default_request, &limit) => (limit.clone(), limit),
        (request, limit) => (
            request.unwrap_or_else(|| default_request.to_owned()),
            limit.unwrap_or_else(|| default_limit.to_owned()),
        ),
    };
    (Quantity(request), Quantity(limit))
}

/// A process does not start in less than container runtimes take as a limit. It is mostly a slip:
/// `512m` is half a byte.
fn check_memory(path: &str, limit: &str, cx: &mut Resolving<'_>) {
    let is_set = quantity::parse(limit).is_ok_and(|limit| limit.bytes() != Some(0));
    if is_set && exceeds(LEAST_MEMORY, limit) {
        cx.will_not_start(
            format!("{path}.limits.memory"),
            format!("no container starts in {limit:?} of memory: write for example `512Mi`"),
        );
    }
}

fn exceeds(left: &str, right: &str) -> bool {
    matches!((quantity::parse(left), quantity::parse(right)), (Ok(left), Ok(right)) if left > right)
}

/// Returns a quantity of the user's in canonical form. What is empty is unset, and what is no
/// quantity is refused by the limits of the API.
pub(super) fn given(value: Option<&QuantityValue>) -> Option<String> {
    value.and_then(|value| canonical(&value.0))
}

/// Returns the canonical form of a quantity of zero or more.
pub(super) fn canonical(text: &str) -> Option<String> {
    let is_negative = quantity::parse(text).ok()?.is_negative();
    if is_negative { None } else { quantity::canonical(text).ok() }
}
