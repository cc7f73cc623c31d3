//! Backups: when, where to, and whether they can be made.

use k8s_openapi::api::core::v1::{EnvVar, PersistentVolumeClaimSpec, ResourceRequirements};

use super::context::{Reference, Resolving};
use super::defaults::text;
use super::environment::Environment;
use super::resources::{self, UPLOADER};
use super::{DataVolume, Storage, image, restore, shared_storage, storage};
use crate::api::ConditionType::{self, BackupReady, RestoreComplete};
use crate::api::{BackupSpec, OpenClawInstanceSpec};
use crate::power::Power;
use crate::problem::Severity;
use crate::vocab::names::{SHARED_BACKUP, s3};
use crate::vocab::schedule::seconds;
use crate::vocab::{env, images};

/// The first backup of a large volume takes long.
pub(crate) const TIMEOUT_SECONDS: i64 = 60 * 60;
const LEAST_TIMEOUT: f64 = 5.0 * 60.0;
const GREATEST_TIMEOUT: f64 = 24.0 * 60.0 * 60.0;
const RETENTION_DAYS: i32 = 7;
const SUCCEEDED_JOBS: i32 = 3;
const FAILED_JOBS: i32 = 1;
const SECRET: &str = "spec.backup.storage.secretRef.name";

/// Backups that are asked for: the last one, before the agent is deleted, and those on a schedule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Backup {
    pub(crate) schedule: Option<Schedule>,
    pub(crate) timeout_seconds: i64,
    pub(crate) retention_days: i32,
    pub(crate) service_account: Option<String>,
    /// What they are made with, or why none is made.
    pub(crate) means: Result<Means, Lack>,
}

/// When backups are made, and how many of their Jobs are kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) cron: String,
    pub(crate) succeeded_jobs: i32,
    pub(crate) failed_jobs: i32,
}

/// What a backup is made with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Means {
    /// Claim of the agent's volume.
    pub(crate) claim: String,
    /// Volume for the archives, made for one backup.
    pub(crate) staging: PersistentVolumeClaimSpec,
    /// Secret that names the bucket.
    pub(crate) secret: String,
    /// Whether the Secret is there and says enough, as far as that is known. Without it a backup
    /// fails by itself, and one that is under way, or was stopped by hand, is not taken away.
    pub(crate) is_complete: bool,
    /// Whether the pod's identity opens the bucket, and no key.
    pub(crate) workload_identity: bool,
    /// Image with rclone.
    pub(crate) image: String,
    pub(crate) resources: ResourceRequirements,
    /// Those of the user's variables that say how to reach the network.
    pub(crate) variables: Vec<EnvVar>,
}

/// Why no backup can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// There is no volume that outlives the pod.
    Volume,
    /// The volume is for one pod, and the agent has it.
    SecondPod,
    /// Each replica has a volume of its own.
    Replicas,
    /// Nobody says where to.
    Destination,
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    volume: &Storage,
    environment: &Environment,
    cx: &mut Resolving<'_>,
) -> Option<Backup> {
    let backup = spec.backup.clone().unwrap_or_default();
    let schedule = text(backup.schedule.as_ref()).map(|cron| Schedule {
        cron: cron.to_owned(),
        succeeded_jobs: backup.history_limit.unwrap_or(SUCCEEDED_JOBS),
        failed_jobs: backup.failed_history_limit.unwrap_or(FAILED_JOBS),
    });
    let what = match schedule {
        Some(_) => &FOR_BACKUPS,
        None if secret(spec).is_some() => &FOR_THE_LAST,
        None => return None,
    };
    Some(Backup {
        schedule,
        timeout_seconds: timeout(&backup, cx),
        retention_days: backup.retention_days.unwrap_or(RETENTION_DAYS),
        service_account: text(backup.service_account_name.as_ref()).map(str::to_owned),
        means: means(spec, what, volume, environment, cx),
    })
}

