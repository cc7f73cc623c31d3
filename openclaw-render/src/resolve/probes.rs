//! The agent's probes.

use super::context::Resolving;
use super::defaults::text;
use super::image::Image;
use super::resources::given;
use crate::api::{OpenClawInstanceSpec, ProbeSpec, ProbesSpec};
use crate::quantity::{self, Quantity};
use crate::vocab::paths;

/// The agent's probes; `None` for one that is off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Probes {
    pub(crate) startup: Option<Timing>,
    pub(crate) readiness: Option<Timing>,
    pub(crate) liveness: Option<Timing>,
    pub(crate) disk: Option<DiskCheck>,
}

/// When a probe runs; seconds, but for the last field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) initial_delay: i32,
    pub(crate) period: i32,
    pub(crate) timeout: i32,
    pub(crate) failures: i32,
}

/// Free space that readiness asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskCheck {
    pub(crate) path: String,
    pub(crate) min_free_bytes: u64,
}

const STARTUP: Timing = Timing { initial_delay: 5, period: 5, timeout: 3, failures: 60 };
const READINESS: Timing = Timing { initial_delay: 5, period: 5, timeout: 3, failures: 3 };
const LIVENESS: Timing = Timing { initial_delay: 30, period: 10, timeout: 5, failures: 3 };

/// Free space below which `diskReadiness` reports the agent as not ready.
const DISK_MIN_FREE: &str = "64Mi";
/// More than this no volume has.
const DISK_MOST_FREE: &str = "1E";

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    image: &Image,
    cx: &mut Resolving<'_>,
) -> Probes {
    let probes = spec.probes.clone().unwrap_or_default();
    let resolved = Probes {
        startup: timing(probes.startup.as_ref(), STARTUP),
        readiness: timing(probes.readiness.as_ref(), READINESS),
        liveness: timing(probes.liveness.as_ref(), LIVENESS),
        disk: disk(&probes, cx),
    };
    check_version(image, &resolved, cx);
    resolved
}

/// Says that nobody would answer the probes: `/readyz` came with the validator. A version that is
/// only assumed may be another one.
fn check_version(image: &Image, probes: &Probes, cx: &mut Resolving<'_>) {
    let asks = [probes.startup, probes.readiness, probes.liveness].iter().any(Option::is_some);
    if let Some(version) = image.told.filter(|told| asks && !told.has_validator()) {
        cx.will_not_start(
            "spec.image",
            format!(
                "{version} does not answer the probes of its pod and never becomes ready: the oldest \
                 version that this operator runs is 2026.3"
            ),
        );
    }
}

fn timing(spec: Option<&ProbeSpec>, default: Timing) -> Option<Timing> {
    let Some(spec) = spec else { return Some(default) };
    let timing = Timing {
        initial_delay: spec.initial_delay_seconds.unwrap_or(default.initial_delay),
        period: spec.period_seconds.unwrap_or(default.period),
        timeout: spec.timeout_seconds.unwrap_or(default.timeout),
        failures: spec.failure_threshold.unwrap_or(default.failures),
    };
    spec.enabled.unwrap_or(true).then_some(timing)
}

fn disk(probes: &ProbesSpec, cx: &mut Resolving<'_>) -> Option<DiskCheck> {
    let disk = probes.disk_readiness.clone()?;
    let path = text(disk.path.as_ref()).unwrap_or(paths::STATE);
    let min_free = given(disk.min_free.as_ref());
    let parse = |text: &str| quantity::parse(text).ok();
    let amount = parse(min_free.as_deref().unwrap_or(DISK_MIN_FREE));
    if parse(DISK_MOST_FREE).is_some_and(|most| amount.is_some_and(|amount| amount > most)) {
        cx.error(
            "spec.probes.diskReadiness.minFree",
            format!("is more than a volume has: write {DISK_MOST_FREE} or less"),
        );
    }
    let min_free_bytes = amount.and_then(Quantity::bytes).unwrap_or(u64::MAX);
    let check = DiskCheck { path: path.to_owned(), min_free_bytes };
    disk.enabled.unwrap_or(false).then_some(check)
}
