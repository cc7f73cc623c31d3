//! [`Windows`]: when what is held may happen by itself.

use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Weekday};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// The maintenance windows of an instance; without any there is none to wait for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Windows(Vec<Window>);

/// One window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Window {
    schedule: Cron,
    zone: TimeZone,
    open_for: SignedDuration,
}

/// How it stands with the windows at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none.
    #[default]
    NoWindows,
    /// One is open until then, as far as can be known now.
    Open(Timestamp),
    /// None is open, and this is when the next one opens. `None` while the time is not known.
    Closed(Option<Timestamp>),
}

impl Windows {
    pub(crate) fn new(windows: Vec<Window>) -> Self {
        Self(windows)
    }

    /// Returns how it stands at that time.
    pub(crate) fn at(&self, now: Option<Timestamp>) -> Standing {
        if self.0.is_empty() {
            return Standing::NoWindows;
        }
        let Some(now) = now else { return Standing::Closed(None) };
        let closes = self.0.iter().filter_map(|window| window.open_until(now)).max();
        if let Some(closes) = closes {
            return Standing::Open(closes);
        }
        Standing::Closed(self.0.iter().filter_map(|window| window.opens_after(now)).min())
    }
}

impl Standing {
    /// Whether a window is open.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Returns the seconds until a window opens, if none is open and that is known.
    pub(crate) fn opens_in(self, now: Option<Timestamp>) -> Option<u32> {
        let Self::Closed(Some(opens)) = self else { return None };
        let seconds = opens.duration_since(now?).as_secs().max(0);
        Some(u32::try_from(seconds).unwrap_or(u32::MAX).saturating_add(1))
    }
}

impl Window {
    /// A window that opens by a schedule which [can open](can_open).
    pub(crate) fn new(schedule: Cron, zone: TimeZone, open_for: SignedDuration) -> Self {
        Self { schedule, zone, open_for }
    }

    fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let local = now.to_zoned(self.zone.clone());
        let opened = self.schedule.find_previous_occurrence(&local, true).ok()?.timestamp();
        let closes = opened.checked_add(self.open_for).ok()?;
        (opened <= now && now < closes).then_some(closes)
    }

    fn opens_after(&self, now: Timestamp) -> Option<Timestamp> {
        let local = now.to_zoned(self.zone.clone());
        let opens = self.schedule.find_next_occurrence(&local, false).ok()?;
        Some(opens.timestamp())
    }
}

/// Reads a schedule of five fields.
pub(crate) fn schedule(text: &str) -> Option<Cron> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).ok()
}

/// Whether a schedule ever comes. One that does not is searched for until the year 5000, so it must
/// not be used.
///
/// A day of the month and a day of the week meet again within 28 years.
pub(crate) fn can_open(schedule: &Cron) -> bool {
    let days = Date::constant(2000, 1, 1).series(1.day());
    days.take_while(|day| day.year() < 2028).any(|day| {
        let pattern = &schedule.pattern;
        let (year, month, number) = (day.year(), day.month(), day.day());
        let weekday = u32::from(day.weekday().to_sunday_zero_offset().unsigned_abs());
        let month = month.unsigned_abs().into();
        pattern.month_match(month).is_ok_and(|is| is)
            && pattern
                .day_match(
                    year.into(),
                    month,
                    number.unsigned_abs().into(),
                    Weekday::from_days_from_sunday(weekday),
                )
                .is_ok_and(|is| is)
    })
}

/// Reads the name of a time zone, from the database in this program: no machine's own.
pub(crate) fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str, zone: &str, hours: i64) -> Window {
        let schedule = schedule(text).filter(can_open).expect("a schedule");
        Window::new(schedule, time_zone(zone).expect("a zone"), SignedDuration::from_hours(hours))
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_window_is_open_from_its_opening_until_it_closes() {
        let windows = Windows::new(vec![window("0 3 * * 6", "UTC", 2)]);
        let closes = Standing::Open(time("2026-09-12T05:00:00Z"));
        for (now, expected) in [
            ("2026-09-12T02:59:59Z", Standing::Closed(Some(time("2026-09-12T03:00:00Z")))),
            ("2026-09-12T03:00:00Z", closes),
            ("2026-09-12T04:59:59Z", closes),
            ("2026-09-12T05:00:00Z", Standing::Closed(Some(time("2026-09-19T03:00:00Z")))),
        ] {
            assert_eq!(windows.at(Some(time(now))), expected, "{now}");
        }
        assert_eq!(windows.at(None), Standing::Closed(None), "without a clock nothing is open");
        assert_eq!(Windows::default().at(Some(time("2026-09-12T03:00:00Z"))), Standing::NoWindows);
    }

    #[test]
    fn the_clock_is_that_of_the_time_zone_also_when_it_is_changed() {
        let windows = Windows::new(vec![window("30 2 * * *", "Europe/Vienna", 1)]);
        let open = |now: &str| windows.at(Some(time(now))).is_open();
        assert!(open("2026-07-01T00:30:00Z"), "summer");
        assert!(open("2026-12-01T01:30:00Z"), "winter");
        // Half past two does not exist on that day, and comes at three.
        assert!(open("2026-03-29T01:15:00Z"), "the clock goes forward");
        assert!(open("2026-10-25T00:45:00Z"), "the clock goes back");
    }

    #[test]
    fn of_several_windows_the_next_and_the_last_count() {
        let windows =
            Windows::new(vec![window("0 3 * * *", "UTC", 1), window("30 3 * * *", "UTC", 3)]);
        let at = |now: &str| windows.at(Some(time(now)));
        let closes = Standing::Open(time("2026-09-12T06:30:00Z"));
        assert_eq!(at("2026-09-12T03:45:00Z"), closes);
        assert_eq!(
            at("2026-09-12T06:30:00Z"),
            Standing::Closed(Some(time("2026-09-13T03:00:00Z")))
        );
    }

    #[test]
    fn it_is_looked_at_again_when_a_window_opens_and_not_before() {
        let now = Some(time("2026-09-12T02:59:00Z"));
        let opens = Standing::Closed(Some(time("2026-09-12T03:00:00Z")));
        assert_eq!(opens.opens_in(now), Some(61));
        assert_eq!(Standing::Open(time("2026-09-12T03:00:00Z")).opens_in(now), None);
        assert_eq!(Standing::Closed(None).opens_in(now), None);
        assert_eq!(opens.opens_in(None), None);
    }

    #[test]
    fn what_never_comes_is_no_schedule() {
        for bad in ["", "0 3 30 2 *", "0 0 31 2,4 *", "0 3 * *", "0 0 3 * * 6", "0-70 * * * *"] {
            assert_eq!(schedule(bad).filter(can_open), None, "{bad:?}");
        }
        for good in ["0 3 * * 6", "@daily", "0 0 29 2 *", "*/5 * * * *", "0 0 L * *", "0 3 30 2 1"]
        {
            assert!(schedule(good).is_some_and(|it| can_open(&it)), "{good:?}");
        }
    }
}
