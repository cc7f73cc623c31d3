//! What is read of an update: how far it is, what is asked of the registry.

use jiff::Timestamp;

use crate::api::{AutoUpdateStatus, OpenClawInstance, UpdatePhase};
use crate::effect::Lookup;
use crate::hash;
use crate::lifecycle::BackupProgress;
use crate::lifecycle::update::{self, Newest, Seen, Undoing};
use crate::maintenance::Standing as Windows;
use crate::object::{Kind, ObjectKey};
use crate::observed::{Fact, Observed, Pod, Registry, Trouble};
use crate::pacing::{Cause, CauseKind, News, Stage, Standing};
use crate::power::{Off, Power};
use crate::release::{Release, newest_release};
use crate::resolve::{AutoUpdate, Guard, Resolved};
use crate::rollout::{Rollout, Verdict, newest_pod};
use crate::status::backups::{self, progress};
use crate::status::restores::Restores;
use crate::status::{Findings, conditions};
use crate::vocab::{annotations, exits, names};

/// What there is to say of automatic updates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Updates {
    /// What goes into status.
    pub(super) record: AutoUpdateStatus,
    /// What the registry is to be asked.
    pub(super) lookup: Lookup,
    /// The release that is the next.
    pub(super) candidate: Option<String>,
    pub(super) guard: Guard,
    /// The Job of the backup that is made first.
    pub(super) backup_job: Option<String>,
    /// What keeps that backup from going on.
    pub(super) backup_waits: Option<String>,
    /// Whether the next pass has something to do at once.
    pub(super) has_news: bool,
    pub(super) windows: Windows,
    /// Where the agent stands with the release, which others of the same image want, too.
    pub(super) standing: Option<Standing>,
    pub(super) is_paused: bool,
    /// Whether the version of before comes back after a failure.
    pub(super) rolls_back: bool,
    pub(super) pod: Newest,
    /// The tag, if no release can be told from it.
    pub(super) unreadable: Option<String>,
    /// Why the registry could not be looked at.
    pub(super) registry: Option<String>,
}

/// Returns nothing while nothing is decided about the pod.
pub(super) fn read(
    instance: &OpenClawInstance,
    resolved: Option<&Resolved>,
    observed: &Observed,
    findings: &Findings,
    restores: &Restores,
) -> Option<Updates> {
    let (resolved, rollout) = (resolved?, findings.rollout.as_ref()?);
    let asked = resolved.auto_update.as_ref()?;
    let before = instance.status.as_ref().and_then(|status| status.auto_update.clone());
    let before = before.unwrap_or_default();
    let registry =
        observed.registry.as_ref().filter(|registry| registry.repository == asked.repository);
    let pod = newest(resolved, observed, rollout);
    let runs = running(resolved, observed).and_then(|pod| pod.version);
    let seen =
        seen(asked, &before, registry, observed, rollout, runs.map(|it| it.to_string()), pod);
    let is_undone = restores.undoing != Undoing::NotBegun
        || resolved.restore.as_ref().is_some_and(|restore| restore.undoes_update);
    let is_on = match resolved.power {
        Power::On => true,
        Power::Off(Off::Restoring) => is_undone,
        Power::Off(Off::Suspended | Off::ScaledToZero) => false,
    };
    let backups = resolved.backup.as_ref().and_then(|backup| backup.means.as_ref().ok());
    let job = asked.backup_job.as_deref();
    let seen = Seen {
        // Nothing is sent while the instance is paused, so nothing can be waited for.
        is_on: is_on && !findings.paused,
        backup: job.map_or(BackupProgress::Absent, |job| progress(job, observed)),
        can_put_back: backups.is_some_and(|means| means.is_complete),
        undoing: match resolved.restore.as_ref().filter(|it| it.undoes_update) {
            Some(restore) if restores.undoing == Undoing::NotBegun && restore.is_impossible() => {
                Undoing::Failed("`RestoreComplete` says why".to_owned())
            }
            Some(_) | None => restores.undoing.clone(),
        },
        ..seen
    };
    let record = update::next(&before, &asked.asked, &seen);
    let candidate = update::candidate(&record, &seen).map(ToOwned::to_owned);
    let ready_since = running(resolved, observed).and_then(|pod| pod.ready_since);
    Some(Updates {
        standing: standing(asked, &record, candidate.as_deref(), &seen, rollout, ready_since),
        candidate,
        lookup: Lookup {
            repository: asked.repository.clone(),
            every: u32::try_from(asked.asked.every.as_secs()).unwrap_or(u32::MAX),
        },
        guard: asked.guard,
        backup_job: asked.backup_job.clone(),
        backup_waits: job.and_then(|job| backup_waits(job, observed)),
        has_news: update::stage(&record) != update::stage(&before),
        windows: rollout.windows,
        is_paused: findings.paused,
        rolls_back: asked.asked.rolls_back,
        pod,
        unreadable: Some(asked.tag.clone()).filter(|tag| is_unreadable(tag)),
        registry: registry.and_then(|registry| registry.failure.clone()),
        record,
    })
}

