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
            extensions.is_some_and(Extensions::has_plugins),
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
    .filter_map(|(about, is_asked, installers, done)| {
        let not_installed = words(installers, observed);
        // Also one that was asked for once may have something to say: what could not be removed.
        (is_asked || !not_installed.is_empty())
            .then(|| statement(about, &not_installed, done, observed))
    })
    .collect()
}

/// What the containers of these names have left behind.
fn words<'a>(installers: &[&str], observed: &'a Observed) -> Vec<&'a str> {
    let is_about = |text: &&str| {
        text.split_once(": ").is_some_and(|(container, _)| installers.contains(&container))
    };
    let pods = observed.pods.known().into_iter().flatten();
    pods.flat_map(|pod| &pod.not_installed).map(String::as_str).filter(is_about).collect()
}

fn statement(about: About, not_installed: &[&str], done: &str, observed: &Observed) -> Statement {
    let mut pods = observed.pods.known().into_iter().flatten();
    let say = |holds, reason, message| Statement::new(about, holds, reason, message);
    if !not_installed.is_empty() {
        let message = format!(
            "the agent starts all the same, and the next pod tries again; delete the pod to try at \
             once: {}",
            not_installed.join("; ")
        );
        return say(false, Reason::NotInstalled, message);
    }
    if pods.any(|pod| pod.ready) {
        return say(true, Reason::Installed, done.to_owned());
    }
    say(false, Reason::PodStarting, "no pod is ready that could have installed them".to_owned())
}
