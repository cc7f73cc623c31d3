//! [`resolve`]: from an instance to everything that rendering needs, or to all problems at once.

use std::collections::BTreeSet;

use crate::api::ConditionType::{ConfigValid, Ready};
use crate::api::OpenClawInstance;
use crate::object::ObjectKey;
use crate::observed::Observed;
use crate::problem::{self, Problem, Rule, Severity};
use crate::resolve::{RAW, Resolved, answers};
use crate::resource;
use crate::settings::Settings;

/// What the API server takes as the contents of a ConfigMap; keys count here too.
const CONFIG_MAP_BYTES: usize = 1 << 20;

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
    Resolution { resolved: resolved.filter(|_| !failed), problems, references }
}

/// What no ConfigMap can hold would be refused again and again. How large one becomes is known only
/// when it is rendered.
fn too_large(resolved: &Resolved) -> Vec<Problem> {
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
        let bytes: usize = entries.map(|(key, content)| key.len() + content.len()).sum();
        if bytes > CONFIG_MAP_BYTES {
            let allowed = CONFIG_MAP_BYTES;
            let message =
                format!("makes a ConfigMap of {bytes} bytes, and {allowed} are allowed: {remedy}");
            problems.push(Problem::error(path, Rule::Invalid, message).about(about));
        }
    }
    problems
}
