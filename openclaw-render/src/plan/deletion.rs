//! What is done with an instance that is being deleted: its agent is stopped and backed up, where
//! that is asked for; then its volume is made safe and the finalizer goes.

use jiff::SignedDuration;

use super::{LOOK_AGAIN_WAITING, guards, unseen};
use crate::api::{ConditionType, OpenClawInstance};
use crate::effect::{Effect, Plan, Read};
use crate::lifecycle::last_backup::{self, Next, Prospect, Record, Seen, Verdict};
use crate::lifecycle::{GRACE_OF_JOBS, Step, deletion};
use crate::object::{Kind, Object, ObjectKey};
use crate::observed::{Fact, Observed};
use crate::predecessor::is_gone;
use crate::problem::{Problem, Severity};
use crate::resolution::{Resolution, resolve};
use crate::resolve::{BACKUP_TIMEOUT_SECONDS, Backup, Lack, Means};
use crate::resource;
use crate::settings::Settings;
use crate::status::{self, LastBackup};
use crate::vocab::names::InstanceName;
use crate::vocab::{FINALIZER, annotations};

/// What the API server says to whoever makes something in a namespace that goes.
const NAMESPACE_GOES: &str = "because it is being terminated";

/// What is decided about the last backup.
struct Decided {
    next: Next,
    record: Record,
    job: String,
    /// The instance as it counts here: switched off, so that nothing else is wanted of it.
    off: OpenClawInstance,
    resolution: Resolution,
}

/// Returns everything that one pass does.
pub(super) fn plan_deletion(
    instance: &OpenClawInstance,
    observed: &Observed,
    settings: &Settings,
) -> Plan {
    let is_ours = instance.metadata.finalizers.iter().flatten().any(|it| it == FINALIZER);
    if !is_ours {
        return finish(instance, observed, None, false);
    }
    let Decided { next, record, job, off, resolution } = decide(instance, observed, settings);
    let mut plan = Plan { look_again_in: LOOK_AGAIN_WAITING, ..Plan::default() };
    let Record { since, verdict } = record;
    let mut report = LastBackup { job: &job, since, verdict, waits: None };
    match next {
        Next::Over { keeps_volume } => {
            // Who changes their mind about a backup has the last word, and the volume goes.
            let verdict = report.verdict.as_ref().filter(|it| it.is_good() || keeps_volume);
            return finish(instance, observed, verdict, keeps_volume);
        }
        Next::Begin => {
            report.since = observed.now;
            plan.look_again_in = 1;
        }
        Next::Stop => {
            report.waits = Some("the agent's pod ends first".to_owned());
            plan.add(guards::stop(&off, observed, &[]));
        }
        Next::Make => {
            let finalizers = instance.metadata.finalizers.as_deref().unwrap_or_default();
            let resolved = resolution.resolved.as_ref();
            let made = resolved.and_then(|it| resource::last_backup(it, finalizers));
            plan.effects.extend(made.map(|job| {
                let object = Object::from(job);
                Effect::create(object.key(), object.to_value())
            }));
        }
        Next::Wait(why) => {
            plan.reads = unread(&resolution, observed);
            let is_blind = !plan.reads.is_empty();
            let unseen = || is_blind.then(|| "nobody can look at what it needs".to_owned());
            report.waits = why.or_else(unseen);
        }
        Next::Conclude(verdict) => {
            report.verdict = Some(with_claim(verdict, instance, &resolution));
            plan.look_again_in = 1;
        }
    }
    plan.references = Some(resolution.references);
    plan.take(status::report_last_backup(instance, &report, observed));
    plan
}

/// Returns what one pass does for an instance that does not decode: nothing is backed up of it.
pub(super) fn of_remains(instance: &OpenClawInstance, observed: &Observed) -> Plan {
    finish(instance, observed, None, false)
}

/// Makes the volume safe, and lets the instance go.
fn finish(
    instance: &OpenClawInstance,
    observed: &Observed,
    verdict: Option<&Verdict>,
    keeps_volume: bool,
) -> Plan {
    let Step { reads, effects, waits_for } = deletion::step(instance, observed, keeps_volume);
    let mut plan = Plan { reads, effects, look_again_in: LOOK_AGAIN_WAITING, ..Plan::default() };
    plan.take(status::report_deletion(instance, waits_for.as_ref(), verdict, observed));
    plan
}

