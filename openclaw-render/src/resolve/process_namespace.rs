//! Whether the pod's containers see each other's processes.

use super::context::Resolving;
use crate::api::OpenClawInstanceSpec;

/// Says what that gives away where something runs beside the agent that others wrote, or that has
/// keys of its own. The chart's policy says the same.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> bool {
    let is_shared = spec.share_process_namespace == Some(true);
    let neighbours = [
        spec.sidecars.as_ref().map(|sidecars| !sidecars.is_empty()),
        spec.tailscale.as_ref().and_then(|tailscale| tailscale.enabled),
        spec.netbird.as_ref().and_then(|netbird| netbird.enabled),
        spec.web_terminal.as_ref().and_then(|terminal| terminal.enabled),
    ];
    if is_shared && neighbours.contains(&Some(true)) {
        cx.risk(
            "spec.shareProcessNamespace",
            "lets the agent and what runs beside it (sidecars, Tailscale, NetBird, the web terminal) \
             see each other's processes and, where they run as the same user, read the keys in their \
             environment: leave it out unless something needs it",
        );
    }
    is_shared
}
