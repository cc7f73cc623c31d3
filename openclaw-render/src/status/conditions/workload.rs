//! What the StatefulSet and its pod say about the agent.

use std::collections::BTreeSet;
use std::path::Path;

use super::refusal;
use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed, Pod, Seen, Trouble, Workload};
use crate::resolve::Resolved;
use crate::status::Statement;
use crate::vocab::{exits, names, paths};
use crate::wait::{Wait, Why};

/// How the operating system, Node.js and `SQLite` say that the disk is full.
const NO_SPACE: [&str; 3] =
    ["No space left on device", "no space left on device", "database or disk is full"];

/// What helps against a full volume.
pub(in crate::status) const ENLARGE: &str = "raise spec.storage.persistence.size, or delete files";

/// How the operating system says that the pod's user may not do what it must.
const NO_PERMISSION: &str = "Permission denied";

/// What helps against a volume of another user.
const GIVE_IT: &str = "the volume belongs to another user, and its storage does not apply fsGroup: \
    give its folder to the user and group of spec.security.podSecurityContext (1000 unless set, with \
    `chown`), or take a StorageClass whose driver applies fsGroup";

/// How the scheduler says that a claim has no volume yet.
const UNBOUND_CLAIM: &str = "unbound immediate PersistentVolumeClaims";

/// `Ready`: the pod of the newest revision is ready.
pub(super) fn ready(resolved: &Resolved, observed: &Observed, waits: &[Wait]) -> Statement {
    let statement = summary(About::Ready, resolved, observed, waits);
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    match awaited(&key, observed, waits) {
        // Whatever is wrong with this pod, the next one waits.
        Some(awaited)
            if !statement.holds && resolved.power.is_on() && statement.message != awaited =>
        {
            let message = format!("{}; {awaited}", statement.message);
            Statement { message, ..statement }
        }
        _ => statement,
    }
}

/// `StatefulSetReady`: the same, or scaled down as asked.
pub(super) fn stateful_set_ready(
    resolved: &Resolved,
    observed: &Observed,
    waits: &[Wait],
) -> Statement {
    as_asked(summary(About::StatefulSetReady, resolved, observed, waits))
}

/// `StatefulSetReady` of an instance that is switched off and cannot be resolved.
pub(in crate::status) fn stopped(name: &str, observed: &Observed) -> Option<Statement> {
    let key = ObjectKey::new(Kind::StatefulSet, name);
    let about = About::StatefulSetReady;
    if let Some(message) = refusal(observed, &key) {
        return Some(Statement::new(about, false, Reason::ApplyRefused, message));
    }
    let seen = observed.objects.get(&key).and_then(Fact::known)?;
    Some(as_asked(suspended(about, &key, seen)))
}

fn as_asked(statement: Statement) -> Statement {
    Statement { holds: statement.holds || statement.reason == Reason::Suspended, ..statement }
}

/// What the StatefulSet is not sent without, and what failed before it in this pass.
fn awaited(key: &ObjectKey, observed: &Observed, waits: &[Wait]) -> Option<String> {
    let withheld = observed.withheld.get(key).into_iter().flatten();
    let failed = withheld.map(|on| Wait { on: on.clone().into(), why: Why::Refused });
    let waits: BTreeSet<Wait> = waits.iter().cloned().chain(failed).collect();
    let texts: Vec<String> = waits.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| format!("{key} waits for {}", texts.join(", ")))
}

