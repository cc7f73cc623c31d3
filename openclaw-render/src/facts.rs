//! Facts out of live objects: what [`Observed`](crate::Observed) keeps of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job as LiveJob;
use k8s_openapi::api::core::v1::{
    ContainerStateTerminated, ContainerStatus, PersistentVolumeClaim, Pod as LivePod, PodSpec,
    PodStatus, Secret,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::backups::Outcome;
use crate::gateway_facts::gateways;
use crate::hash;
use crate::object::Kind;
use crate::observed::{BackupJob, BackupPod, Claim, Deployment, Pod, Seen, Trouble, Workload};
use crate::ownership::{is_owned_by_update, owned_hash, sets_replicas};
use crate::version::Version;
use crate::vocab::{
    FIELD_MANAGER, KIND, PREVIOUS_MANAGERS, annotations, exits, images, labels, names,
};

/// More characters of what an installer says are not kept.
const LONGEST_WORDS: usize = 512;
/// Larger than the claim templates of any StatefulSet of ours.
const LARGEST_TEMPLATES: usize = 8192;
/// Longer than any hash of ours.
const LONGEST_HASH: usize = 64;

/// What a cache keeps of a live object, for the instance of that name.
#[must_use]
pub fn seen(live: &Value, instance: &str) -> Seen {
    let metadata = live.get("metadata");
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let field = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    let label = |key: &str| text(field("labels").and_then(|all| all.get(key)));
    let owners = field("ownerReferences").and_then(Value::as_array);
    let owner =
        |which: &dyn Fn(&Value) -> bool| owners.into_iter().flatten().find(|owner| which(owner));
    let controls = |owner: &Value| owner.get("controller") == Some(&Value::Bool(true));
    let is_instance = |owner: &Value| owner.get("kind").and_then(Value::as_str) == Some(KIND);
    // Someone may have cleared `controller: true`; the instance is still the owner.
    let controller = owner(&controls).or_else(|| owner(&is_instance));
    let replicas = live.pointer("/spec/replicas").and_then(number);
    let notes = field("annotations").and_then(Value::as_object);
    Seen {
        uid: text(field("uid")),
        resource_version: text(field("resourceVersion")),
        controller: controller.map(|owner| text(owner.get("uid"))),
        labelled: label(labels::MANAGED_BY) == labels::MANAGED_BY_VALUE
            && label(labels::INSTANCE) == instance,
        owned_hash: owned_hash(live, FIELD_MANAGER),
        previous_manager: is_owned_by_update(live, PREVIOUS_MANAGERS),
        annotations: notes
            .into_iter()
            .flatten()
            .filter(|(key, _)| annotations::OF_OBJECTS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), text(Some(value))))
            // Ours are hashes; what is longer is somebody else's.
            .filter(|(_, value)| value.len() <= LONGEST_HASH)
            .collect(),
        deleting: field("deletionTimestamp").is_some(),
        replicas,
        set_replicas: replicas.filter(|_| sets_replicas(live)),
        claim_templates: claim_templates(live),
        gateways: gateways(live),
        workload: live.pointer("/spec/serviceName").map(|_| workload(live)),
    }
}

/// Returns what matters of a Deployment.
#[must_use]
pub fn deployment_facts(live: &Value) -> Deployment {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let owners = live.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    Deployment {
        uid: live.pointer("/metadata/uid").map(text).unwrap_or_default(),
        owners: owners.into_iter().flatten().filter_map(|it| it.get("uid")).map(text).collect(),
        deleting: live.pointer("/metadata/deletionTimestamp").is_some(),
    }
}

