//! [`Version`]: which OpenClaw runs, and what that version has.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version of OpenClaw, `YYYY.M.P`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Year.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Number within the month.
    pub patch: u16,
}

impl Version {
    /// The newest version whose behaviour was measured; what cannot be read counts as this one.
    pub const NEWEST: Self = Self::new(2026, 9, 6);

    /// A version.
    #[must_use]
    pub const fn new(year: u16, month: u8, patch: u16) -> Self {
        Self { year, month, patch }
    }

    /// Reads an image tag: `2026.8.1`, `v2026.8.1`, `2026.8.1-slim`. `None` for what names no
    /// version of OpenClaw (`latest`, `0.5.0`).
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.strip_prefix('v').unwrap_or(tag);
        let numbers = tag.split(['-', '+']).next()?;
        let mut parts = numbers.split('.');
        let version =
            Self::new(number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
        let plausible = version.year >= 2000 && (1..=12).contains(&version.month);
        (plausible && parts.next().is_none()).then_some(version)
    }

    /// Whether the image brings the plugin `diagnostics-otel`; later it is a package of its own.
    #[must_use]
    pub fn bundles_exporter(self) -> bool {
        self < Self::new(2026, 5, 2)
    }

    /// Whether the running gateway takes in most keys below `gateway` (OpenClaw 2026.9, measured with
    /// 2026.9.6; 2026.8.1 restarts).
    #[must_use]
    pub fn reloads_gateway(self) -> bool {
        self >= Self::new(2026, 9, 0)
    }

    /// Whether `openclaw config validate` is there (OpenClaw 2026.3).
    #[must_use]
    pub fn has_validator(self) -> bool {
        self >= Self::new(2026, 3, 0)
    }

    /// Whether `openclaw doctor --fix --non-interactive`, as a step of an update, migrates retired
    /// keys and touches no network: measured from 2026.7.1 on. 2026.4.24 installs plugins with it.
    #[must_use]
    pub fn has_migration(self) -> bool {
        self >= Self::new(2026, 7, 1)
    }

    /// Whether `/startupz` answers, which ignores the health of channels (OpenClaw 2026.8.1).
    #[must_use]
    pub fn has_startupz(self) -> bool {
        self >= Self::new(2026, 8, 1)
    }

    /// Whether the browser has a time limit and its profiles a colour, which they must have then
    /// (until OpenClaw 2026.7).
    #[must_use]
    pub fn has_browser_details(self) -> bool {
        self < Self::new(2026, 8, 0)
    }

    /// Whether it can be told that somebody else starts it again and updates it (OpenClaw 2026.8.1).
    #[must_use]
    pub fn has_supervisor_mode(self) -> bool {
        self >= Self::new(2026, 8, 1)
    }

    /// Whether `doctor --fix` has to bring an older state up to this version before the gateway starts.
    ///
    /// 2026.9.7 leaves that to its entry point, and 2026.8.1 refuses conversations that an older
    /// version kept in files. 2026.7.1 and 2026.9.6 start on what they find; which of the versions
    /// between them do is not known, and the repair does no harm.
    #[must_use]
    pub fn wants_repaired_state(self) -> bool {
        self > Self::new(2026, 7, 1) && self != Self::new(2026, 9, 6)
    }

    /// Whether the entry point of the official image repairs state and configuration before every
    /// start, and the gateway itself no longer migrates an older state (OpenClaw 2026.9.7).
    #[must_use]
    pub fn repairs_before_start(self) -> bool {
        self >= Self::new(2026, 9, 7)
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.year, self.month, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn tags_that_name_a_version_are_read() {
        for (tag, version) in [
            ("2026.9.6", Version::new(2026, 9, 6)),
            ("v2026.8.1", Version::new(2026, 8, 1)),
            ("2026.7.1-slim", Version::new(2026, 7, 1)),
            ("2026.4.24-beta.2", Version::new(2026, 4, 24)),
        ] {
            assert_eq!(Version::from_tag(tag), Some(version), "{tag}");
        }
    }

    #[test]
    fn tags_that_name_no_version_are_not_guessed_at() {
        for tag in
            ["", "latest", "0.5.0", "v1.0.0", "2026.13.1", "2026.9", "2026.9.6.1", "2026.x.1"]
        {
            assert_eq!(Version::from_tag(tag), None, "{tag}");
        }
    }
}