/// The bounds are those of the Go operator, which makes of any other value the nearest one.
#[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
pub(super) fn timeout(backup: &BackupSpec, cx: &mut Resolving<'_>) -> i64 {
    let Some(written) = text(backup.timeout.as_ref()) else { return TIMEOUT_SECONDS };
    let path = "spec.backup.timeout";
    let Some(asked) = seconds(written) else { return TIMEOUT_SECONDS };
    let taken = asked.clamp(LEAST_TIMEOUT, GREATEST_TIMEOUT);
    if taken < asked {
        cx.ineffective(path, format!("{written} is more than a backup may take: counts as `24h`"));
    } else if taken > asked {
        cx.ineffective(path, format!("{written} is less than a backup gets: counts as `5m`"));
    }
    taken as i64
}

/// What means are for, and what is said where there are none.
struct For {
    about: ConditionType,
    path: &'static str,
    /// Whether the agent may run meanwhile.
    beside_the_agent: bool,
    no_volume: &'static str,
    replicas: &'static str,
    no_destination: &'static str,
}

const FOR_BACKUPS: For = For {
    about: BackupReady,
    path: "spec.backup.schedule",
    beside_the_agent: true,
    no_volume: "makes no backup: `spec.storage.persistence.enabled` is false, and there is no volume \
                that could be read",
    replicas: "makes no backup: with `spec.availability.autoScaling` each replica has a volume of its \
               own, and a backup is of one volume",
    no_destination: "makes no backup",
};

/// Of an agent that is being deleted, and stopped for it.
const FOR_THE_LAST: For = For {
    about: BackupReady,
    path: SECRET,
    beside_the_agent: false,
    no_volume: "makes no backup before the instance is deleted: \
                `spec.storage.persistence.enabled` is false, and there is no volume that could be \
                read",
    replicas: "makes no backup before the instance is deleted: with \
               `spec.availability.autoScaling` each replica has a volume of its own, and a backup is \
               of one volume",
    no_destination: "makes no backup before the instance is deleted",
};

const FOR_RESTORES: For = For {
    about: RestoreComplete,
    path: restore::PATH,
    beside_the_agent: false,
    no_volume: "restores nothing: `spec.storage.persistence.enabled` is false, and there is no volume \
                that would keep it",
    replicas: "restores nothing: with `spec.availability.autoScaling` each replica has a volume of its \
               own, and a backup is of one volume",
    no_destination: "restores nothing",
};

/// Returns what a restore is made with.
pub(super) fn means_of_restore(
    spec: &OpenClawInstanceSpec,
    volume: &Storage,
    environment: &Environment,
    cx: &mut Resolving<'_>,
) -> Result<Means, Lack> {
    means(spec, &FOR_RESTORES, volume, environment, cx)
}

fn secret(spec: &OpenClawInstanceSpec) -> Option<&str> {
    let storage = spec.backup.as_ref()?.storage.as_ref()?;
    Some(storage.secret_ref.as_ref()?.name.as_str()).filter(|name| !name.is_empty())
}

fn means(
    spec: &OpenClawInstanceSpec,
    what: &For,
    volume: &Storage,
    environment: &Environment,
    cx: &mut Resolving<'_>,
) -> Result<Means, Lack> {
    let (claim, staging) = match &volume.volume {
        DataVolume::Ephemeral(_) => {
            cx.ineffective(what.path, what.no_volume);
            return Err(Lack::Volume);
        }
        DataVolume::OfReplicas { .. } => {
            cx.ineffective(what.path, what.replicas);
            return Err(Lack::Replicas);
        }
        DataVolume::Made { claim, spec } => (claim, staging(claim, Some(spec), cx)),
        DataVolume::Existing(claim) => (claim, staging(claim, None, cx)),
    };
    let is_beside = what.beside_the_agent && Power::asked(spec).is_on();
    if is_beside && is_for_one_pod(&volume.volume) {
        cx.ineffective(
            what.path,
            "makes no backup while the agent runs: with access mode `ReadWriteOncePod` no other \
             pod may read its volume; use `ReadWriteOnce`",
        );
        return Err(Lack::SecondPod);
    }
    let Some(secret) = destination(spec, what, cx) else { return Err(Lack::Destination) };
    let (is_complete, workload_identity) = cx.about(what.about, |cx| look_at(secret, what, cx));
    let default = (images::RCLONE_REPOSITORY, images::RCLONE_TAG);
    Ok(Means {
        claim: claim.clone(),
        staging,
        secret: secret.to_owned(),
        is_complete,
        workload_identity,
        image: image::helper("spec.backup", None, default, spec, cx),
        resources: resources::requirements("", None, &UPLOADER, cx),
        variables: proxies(environment),
    })
}

