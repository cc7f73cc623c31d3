//! Objects of the operator's API groups whose kind or version does not exist.

use strsim::levenshtein;

use super::{DEFAULTS_KIND, SELF_CONFIG_KIND};
use crate::problem::{Problem, Rule};
use crate::vocab::{AGENT_API_VERSION, AGENT_KIND, API_VERSION, KIND};

/// Everything that there is, with its version.
const KINDS: [(&str, &str); 4] = [
    (API_VERSION, KIND),
    (API_VERSION, DEFAULTS_KIND),
    (API_VERSION, SELF_CONFIG_KIND),
    (AGENT_API_VERSION, AGENT_KIND),
];
/// Edits between two kinds that still look like one of them mistyped.
const MAX_EDITS: usize = 3;

/// Returns whether it is a list of one of the kinds, as the API server writes one.
pub(super) fn is_list(api_version: &str, kind: &str) -> bool {
    kind.strip_suffix("List").is_some_and(|listed| KINDS.contains(&(api_version, listed)))
}

/// Returns what is wrong with an object, none of [`KINDS`], whose API group is one of ours. The API
/// server would refuse it, and whoever wrote it means an agent to come of it.
pub(super) fn problem(api_version: &str, kind: &str) -> Option<Problem> {
    let group = |version: &str| version.split('/').next().map(str::to_owned);
    let given = group(api_version);
    if !KINDS.iter().any(|(version, _)| group(version) == given) {
        return None;
    }
    if let Some((version, _)) = KINDS.iter().find(|(_, known)| *known == kind) {
        let message =
            format!("{api_version:?} has no {kind}: the API server refuses it; write `{version}`");
        return Some(Problem::error("apiVersion", Rule::Invalid, message));
    }
    let lowered = kind.to_ascii_lowercase();
    let near = KINDS.iter().map(|(version, known)| {
        (levenshtein(&lowered, &known.to_ascii_lowercase()), *version, *known)
    });
    let meant = near.min().filter(|(edits, ..)| *edits <= MAX_EDITS);
    let spelled = |version: &str, known: &str| format!("`{known}` of `{version}`");
    let all = || KINDS.map(|(version, known)| spelled(version, known)).join(", or ");
    let remedy = meant.map_or_else(
        || format!("write {}", all()),
        |(_, version, known)| format!("{} is probably meant", spelled(version, known)),
    );
    let message = format!("{kind:?} is no kind of the API: the API server refuses it; {remedy}");
    Some(Problem::error("kind", Rule::Invalid, message))
}
