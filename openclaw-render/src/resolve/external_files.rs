//! Files that come from a ConfigMap of the user's.

use std::collections::BTreeMap;

use super::context::{Reference, Resolving};
use super::workspace::check_file;
use crate::api::ConditionType::WorkspaceReady;
use crate::api::ConfigMapRef;
use crate::problem::Severity;

/// More files than that are not taken from one ConfigMap.
const MOST_FILES: usize = 500;
/// Keys that make no files are named up to this number.
const MOST_NAMED: usize = 8;

/// Returns the files of a ConfigMap by name. A key that cannot be a file is left out, and said.
///
/// One that is missing is waited for: what the agent has stays, and a first start waits.
pub(super) fn files(
    path: &str,
    source: &ConfigMapRef,
    inline: &BTreeMap<String, String>,
    directories: &[String],
    cx: &mut Resolving<'_>,
) -> BTreeMap<String, String> {
    let path = format!("{path}.configMapRef");
    if source.name.is_empty() {
        // Its limits say that.
        return BTreeMap::new();
    }
    let reference = Reference {
        path: &format!("{path}.name"),
        name: &source.name,
        missing: Some(Severity::WillNotStart),
        unseen: "rendered without its files",
    };
    let found = cx.about(WorkspaceReady, |cx| cx.config_map(reference).cloned());
    let mut files = BTreeMap::new();
    let mut left_out = Vec::new();
    for (key, content) in found.unwrap_or_default() {
        let reason = check_file(&key).err().or_else(|| {
            let is_taken = is_directory(&key, inline, directories);
            is_taken.then(|| "is a directory of this workspace".to_owned())
        });
        match reason {
            Some(reason) => left_out.push(format!("{key:?} {reason}")),
            None if files.len() >= MOST_FILES => {
                left_out.push(format!("{key:?} is one more than {MOST_FILES}"));
            }
            None => {
                files.insert(key, content);
            }
        }
    }
    if !left_out.is_empty() {
        let more = left_out.len().saturating_sub(MOST_NAMED);
        left_out.truncate(MOST_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let message = format!(
            "some keys of ConfigMap {:?} make no files: {}{more}",
            source.name,
            left_out.join("; ")
        );
        cx.about(WorkspaceReady, |cx| cx.ineffective(format!("{path}.name"), message));
    }
    files
}

/// Whether a name is that of a directory, asked for or needed by an inline file.
fn is_directory(name: &str, inline: &BTreeMap<String, String>, directories: &[String]) -> bool {
    let is_above =
        |other: &String| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    directories.iter().any(|other| other == name || is_above(other)) || inline.keys().any(is_above)
}
