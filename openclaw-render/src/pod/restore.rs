//! The pod of a restore: a container that alone sees the credentials fetches the backup, and another
//! one, in the agent's image, puts it on the agent's volume.
//!
//! It is no pod of the agent's: nothing that selects the agent selects it.

use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};

use super::backup::{self, ARCHIVES};
use super::init::seed;
use super::volumes::mount;
use crate::resolve::{Layout, Means, Resolved, Restore};
use crate::vocab::{names, paths};

const FETCH: &str = "fetch";

/// Returns the template of the pods of one attempt, which has this name, to restore this.
pub(crate) fn template(
    instance: &Resolved,
    restore: &Restore,
    means: &Means,
    attempt: &str,
    from: &str,
) -> PodTemplateSpec {
    let seconds = restore.timeout_seconds.to_string();
    let from = literal(from);
    let containers = [
        backup::prepare(instance),
        fetch(instance, means, &from, &seconds),
        unpack(instance, attempt, &from, &seconds),
    ];
    let pod = backup::pod(instance, means, restore.service_account.as_ref(), containers);
    backup::with_labels(instance, pod)
}

/// Kubernetes puts the value of a variable in the place of `$(NAME)`: a path must not be able to have a
/// credential written where others read it.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

fn fetch(instance: &Resolved, means: &Means, from: &str, seconds: &str) -> Container {
    let arguments = [
        "pod",
        "backup",
        "fetch",
        "--from",
        from,
        "--archives",
        ARCHIVES,
        "--timeout-seconds",
        seconds,
        "--termination-log",
        paths::TERMINATION_LOG,
    ];
    backup::by_rclone(instance, means, FETCH, &arguments, backup::archives())
}

/// It has the agent's image, which tells its version, and the agent's volume.
fn unpack(instance: &Resolved, attempt: &str, from: &str, seconds: &str) -> Container {
    let layout = match instance.storage.layout {
        Layout::Home => "home",
        Layout::Flat => "flat",
    };
    let mut arguments: Vec<String> = [
        "pod",
        "backup",
        "restore",
        "--from",
        from,
        "--id",
        attempt,
        "--archives",
        ARCHIVES,
        "--data",
        paths::DATA,
        "--home",
        paths::HOME,
        "--layout",
        layout,
        "--timeout-seconds",
        seconds,
        "--termination-log",
        paths::TERMINATION_LOG,
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(version) = instance.choices.downgrade {
        arguments.extend(["--allow-downgrade".to_owned(), version.to_string()]);
    }
    Container {
        args: Some(arguments),
        command: Some(vec![paths::HELPER.to_owned()]),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        name: names::RESTORE.to_owned(),
        resources: Some(instance.resources.agent.clone()),
        security_context: Some(instance.security.agent.clone()),
        volume_mounts: Some(vec![
            seed::helper(),
            backup::read_only_archives(),
            mount(names::DATA_VOLUME, paths::DATA),
        ]),
        ..Default::default()
    }
}
