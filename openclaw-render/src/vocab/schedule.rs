//! How schedules and spans of time are written, as Kubernetes and Go read them.

/// Fields of a schedule: the least and the greatest number, and names that stand for numbers.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];
const DESCRIPTORS: [&str; 7] =
    ["@annually", "@daily", "@hourly", "@midnight", "@monthly", "@weekly", "@yearly"];
/// Units of Go's, with their nanoseconds; longer ones first where one begins like another.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 6e10),
    ("h", 3.6e12),
];

/// Whether Kubernetes takes a text as the schedule of a CronJob.
pub(crate) fn is_schedule(text: &str) -> bool {
    if let Some(span) = text.strip_prefix("@every ") {
        return seconds(span).is_some_and(|seconds| seconds >= 1.0);
    }
    if text.starts_with('@') {
        return DESCRIPTORS.contains(&text);
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    fields.len() == FIELDS.len()
        && fields
            .iter()
            .zip(FIELDS)
            .all(|(field, bounds)| field.split(',').all(|range| is_range(range, bounds)))
}

/// Returns how many days pass between two times of a schedule at most, or somewhat more.
pub(crate) fn longest_pause_days(text: &str) -> u32 {
    match text {
        "@annually" | "@yearly" => return 366,
        "@monthly" => return 31,
        "@weekly" => return 7,
        _ if text.starts_with('@') => {
            let every = text.strip_prefix("@every ").and_then(seconds).unwrap_or_default();
            // No span that Go can write has more than 107 000 days.
            #[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
            #[expect(clippy::cast_sign_loss, reason = "it is within bounds")]
            return (every / 86_400.0).clamp(0.0, 107_000.0).ceil() as u32 + 1;
        }
        _ => {}
    }
    let is_any = |field: Option<&str>| field.is_none_or(|it| it.starts_with(['*', '?']));
    let mut fields = text.split_ascii_whitespace().skip(2);
    let (day, month, weekday) =
        (is_any(fields.next()), is_any(fields.next()), is_any(fields.next()));
    match (month, day, weekday) {
        (false, _, _) => 366,
        // A thirty-first is not in every month. Days of both kinds count.
        (true, false, true) => 62,
        (true, _, false) => 7,
        (true, true, true) => 1,
    }
}

fn is_range(range: &str, (least, greatest, names): (u32, u32, &[&str])) -> bool {
    let (range, step) = range.split_once('/').map_or((range, None), |(it, step)| (it, Some(step)));
    if step.is_some_and(|step| number(step).is_none_or(|step| step == 0)) {
        return false;
    }
    if matches!(range, "*" | "?") {
        return true;
    }
    let value = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let place = names.iter().position(|name| *name == lower);
        let spelt = place.and_then(|at| u32::try_from(at).ok()).map(|at| at + least);
        spelt.or_else(|| number(text)).filter(|value| (least..=greatest).contains(value))
    };
    match range.split_once('-') {
        None => value(range).is_some(),
        Some((from, to)) => match (value(from), value(to)) {
            (Some(from), Some(to)) => from <= to,
            _ => false,
        },
    }
}

fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Returns the seconds of a duration as Go writes it: `90s`, `1h30m`, `1.5h`.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    if rest.is_empty() || rest.len() > 32 {
        return None;
    }
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let is_digit = |it: char| it.is_ascii_digit() || it == '.';
        let digits = rest.len() - rest.trim_start_matches(is_digit).len();
        let (amount, tail) = rest.split_at(digits);
        let amount: f64 = amount.parse().ok()?;
        let (unit, scale) = UNITS.iter().find(|(unit, _)| {
            // `5ms` is no minute that goes on.
            tail.strip_prefix(unit).is_some_and(|more| *unit != "m" || !more.starts_with('s'))
        })?;
        nanoseconds += amount * scale;
        rest = tail.strip_prefix(unit)?;
    }
    Some(sign * nanoseconds / 1e9)
}

/// Returns the whole seconds of a duration that does not go back.
pub(crate) fn whole_seconds(text: &str) -> Option<i64> {
    // No span that Go can write has more than 2^63 nanoseconds.
    let most = i64::MAX / 1_000_000_000;
    let seconds = seconds(text).filter(|seconds| (0.0..=9e9).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
    Some((seconds as i64).min(most))
}

/// Returns so many seconds as people write them: `90m`, `168h`.
pub(crate) fn short(seconds: u32) -> String {
    match (seconds % 3600, seconds % 60) {
        (0, _) => format!("{}h", seconds / 3600),
        (_, 0) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// Whether it has the form of a schedule that says when a window opens.
pub(crate) fn is_opening(text: &str) -> bool {
    let is_part =
        |part: &str| part.bytes().all(|it| it.is_ascii_alphanumeric() || b"*?,/#+-".contains(&it));
    if let Some(name) = text.strip_prefix('@') {
        return !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphabetic());
    }
    text == text.trim_ascii()
        && text.split_ascii_whitespace().count() == FIELDS.len()
        && text.split_ascii_whitespace().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::{is_schedule, seconds};

    #[test]
    fn schedules_are_those_that_kubernetes_takes() {
        for good in [
            "0 3 * * *",
            "*/5 * * * *",
            "0 0-6/2,12 1 JAN,mar mon-fri",
            "? ? ? ? ?",
            "@daily",
            "@every 1h30m",
            "59 23 31 12 6",
        ] {
            assert!(is_schedule(good), "{good}");
        }
        for bad in [
            "",
            "daily",
            "0 3 * *",
            "0 3 * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "*/0 * * * *",
            "5-1 * * * *",
            "TZ=UTC 0 3 * * *",
            "@reboot",
            "@every 5",
            "@every",
            "1,, * * * *",
            "* * * * L",
        ] {
            assert!(!is_schedule(bad), "{bad}");
        }
    }

    #[test]
    fn a_pause_is_never_longer_than_it_is_said_to_be() {
        for (text, days) in [
            ("0 3 * * *", 1),
            ("*/5 * * * *", 1),
            ("0 3 * * mon", 7),
            ("0 3 31 * *", 62),
            ("0 3 1 1 *", 366),
            ("@daily", 1),
            ("@hourly", 1),
            ("@weekly", 7),
            ("@every 48h", 3),
        ] {
            assert_eq!(super::longest_pause_days(text), days, "{text}");
        }
    }

    #[test]
    fn durations_are_those_of_go() {
        for (text, expected) in [
            ("30m", Some(1800.0)),
            ("1h30m", Some(5400.0)),
            ("1.5h", Some(5400.0)),
            ("500ms", Some(0.5)),
            ("-1h", Some(-3600.0)),
            ("0", Some(0.0)),
            ("", None),
            ("5", None),
            ("h", None),
            ("1d", None),
            ("1h 5m", None),
            ("..h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
