//! [`newest_release`]: which of a registry's tags is the next release for an agent.

use crate::version::Version;

/// What a tag of OpenClaw's image names: a release, and the kind of image that it is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    version: Version,
    /// Number of a later build of the same version, as in `2026.2.3-1`.
    fix: u16,
    /// Day on which the image was built anew, as in `-r20260901`.
    rebuilt: Option<u32>,
    /// Which image of the release it is, as `slim`; empty for the plain one.
    variant: String,
    /// Whether the tag begins with `v`.
    prefixed: bool,
}

/// Beginnings of words that tell a version which is not released yet.
const UNRELEASED: &[&str] =
    &["alpha", "beta", "canary", "dev", "nightly", "next", "pre", "preview", "rc", "snapshot"];
/// More digits are no number of a fix.
const FIX_DIGITS: usize = 3;
/// Longest tag, as registries take it.
const LONGEST: usize = 48;

impl Release {
    /// Reads a tag. `None` for what is not released, or names no version at all.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let prefixed = tag.starts_with('v');
        let (numbers, rest) =
            tag.split_once('-').map_or((tag, None), |(it, rest)| (it, Some(rest)));
        if numbers.contains('+') || tag.len() > LONGEST {
            return None;
        }
        let version = Version::from_tag(numbers)?;
        let mut release = Self { version, fix: 0, rebuilt: None, variant: String::new(), prefixed };
        for (index, word) in rest.into_iter().flat_map(|rest| rest.split('-')).enumerate() {
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
            let day = word.strip_prefix('r').filter(|day| day.len() == 8 && is_number(day));
            if index == 0 && is_number(word) && word.len() <= FIX_DIGITS {
                release.fix = word.parse().ok()?;
            } else if let Some(day) = day.filter(|_| release.rebuilt.is_none()) {
                release.rebuilt = Some(day.parse().ok()?);
            } else if word.starts_with(|it: char| it.is_ascii_lowercase())
                && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
                && !UNRELEASED
                    .iter()
                    .any(|it| word.trim_end_matches(|it: char| it.is_ascii_digit()) == *it)
            {
                let joint = if release.variant.is_empty() { "" } else { "-" };
                release.variant = format!("{}{joint}{word}", release.variant);
            } else {
                return None;
            }
        }
        Some(release)
    }

    /// The plain image of a version.
    fn plain(version: Version) -> Self {
        Self { version, fix: 0, rebuilt: None, variant: String::new(), prefixed: false }
    }

    /// Whether an agent of the other may be updated to this: it is the same image, written alike.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.variant == other.variant
            && self.prefixed == other.prefixed
            && self.rebuilt.is_some() == other.rebuilt.is_some()
    }

    /// Whether it is of the same kind and later.
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        self.is_like(other) && self.number() > other.number()
    }

    fn number(&self) -> (Version, u16, Option<u32>) {
        (self.version, self.fix, self.rebuilt)
    }
}

/// Whether a tag names a release, of any kind of image.
#[must_use]
pub fn is_release(tag: &str) -> bool {
    Release::from_tag(tag).is_some()
}

/// Returns the newest released tag of the kind of image that `running` is of: `-slim` stays
/// `-slim`, and what was rebuilt stays what was rebuilt. A `running` that names no release (`latest`)
/// counts as the plain image. Betas, single architectures and words that nobody knows are left out,
/// and so is what is not newer.
///
/// Higher numbers count as newer. A series that lives on beside a newer one, with lower numbers, is
/// never gone back to.
#[must_use]
pub fn newest_release<'t>(
    running: &str,
    tags: impl IntoIterator<Item = &'t str>,
) -> Option<&'t str> {
    let running =
        Release::from_tag(running).unwrap_or_else(|| Release::plain(Version::new(0, 0, 0)));
    let read = tags.into_iter().filter_map(|tag| Some((Release::from_tag(tag)?, tag)));
    let newer = read.filter(|(release, _)| release.is_newer_than(&running));
    newer.max().map(|(_, tag)| tag)
}

/// Returns the newest of some tags that name releases, at most so many. A registry may list any number
/// of them, and each is kept in memory.
#[must_use]
pub fn newest_releases(tags: impl IntoIterator<Item = String>, most: usize) -> Vec<String> {
    let read = tags.into_iter().filter_map(|tag| Some((Release::from_tag(&tag)?, tag)));
    let mut releases: Vec<(Release, String)> = read.collect();
    releases.sort_by(|left, right| {
        right.0.number().cmp(&left.0.number()).then_with(|| left.1.cmp(&right.1))
    });
    releases.truncate(most);
    releases.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: &[&str] = &[
        "latest",
        "main",
        "beta",
        "extended-stable",
        "slim",
        "20260115",
        "7",
        "2026",
        "2026.9",
        "2026.8.34",
        "2026.8.35",
        "2026.9.6",
        "2026.9.8",
        "2026.9.8-1",
        "2026.9.8-slim",
        "2026.9.9-slim",
        "2026.9.7-browser",
        "2026.9.8-amd64",
        "2026.10.1-beta.1",
        "2026.10.1-beta",
        "2026.11.1-rc1",
        "2027.1.1-nightly",
        "2026.9.6-r20260901",
        "2026.9.6-r20260915",
        "2026.9.8-slim-r20261001",
        "v2026.9.8",
        "2026.9.8+build",
        "2026.9.8-",
        "2026.9.8--slim",
        "2026.9.8-SLIM",
        "sha256-0123",
        "",
    ];

    fn newest(running: &str) -> Option<&'static str> {
        let there = newest_release(running, TAGS.iter().copied());
        let reversed = newest_release(running, TAGS.iter().rev().copied());
        assert_eq!(there, reversed, "the order of tags does not matter");
        there
    }

    #[test]
    fn an_agent_goes_to_the_newest_release_of_its_kind_of_image() {
        for (running, expected) in [
            ("2026.8.1", Some("2026.9.8-1")),
            ("2026.9.8", Some("2026.9.8-1")),
            ("2026.9.8-1", None),
            ("2026.9.9", None),
            ("2026.8.1-slim", Some("2026.9.9-slim")),
            ("2026.8.1-browser", Some("2026.9.7-browser")),
            ("2026.9.8-browser", None),
            ("2026.9.6-r20260901", Some("2026.9.6-r20260915")),
            ("2026.9.6-slim-r20260901", Some("2026.9.8-slim-r20261001")),
            ("2026.8.1-amd64", Some("2026.9.8-amd64")),
            ("v2026.8.1", Some("v2026.9.8")),
            ("latest", Some("2026.9.8-1")),
            ("", Some("2026.9.8-1")),
        ] {
            assert_eq!(newest(running), expected, "{running}");
        }
    }

    #[test]
    fn a_lower_series_that_lives_on_is_never_gone_back_to() {
        assert_eq!(newest_release("2026.9.6", ["2026.8.34", "2026.8.35"]), None);
        assert_eq!(newest_release("2026.8.34", ["2026.8.35", "2026.8.33"]), Some("2026.8.35"));
    }

    #[test]
    fn what_is_not_released_is_no_release() {
        for tag in
            ["2026.10.1-beta.1", "2026.10.1-rc", "2026.10.1-rc2", "2026.9.8-1234", "20260115"]
        {
            assert_eq!(Release::from_tag(tag), None, "{tag}");
        }
    }
}
