//! `RuntimeDepsReady`, `SkillsReady`, `PluginsReady`, `ModelsReady`: what was asked for is installed.
//! Each is said only where something is asked for.

use crate::api::{ConditionType as About, Reason};
use crate::observed::Observed;
use crate::resolve::{Extensions, Resolved};
use crate::status::Statement;
use crate::vocab::names::{INIT_OLLAMA, INIT_PLUGINS, INIT_PNPM, INIT_PYTHON, INIT_SKILLS};

pub(super) fn statements(resolved: Option<&Resolved>, observed: &Observed) -> Vec<Statement> {
    let Some(resolved) = resolved else { return Vec::new() };
    let extensions = resolved.extensions.as_ref();
    [
        (
            About::RuntimeDepsReady,
            resolved.runtimes.is_some(),
            &[INIT_PNPM, INIT_PYTHON][..],
            "every tool is installed",
        ),
        (
            About::SkillsReady,
            extensions.is_some_and(Extensions::has_skills),
            &[INIT_SKILLS],
            "every skill is installed",
        ),
        (
            About::PluginsReady,
            extensions.is_some_and(|all| !all.plugins.is_empty()),
            &[INIT_PLUGINS],
            "every plugin is installed",
        ),
        (
            About::ModelsReady,
            resolved.ollama.as_ref().is_some_and(|ollama| !ollama.models.is_empty()),
            &[INIT_OLLAMA],
            "every model is there",
        ),
    ]
    .into_iter()
    .filter(|(_, is_asked, ..)| *is_asked)
    .map(|(about, _, installers, done)| statement(about, installers, done, observed))
    .collect()
}

/// What the containers of these names have left behind.
fn statement(about: About, installers: &[&str], done: &str, observed: &Observed) -> Statement {
    let pods = observed.pods.known().map(Vec::as_slice).unwrap_or_default();
    let is_about = |text: &&str| {
        text.split_once(": ").is_some_and(|(container, _)| installers.contains(&container))
    };
    let all = pods.iter().flat_map(|pod| &pod.not_installed).map(String::as_str);
    let not_installed: Vec<&str> = all.filter(is_about).collect();
    let say = |holds, reason, message| Statement::new(about, holds, reason, message);
    if !not_installed.is_empty() {
        let message = format!(
            "the agent starts without what could not be installed, and the next pod tries again; \
             delete the pod to try at once: {}",
            not_installed.join("; ")
        );
        return say(false, Reason::NotInstalled, message);
    }
    if pods.iter().any(|pod| pod.ready) {
        return say(true, Reason::Installed, done.to_owned());
    }
    say(false, Reason::PodStarting, "no pod is ready that could have installed them".to_owned())
}
