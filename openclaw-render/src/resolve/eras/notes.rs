//! [`Note`]: what to do about a key that versions refuse, and whether the pod does it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::version::Version;

/// Written by hand; its head says how to read it.
const TEXT: &str = include_str!("../../../assets/openclaw/retired.txt");

static NOTES: LazyLock<BTreeMap<&'static str, Note>> =
    LazyLock::new(|| TEXT.lines().filter(|line| !line.starts_with('#')).filter_map(read).collect());

/// What to do about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// From which version on config-sync gets it out of the way, with the application's migration.
    pub(super) migrated: Option<Version>,
    pub(super) instead: &'static str,
}

/// Returns what is known about a path of the table, or about values of one type there.
pub(super) fn note(path: &str, letter: Option<char>) -> Option<Note> {
    let mut key = of_any_channel(path);
    if let Some(letter) = letter {
        key.extend(['=', letter]);
    }
    NOTES.get(key.as_str()).copied()
}

/// Channels have much in common, and their accounts have what they have.
fn of_any_channel(path: &str) -> String {
    let Some((_, rest)) = path.strip_prefix("channels.").and_then(|rest| rest.split_once('.'))
    else {
        return path.to_owned();
    };
    let rest = rest.strip_prefix("accounts.*.").unwrap_or(rest);
    format!("channels.*.{rest}")
}

fn read(line: &'static str) -> Option<(&'static str, Note)> {
    let (path, rest) = line.split_once(' ')?;
    let (since, instead) = rest.split_once(' ')?;
    Some((path, Note { migrated: Version::from_tag(since), instead }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_once_and_they_are_sorted() {
        let lines: Vec<&str> = TEXT.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.is_sorted_by_key(|line| line.split(' ').next()));
        assert_eq!(NOTES.len(), lines.len());
        for line in lines {
            let since = line.split(' ').nth(1).expect("a version");
            assert!(since == "never" || Version::from_tag(since).is_some(), "{line}");
        }
    }

    #[test]
    fn an_account_has_what_its_channel_has() {
        let expected = note("channels.discord.heartbeat", None);
        assert!(expected.is_some());
        assert_eq!(note("channels.slack.accounts.*.heartbeat", None), expected);
        assert_eq!(note("channels", None), None);
        assert_eq!(note("channels.discord", None), None);
    }
}
