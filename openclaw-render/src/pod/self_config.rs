//! What an agent that may ask for changes of itself finds in its workspace and its environment.

use k8s_openapi::api::core::v1::EnvVar;

use super::env as environment;
use crate::api::SelfConfigAction;
use crate::resolve::{Resolved, SelfConfigure};
use crate::vocab::env;
use crate::vocab::names::SELF_CONFIG_FILES;

const HELPER: &str = include_str!("../../assets/workspace/selfconfig.sh");
const PROGRAM: &str = include_str!("../../assets/workspace/selfconfig.mjs");

/// Returns name and content of each file of the default workspace.
pub(super) fn files(instance: &Resolved) -> Vec<(&'static str, String)> {
    let Some(asked) = &instance.self_configure else { return Vec::new() };
    let [guide, program, helper] = SELF_CONFIG_FILES;
    vec![(guide, text(asked)), (program, PROGRAM.to_owned()), (helper, HELPER.to_owned())]
}

/// Returns who and where the agent is.
pub(super) fn variables(instance: &Resolved) -> Vec<EnvVar> {
    if instance.self_configure.is_none() {
        return Vec::new();
    }
    vec![
        environment::entry(env::INSTANCE_NAME, &instance.name.to_string()),
        environment::entry(env::NAMESPACE, &instance.namespace),
    ]
}

fn text(asked: &SelfConfigure) -> String {
    let all = asked.actions.iter().map(|action| {
        let (what, examples) = match action {
            SelfConfigAction::Skills => (
                "what you have learnt to do",
                "add-skill npm:@example/skill`, `remove-skill npm:@example/skill",
            ),
            SelfConfigAction::Config => (
                "openclaw.json, merged key by key; `gateway` is protected",
                r#"config-patch '{"cron":{"enabled":true}}'"#,
            ),
            SelfConfigAction::WorkspaceFiles => {
                ("files of the workspace", "add-file NOTES.md @notes.md`, `remove-file NOTES.md")
            }
            SelfConfigAction::EnvVars => (
                "environment variables, plain values",
                "add-env LOG_LEVEL debug`, `remove-env LOG_LEVEL",
            ),
        };
        format!("- {action}: {what}. `{examples}`\n")
    });
    let mut allowed: String = all.collect();
    if allowed.is_empty() {
        allowed.push_str("- nothing: every request will be denied.\n");
    }
    format!(
        "# Changing your own infrastructure\n\n\
         You run on Kubernetes as the instance `$OPENCLAW_INSTANCE_NAME` in the namespace \
         `$OPENCLAW_NAMESPACE`. You may ask for changes of it by objects of kind \
         OpenClawSelfConfig; `bash selfconfig.sh COMMAND` makes them.\n\n\
         A request without a phase has changed nothing yet; `Pending` waits, `Applied` is in your \
         instance's spec, `Denied` is not allowed, `Failed` cannot be. Its message says why. Skills, \
         variables and some keys start you anew: finish what you do before. You can change and \
         remove only what requests of yours added. Never ask for Secrets: variables hold plain text \
         that others can read. For a key of a Secret, tell your owner.\n\n\
         ## What you may ask for\n\n\
         {allowed}\n\
         ## Reading\n\n\
         - `get-instance`: your own instance\n\
         - `get-config`: openclaw.json as the operator renders it\n\
         - `status REQUEST`: one request, by the name that was printed when you made it\n\n\
         `add-file NAME -` reads the content from standard input, `@PATH` from a file. `--wait` \
         waits until a request has a phase.\n"
    )
}
