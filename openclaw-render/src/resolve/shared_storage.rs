//! The storage of backups that the cluster's admin shares with namespaces: who may use it, and what of it
//! may be restored.
//!
//! Its keys open the backups of all namespaces. They are in the Secret that [`names::SHARED_BACKUP`]
//! names, a copy that the operator keeps, and that name alone says that the limits here apply.

use std::collections::BTreeMap;

use super::context::{Reference, Resolving};
use crate::backups;
use crate::observed::Fact;
use crate::problem::{Problem, Rule, Severity};
use crate::vocab::{annotations, names};

/// What is said besides, where nobody says where to.
pub(super) const OR_SHARED: &str = "or ask the cluster's admin to share the operator's storage with \
                                    this namespace (`backup.s3.shareWith` of the operator's chart)";

/// Returns whether the agents of the instance's namespace may use the shared storage.
pub(super) fn is_shared(cx: &Resolving<'_>) -> bool {
    cx.settings.shares_backups_with(cx.namespace)
}

/// Returns the Secret of the shared storage, if the namespace may use it.
pub(super) fn secret(cx: &Resolving<'_>) -> Option<&'static str> {
    is_shared(cx).then_some(names::SHARED_BACKUP)
}

/// Returns what the Secret of the shared storage holds, or says why it is not there.
pub(super) fn look_at<'a>(
    path: &str,
    unseen: &str,
    cx: &mut Resolving<'a>,
) -> Option<&'a BTreeMap<String, String>> {
    let reference = Reference { path, name: names::SHARED_BACKUP, missing: None, unseen };
    let keys = cx.secret(reference);
    let is_absent = matches!(cx.observed.secrets.get(names::SHARED_BACKUP), Some(Fact::Absent));
    let why = match &cx.observed.shared_storage {
        Some(why) => why.clone(),
        None if is_absent => format!(
            "Secret {:?} of namespace {:?} was not copied here yet",
            cx.settings.backup_secret, cx.settings.operator_namespace
        ),
        None => return keys,
    };
    let message = format!(
        "the shared storage is not there: {why}; ask the cluster's admin, or name a Secret of your own \
         in `spec.backup.storage.secretRef`"
    );
    cx.missing(path, Severity::Advice, message);
    None
}

/// Whether something may be restored with the keys of the shared storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    Given,
    Denied,
    /// The namespace must be looked at first.
    Unseen,
}

/// Returns whether a path may be restored from the shared storage, and says so if not: what lies below the
/// namespace's own prefix may be, and what the admin has allowed on the Namespace.
pub(super) fn may_restore(path: &str, from: &str, cx: &mut Resolving<'_>) -> Permission {
    let prefix = backups::prefix_of_namespace(cx.namespace);
    if is_below(from, &prefix) {
        return Permission::Given;
    }
    let annotation = annotations::RESTORE_FROM;
    let allowed = match &cx.observed.namespace {
        Fact::Unknown => {
            let message = format!(
                "is restored once the namespace could be looked at: with the shared storage, only what \
                 lies below {prefix}/ needs no annotation `{annotation}` on it"
            );
            cx.push(Problem::advice(path, Rule::Unknown, message));
            return Permission::Unseen;
        }
        Fact::Absent => "",
        Fact::Known(all) => all.get(annotation).map(String::as_str).unwrap_or_default(),
    };
    let is_allowed = |entry: &str| {
        is_below(from, entry) || entry == "*" && segments(from).is_some_and(|it| !it.is_empty())
    };
    let mut entries = allowed.split([',', ' ', '\n', '\t']).filter(|entry| !entry.is_empty());
    if entries.any(is_allowed) {
        return Permission::Given;
    }
    let message = format!(
        "is not restored: with the shared storage, this namespace may restore what lies below {prefix}/, \
         written without `s3://`, and what the cluster's admin allows by annotation `{annotation}` on the \
         Namespace"
    );
    cx.ineffective(path, message);
    Permission::Denied
}

/// Whether a path is another one or lies below it. A bucket counts as part of the path, and what is
/// written in a roundabout way lies nowhere.
fn is_below(path: &str, prefix: &str) -> bool {
    let bucket = |text: &str| text.starts_with("s3://");
    match (segments(path), segments(prefix)) {
        (Some(path_segments), Some(prefix_segments)) => {
            bucket(path) == bucket(prefix)
                && !prefix_segments.is_empty()
                && path_segments.starts_with(&prefix_segments)
        }
        _ => false,
    }
}

/// Returns the parts of a path, one slash at its end aside; nothing of one that could mean another place
/// than it says.
fn segments(path: &str) -> Option<Vec<&str>> {
    let path = path.strip_prefix("s3://").unwrap_or(path);
    let parts: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    let is_plain = |part: &&str| {
        !part.is_empty()
            && *part != "."
            && *part != ".."
            && !part.contains(|c: char| c.is_control() || c == '\\' || c == ':')
    };
    parts.iter().all(is_plain).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn only_what_is_written_plainly_below_a_prefix_is_below_it() {
        for (path, prefix) in [
            ("backups/agents/ada/2026-11-01T03-00-00Z", "backups/agents"),
            ("backups/agents/ada/", "backups/agents/"),
            ("backups/agents", "backups/agents"),
            ("s3://bucket/backups/agents/ada", "s3://bucket/backups"),
        ] {
            assert!(is_below(path, prefix), "{path} is below {prefix}");
        }
        for (path, prefix) in [
            ("backups/agents-of-others/ada", "backups/agents"),
            ("backups/agents/../others/ada", "backups/agents"),
            ("backups/agents/./ada", "backups/agents"),
            ("backups/agents//ada", "backups/agents"),
            ("/backups/agents/ada", "backups/agents"),
            ("backups/agents\\..\\others", "backups"),
            ("backups/agents/ada:x", "backups/agents"),
            ("s3://backups/agents/ada", "backups/agents"),
            ("backups/agents/ada", "s3://backups/agents"),
            ("s3://other/backups/agents", "s3://bucket"),
            ("backups/others", "backups/agents"),
            ("backups/agents/ada", ""),
            ("", "backups/agents"),
        ] {
            assert!(!is_below(path, prefix), "{path} is not below {prefix}");
        }
    }
}
