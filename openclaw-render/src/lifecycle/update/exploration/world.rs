//! An agent, its registry, bucket and cluster, as far as an update goes.

use super::super::*;
use crate::release::newest_release;
use crate::version::Version;

/// What the registry has at first, and what comes later.
pub(super) const FIRST: &[&str] = &["2026.9.6", "2026.9.7"];
pub(super) const LATER: &[&str] = &["2026.9.6", "2026.9.7", "2026.9.8"];
/// The version that is begun with.
pub(super) const OLD: &str = "2026.9.6";
/// Where the backup lies.
pub(super) const PATH: &str = "backups/agents/ada/1";

/// What becomes of the pods of the newer versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// They become ready.
    Well,
    /// They begin with the state and never become ready.
    FailsLate,
    /// They never begin with the state: no image, no node.
    FailsEarly,
}

/// How far a Job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ran {
    No,
    Runs,
    Well,
    Badly,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pod {
    pub(super) tag: String,
    pub(super) used_state: bool,
    pub(super) ready: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct World {
    pub(super) fate: Fate,
    pub(super) rolls_back: bool,
    /// Whether there is a storage for backups.
    pub(super) backs_up: bool,
    /// Whether it takes and gives them.
    pub(super) bucket_works: bool,
    /// The Job of the backup that is made, and the one that puts it back.
    pub(super) backup: Ran,
    pub(super) restore: Ran,
    /// The record, as it is stored.
    pub(super) record: String,
    pub(super) spec: String,
    pub(super) is_on: bool,
    pub(super) is_open: bool,
    pub(super) tags: Option<bool>,
    /// Whether the deadline has passed since the record's time.
    pub(super) is_late: bool,
    pub(super) template: String,
    pub(super) pod: Option<Pod>,
    /// The newest version that has used the state.
    pub(super) state: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A pass; its record may be lost.
    Pass {
        lost: bool,
    },
    /// Kubernetes goes on with the pod.
    Kubernetes,
    PodVanishes,
    PodFails,
    TimePasses,
    Power,
    Window,
    Registry,
    RegistryFails,
    Bucket,
    UserTakesNewest,
}

pub(super) fn version(tag: &str) -> Version {
    Version::from_tag(tag).expect("a version")
}

pub(super) fn begin() -> Vec<World> {
    let mut worlds = Vec::new();
    for fate in [Fate::Well, Fate::FailsLate, Fate::FailsEarly] {
        for (rolls_back, backs_up) in [(true, true), (true, false), (false, false)] {
            // Only failures count them.
            let counted = rolls_back && !backs_up && fate == Fate::FailsEarly;
            for failures in [0, MOST_FAILURES - 1].into_iter().take(1 + usize::from(counted)) {
                let record = AutoUpdateStatus {
                    rollback_count: Some(failures).filter(|count| *count > 0),
                    ..AutoUpdateStatus::default()
                };
                worlds.push(World {
                    fate,
                    rolls_back,
                    backs_up,
                    bucket_works: true,
                    backup: Ran::No,
                    restore: Ran::No,
                    record: text(&record),
                    spec: OLD.to_owned(),
                    is_on: true,
                    is_open: true,
                    tags: Some(false),
                    is_late: false,
                    template: OLD.to_owned(),
                    pod: Some(Pod { tag: OLD.to_owned(), used_state: true, ready: true }),
                    state: OLD.to_owned(),
                });
            }
        }
    }
    worlds
}

pub(super) fn text(record: &AutoUpdateStatus) -> String {
    serde_json::to_string(record).expect("JSON")
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

pub(super) const BEGUN: i64 = 1_800_000_000;
pub(super) const LATE: i64 = BEGUN + 3600;

impl World {
    pub(super) fn record(&self) -> AutoUpdateStatus {
        serde_json::from_str(&self.record).expect("a record")
    }

    pub(super) fn rendered(&self) -> String {
        decided(&self.record(), Some(&self.spec)).unwrap_or_else(|| self.spec.clone())
    }

    pub(super) fn newest_pod(&self, rendered: &str) -> Newest {
        match &self.pod {
            Some(pod) if pod.tag == rendered && self.template == rendered => {
                if pod.ready {
                    Newest::Ready
                } else if version(&pod.tag) < version(&self.state) {
                    Newest::Refused
                } else {
                    Newest::Starting { used_state: pod.used_state }
                }
            }
            Some(_) | None => Newest::NotThere,
        }
    }

    /// Whether the agent is off so that its state can be put back.
    pub(super) fn is_off_for_its_state(&self) -> bool {
        to_put_back(&self.record()).is_some() || self.restore == Ran::Runs
    }

    /// The machine of restores: what it tells, and does in the same pass.
    pub(super) fn putting_back(&mut self) -> Undoing {
        let is_asked = to_put_back(&self.record()).is_some();
        let told = match self.restore {
            Ran::No => Undoing::NotBegun,
            Ran::Runs => Undoing::UnderWay,
            Ran::Well => Undoing::Done,
            Ran::Badly => Undoing::Failed("no bucket".to_owned()),
        };
        match self.restore {
            Ran::No if is_asked && self.pod.is_none() => self.restore = Ran::Runs,
            Ran::Well | Ran::Badly => self.restore = Ran::No,
            Ran::No | Ran::Runs => {}
        }
        told
    }

    /// One pass: what it decides is checked here.
    pub(super) fn pass(&mut self, lost: bool) {
        let before = self.record();
        let unchanged = self.clone();
        let undoing = self.putting_back();
        let rendered = self.rendered();
        let pod = self.newest_pod(&rendered);
        let tags = self.tags.map(|later| if later { LATER } else { FIRST });
        let newest = tags.and_then(|tags| newest_release(&rendered, tags.iter().copied()));
        let seen = Seen {
            now: Some(at(if self.is_late { LATE } else { BEGUN })),
            rendered: &rendered,
            runs: None,
            newest,
            looked_at: tags.map(|_| at(0)),
            is_on: self.is_on,
            may_begin: self.is_open,
            pod,
            backup: match self.backup {
                Ran::No => BackupProgress::Absent,
                Ran::Runs => BackupProgress::Running(None),
                Ran::Well => BackupProgress::Stored(Some(PATH.to_owned())),
                Ran::Badly => BackupProgress::Failed("no bucket".to_owned()),
            },
            can_put_back: self.backs_up,
            undoing,
        };
        let asked = Asked {
            every: SignedDuration::from_hours(24),
            ready_within: SignedDuration::from_mins(10),
            rolls_back: self.rolls_back,
            backup_within: self.backs_up.then(|| SignedDuration::from_mins(30)),
        };
        let mut after = next(&before, &asked, &seen);
        self.check(&before, &after, &seen);
        assert_eq!(next(&before, &asked, &seen), after, "the same is decided again");
        if self.is_on {
            // What is rendered is sent in the same pass.
            self.template.clone_from(&rendered);
        }
        let backs_up = |record: &AutoUpdateStatus| stage(record) == Some(UpdatePhase::BackingUp);
        if backs_up(&before) && self.backup == Ran::No {
            self.backup = Ran::Runs;
        }
        if lost {
            // What the other machine wrote down is lost with it; its Job is there.
            self.restore = unchanged.restore;
            return;
        }
        if !backs_up(&after) || after.last_update_time != before.last_update_time {
            // Another attempt has another Job.
            self.backup = Ran::No;
        }
        if after.last_update_time == Some(Time(at(LATE))) {
            after.last_update_time = Some(Time(at(BEGUN)));
            self.is_late = false;
        } else if after.last_update_time.is_none() || after.pending_version.is_none() {
            self.is_late = false;
        }
        if after.pending_version.is_none() {
            after.last_update_time = None;
            after.pre_update_backup_path = None;
        }
        self.record = text(&after);
    }

    /// What must hold of every decision.
    pub(super) fn check(
        &self,
        before: &AutoUpdateStatus,
        after: &AutoUpdateStatus,
        seen: &Seen<'_>,
    ) {
        let what = format!("{self:?}\n{before:?}\n{after:?}");
        let begins = stage(before).is_none() && stage(after).is_some();
        if begins {
            let pending = after.pending_version.as_deref().expect("a version");
            assert!(self.is_on && self.is_open && seen.pod == Newest::Ready, "{what}");
            assert!(version(pending) > version(seen.rendered), "never lower: {what}");
            assert_ne!(Some(pending), before.failed_version.as_deref(), "tried again: {what}");
            assert!(before.rollback_count.unwrap_or(0) < MOST_FAILURES, "does not stop: {what}");
            assert_eq!(after.previous_version.as_deref(), Some(seen.rendered), "{what}");
        }
        if replaces(after) && !replaces(before) && self.backs_up {
            assert_eq!(stage(before), Some(UpdatePhase::BackingUp), "without a backup: {what}");
            assert_eq!(after.pre_update_backup_path.as_deref(), Some(PATH), "{what}");
            assert!(self.is_open && seen.pod == Newest::Ready, "{what}");
        }
        if after.state_restore.is_some() {
            assert_eq!(stage(after), Some(UpdatePhase::RollingBack), "{what}");
            assert!(after.pre_update_backup_path.is_some() && self.rolls_back, "{what}");
        }
        let ends = stage(before).is_some() && stage(after).is_none();
        let failed = after.rollback_count > before.rollback_count;
        let changed = after.current_version != before.current_version;
        if ends && !failed && changed {
            assert_eq!(seen.pod, Newest::Ready, "confirmed without a pod: {what}");
            assert_eq!(after.current_version, before.pending_version, "{what}");
            assert_eq!(after.rollback_count, None, "{what}");
        }
        if failed {
            assert!(ends, "{what}");
            assert_eq!(after.failed_version, before.pending_version, "{what}");
            assert!(after.last_update_error.is_some(), "a failure without a word: {what}");
        }
        let goes_back =
            stage(after) == Some(UpdatePhase::RollingBack) && stage(before) != stage(after);
        if goes_back {
            assert!(self.rolls_back, "{what}");
            assert!(self.is_late, "before its time: {what}");
            let has_used_state = seen.pod == Newest::Starting { used_state: true };
            assert_eq!(has_used_state, after.state_restore.is_some(), "too late: {what}");
        }
        if stage(after).is_none() {
            let waits = backs_off_until(after).is_some();
            assert_eq!(after.previous_version, None, "{what}");
            assert_eq!(after.pending_version.is_some(), waits, "{what}");
            assert!(!waits || after.last_update_error.is_some(), "waits without a word: {what}");
        }
    }

    pub(super) fn kubernetes(&mut self) {
        let fate = self.fate;
        let is_wanted = self.is_on && !self.is_off_for_its_state();
        let ends = if self.bucket_works { Ran::Well } else { Ran::Badly };
        if self.backup == Ran::Runs {
            self.backup = ends;
        }
        if self.restore == Ran::Runs {
            self.restore = ends;
            if self.bucket_works {
                OLD.clone_into(&mut self.state);
            }
        }
        match &mut self.pod {
            Some(pod) if pod.tag != self.template || !is_wanted => self.pod = None,
            Some(pod) => {
                let older = version(&pod.tag) < version(&self.state);
                let is_new = pod.tag != OLD;
                if older || (is_new && fate == Fate::FailsEarly) {
                    return;
                }
                if pod.used_state {
                    pod.ready = !is_new || fate == Fate::Well;
                } else {
                    pod.used_state = true;
                    self.state.clone_from(&pod.tag);
                }
            }
            None if is_wanted => {
                let tag = self.template.clone();
                self.pod = Some(Pod { tag, used_state: false, ready: false });
            }
            None => {}
        }
    }

    /// What fails without a backup fails with one, too.
    pub(super) fn can(&self, event: Event) -> bool {
        match event {
            Event::Bucket => self.backs_up,
            Event::PodFails | Event::PodVanishes | Event::Registry | Event::RegistryFails => {
                !self.backs_up
            }
            Event::Pass { .. }
            | Event::Kubernetes
            | Event::TimePasses
            | Event::Power
            | Event::Window
            | Event::UserTakesNewest => true,
        }
    }

    pub(super) fn after(&self, event: Event) -> Self {
        let mut world = self.clone();
        match event {
            Event::Pass { lost } => world.pass(lost),
            Event::Kubernetes => world.kubernetes(),
            Event::PodVanishes => world.pod = None,
            Event::PodFails => {
                if let Some(pod) = &mut world.pod {
                    pod.ready = false;
                }
            }
            Event::TimePasses => world.is_late = world.record().last_update_time.is_some(),
            Event::Power => world.is_on = !world.is_on,
            Event::Window => world.is_open = !world.is_open,
            Event::Registry => world.tags = Some(true),
            Event::RegistryFails => world.tags = None,
            Event::Bucket => world.bucket_works = !world.bucket_works,
            Event::UserTakesNewest => LATER[2].clone_into(&mut world.spec),
        }
        world
    }

    /// A while in which nothing happens but passes, Kubernetes, and in the end time.
    pub(super) fn later(&self) -> Self {
        let mut world = self.clone();
        for _ in 0..4 {
            world = world.after(Event::Pass { lost: false });
            world = world.after(Event::Kubernetes).after(Event::Kubernetes);
        }
        world.after(Event::Pass { lost: false }).after(Event::TimePasses)
    }
}
