//! What the StatefulSet and its pod say about the agent.

use super::Statement;
use super::conditions::refusal;
use crate::api::{ConditionType as About, Reason};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed, Pod, Seen, Trouble, Workload};
use crate::resolve::Resolved;

/// The exit code with which the application says that its configuration is at fault.
const EXIT_CONFIGURATION: i32 = 78;

/// How the scheduler says that a claim has no volume yet.
const UNBOUND_CLAIM: &str = "unbound immediate PersistentVolumeClaims";

/// `Ready`: the pod of the newest revision is ready.
pub(super) fn ready(resolved: &Resolved, observed: &Observed) -> Statement {
    summary(About::Ready, resolved, observed)
}

/// `StatefulSetReady`: the same, or scaled down as asked.
pub(super) fn stateful_set_ready(resolved: &Resolved, observed: &Observed) -> Statement {
    let statement = summary(About::StatefulSetReady, resolved, observed);
    Statement { holds: statement.holds || statement.reason == Reason::Suspended, ..statement }
}

fn summary(about: About, resolved: &Resolved, observed: &Observed) -> Statement {
    let say = |holds, reason, message: String| Statement::new(about, holds, reason, message);
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    if let Some(message) = refusal(observed, &key) {
        return say(false, Reason::ApplyRefused, message);
    }
    let Some(seen) = observed.objects.get(&key).and_then(Fact::known) else {
        return say(false, Reason::NotApplied, format!("{key} is not there yet"));
    };
    let workload = seen.workload.clone().unwrap_or_default();
    if resolved.suspended {
        return suspended(about, seen, &workload);
    }
    let pods = observed.pods.known().map(Vec::as_slice).unwrap_or_default();
    let newest = pods.iter().find(|pod| pod.revision == workload.update_revision);
    if !workload.current {
        return say(
            false,
            Reason::PodStarting,
            "the StatefulSet controller has not seen the newest template yet".to_owned(),
        );
    }
    match newest {
        Some(pod) if pod.ready => {
            say(true, Reason::Reconciled, format!("pod {} is ready", pod.name))
        }
        Some(pod) => trouble(about, pod),
        None => match pods.first() {
            Some(old) => say(
                false,
                Reason::PodStarting,
                format!("pod {} of an older revision is being replaced", old.name),
            ),
            None => say(false, Reason::PodStarting, "the pod is not there yet".to_owned()),
        },
    }
}

fn suspended(about: About, seen: &Seen, workload: &Workload) -> Statement {
    if seen.replicas == Some(0) && workload.current && workload.replicas == 0 {
        Statement::new(about, false, Reason::Suspended, "suspended: no pod runs, the volume stays")
    } else {
        Statement::new(about, false, Reason::ScalingDown, "suspended: the pod is ending")
    }
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
        Some(Trouble::Exited(container, EXIT_CONFIGURATION, message)) => (
            Reason::ConfigurationRejected,
            format!("container {container} refuses its configuration (exit code 78): {message}"),
        ),
        Some(Trouble::Exited(container, code, message)) => {
            (Reason::CrashLoop, format!("container {container} exits with {code}: {message}"))
        }
        Some(Trouble::Waiting(container, reason)) => {
            (Reason::PodStarting, format!("container {container} waits: {reason}"))
        }
        None => (Reason::PodStarting, format!("pod {name} is not ready yet")),
    };
    Statement::new(about, false, reason, message)
}