/// Returns the annotations of a Namespace that count for its agents.
#[must_use]
pub fn namespace_facts(live: &Value) -> BTreeMap<String, String> {
    let all = live.pointer("/metadata/annotations").and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .filter(|(key, _)| annotations::OF_NAMESPACES.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Returns the name of the instance that a live object belongs to: its controller's, or the one that
/// its labels name.
#[must_use]
pub fn instance_of(live: &Value) -> Option<&str> {
    let owners = live.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let controller = owners.into_iter().flatten().find(|owner| {
        owner.get("controller").and_then(Value::as_bool).unwrap_or_default()
            && owner.get("kind").and_then(Value::as_str) == Some(KIND)
    });
    match controller.and_then(|owner| owner.get("name")).and_then(Value::as_str) {
        Some(owner) => Some(owner),
        None => labelled_instance(live),
    }
}

/// Returns the name of the instance that a live object's labels name.
#[must_use]
pub fn labelled_instance(live: &Value) -> Option<&str> {
    live.get("metadata")?.get("labels")?.get(labels::INSTANCE)?.as_str()
}

/// Whether a live pod is made by the StatefulSet of the instance that its labels name. Labels alone
/// prove nothing: anybody in the namespace may give them to a pod.
#[must_use]
pub fn is_agents_pod(live: &Value) -> bool {
    let owners = live.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| {
        let is = |field: &str, text: Option<&str>| {
            text.is_some() && owner.get(field).and_then(Value::as_str) == text
        };
        owner.get("controller").and_then(Value::as_bool).unwrap_or_default()
            && is("kind", Some(Kind::StatefulSet.as_str()))
            && is("name", labelled_instance(live))
    })
}

fn claim_templates(live: &Value) -> Vec<Value> {
    let templates = live.pointer("/spec/volumeClaimTemplates");
    let templates = templates.filter(|all| all.to_string().len() <= LARGEST_TEMPLATES);
    templates.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn workload(live: &Value) -> Workload {
    let status = |name: &str| live.get("status").and_then(|status| status.get(name));
    let generation = live.pointer("/metadata/generation").and_then(Value::as_i64);
    let observed = status("observedGeneration").and_then(Value::as_i64);
    Workload {
        current: observed.is_some() && observed >= generation,
        replicas: status("replicas").and_then(number).unwrap_or_default(),
        update_revision: status("updateRevision")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    }
}

/// What matters of a pod.
#[must_use]
pub fn pod_facts(pod: &LivePod) -> Pod {
    let metadata = &pod.metadata;
    let label = |key: &str| metadata.labels.as_ref().and_then(|all| all.get(key)).cloned();
    let status = pod.status.clone().unwrap_or_default();
    let spec = pod.spec.clone().unwrap_or_default();
    let condition = |name: &str| {
        status.conditions.iter().flatten().find(move |condition| condition.type_ == name)
    };
    let unscheduled = condition("PodScheduled").filter(|each| each.status == "False");
    let mut trouble: Vec<Trouble> = unscheduled
        .map(|each| Trouble::Unschedulable(each.message.clone().unwrap_or_default()))
        .into_iter()
        .collect();
    let unready = condition("Ready").filter(|each| each.status == "False");
    // Then nobody reports what becomes of its containers, and the last word stands.
    if let Some(unready) = unready
        && condition("ContainersReady").is_some_and(|each| each.status == "True")
        && unready.reason.as_deref() != Some("ReadinessGatesNotReady")
    {
        trouble.push(Trouble::NodeLost(spec.node_name.clone().unwrap_or_default()));
    }
    let unready_since = unready
        .filter(|_| metadata.deletion_timestamp.is_none())
        .and_then(|each| Some(each.last_transition_time.as_ref()?.0));
    let init = status.init_container_statuses.iter().flatten();
    let containers = init.chain(status.container_statuses.iter().flatten());
    trouble.extend(containers.filter_map(|each| container_trouble(each, unready_since)));
    trouble.sort();
    let ready = condition("Ready")
        .filter(|each| each.status == "True" && metadata.deletion_timestamp.is_none());
    let init_containers = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_deref());
    Pod {
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        address: status.pod_ip.clone(),
        config_sync: init_containers.into_iter().flatten().any(|it| it.name == names::CONFIG_SYNC),
        revision: label("controller-revision-hash").unwrap_or_default(),
        ready: ready.is_some(),
        ready_since: ready.and_then(|each| Some(each.last_transition_time.as_ref()?.0)),
        version: version(&spec, &status),
        claim: claim(&spec),
        used_state: has_begun_migration(&status),
        rendered_config: metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(annotations::RENDERED_CONFIG))
            .cloned(),
        trouble,
        not_installed: not_installed(&status),
    }
}