fn summary(about: About, resolved: &Resolved, observed: &Observed, waits: &[Wait]) -> Statement {
    let condition = |holds, reason, message: String| Statement::new(about, holds, reason, message);
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    if let Some(message) = refusal(observed, &key) {
        return condition(false, Reason::ApplyRefused, message);
    }
    let awaited = awaited(&key, observed, waits);
    let Some(seen) = observed.objects.get(&key).and_then(Fact::known) else {
        let message = awaited.unwrap_or_else(|| format!("{key} is not there yet"));
        return condition(false, Reason::NotApplied, message);
    };
    let workload = seen.workload.clone().unwrap_or_default();
    if !resolved.power.is_on() {
        return suspended(about, &key, seen);
    }
    // A pod that runs is ready or not, whatever the next one waits for.
    if let Some(message) =
        awaited.filter(|_| about == About::StatefulSetReady || seen.replicas == Some(0))
    {
        return condition(false, Reason::NotApplied, message);
    }
    let pods = observed.pods.known().map(Vec::as_slice).unwrap_or_default();
    let mut newest = pods.iter().filter(|pod| pod.revision == workload.update_revision);
    // Of several replicas, one that is ready serves.
    let newest = newest.clone().find(|pod| pod.ready).or_else(|| newest.next());
    if !workload.current {
        return condition(
            false,
            Reason::PodStarting,
            "the StatefulSet controller has not seen the newest template yet".to_owned(),
        );
    }
    match newest {
        Some(pod) if pod.ready => {
            condition(true, Reason::Reconciled, format!("pod {} is ready", pod.name))
        }
        Some(pod) if lacks_space(resolved, pod, observed) => condition(
            false,
            Reason::VolumeFull,
            format!(
                "the volume of pod {} has less free than spec.probes.diskReadiness asks for: \
                 {ENLARGE}",
                pod.name
            ),
        ),
        Some(pod) => trouble(about, pod),
        None => match pods.first() {
            Some(old) => condition(
                false,
                Reason::PodStarting,
                format!("pod {} of an older revision is being replaced", old.name),
            ),
            None => condition(false, Reason::PodStarting, "the pod is not there yet".to_owned()),
        },
    }
}

fn suspended(about: About, key: &ObjectKey, seen: &Seen) -> Statement {
    let condition = |reason, message: String| Statement::new(about, false, reason, message);
    if seen.replicas != Some(0) {
        return condition(Reason::NotApplied, format!("suspended: {key} is not scaled down yet"));
    }
    let Workload { current, replicas, .. } = seen.workload.clone().unwrap_or_default();
    if current && replicas == 0 {
        let message = "suspended: no pod runs, the volume stays; to go on, set spec.suspended to \
                       false and spec.replicas to 1";
        condition(Reason::Suspended, message.to_owned())
    } else {
        condition(Reason::ScalingDown, "suspended: the pod is ending".to_owned())
    }
}

/// Whether something failed because the disk is full, by what it says.
pub(super) fn is_for_space(message: &str) -> bool {
    NO_SPACE.iter().any(|words| message.contains(words))
}

/// Whether the application runs and is not ready for its disk, as far as config-sync can tell.
fn lacks_space(resolved: &Resolved, pod: &Pod, observed: &Observed) -> bool {
    let free = observed.answer_of(pod).and_then(|(_, sync)| sync.free_bytes);
    let disk = resolved.probes.disk.as_ref();
    may_lack_space(resolved, pod)
        && free.zip(disk).is_some_and(|(free, disk)| free < disk.min_free_bytes)
}

/// Whether a pod that is not ready could be so for the space on its volume.
pub(in crate::status) fn may_lack_space(resolved: &Resolved, pod: &Pod) -> bool {
    let disk = resolved.probes.disk.as_ref();
    let of_the_volume = disk.is_some_and(|disk| Path::new(&disk.path).starts_with(paths::HOME));
    let only_its_probe = pod.trouble.iter().all(|each| matches!(each, Trouble::NotResponding(_)));
    !pod.ready && only_its_probe && of_the_volume
}