fn decide(instance: &OpenClawInstance, observed: &Observed, settings: &Settings) -> Decided {
    let mut off = instance.clone();
    off.spec.suspended = Some(true);
    // Who deletes an instance does not want it left alone.
    if let Some(annotations) = &mut off.metadata.annotations {
        annotations.remove(annotations::PAUSED);
    }
    let resolution = resolve(&off, observed, settings);
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    let uid = instance.metadata.uid.as_deref();
    let job = InstanceName::new(name)
        .map(|name| name.last_backup(uid.unwrap_or_default()))
        .unwrap_or_default();
    let record = Record::of(instance.status.as_ref(), &job);
    let asked = asked(&resolution);
    let seen = Seen {
        now: observed.now,
        prospect: prospect(instance, &resolution, &job, observed),
        agent_is_gone: is_gone(name, uid, observed),
        job: status::backup_progress(&job, observed),
        within: SignedDuration::from_secs(
            asked.map_or(BACKUP_TIMEOUT_SECONDS, |backup| backup.timeout_seconds),
        ) + GRACE_OF_JOBS,
    };
    Decided { next: last_backup::next(&record, &seen), record, job, off, resolution }
}

/// Returns the backup that is asked for, if the spec has no errors.
fn asked(resolution: &Resolution) -> Option<&Backup> {
    resolution.resolved.as_ref()?.backup.as_ref()
}

/// Returns what it is made with.
fn means(resolution: &Resolution) -> Option<&Means> {
    asked(resolution)?.means.as_ref().ok()
}

/// Returns whether a last backup can be made.
fn prospect(
    instance: &OpenClawInstance,
    resolution: &Resolution,
    job: &str,
    observed: &Observed,
) -> Prospect {
    let annotations = instance.metadata.annotations.as_ref();
    let skips = annotations.and_then(|all| all.get(annotations::SKIP_BACKUP));
    if skips.is_some_and(|value| value == "true") {
        return Prospect::NotWanted;
    }
    let Some(resolved) = &resolution.resolved else {
        return if asks_for_backups(instance) {
            Prospect::Impossible(format!("the spec has errors: {}", errors(&resolution.problems)))
        } else {
            Prospect::NotWanted
        };
    };
    let means = match resolved.backup.as_ref().map(|backup| &backup.means) {
        None | Some(Err(Lack::Volume | Lack::Replicas)) => return Prospect::NotWanted,
        Some(Err(Lack::Destination | Lack::SecondPod)) => {
            return Prospect::Impossible(about_backups(&resolution.problems));
        }
        Some(Ok(means)) => means,
    };
    let refused = observed.refused.get(&ObjectKey::new(Kind::Job, job));
    if refused.is_some_and(|said| said.contains(NAMESPACE_GOES)) {
        return Prospect::Impossible("the namespace is being deleted, too".to_owned());
    }
    match observed.claims.get(&means.claim) {
        Some(Fact::Absent) => Prospect::NotWanted,
        Some(Fact::Known(_)) if unseen(&resolution.references, observed).is_empty() => {
            if means.is_complete {
                Prospect::Possible
            } else {
                Prospect::Impossible(about_backups(&resolution.problems))
            }
        }
        Some(Fact::Known(_) | Fact::Unknown) | None => Prospect::Unknown,
    }
}

/// Returns what must be seen before it can be told whether a last backup can be made.
fn unread(resolution: &Resolution, observed: &Observed) -> Vec<Read> {
    let mut reads = unseen(&resolution.references, observed);
    if let Some(means) = means(resolution)
        && matches!(observed.claims.get(&means.claim), Some(Fact::Unknown) | None)
    {
        reads.push(Read::Live(ObjectKey::new(Kind::PersistentVolumeClaim, &means.claim)));
    }
    reads
}

/// Whether the spec asks for backups, as far as it can be read.
fn asks_for_backups(instance: &OpenClawInstance) -> bool {
    let backup = instance.spec.backup.as_ref();
    backup.is_some_and(|backup| backup.schedule.is_some() || backup.storage.is_some())
}

fn errors(problems: &[Problem]) -> String {
    status::texts(problems, |problem| problem.severity == Severity::Error)
}

fn about_backups(problems: &[Problem]) -> String {
    status::texts(problems, |problem| problem.about == ConditionType::BackupReady)
}

/// A verdict that keeps the volume says so.
fn with_claim(verdict: Verdict, instance: &OpenClawInstance, resolution: &Resolution) -> Verdict {
    if verdict.is_good() {
        return verdict;
    }
    let claim = means(resolution).map(|means| means.claim.clone());
    let claim = claim.unwrap_or_else(|| deletion::claim(instance).name);
    Verdict { message: format!("{}; claim {claim} stays", verdict.message), ..verdict }
}