/// Init containers that install end well in any case, and say what they could not do.
fn not_installed(status: &PodStatus) -> Vec<String> {
    let mut found: Vec<String> = status
        .init_container_statuses
        .iter()
        .flatten()
        .filter(|each| names::INSTALLERS.contains(&&*each.name))
        .filter_map(|each| {
            let end = each.state.as_ref()?.terminated.as_ref()?;
            let words = end.message.as_deref().unwrap_or_default();
            let words: String = words.chars().take(LONGEST_WORDS).collect();
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            (!words.is_empty()).then(|| format!("{}: {words}", each.name))
        })
        .collect();
    found.sort();
    found
}

/// migrate-state leaves the version that it found in the image, which knows better than its tag.
fn version(spec: &PodSpec, status: &PodStatus) -> Option<Version> {
    let said =
        migration(status).filter(|end| end.exit_code == 0).and_then(|end| end.message.as_deref());
    said.and_then(|said| Version::from_tag(said.trim())).or_else(|| {
        let agent = spec.containers.iter().find(|each| each.name == names::AGENT)?;
        Version::from_tag(images::tag(agent.image.as_deref()?)?)
    })
}

/// How migrate-state ended.
fn migration(status: &PodStatus) -> Option<&ContainerStateTerminated> {
    migrate_state(status)?.state.as_ref()?.terminated.as_ref()
}

fn migrate_state(status: &PodStatus) -> Option<&ContainerStatus> {
    let mut started = status.init_container_statuses.iter().flatten();
    started.find(|each| each.name == names::MIGRATE_STATE)
}

/// Whether the version of this pod may have changed the state: its migration has been started, unless
/// it ended because the state is a newer version's.
fn has_begun_migration(status: &PodStatus) -> bool {
    let Some(migrated) = migrate_state(status) else { return false };
    [&migrated.state, &migrated.last_state].into_iter().flatten().any(|state| {
        let refused =
            |end: &ContainerStateTerminated| end.exit_code == i32::from(exits::OLDER_VERSION);
        state.running.is_some() || state.terminated.as_ref().is_some_and(|end| !refused(end))
    })
}

fn claim(spec: &PodSpec) -> Option<String> {
    let volume = spec.volumes.iter().flatten().find(|each| each.name == names::DATA_VOLUME)?;
    Some(volume.persistent_volume_claim.as_ref()?.claim_name.clone())
}

/// Why a container does not run, or does not answer. One that ended well or waits for its turn is no
/// trouble.
fn container_trouble(
    status: &ContainerStatus,
    unready_since: Option<Timestamp>,
) -> Option<Trouble> {
    let name = || status.name.clone();
    let state = status.state.clone().unwrap_or_default();
    let running = state.running.as_ref().and_then(|it| Some(it.started_at.as_ref()?.0));
    // The pod was ready while this run of the container went on. Whatever ended the one before it is
    // no reason any more.
    if !status.ready && running.zip(unready_since).is_some_and(|(from, to)| from < to) {
        return Some(Trouble::NotResponding(name()));
    }
    let waiting = state.waiting;
    let reason = waiting.as_ref().and_then(|waiting| waiting.reason.as_deref()).unwrap_or_default();
    let message = |waiting: Option<_>| {
        let waiting: Option<k8s_openapi::api::core::v1::ContainerStateWaiting> = waiting;
        waiting.and_then(|waiting| waiting.message).unwrap_or_default()
    };
    if matches!(reason, "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName") {
        return Some(Trouble::ImagePull(name(), message(waiting)));
    }
    let last = status.last_state.clone().unwrap_or_default().terminated;
    if let Some(end) = state.terminated.or(last).filter(|end| end.exit_code != 0) {
        if end.reason.as_deref() == Some("OOMKilled") {
            return Some(Trouble::OutOfMemory(name()));
        }
        let words = end.message.or(end.reason).unwrap_or_default();
        // The end of a log is many lines; a condition is one.
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        return (!status.ready).then(|| Trouble::Exited(name(), end.exit_code, words));
    }
    let waits = !matches!(reason, "" | "PodInitializing" | "ContainerCreating");
    waits.then(|| Trouble::Waiting(name(), reason.to_owned()))
}

