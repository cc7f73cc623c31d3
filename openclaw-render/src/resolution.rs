//! [`resolve`]: from an instance to everything that rendering needs, or to all problems at once.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::api::ConditionType::{ConfigValid, Ready};
use crate::api::{OpenClawInstance, OpenClawInstanceSpec};
use crate::object::ObjectKey;
use crate::observed::Observed;
use crate::problem::{self, Problem, Rule, Severity};
use crate::resolve::{RAW, Resolved, answers};
use crate::resource;
use crate::settings::Settings;

/// What the API server takes as the contents of a ConfigMap; keys count here too.
const CONFIG_MAP_BYTES: usize = 1 << 20;

/// What a user may bring without anybody looking how large a ConfigMap becomes: what we add is far
/// from the rest.
const SMALL: usize = 256 << 10;

/// What is written about a file, a directory or a workspace besides its path and content.
const ITEM: usize = 1 << 10;

/// What [`resolve`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// Everything that rendering needs; `None` if any problem is an error.
    pub resolved: Option<Resolved>,
    /// Errors, things that will not start, and advice, sorted by severity and path.
    pub problems: Vec<Problem>,
    /// What the spec refers to by name, and the instance's own objects that an earlier spec may have
    /// left. Complete even if the spec has errors, unless it is too deep to be looked at.
    pub references: BTreeSet<ObjectKey>,
    /// What could be answered although there are errors. It is good for guarding a pod that runs,
    /// and for nothing else.
    pub(crate) guarded: Option<Box<Resolved>>,
}

/// Answers every question that rendering has.
///
/// # Assumptions
/// `observed` says what is known of the things that the spec refers to. What it does not mention
/// is unknown, which is advice here and never an error: see [`Fact`](crate::Fact).
#[must_use]
pub fn resolve(
    instance: &OpenClawInstance,
    observed: &Observed,
    settings: &Settings,
) -> Resolution {
    let (resolved, mut problems, references) = answers(instance, observed, settings);
    problems.extend(resolved.iter().flat_map(too_large));
    problem::sort(&mut problems);
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    let (resolved, guarded) = match resolved {
        Some(resolved) if !failed => (Some(resolved), None),
        Some(answered) => (None, Some(Box::new(answered))),
        None => (None, guards_alone(instance, observed, settings).map(Box::new)),
    };
    Resolution { resolved, problems, references, guarded }
}

/// What can be answered of an instance that is too deep to be looked at.
fn guards_alone(
    instance: &OpenClawInstance,
    observed: &Observed,
    settings: &Settings,
) -> Option<Resolved> {
    let OpenClawInstance { metadata, spec, .. } = instance;
    let spec = OpenClawInstanceSpec {
        gateway: spec.gateway.clone(),
        networking: spec.networking.clone(),
        observability: spec.observability.clone(),
        security: spec.security.clone(),
        ..Default::default()
    };
    let bare = OpenClawInstance { metadata: metadata.clone(), spec, status: None };
    let (answered, problems, _) = answers(&bare, observed, settings);
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    answered.filter(|_| !failed)
}

/// What no ConfigMap can hold would be refused again and again. How large one becomes is known only
/// when it is rendered.
fn too_large(resolved: &Resolved) -> Vec<Problem> {
    if brings_at_most(resolved) < SMALL {
        return Vec::new();
    }
    let is_inline = resolved.config.path == RAW;
    let config = if is_inline { RAW } else { "spec.config.configMapRef" };
    let remedies = [
        (
            ConfigValid,
            config,
            "openclaw.json is written with indentation, so keep it flat and large texts out of it",
        ),
        (Ready, "spec.workspace", "put large or many files into the image or a volume"),
    ];
    let mut problems = Vec::new();
    for ((about, path, remedy), map) in remedies.into_iter().zip(resource::config_maps(resolved)) {
        let entries = map.data.iter().flatten();
        let texts: usize = entries.map(|(key, content)| key.len() + content.len()).sum();
        let entries = map.binary_data.iter().flatten();
        let bytes =
            entries.map(|(key, content)| key.len() + content.0.len()).sum::<usize>() + texts;
        if bytes > CONFIG_MAP_BYTES {
            let allowed = CONFIG_MAP_BYTES;
            let message =
                format!("makes a ConfigMap of {bytes} bytes, and {allowed} are allowed: {remedy}");
            problems.push(Problem::error(path, Rule::Invalid, message).about(about));
        }
    }
    problems
}

/// Bytes that a user's configuration and files come to as they are written, or more.
fn brings_at_most(resolved: &Resolved) -> usize {
    let all = &resolved.workspaces.all;
    let files = all.iter().flat_map(|workspace| &workspace.files);
    let files = files.map(|(path, file)| ITEM + 8 * path.len() + file.content.len());
    let directories = all.iter().flat_map(|workspace| &workspace.directories);
    let directories = directories.map(|path| ITEM + 8 * path.len());
    let files = files.chain(directories).sum::<usize>() + ITEM * all.len();
    let document = resolved.config.document.iter();
    document.map(|(key, value)| entry(key) + written_at_most(value, 1)).sum::<usize>() + files
}

/// A line's end, marks around and behind a value, and indentation are counted with what holds it; a
/// character takes six bytes at most.
fn written_at_most(value: &Value, level: usize) -> usize {
    let line = 8 + 2 * level;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 6 * text.len() + 2,
        Value::Array(items) => {
            line + items.iter().map(|item| line + written_at_most(item, level + 1)).sum::<usize>()
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields =
                fields.map(|(key, value)| line + entry(key) + written_at_most(value, level + 1));
            line + fields.sum::<usize>()
        }
    }
}

fn entry(key: &str) -> usize {
    6 * key.len() + 8
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{entry, written_at_most};

    #[test]
    fn what_is_written_is_no_larger_than_was_reckoned() {
        let deep = (0..100).fold(json!([1, {}, []]), |inner, _| json!({"a": [inner, "\u{1}"]}));
        let long = json!({"\u{1}\u{2}": "\u{1}".repeat(100), "n": -1.797_693_134_862_315_7e308});
        for value in [json!({}), json!([]), json!(null), json!("ä"), deep, long] {
            let document: Value = json!({"key": value});
            let written = serde_json::to_string_pretty(&document).expect("JSON").len();
            let reckoned = entry("key") + written_at_most(&value, 1);
            assert!(written <= reckoned + 8, "{written} {reckoned}");
        }
    }
}
