//! The last backups: what their Jobs and pods say, and what was known before those went.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{BackupStatus, OpenClawInstanceStatus};
use crate::lifecycle::BackupProgress;
use crate::observed::{BackupJob, BackupPod, Observed, Trouble};
use crate::resolve::Resolved;

/// More are not listed.
const MOST: usize = 10;
/// Bytes of what the pods and the Job say of their end.
const LONGEST_WORDS: usize = 2048;

/// Returns the last backups, newest first. What is listed stays so when its Job is gone.
pub(super) fn list(
    resolved: Option<&Resolved>,
    observed: &Observed,
    previous: Option<&OpenClawInstanceStatus>,
) -> Vec<BackupStatus> {
    let known = previous.and_then(|status| status.backups.as_deref()).unwrap_or_default();
    let schedule = resolved.map(|resolved| resolved.name.backup());
    let jobs = observed.backup_jobs.known().into_iter().flatten();
    let before_update = resolved.and_then(|it| it.auto_update.as_ref()?.backup_job.as_ref());
    let ours = jobs.filter(|job| {
        (schedule.is_some() && job.schedule == schedule) || Some(&job.name) == before_update
    });
    let mut all: Vec<BackupStatus> =
        ours.filter_map(|job| Some(of_job(job, job.succeeded?, observed, known))).collect();
    for before in known {
        if all.iter().all(|backup| backup.job_name != before.job_name) {
            all.push(before.clone());
        }
    }
    let ended = |backup: &BackupStatus| backup.completion_time.as_ref().map(|time| time.0);
    all.sort_by(|one, other| {
        ended(other).cmp(&ended(one)).then_with(|| one.job_name.cmp(&other.job_name))
    });
    all.truncate(MOST);
    all
}

/// A backup counts as stored when its pod has said where it lies. The pod may be seen after the Job,
/// and gone before it.
fn of_job(
    job: &BackupJob,
    succeeded: bool,
    observed: &Observed,
    known: &[BackupStatus],
) -> BackupStatus {
    let before = known.iter().find(|backup| backup.job_name == job.name);
    if let Some(before) = before.filter(|before| before.succeeded == Some(true)) {
        return before.clone();
    }
    let pods = observed.backup_pods.known().into_iter().flatten();
    let pods: Vec<&BackupPod> = pods.filter(|pod| pod.job == job.name).collect();
    let empty = BackupStatus {
        job_name: job.name.clone(),
        completion_time: job.ended.map(Time),
        ..BackupStatus::default()
    };
    if !succeeded {
        let seen = failure(job, pods.iter().copied());
        let told = before.and_then(|before| before.message.clone());
        // A pod that is gone said more than its Job does.
        let message = if pods.is_empty() { told.or(seen) } else { seen };
        return BackupStatus { succeeded: Some(false), message, ..empty };
    }
    let Some(outcome) = pods.iter().find_map(|pod| pod.outcome.as_ref()) else {
        let message = "the Job ended well, and its pod was not seen to say where the backup lies";
        return BackupStatus { message: Some(message.to_owned()), ..empty };
    };
    BackupStatus {
        succeeded: Some(true),
        path: Some(outcome.path.clone()),
        version: outcome.version.clone(),
        size_bytes: Some(outcome.size_bytes),
        message: outcome.message.clone(),
        ..empty
    }
}

/// Returns what the Job of that name has come to.
pub(crate) fn progress(name: &str, observed: &Observed) -> BackupProgress {
    let (Some(jobs), Some(pods)) = (observed.backup_jobs.known(), observed.backup_pods.known())
    else {
        return BackupProgress::Unknown;
    };
    let Some(job) = jobs.iter().find(|job| job.name == name) else {
        return BackupProgress::Absent;
    };
    let its_pods = || pods.iter().filter(|pod| pod.job == name);
    match job.succeeded {
        Some(true) => match its_pods().find_map(|pod| pod.outcome.as_ref()) {
            Some(outcome) => BackupProgress::Stored(Some(outcome.path.clone())),
            // Its pod may be seen after it. One that is gone can say nothing more.
            None if its_pods().next().is_some() => BackupProgress::Running(None),
            None => BackupProgress::Stored(None),
        },
        Some(false) => BackupProgress::Failed(bounded_failure(job, its_pods())),
        None => BackupProgress::Running(waits(name, observed)),
    }
}

/// Returns what the pods of a Job that failed say, and the Job itself.
fn failure<'a>(
    job: &BackupJob,
    its_pods: impl IntoIterator<Item = &'a BackupPod>,
) -> Option<String> {
    let mut words: Vec<String> =
        its_pods.into_iter().flat_map(|pod| &pod.trouble).map(told).collect();
    words.sort();
    words.dedup();
    words.extend(job.message.clone());
    Some(words.join("; ")).filter(|words| !words.is_empty())
}

/// Returns as much of that as a status takes.
pub(super) fn bounded_failure<'a>(
    job: &BackupJob,
    its_pods: impl IntoIterator<Item = &'a BackupPod>,
) -> String {
    let mut words = failure(job, its_pods).unwrap_or_default();
    words.truncate(words.floor_char_boundary(LONGEST_WORDS));
    words
}