fn trouble(about: About, pod: &Pod) -> Statement {
    let name = &pod.name;
    let (reason, message) = match pod.trouble.first() {
        // Every claim that is bound at once passes through this.
        Some(Trouble::Unschedulable(message)) if message.contains(UNBOUND_CLAIM) => {
            (Reason::ClaimPending, format!("pod {name} waits for its volume: {message}"))
        }
        Some(Trouble::Unschedulable(message)) => {
            (Reason::Unschedulable, format!("no node takes pod {name}: {message}"))
        }
        Some(Trouble::ImagePull(container, message)) => (
            Reason::ImagePullFailed,
            format!("the image of container {container} cannot be pulled: {message}"),
        ),
        Some(Trouble::OutOfMemory(container)) => (
            Reason::OutOfMemory,
            format!("container {container} was killed for its memory: raise its limit"),
        ),
        Some(Trouble::Exited(container, code, message)) if is_for_space(message) => (
            Reason::VolumeFull,
            format!("container {container} exits with {code}: {message}: {ENLARGE}"),
        ),
        Some(Trouble::Exited(container, code, message))
            if container == names::INIT_CONFIG && message.contains(NO_PERMISSION) =>
        {
            (
                Reason::VolumeNotWritable,
                format!("container {container} exits with {code}: {message}: {GIVE_IT}"),
            )
        }
        Some(Trouble::Exited(container, code, message)) if container == names::MIGRATE_STATE => {
            if *code == i32::from(exits::OLDER_VERSION) {
                (Reason::WillNotStart, message.clone())
            } else {
                (
                    Reason::MigrationFailed,
                    format!(
                        "{message}; the gateway is not started: delete pod {name} to try again"
                    ),
                )
            }
        }
        Some(Trouble::Exited(container, exits::CONFIGURATION, message)) => (
            Reason::ConfigurationRejected,
            format!("container {container} refuses its configuration (exit code 78): {message}"),
        ),
        Some(Trouble::Exited(container, code, message)) => {
            (Reason::CrashLoop, format!("container {container} exits with {code}: {message}"))
        }
        Some(Trouble::Waiting(container, reason)) => {
            (Reason::PodStarting, format!("container {container} waits: {reason}"))
        }
        Some(Trouble::NodeLost(node)) => (
            Reason::NodeLost,
            format!(
                "node {node} of pod {name} does not report any more: the agent is back when the node \
                 is, or on another one once the node is deleted or tainted as out of service"
            ),
        ),
        Some(Trouble::NotResponding(container)) => (
            Reason::NotResponding,
            format!(
                "container {container} runs, but does not answer its readiness probe any more; its \
                 liveness probe starts it again if that lasts"
            ),
        ),
        None => (Reason::PodStarting, format!("pod {name} is not ready yet")),
    };
    Statement::new(about, false, reason, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{lacks_space, ready as ready_statement, trouble};
    use crate::api::ConditionType;
    use crate::effect::Question;
    use crate::object::{Kind, ObjectKey};
    use crate::observed::{Asked, ConfigSync, Fact, Observed, Pod, Seen, Trouble, Workload};
    use crate::resolve::Resolved;
    use crate::settings::Settings;
    use crate::wait::{Wait, Why};

    #[test]
    fn last_words_tell_a_full_volume_from_another_end() {
        for (code, words, reason) in [
            (1, "failed to write \"/data/x\": No space left on device (os error 28)", "VolumeFull"),
            (1, "Error: ENOSPC: no space left on device, write", "VolumeFull"),
            (78, "SqliteError: database or disk is full", "VolumeFull"),
            (78, "gateway.bind: not allowed", "ConfigurationRejected"),
            (1, "out of luck", "CrashLoop"),
        ] {
            let end = Trouble::Exited("openclaw".to_owned(), code, words.to_owned());
            let pod = Pod { trouble: vec![end], ..Pod::default() };
            let said = trouble(ConditionType::Ready, &pod);
            assert_eq!(said.reason.to_string(), reason, "{words}");
            assert!(said.message.contains(words), "{}", said.message);
        }
    }

    #[test]
    fn a_volume_of_another_user_is_told_from_another_end() {
        for (container, words, reason) in [
            (
                "init-config",
                "failed to make directory \"home\": Permission denied (os error 13)",
                "VolumeNotWritable",
            ),
            ("init-config", "failed to decode plan \"/plan\"", "CrashLoop"),
            // What the agent may not do elsewhere says nothing about its volume.
            ("openclaw", "/usr: Permission denied (os error 13)", "CrashLoop"),
        ] {
            let end = Trouble::Exited(container.to_owned(), 1, words.to_owned());
            let pod = Pod { trouble: vec![end], ..Pod::default() };
            let said = trouble(ConditionType::Ready, &pod);
            assert_eq!(said.reason.to_string(), reason, "{container}: {words}");
            assert_eq!(said.message.contains("chown"), reason == "VolumeNotWritable", "{words}");
        }
    }

    #[test]
    fn an_end_of_migrate_state_says_what_became_of_the_state() {
        for (code, words, reason) in [
            (1, "failed to bring the state up to 2026.9.7: it is damaged", "MigrationFailed"),
            (79, "2026.8.1 is older than 2026.9.6, which last ran here", "WillNotStart"),
            (1, "failed to note the version: No space left on device", "VolumeFull"),
        ] {
            let end = Trouble::Exited("migrate-state".to_owned(), code, words.to_owned());
            let pod = Pod { name: "ada-0".to_owned(), trouble: vec![end], ..Pod::default() };
            let said = trouble(ConditionType::Ready, &pod);
            assert_eq!(said.reason.to_string(), reason, "{words}");
            assert!(said.message.contains(words), "{}", said.message);
            let remedy = said.message.contains("delete pod ada-0");
            assert_eq!(remedy, reason == "MigrationFailed", "{}", said.message);
        }
    }

    fn resolved(spec: &Value) -> Resolved {
        let (instance, _) = crate::decode_instance(json!({
            "apiVersion": "openclaw.rocks/v1alpha1",
            "kind": "OpenClawInstance",
            "metadata": {"name": "ada", "namespace": "agents"},
            "spec": spec,
        }))
        .expect("it decodes");
        let resolution = crate::resolve(&instance, &Observed::default(), &Settings::default());
        resolution.resolved.expect("it resolves")
    }

    #[test]
    fn an_agent_that_is_not_ready_says_what_its_next_pod_waits_for() {
        let ada = resolved(&json!({"image": {"tag": "2026.9.6"}}));
        let set = ObjectKey::new(Kind::StatefulSet, "ada");
        let workload = Workload { current: true, update_revision: "r".to_owned(), replicas: 1 };
        let seen = Seen { replicas: Some(1), workload: Some(workload), ..Seen::default() };
        let pod = |ready| Pod { revision: "r".to_owned(), ready, ..Pod::default() };
        let observed = |ready| Observed {
            objects: [(set.clone(), Fact::Known(seen.clone()))].into(),
            pods: Fact::Known(vec![pod(ready)]),
            ..Observed::default()
        };
        let on = ObjectKey::new(Kind::Secret, "ada-gateway-token");
        let waits = [Wait { on: on.into(), why: Why::Deleting }];
        let awaited = "StatefulSet/ada waits for Secret/ada-gateway-token (is being deleted)";
        for (ready, waits, is_said) in
            [(false, &waits[..], true), (true, &waits[..], false), (false, &[], false)]
        {
            let said = ready_statement(&ada, &observed(ready), waits);
            assert_eq!(said.holds, ready);
            assert_eq!(said.message.contains(awaited), is_said, "{}", said.message);
        }
    }

    #[test]
    fn a_pod_that_is_not_ready_lacks_space_when_config_sync_says_so() {
        let resolved = |path: &str| {
            resolved(&json!({
                "image": {"tag": "2026.9.6"},
                "probes": {"diskReadiness": {"enabled": true, "minFree": "1Ki", "path": path}},
            }))
        };
        let pod = Pod { uid: "uid-1".to_owned(), ..Pod::default() };
        let observed = |free_bytes| Observed {
            asked: Some(Asked {
                question: Question {
                    pod: "ada-0".to_owned(),
                    uid: "uid-1".to_owned(),
                    address: "192.0.2.7".to_owned(),
                    ready: false,
                    hash: None,
                    again_in: 30,
                },
                answer: Some(ConfigSync { free_bytes, ..ConfigSync::default() }),
                answered_since: None,
                silent_since: None,
            }),
            ..Observed::default()
        };
        let agent = resolved("/home/openclaw/.openclaw");
        assert!(lacks_space(&agent, &pod, &observed(Some(1023))));
        assert!(!lacks_space(&agent, &pod, &observed(Some(1024))));
        assert!(!lacks_space(&agent, &pod, &observed(None)));
        assert!(!lacks_space(&agent, &pod, &Observed::default()));
        let ready = Pod { ready: true, ..pod.clone() };
        assert!(!lacks_space(&agent, &ready, &observed(Some(0))));
        // What the pod before it said is of another container.
        let next = Pod { uid: "uid-2".to_owned(), ..Pod::default() };
        assert!(!lacks_space(&agent, &next, &observed(Some(0))));
        // config-sync knows the volume of the agent, and no other.
        assert!(!lacks_space(&resolved("/tmp"), &pod, &observed(Some(0))));
    }
}
