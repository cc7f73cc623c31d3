//! Maintenance windows: schedules, time zones and durations that can be read.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::context::Resolving;
use super::defaults::text;
use crate::api::{MaintenanceWindow, OnOperatorUpgrade, OpenClawInstanceSpec};
use crate::maintenance::{Window, Windows, can_open, schedule, time_zone};
use crate::vocab::grammar::is_time_zone;
use crate::vocab::schedule::{is_opening, whole_seconds};

/// A window that cannot be read is an error; the others are not waited for either.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Windows {
    let listed = spec.maintenance_windows.as_deref().unwrap_or_default();
    let policy = spec.rollout.as_ref().and_then(|rollout| rollout.on_operator_upgrade);
    if !listed.is_empty() && policy == Some(OnOperatorUpgrade::Roll) {
        cx.ineffective(
            "spec.maintenanceWindows",
            "has no effect on roll-outs, which never wait with `spec.rollout.onOperatorUpgrade: \
             Roll`: remove one of the two",
        );
    }
    let windows = listed.iter().enumerate();
    Windows::new(windows.filter_map(|(index, listed)| window(index, listed, cx)).collect())
}

fn window(index: usize, listed: &MaintenanceWindow, cx: &mut Resolving<'_>) -> Option<Window> {
    let path = |field: &str| format!("spec.maintenanceWindows[{index}].{field}");
    let cron = schedule(&listed.schedule).filter(can_open);
    // That it has no such form at all is said where all limits are; of the others, too.
    if cron.is_none() && is_opening(&listed.schedule) {
        cx.error(
            path("schedule"),
            format!(
                "{:?} is no schedule that ever comes: write five fields, minute, hour, day of the \
                 month, month and day of the week, for example `0 3 * * 6`",
                listed.schedule
            ),
        );
    }
    let named = text(listed.time_zone.as_ref());
    let zone = named.map_or(Some(TimeZone::UTC), time_zone);
    if zone.is_none() && named.is_some_and(is_time_zone) {
        let name = named.unwrap_or_default();
        cx.error(
            path("timeZone"),
            format!("{name:?} is no time zone: write for example `Europe/Vienna`"),
        );
    }
    let open_for = SignedDuration::from_secs(whole_seconds(&listed.duration)?);
    Some(Window::new(cron?, zone?, open_for))
}