/// Returns the record where there are no updates: what failed is forgotten when a user turns them
/// off. What somebody else has noted stays.
pub(super) fn unused(
    resolved: Option<&Resolved>,
    record: Option<AutoUpdateStatus>,
) -> Option<AutoUpdateStatus> {
    let spec = resolved.and_then(|resolved| resolved.spec.auto_update.as_ref());
    if spec.and_then(|spec| spec.enabled) == Some(false) { record.map(update::off) } else { record }
}

fn seen<'a>(
    asked: &'a AutoUpdate,
    record: &'a AutoUpdateStatus,
    registry: Option<&'a Registry>,
    observed: &Observed,
    rollout: &Rollout,
    runs: Option<String>,
    pod: Newest,
) -> Seen<'a> {
    let moves = update::names_no_release(&asked.tag);
    let base = if moves { runs.as_deref() } else { Some(asked.tag.as_str()) };
    let base = base.filter(|tag| !is_unreadable(tag));
    let tags = registry.map(|registry| registry.tags.iter().map(String::as_str));
    let newest = base.zip(tags).and_then(|(base, tags)| newest_release(base, tags));
    // The one that a backup was made for, whatever has come out since.
    let next = match update::stage(record) {
        Some(UpdatePhase::BackingUp) => record.pending_version.as_deref(),
        Some(_) | None => newest,
    };
    Seen {
        now: observed.now,
        rendered: &asked.tag,
        newest,
        looked_at: registry.and_then(|registry| registry.looked_at),
        is_on: true,
        may_begin: is_open(rollout)
            && asked.guard != Guard::NoBackupYet
            && next.is_some_and(|next| {
                observed.news_of(&release(&asked.repository, next)) == Some(News::Begin)
            }),
        runs,
        pod,
        backup: BackupProgress::Unknown,
        can_put_back: false,
        undoing: Undoing::NotBegun,
    }
}

/// Returns what keeps the backup from going on.
fn backup_waits(job: &str, observed: &Observed) -> Option<String> {
    conditions::refusal(observed, &ObjectKey::new(Kind::Job, job))
        .or_else(|| backups::waits(job, observed))
}

fn is_open(rollout: &Rollout) -> bool {
    !matches!(rollout.windows, Windows::Closed(_))
}

/// A release of an image, which all its agents want.
fn release(repository: &str, tag: &str) -> Cause {
    Cause { kind: CauseKind::Update, id: hash::of_all(&[repository, tag]) }
}

/// Returns where the agent stands with a release. One that has gone back, or has failed before, stands
/// nowhere: others try it for themselves.
fn standing(
    asked: &AutoUpdate,
    record: &AutoUpdateStatus,
    candidate: Option<&str>,
    seen: &Seen<'_>,
    rollout: &Rollout,
    ready_since: Option<Timestamp>,
) -> Option<Standing> {
    let is_ready = seen.pod == Newest::Ready;
    let current = record.current_version.as_deref().filter(|tag| *tag == seen.rendered);
    let (tag, stage) = if update::replaces(record) {
        (record.pending_version.as_deref(), Stage::Starting)
    } else if update::stage(record).is_some() {
        let is_stored = matches!(seen.backup, BackupProgress::Stored(_));
        let stage = if is_stored { Stage::Waits } else { Stage::Prepares };
        (record.pending_version.as_deref(), stage)
    } else if update::backs_off_until(record).is_some() {
        (None, Stage::Waits)
    } else if candidate.is_some() {
        (candidate.filter(|_| seen.is_on && is_ready && is_open(rollout)), Stage::Waits)
    } else {
        (current.filter(|_| is_ready), Stage::Ready(ready_since?))
    };
    Some(Standing { cause: release(&asked.repository, tag?), stage })
}

fn is_unreadable(tag: &str) -> bool {
    !update::names_no_release(tag) && Release::from_tag(tag).is_none()
}

/// The pod that is ready, or else any.
fn running<'a>(resolved: &Resolved, observed: &'a Observed) -> Option<&'a Pod> {
    resolved.power.is_on().then_some(())?;
    observed.pods.known()?.iter().find(|pod| pod.ready)
}

/// The pod of exactly what is rendered now: one of an older template says nothing of it.
fn newest(resolved: &Resolved, observed: &Observed, rollout: &Rollout) -> Newest {
    let key = ObjectKey::new(Kind::StatefulSet, resolved.name.as_str());
    let Some(Fact::Known(set)) = observed.objects.get(&key) else { return Newest::NotThere };
    let is_newest = set.annotations.get(annotations::ROLLOUT_HASH) == Some(&rollout.pod_hash);
    let Some(pod) = newest_pod(set, observed).filter(|_| is_newest) else {
        return Newest::NotThere;
    };
    let refuses = |trouble: &Trouble| {
        matches!(trouble, Trouble::Exited(container, code, _)
            if container == names::MIGRATE_STATE && *code == i32::from(exits::OLDER_VERSION))
    };
    if rollout.verdict != Verdict::Go {
        Newest::NotThere
    } else if pod.ready {
        Newest::Ready
    } else if pod.trouble.iter().any(refuses) {
        Newest::Refused
    } else {
        let keeps = resolved.auto_update.as_ref().map(|asked| asked.guard);
        let keeps = keeps != Some(Guard::NothingToKeep);
        Newest::Starting { used_state: keeps && pod.used_state }
    }
}
