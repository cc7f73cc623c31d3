//! The pod of a backup: a container in the agent's image makes the archives, and another one, which
//! alone sees the credentials, stores them.
//!
//! It is no pod of the agent's: nothing that selects the agent selects it.

use k8s_openapi::api::core::v1::{
    Affinity, Container, EnvVar, EnvVarSource, EphemeralVolumeSource,
    PersistentVolumeClaimTemplate, PodAffinity, PodAffinityTerm, PodSpec, PodTemplateSpec,
    SecretKeySelector, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::init::{migrate_state, seed};
use super::volumes::{below, claim, mount, read_only};
use super::{ca_bundle, env as environment, home, keep_last_log_lines};
use crate::backups;
use crate::resolve::{Backup, Means, Resolved};
use crate::vocab::names::{self, s3};
use crate::vocab::{env, labels, paths};

const PREPARE: &str = "prepare";
const CREATE: &str = "create";
/// Volume for the archives, where it is seen, and the directories on it.
const STAGING_VOLUME: &str = "staging";
const STAGING: &str = "/staging";
const ARCHIVES_DIRECTORY: &str = "archives";
const TMP_DIRECTORY: &str = "tmp";
/// Where the archives are seen by the container that stores them.
pub(super) const ARCHIVES: &str = "/archives";
const HOST: &str = "kubernetes.io/hostname";

/// Returns the template of the pods that make backups.
pub(crate) fn template(instance: &Resolved, backup: &Backup, means: &Means) -> PodTemplateSpec {
    let containers = [prepare(instance), create(instance, backup), store(instance, backup, means)];
    let pod = pod(instance, means, backup.service_account.as_ref(), containers);
    with_labels(instance, PodSpec { affinity: affinity(instance), ..pod })
}

/// The pod in which three containers take turns: the first one has the helper's own image.
pub(super) fn pod(
    instance: &Resolved,
    means: &Means,
    service_account: Option<&String>,
    containers: [Container; 3],
) -> PodSpec {
    let placement = &instance.placement;
    let [first, second, last] = containers;
    let complete = |container| keep_last_log_lines(ca_bundle::trusted(container, instance));
    let volumes = [
        claim(names::DATA_VOLUME, &means.claim),
        seed::helper_volume(),
        Volume {
            name: STAGING_VOLUME.to_owned(),
            ephemeral: Some(EphemeralVolumeSource {
                volume_claim_template: Some(PersistentVolumeClaimTemplate {
                    metadata: None,
                    spec: means.staging.clone(),
                }),
            }),
            ..Default::default()
        },
    ];
    PodSpec {
        affinity: placement.affinity.clone(),
        automount_service_account_token: Some(false),
        containers: vec![complete(last)],
        enable_service_links: Some(false),
        image_pull_secrets: Some(instance.image.pull_secrets.clone())
            .filter(|secrets| !secrets.is_empty()),
        init_containers: Some(vec![keep_last_log_lines(first), complete(second)]),
        node_selector: placement.node_selector.clone(),
        // What went wrong stays to be read, and the next attempt is another pod.
        restart_policy: Some("Never".to_owned()),
        runtime_class_name: placement.runtime_class_name.clone(),
        security_context: Some(instance.security.pod.clone()),
        service_account_name: service_account.cloned(),
        tolerations: placement.tolerations.clone(),
        volumes: Some(volumes.into_iter().chain(ca_bundle::volume(instance)).collect()),
        ..Default::default()
    }
}

pub(super) fn with_labels(instance: &Resolved, spec: PodSpec) -> PodTemplateSpec {
    let labels = Some(labels::of_backups(&instance.name));
    let metadata = Some(ObjectMeta { labels, ..Default::default() });
    PodTemplateSpec { metadata, spec: Some(spec) }
}

/// Beside the running agent, whose volume can be mounted there and perhaps nowhere else. Without it,
/// where the agent might be.
fn affinity(instance: &Resolved) -> Option<Affinity> {
    if !instance.power.is_on() {
        return instance.placement.affinity.clone();
    }
    Some(Affinity {
        pod_affinity: Some(PodAffinity {
            required_during_scheduling_ignored_during_execution: Some(vec![PodAffinityTerm {
                label_selector: Some(labels::selector(&instance.name)),
                topology_key: HOST.to_owned(),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// Makes the directories, and puts the helper where the other images can run it.
pub(super) fn prepare(instance: &Resolved) -> Container {
    let arguments = [
        "pod",
        "backup",
        "prepare",
        "--staging",
        STAGING,
        "--helper-to",
        paths::HELPER,
        "--termination-log",
        paths::TERMINATION_LOG,
    ];
    Container {
        args: Some(arguments.map(str::to_owned).to_vec()),
        command: Some(vec![seed::HELPER_IN_IMAGE.to_owned()]),
        image: Some(instance.helper_image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: PREPARE.to_owned(),
        resources: Some(instance.resources.init.clone()),
        security_context: Some(instance.security.helper.clone()),
        volume_mounts: Some(vec![
            VolumeMount { read_only: None, ..seed::helper() },
            mount(STAGING_VOLUME, STAGING),
        ]),
        ..Default::default()
    }
}

/// Makes the archives. It has the agent's image and files, and no secret but what is in those.
fn create(instance: &Resolved, backup: &Backup) -> Container {
    let archives = format!("{STAGING}/{ARCHIVES_DIRECTORY}");
    let mut arguments: Vec<String> = [
        "pod",
        "backup",
        "create",
        "--home",
        paths::HOME,
        "--state",
        paths::STATE,
        "--archives",
        &archives,
        "--timeout-seconds",
        &backup.timeout_seconds.to_string(),
        "--termination-log",
        paths::TERMINATION_LOG,
    ]
    .map(str::to_owned)
    .to_vec();
    if instance.power.is_on() {
        arguments.push("--running".to_owned());
    }
    let mut mounts = home::mounts(instance);
    mounts.extend([
        seed::helper(),
        below(STAGING_VOLUME, &archives, ARCHIVES_DIRECTORY),
        below(STAGING_VOLUME, paths::TMP, TMP_DIRECTORY),
    ]);
    Container {
        args: Some(arguments),
        command: Some(vec![paths::HELPER.to_owned()]),
        env: Some(variables(instance)),
        image: Some(instance.image.reference.clone()),
        image_pull_policy: Some(instance.image.pull_policy.to_string()),
        name: CREATE.to_owned(),
        resources: Some(instance.resources.agent.clone()),
        security_context: Some(instance.security.agent.clone()),
        volume_mounts: Some(mounts),
        ..Default::default()
    }
}

/// As for a migration; but nothing of the agent's is changed.
fn variables(instance: &Resolved) -> Vec<EnvVar> {
    let mut entries = migrate_state::variables(instance);
    entries.push(environment::entry(env::CONFIG_READONLY, "1"));
    entries
}

/// Stores the archives, and reads them back. It sees nothing of the agent's but them.
fn store(instance: &Resolved, backup: &Backup, means: &Means) -> Container {
    let arguments = [
        "pod",
        "backup",
        "store",
        "--archives",
        ARCHIVES,
        "--prefix",
        &backups::prefix(&instance.namespace, instance.name.as_str()),
        "--retention-days",
        &backup.retention_days.to_string(),
        "--timeout-seconds",
        &backup.timeout_seconds.to_string(),
        "--termination-log",
        paths::TERMINATION_LOG,
    ];
    by_rclone(instance, means, names::BACKUP_STORE, &arguments, read_only_archives())
}

/// The one container that sees the credentials, and nothing of the agent's but the archives.
pub(super) fn by_rclone(
    instance: &Resolved,
    means: &Means,
    name: &str,
    arguments: &[&str],
    archives: VolumeMount,
) -> Container {
    let entries = s3::ALL.iter().map(|key| EnvVar {
        name: (*key).to_owned(),
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                key: (*key).to_owned(),
                name: means.secret.clone(),
                // The helper says what is missing, and the cluster's events would say it to few.
                optional: Some(true),
            }),
            ..Default::default()
        }),
        ..Default::default()
    });
    Container {
        args: Some(arguments.iter().map(|&argument| argument.to_owned()).collect()),
        command: Some(vec![paths::HELPER.to_owned()]),
        env: Some(entries.chain(means.variables.iter().cloned()).collect()),
        image: Some(means.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: name.to_owned(),
        resources: Some(means.resources.clone()),
        security_context: Some(instance.security.helper.clone()),
        volume_mounts: Some(vec![seed::helper(), archives]),
        ..Default::default()
    }
}

/// The archives, where they are only read.
pub(super) fn read_only_archives() -> VolumeMount {
    let sub_path = Some(ARCHIVES_DIRECTORY.to_owned());
    VolumeMount { sub_path, ..read_only(STAGING_VOLUME, ARCHIVES) }
}

/// The archives, where they are put.
pub(super) fn archives() -> VolumeMount {
    below(STAGING_VOLUME, ARCHIVES, ARCHIVES_DIRECTORY)
}