/// Returns the Secret that names the bucket, or says that there is none.
fn destination<'a>(
    spec: &'a OpenClawInstanceSpec,
    what: &For,
    cx: &mut Resolving<'_>,
) -> Option<&'a str> {
    let named = secret(spec);
    if named == Some(SHARED_BACKUP) && !shared_storage::is_shared(cx) {
        let (what, or_shared) = (what.no_destination, shared_storage::OR_SHARED);
        cx.ineffective(
            SECRET,
            format!(
                "{what}: {SHARED_BACKUP:?} is the shared storage, which this namespace may not use; \
                 name another Secret, {or_shared}"
            ),
        );
        return None;
    }
    let found = named.or_else(|| shared_storage::secret(cx));
    if found.is_none() {
        let or_shared = shared_storage::OR_SHARED;
        let message = format!(
            "{}: name a Secret with the bucket in `spec.backup.storage.secretRef`, {or_shared}",
            what.no_destination
        );
        cx.ineffective(what.path, message);
    }
    found
}

/// Says what the Secret lacks. Returns whether it is complete, and whether it leaves the credentials to
/// the pod's identity.
fn look_at(secret: &str, what: &For, cx: &mut Resolving<'_>) -> (bool, bool) {
    let unseen = "backups are rendered as if it held a bucket, an endpoint and keys";
    let is_shared = secret == SHARED_BACKUP;
    let reference = Reference {
        path: if is_shared { what.path } else { SECRET },
        name: secret,
        missing: Some(Severity::Advice),
        unseen,
    };
    let found = cx.found();
    let keys = if is_shared {
        shared_storage::look_at(what.path, unseen, cx)
    } else {
        cx.secret(reference)
    };
    let Some(keys) = keys else {
        // What nobody has looked at may be there.
        return (!cx.has_missed_since(found), false);
    };
    let mut missing = vec![s3::BUCKET, s3::ENDPOINT];
    missing.retain(|key| !keys.contains_key(*key));
    let has = |key: &str| keys.contains_key(key);
    match (has(s3::ACCESS_KEY_ID), has(s3::SECRET_ACCESS_KEY)) {
        (true, false) => missing.push(s3::SECRET_ACCESS_KEY),
        (false, true) => missing.push(s3::ACCESS_KEY_ID),
        (true, true) | (false, false) => {}
    }
    for key in &missing {
        cx.lacks_key(crate::object::Kind::Secret, reference, key);
    }
    (missing.is_empty(), missing.is_empty() && !has(s3::ACCESS_KEY_ID))
}

/// Whether no other pod may read the volume while the agent runs.
pub(super) fn is_for_one_pod(volume: &DataVolume) -> bool {
    let modes = match volume {
        DataVolume::Made { spec, .. } => spec.access_modes.as_deref().unwrap_or_default(),
        DataVolume::OfReplicas { .. } | DataVolume::Existing(_) | DataVolume::Ephemeral(_) => &[],
    };
    modes.iter().any(|mode| mode == storage::ONE_POD)
}

/// As large as the volume and of its class: what is copied is not larger than what is there.
fn staging(
    claim: &str,
    made: Option<&PersistentVolumeClaimSpec>,
    cx: &Resolving<'_>,
) -> PersistentVolumeClaimSpec {
    let requested =
        made.and_then(|spec| spec.resources.as_ref()?.requests.as_ref()?.get("storage"));
    let seen = cx.claim_if_seen(claim);
    let size = seen
        .and_then(|seen| seen.size.clone())
        .or_else(|| requested.map(|size| size.0.clone()))
        .unwrap_or_else(|| storage::SIZE.to_owned());
    let class = seen
        .and_then(|seen| seen.storage_class.clone())
        .or_else(|| made.and_then(|spec| spec.storage_class_name.clone()));
    storage::claim_spec(vec![storage::ACCESS_MODE.to_owned()], size, class)
}

fn proxies(environment: &Environment) -> Vec<EnvVar> {
    let is_proxy = |entry: &&EnvVar| {
        entry.value.is_some() && env::PROXIES.contains(&entry.name.to_ascii_uppercase().as_str())
    };
    environment.entries.iter().filter(is_proxy).cloned().collect()
}
