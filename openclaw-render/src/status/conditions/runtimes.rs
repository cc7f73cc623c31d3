//! `RuntimeDepsReady`: the tools are installed. Said only where tools are asked for.

use crate::api::{ConditionType as About, Reason};
use crate::observed::Observed;
use crate::resolve::Resolved;
use crate::status::Statement;

pub(super) fn statement(resolved: Option<&Resolved>, observed: &Observed) -> Option<Statement> {
    resolved?.runtimes.as_ref()?;
    let pods = observed.pods.known().map(Vec::as_slice).unwrap_or_default();
    let not_installed: Vec<&str> =
        pods.iter().flat_map(|pod| &pod.not_installed).map(String::as_str).collect();
    let say = |holds, reason, message: String| {
        Some(Statement::new(About::RuntimeDepsReady, holds, reason, message))
    };
    if !not_installed.is_empty() {
        let message = format!(
            "the agent starts without what could not be installed, and the next pod tries again; \
             delete the pod to try at once: {}",
            not_installed.join("; ")
        );
        return say(false, Reason::NotInstalled, message);
    }
    if pods.iter().any(|pod| pod.ready) {
        return say(true, Reason::Installed, "every tool is installed".to_owned());
    }
    say(false, Reason::PodStarting, "no pod is ready that could have installed them".to_owned())
}
