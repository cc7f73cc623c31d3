//! What the agent may ask to have changed about itself.

use super::context::Resolving;
use super::defaults::text;
use crate::api::{OpenClawInstanceSpec, SelfConfigAction};
use crate::vocab::names::SELF_CONFIG_FILES;

const PATH: &str = "spec.selfConfigure";
/// Hosts that skills come from.
const SOURCES: [&str; 3] = ["clawhub.ai", "github.com", "npmjs.com"];

/// What the agent may ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SelfConfigure {
    /// Sorted, each once.
    pub(crate) actions: Vec<SelfConfigAction>,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Option<SelfConfigure> {
    let asked = spec.self_configure.as_ref().filter(|each| each.enabled.unwrap_or(false))?;
    let mut actions = asked.allowed_actions.clone().unwrap_or_default();
    actions.sort();
    actions.dedup();
    if actions.is_empty() {
        cx.ineffective(
            format!("{PATH}.allowedActions"),
            "allows nothing: list `skills`, `config`, `workspaceFiles` or `envVars`",
        );
    }
    for (index, source) in asked.allowed_skill_sources.iter().flatten().enumerate() {
        if text(Some(source)).is_some() && !is_source(source) {
            cx.ineffective(
                format!("{PATH}.allowedSkillSources[{index}]"),
                format!(
                    "{source:?} matches nothing: write `clawhub.ai`, `github.com` or `npmjs.com`, \
                     without a scheme, and behind it `/owner`, or what else the names begin with"
                ),
            );
        }
    }
    let files = spec.workspace.as_ref().and_then(|workspace| workspace.initial_files.as_ref());
    for name in
        SELF_CONFIG_FILES.iter().filter(|name| files.is_some_and(|it| it.contains_key(**name)))
    {
        cx.ineffective(
            format!("spec.workspace.initialFiles[{name:?}]"),
            "takes the place of the file by which the operator tells the agent of self-configuration",
        );
    }
    Some(SelfConfigure { actions })
}

/// Whether it could be the beginning of where a skill comes from.
fn is_source(text: &str) -> bool {
    let mut parts = text.trim_end_matches('/').split('/');
    let host = parts.next().unwrap_or_default();
    SOURCES.iter().any(|known| host.eq_ignore_ascii_case(known)) && parts.all(|it| !it.is_empty())
}
