//! What the agent may ask to have changed about itself.

use super::context::Resolving;
use crate::api::{OpenClawInstanceSpec, SelfConfigAction};
use crate::vocab::names::SELF_CONFIG_FILES;

const PATH: &str = "spec.selfConfigure";

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
    cx.ineffective(
        PATH,
        "gives the agent its token, rights and tools; its requests are kept and not carried out by \
         this version",
    );
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
