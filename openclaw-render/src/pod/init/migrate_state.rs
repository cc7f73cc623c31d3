//! `migrate-state`: brings the state on the volume up to the version of the image, in the agent's
//! image and before the gateway; refuses a version that is older than the one which last ran there.
//!
//! Last of the init containers: the version counts as one that ran only when nothing keeps the
//! gateway from starting any more, a configuration that this version refuses included.

use k8s_openapi::api::core::v1::{Container, EnvVar};

use crate::pod::part::{Part, Start};
use crate::pod::{agent, env as environment, home, volumes};
use crate::resolve::Resolved;
use crate::vocab::{env, names, paths};

/// Where it works, and the directory of the scratch volume that is mounted there.
const WORK: &str = "/migrate";
const WORK_DIRECTORY: &str = "migrate";

pub(in crate::pod) fn part(instance: &Resolved) -> Part {
    Part {
        container: container(instance),
        start: Start::Last,
        directories: vec![volumes::scratch_directory(WORK_DIRECTORY, "0700")],
        ..Part::default()
    }
}

fn container(instance: &Resolved) -> Container {
    let mut arguments: Vec<String> = [
        "pod",
        "migrate",
        "--data",
        paths::DATA,
        "--state",
        paths::STATE,
        "--config",
        paths::CONFIG_FILE,
        "--work-dir",
        WORK,
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(version) = instance.choices.downgrade {
        arguments.extend(["--allow-downgrade".to_owned(), version.to_string()]);
    }
    let mut mounts = home::mounts(instance);
    mounts.extend([
        volumes::mount(names::DATA_VOLUME, paths::DATA),
        agent::tmp(),
        volumes::scratch_mount(WORK_DIRECTORY, WORK),
        super::seed::helper(),
    ]);
    Container {
        args: Some(arguments),
        command: Some(vec![paths::HELPER.to_owned()]),
        env: Some(variables(instance)),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        name: names::MIGRATE_STATE.to_owned(),
        // The agent's are not in use at that time. A migration by 2026.9.6 takes 710 MB.
        resources: Some(instance.resources.agent.clone()),
        security_context: Some(instance.security.agent.clone()),
        volume_mounts: Some(mounts),
        ..Default::default()
    }
}

/// The agent's HOME and state, and no secret of the agent's.
pub(in crate::pod) fn variables(instance: &Resolved) -> Vec<EnvVar> {
    let mut entries: Vec<EnvVar> = [
        (env::HOME, paths::HOME),
        (env::STATE_DIR, paths::STATE),
        (env::NO_RESPAWN, "1"),
        (env::NO_AUTO_UPDATE, "1"),
        (env::DISABLE_BONJOUR, "1"),
    ]
    .map(|(name, value)| environment::entry(name, value))
    .to_vec();
    entries.extend(environment::supervised(instance));
    entries
}