/// What matters of a Job that makes a backup.
#[must_use]
pub fn backup_job_facts(job: &LiveJob) -> BackupJob {
    let status = job.status.clone().unwrap_or_default();
    let ended = status.conditions.iter().flatten().find(|condition| {
        condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed")
    });
    let succeeded = ended.map(|condition| condition.type_ == "Complete");
    let transition = ended.and_then(|condition| condition.last_transition_time.clone());
    BackupJob {
        name: job.metadata.name.clone().unwrap_or_default(),
        schedule: controller(&job.metadata, Kind::CronJob.as_str()),
        ended: status.completion_time.or(transition).map(|time| time.0),
        message: ended.filter(|_| succeeded == Some(false)).map(|condition| {
            let reason = condition.reason.as_deref().unwrap_or_default();
            bounded(&format!("{reason}: {}", condition.message.as_deref().unwrap_or_default()))
        }),
        succeeded,
    }
}

/// What matters of a pod that makes a backup.
#[must_use]
pub fn backup_pod_facts(pod: &LivePod) -> BackupPod {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let mut containers = statuses.into_iter().flatten();
    let says = [names::BACKUP_STORE, names::RESTORE];
    let store = containers.find(|each| says.contains(&each.name.as_str()));
    let end = store.and_then(|each| each.state.as_ref()?.terminated.as_ref());
    let said = end.filter(|end| end.exit_code == 0).and_then(|end| end.message.as_deref());
    let outcome: Option<Outcome> = said.and_then(|said| serde_json::from_str(said).ok());
    let trouble = pod_facts(pod).trouble.into_iter().map(|mut trouble| {
        if let Trouble::Exited(_, _, words) = &mut trouble {
            *words = bounded(words);
        }
        trouble
    });
    BackupPod {
        name: pod.metadata.name.clone().unwrap_or_default(),
        job: controller(&pod.metadata, "Job").unwrap_or_default(),
        outcome: outcome.map(|outcome| Outcome {
            path: bounded(&outcome.path),
            before: outcome.before.as_deref().map(bounded),
            version: outcome.version.as_deref().map(bounded),
            size_bytes: outcome.size_bytes.max(0),
            message: outcome.message.as_deref().map(bounded),
        }),
        trouble: trouble.collect(),
    }
}

/// Name of the object of a kind that controls another.
fn controller(metadata: &ObjectMeta, kind: &str) -> Option<String> {
    let mut owners = metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true) && owner.kind == kind)?;
    Some(owner.name.clone())
}

