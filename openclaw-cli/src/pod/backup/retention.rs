//! Which older backups are removed, and how: the files that a manifest names, then the manifest.

use jiff::{SignedDuration, Timestamp};
use openclaw_render::backups::{MANIFEST, UNFINISHED, is_stamp, stamp};

use super::rclone::{Remote, RemoteError};
use super::{say, store};

/// Removes backups that are older than so many days. The newest one stays in any case.
pub(super) fn apply(
    remote: &Remote<'_>,
    prefix: &str,
    days: u32,
    now: Timestamp,
) -> Result<(), RemoteError> {
    let names = remote.list(prefix, "--dirs-only")?;
    for name in too_old(names, days, now) {
        let path = format!("{prefix}/{name}");
        let files = remote.list(&path, "--files-only")?;
        for manifest in [UNFINISHED, MANIFEST] {
            if !files.iter().any(|file| file == manifest) {
                continue;
            }
            let described = format!("{path}/{manifest}");
            // What is not described is not ours to remove.
            let Ok(decoded) = store::decode(&remote.text(&described)?) else { continue };
            for file in decoded.files {
                if files.contains(&file.name) {
                    remote.remove(&format!("{path}/{}", file.name))?;
                }
            }
            remote.remove(&described)?;
            say(&format!("{path} is removed: it is older than {days} days"));
        }
    }
    Ok(())
}

/// Stamps are ordered like the times that they stand for.
fn too_old(mut names: Vec<String>, days: u32, now: Timestamp) -> Vec<String> {
    names.retain(|name| is_stamp(name));
    names.sort();
    names.pop();
    let oldest = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)));
    let oldest = oldest.map(stamp).unwrap_or_default();
    names.retain(|name| *name < oldest);
    names
}

#[cfg(test)]
mod tests {
    use super::too_old;

    #[test]
    fn what_is_too_old_goes_and_the_newest_never() {
        let now = "2026-11-28T03:00:00Z".parse().expect("a time");
        let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let all = names(&[
            "2026-11-21T03-00-00Z",
            "2026-11-21T02-59-59Z",
            "2026-11-01T03-00-00Z",
            "2026-11-28T03-00-00Z",
            "periodic",
            "2020",
        ]);
        let gone = too_old(all, 7, now);
        assert_eq!(gone, ["2026-11-01T03-00-00Z", "2026-11-21T02-59-59Z"]);
        assert!(too_old(names(&["2020-01-01T00-00-00Z"]), 1, now).is_empty());
        assert!(too_old(Vec::new(), 1, now).is_empty());
    }
}