/// Returns what keeps the pod of a Job from going on.
pub(super) fn waits(job: &str, observed: &Observed) -> Option<String> {
    let pods = observed.backup_pods.known()?.iter().filter(|pod| pod.job == job);
    pods.flat_map(|pod| &pod.trouble).map(told).min()
}

/// What keeps a pod from going on, for people.
fn told(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unschedulable(message) => format!("no node takes its pod: {message}"),
        Trouble::ImagePull(container, message) => {
            format!("the image of container {container} cannot be pulled: {message}")
        }
        Trouble::Exited(container, code, words) => {
            format!("container {container} exited with {code}: {words}")
        }
        Trouble::OutOfMemory(container) => format!("container {container} ran out of memory"),
        Trouble::Waiting(container, reason) => format!("container {container} waits: {reason}"),
        Trouble::NodeLost(node) => format!("its node {node} does not report any more"),
        Trouble::NotResponding(container) => format!("container {container} does not respond"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backups::Outcome;
    use crate::observed::Fact;
    use crate::{Settings, decode_instance, resolve};

    fn resolved() -> Resolved {
        let (instance, _) =
            decode_instance(json!({"metadata": {"name": "ada"}, "spec": {}})).expect("it decodes");
        resolve(&instance, &Observed::default(), &Settings::default()).resolved.expect("valid")
    }

    fn job(name: &str, second: i64, succeeded: Option<bool>) -> BackupJob {
        BackupJob {
            name: name.to_owned(),
            schedule: Some("ada-backup-periodic".to_owned()),
            ended: jiff::Timestamp::from_second(second).ok(),
            succeeded,
            message: Some("DeadlineExceeded: too late".to_owned())
                .filter(|_| succeeded == Some(false)),
        }
    }

    fn pod(job: &str, path: Option<&str>) -> BackupPod {
        let outcome = path.map(|path| Outcome { path: path.to_owned(), ..Outcome::default() });
        let trouble = vec![Trouble::Exited("store".to_owned(), 1, "no bucket".to_owned())];
        BackupPod {
            name: format!("{job}-x"),
            job: job.to_owned(),
            trouble: if outcome.is_some() { Vec::new() } else { trouble },
            outcome,
        }
    }

    fn after(
        jobs: Vec<BackupJob>,
        pods: Vec<BackupPod>,
        known: &[BackupStatus],
    ) -> Vec<BackupStatus> {
        let observed = Observed {
            backup_jobs: Fact::Known(jobs),
            backup_pods: Fact::Known(pods),
            ..Observed::default()
        };
        let previous = OpenClawInstanceStatus {
            backups: Some(known.to_vec()),
            ..OpenClawInstanceStatus::default()
        };
        list(Some(&resolved()), &observed, Some(&previous))
    }

    fn paths(all: &[BackupStatus]) -> Vec<(&str, Option<bool>, Option<&str>)> {
        all.iter().map(|it| (&*it.job_name, it.succeeded, it.path.as_deref())).collect()
    }

    #[test]
    fn a_backup_counts_once_its_pod_has_said_where_it_lies_and_for_good() {
        let one = || job("one", 1, Some(true));
        let unheard = after(vec![one()], vec![], &[]);
        assert_eq!(paths(&unheard), [("one", None, None)]);
        let heard = after(vec![one()], vec![pod("one", Some("p/1"))], &unheard);
        assert_eq!(paths(&heard), [("one", Some(true), Some("p/1"))]);
        // Its pod, and then its Job, are gone.
        assert_eq!(after(vec![one()], vec![], &heard), heard);
        assert_eq!(after(vec![], vec![], &heard), heard);
    }

    #[test]
    fn neither_jobs_of_others_nor_those_under_way_are_listed() {
        let other = BackupJob {
            schedule: Some("bob-backup-periodic".to_owned()),
            ..job("x", 1, Some(true))
        };
        let alone = BackupJob { schedule: None, ..job("y", 1, Some(true)) };
        let pods = ["x", "y", "z"].map(|name| pod(name, Some("p"))).into();
        assert_eq!(after(vec![other, alone, job("z", 1, None)], pods, &[]), []);
    }

    #[test]
    fn what_a_pod_said_of_a_failure_outlives_it() {
        let failed = || job("one", 1, Some(false));
        let seen = after(vec![failed()], vec![pod("one", None)], &[]);
        let words = "container store exited with 1: no bucket; DeadlineExceeded: too late";
        assert_eq!(seen[0].message.as_deref(), Some(words));
        assert_eq!(after(vec![failed()], vec![], &seen), seen);
        assert_eq!(
            after(vec![failed()], vec![], &[])[0].message.as_deref(),
            Some("DeadlineExceeded: too late")
        );
    }

    #[test]
    fn the_ten_newest_are_kept() {
        let jobs = (0..12).map(|at| job(&format!("job-{at}"), at, Some(true))).collect();
        let listed = after(jobs, vec![], &[]);
        assert_eq!(
            (listed.len(), &*listed[0].job_name, &*listed[9].job_name),
            (10, "job-11", "job-2")
        );
    }
}