/// One line of what somebody else says.
fn bounded(words: &str) -> String {
    let words: String = words.chars().take(LONGEST_WORDS).collect();
    let words: Vec<&str> = words.split(|it: char| it.is_whitespace() || it.is_control()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A hash for each value of a Secret: the value itself goes no further.
#[must_use]
pub fn secret_hashes(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.iter().flatten().map(|(key, value)| (key, hash::content_hash(&value.0)));
    let text = secret.string_data.iter().flatten();
    data.chain(text.map(|(key, value)| (key, hash::of(value))))
        .map(|(key, hash)| (key.clone(), hash))
        .collect()
}

/// What matters of a claim.
#[must_use]
pub fn claim_facts(claim: &PersistentVolumeClaim) -> Claim {
    let metadata = &claim.metadata;
    let spec = claim.spec.as_ref();
    let requests = spec.and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    Claim {
        uid: metadata.uid.clone().unwrap_or_default(),
        resource_version: metadata.resource_version.clone().unwrap_or_default(),
        layout: metadata.annotations.as_ref().and_then(|all| all.get(annotations::LAYOUT)).cloned(),
        size: requests.and_then(|requests| requests.get("storage")).map(|size| size.0.clone()),
        storage_class: spec.and_then(|spec| spec.storage_class_name.clone()),
        phase: claim.status.as_ref().and_then(|status| status.phase.clone()),
        owner_references: metadata
            .owner_references
            .iter()
            .flatten()
            .filter_map(|owner| serde_json::to_value(owner).ok())
            .collect(),
        deleting: metadata.deletion_timestamp.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{instance_of, is_agents_pod, pod_facts};
    use crate::observed::Trouble;
    use crate::version::Version;

    fn version(image: &str, migrated: &Value) -> Option<Version> {
        let pod = json!({
            "spec": {"containers": [{"name": "openclaw", "image": image}]},
            "status": {"initContainerStatuses": [{
                "name": "migrate-state", "ready": true, "image": "", "imageID": "",
                "restartCount": 0, "state": migrated,
            }]},
        });
        pod_facts(&serde_json::from_value(pod).expect("a pod")).version
    }

    #[test]
    fn an_object_belongs_to_the_instance_that_controls_it_or_else_to_that_of_its_labels() {
        let owner = |kind: &str, controls: bool| json!({"kind": kind, "name": "ada", "controller": controls});
        let of = |owners: &[Value], labels: &Value| {
            let live = json!({"metadata": {"ownerReferences": owners, "labels": labels}});
            instance_of(&live).map(str::to_owned)
        };
        let zoe = json!({"app.kubernetes.io/instance": "zoe"});
        let controls = [owner("OpenClawInstance", true)];
        assert_eq!(of(&controls, &zoe).as_deref(), Some("ada"));
        assert_eq!(of(&[owner("StatefulSet", true)], &zoe).as_deref(), Some("zoe"));
        assert_eq!(of(&[owner("OpenClawInstance", false)], &zoe).as_deref(), Some("zoe"));
        assert_eq!(of(&[], &json!({})), None);
    }

    #[test]
    fn a_pod_is_the_agents_if_the_instances_stateful_set_controls_it() {
        let owner = |kind: &str, name: &str, controls: bool| json!({"kind": kind, "name": name, "controller": controls});
        let of = |owners: &[Value]| {
            let labels = json!({"app.kubernetes.io/instance": "ada"});
            is_agents_pod(&json!({"metadata": {"ownerReferences": owners, "labels": labels}}))
        };
        assert!(of(&[owner("StatefulSet", "ada", true)]));
        // A copy with all labels, as `kubectl debug --copy-to --keep-labels` makes one.
        assert!(!of(&[]));
        assert!(!of(&[owner("StatefulSet", "zoe", true)]));
        assert!(!of(&[owner("ReplicaSet", "ada", true)]));
        assert!(!of(&[owner("StatefulSet", "ada", false)]));
        let unlabelled =
            json!({"metadata": {"ownerReferences": [owner("StatefulSet", "ada", true)]}});
        assert!(!is_agents_pod(&unlabelled));
    }

    #[test]
    fn a_pod_that_is_being_deleted_is_not_ready() {
        let mut pod = json!({
            "metadata": {"name": "ada-0"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        let is_ready =
            |pod: &Value| pod_facts(&serde_json::from_value(pod.clone()).expect("a pod")).ready;
        assert!(is_ready(&pod));
        pod["metadata"]["deletionTimestamp"] = json!("2026-09-06T00:00:00Z");
        assert!(!is_ready(&pod));
    }

    /// What is wrong with a pod whose container runs since minute 1. Its condition `Ready` is false
    /// since another minute. The others are merged into the pod, and into its container.
    fn trouble(minute: u32, besides: &Value, container: &Value) -> Vec<Trouble> {
        let time = |minute: u32| format!("2026-09-01T10:{minute:02}:00Z");
        let mut pod = json!({
            "metadata": {"name": "ada-0"},
            "spec": {"nodeName": "node-1", "containers": []},
            "status": {
                "conditions": [
                    {"type": "Ready", "status": "False", "lastTransitionTime": time(minute)},
                    {"type": "ContainersReady", "status": "False"},
                ],
                "containerStatuses": [{
                    "name": "openclaw", "ready": false, "restartCount": 0, "image": "", "imageID": "",
                    "state": {"running": {"startedAt": time(1)}},
                }],
            },
        });
        json_patch::merge(&mut pod["status"]["containerStatuses"][0], container);
        json_patch::merge(&mut pod, besides);
        pod_facts(&serde_json::from_value(pod).expect("a pod")).trouble
    }

    #[test]
    fn a_container_that_was_ready_and_runs_on_does_not_respond() {
        let nothing = json!({});
        let killed = json!({"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
        let silent = [Trouble::NotResponding("openclaw".to_owned())];
        assert_eq!(trouble(2, &nothing, &nothing), silent);
        // Whatever had ended it before it was ready.
        assert_eq!(trouble(2, &nothing, &killed), silent);
        // On its way, for the first time or once more.
        assert_eq!(trouble(0, &nothing, &nothing), []);
        let out_of_memory = [Trouble::OutOfMemory("openclaw".to_owned())];
        assert_eq!(trouble(0, &nothing, &killed), out_of_memory);
        let deleted = json!({"metadata": {"deletionTimestamp": "2026-09-01T10:03:00Z"}});
        assert_eq!(trouble(2, &deleted, &nothing), []);
        // Another one of the pod is not ready.
        assert_eq!(trouble(2, &nothing, &json!({"ready": true})), []);
    }

    #[test]
    fn a_pod_that_is_not_ready_though_its_containers_are_has_lost_its_node() {
        let lost = [Trouble::NodeLost("node-1".to_owned())];
        let all_ready = |gate: Option<&str>, deleted: Option<&str>| {
            let conditions = json!([
                {"type": "Ready", "status": "False", "reason": gate},
                {"type": "ContainersReady", "status": "True"},
            ]);
            let besides = json!({
                "metadata": {"deletionTimestamp": deleted}, "status": {"conditions": conditions},
            });
            trouble(2, &besides, &json!({"ready": true}))
        };
        assert_eq!(all_ready(None, None), lost);
        // Nobody there ends the pod that shall go.
        assert_eq!(all_ready(None, Some("2026-09-01T10:03:00Z")), lost);
        assert_eq!(all_ready(Some("ReadinessGatesNotReady"), None), []);
    }

    #[test]
    fn what_could_not_be_installed_is_one_short_line_of_those_that_install() {
        let ended = |name: &str, message: &str| {
            json!({
                "name": name, "ready": true, "image": "", "imageID": "", "restartCount": 0,
                "state": {"terminated": {"exitCode": 0, "message": message}},
            })
        };
        let long = "x ".repeat(5000);
        let statuses = [
            ended("init-python", &long),
            ended("init-pnpm", "registry\nis down"),
            ended("migrate-state", "2026.9.6"),
        ];
        let pod =
            json!({"spec": {"containers": []}, "status": {"initContainerStatuses": statuses}});
        let found = pod_facts(&serde_json::from_value(pod).expect("a pod")).not_installed;
        assert_eq!(found[0], "init-pnpm: registry is down");
        assert!(found[1].starts_with("init-python: x x") && found[1].len() < 600);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn the_version_of_a_pod_is_what_its_image_said_and_else_what_the_tag_says() {
        let ended = |code: i32, message: &str| json!({"terminated": {"exitCode": code, "message": message}});
        let (v8_1, v9_6) = (Some(Version::new(2026, 8, 1)), Some(Version::new(2026, 9, 6)));
        assert_eq!(version("r.ex/a:main", &ended(0, "2026.9.6")), v9_6);
        assert_eq!(version("r.ex/a:2026.8.1", &ended(0, "2026.9.6")), v9_6);
        assert_eq!(version("r.ex/a:2026.8.1", &ended(0, "")), v8_1);
        assert_eq!(version("r.ex/a:2026.8.1", &ended(79, "2026.9.6 is newer")), v8_1);
        assert_eq!(version("r.ex/a:2026.8.1-slim@sha256:1", &json!({"running": {}})), v8_1);
        assert_eq!(version("r.ex/a@sha256:1", &json!({"running": {}})), None);
    }
}
