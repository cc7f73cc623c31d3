//! `init-skills` and `init-plugins`: install skills and plugins onto the volume, each once.
//!
//! They end well whatever comes of it: an agent starts without a skill rather than not at all. They
//! run when the state is that of the image's version: the application installs into it. One that was
//! ever there stays, also with nothing to install: it removes what has left the spec.

use k8s_openapi::api::core::v1::{Container, EnvVar};

use crate::pod::part::{Part, Start};
use crate::pod::{env as environment, home, volumes};
use crate::resolve::{Extensions, Resolved};
use crate::vocab::{env, names, paths};

/// Directory of the scratch volume that is their `/tmp`.
const TMP: &str = "install-tmp";

pub(in crate::pod) fn skills(instance: &Resolved) -> Option<Part> {
    let extensions = instance.extensions.as_ref()?;
    if !extensions.has_skills() && !extensions.had.skills {
        return None;
    }
    let packages = extensions.packages.iter().map(|package| format!("--npm={package}"));
    let skills = extensions.skills.iter().map(|skill| format!("--skill={skill}"));
    let of_workspaces = extensions.of_workspaces.iter().map(|(workspace, skill)| {
        format!("--workspace-skill={}={skill}", home::workspace_directory(workspace))
    });
    let what = packages.chain(skills).chain(of_workspaces).collect();
    Some(part(instance, extensions, (names::INIT_SKILLS, "skills"), what))
}

pub(in crate::pod) fn plugins(instance: &Resolved) -> Option<Part> {
    let extensions = instance.extensions.as_ref()?;
    if !extensions.has_plugins() && !extensions.had.plugins {
        return None;
    }
    let what = extensions.plugins.iter().map(|plugin| format!("--plugin={plugin}")).collect();
    Some(part(instance, extensions, (names::INIT_PLUGINS, "plugins"), what))
}

fn part(
    instance: &Resolved,
    extensions: &Extensions,
    (name, sort): (&str, &str),
    what: Vec<String>,
) -> Part {
    let timeout = extensions.timeout_seconds.to_string();
    let mut arguments: Vec<String> = [
        "pod",
        "extend",
        "--sort",
        sort,
        "--home",
        paths::HOME,
        "--state",
        paths::STATE,
        "--work-dir",
        paths::TMP,
        "--timeout-seconds",
        &timeout,
        "--termination-log",
        paths::TERMINATION_LOG,
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.extend(what);
    let mut mounts = home::mounts(instance);
    mounts.extend([volumes::scratch_mount(TMP, paths::TMP), super::seed::helper()]);
    let container = Container {
        args: Some(arguments),
        command: Some(vec![paths::HELPER.to_owned()]),
        env: Some(variables(instance, extensions)),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        name: name.to_owned(),
        resources: Some(extensions.resources.clone()),
        security_context: Some(instance.security.agent.clone()),
        volume_mounts: Some(mounts),
        ..Default::default()
    };
    Part {
        container,
        start: Start::Last,
        directories: vec![volumes::scratch_directory(TMP, "1777")],
        ..Part::default()
    }
}

/// No secret of the agent's, and ours last: packages run no scripts, in whatever case npm reads it.
fn variables(instance: &Resolved, extensions: &Extensions) -> Vec<EnvVar> {
    let cache = format!("{}/.cache/npm", paths::HOME);
    let ours = [
        (env::HOME, paths::HOME),
        (env::STATE_DIR, paths::STATE),
        (env::DISABLE_BONJOUR, "1"),
        (env::NO_AUTO_UPDATE, "1"),
        (env::NO_RESPAWN, "1"),
        (env::NPM_CONFIG_CACHE, &*cache),
        (env::NPM_CONFIG_IGNORE_SCRIPTS, "true"),
        (env::NPM_CONFIG_IGNORE_SCRIPTS_LOWER, "true"),
    ]
    .map(|(name, value)| environment::entry(name, value));
    let supervised = environment::supervised(instance);
    extensions.variables.iter().cloned().chain(ours).chain(supervised).collect()
}
