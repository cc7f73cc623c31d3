//! Machines that take an instance through several passes, each a pure function.
//!
//! A machine is asked in every pass what it does now, from what is seen and from what it wrote down
//! itself, and returns a [`Step`]. It must be safe to ask it again after any part of a step was
//! carried out: a pass may be broken off anywhere, and its successor knows nothing of it. What a
//! step means for the pod is not among its effects: [`Power`](crate::power::Power) says it, and `resource/` renders it.

pub(crate) mod deletion;
pub(crate) mod last_backup;
pub(crate) mod requests;
pub(crate) mod restore;
pub(crate) mod sharing;
pub(crate) mod update;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::effect::{Effect, Read};

/// Time beyond a Job's own deadline in which it comes to an end.
pub(crate) const GRACE_OF_JOBS: SignedDuration = SignedDuration::from_mins(15);

/// What a machine does in one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// What it must see first.
    pub(crate) reads: Vec<Read>,
    /// What is done, in this order.
    pub(crate) effects: Vec<Effect>,
    /// What must be so before the next step; `None` if this is the last one.
    pub(crate) waits_for: Option<WaitingOn>,
}

impl Step {
    /// Returns the step that does this, after which nothing is left to do.
    fn last(effects: Vec<Effect>) -> Self {
        Self { effects, ..Self::default() }
    }

    /// Returns the step that reads this, for nothing can be done before it is seen.
    fn read(read: Read, waits_for: WaitingOn) -> Self {
        Self { reads: vec![read], waits_for: Some(waits_for), ..Self::default() }
    }

    /// Returns the step that does this, and goes on when it is seen to be done.
    fn act(effect: Effect, waits_for: WaitingOn) -> Self {
        Self { effects: vec![effect], waits_for: Some(waits_for), ..Self::default() }
    }
}

/// Whether a time has passed. A clock that was put back must not make the wait longer than it is.
fn is_over(since: Timestamp, now: Option<Timestamp>, within: SignedDuration) -> bool {
    let Some(now) = now else { return false };
    let passed = now.duration_since(since);
    passed >= within || passed < SignedDuration::ZERO - within
}

/// What is known of a Job that makes a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BackupProgress {
    /// It may be there.
    Unknown,
    Absent,
    /// It has not ended, or has not said where the backup lies. Why it does not go on, if that is known.
    Running(Option<String>),
    /// The backup is stored; where, if its pod was seen to say it.
    Stored(Option<String>),
    Failed(String),
}

/// What a machine waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitingOn {
    /// The claim of that name must be read.
    ClaimRead(String),
    /// The claim of that name must be seen without the instance among its owners.
    ClaimRelease(String),
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClaimRead(claim) => write!(f, "claim {claim} must be read before it goes"),
            Self::ClaimRelease(claim) => write!(f, "claim {claim} is released from it first"),
        }
    }
}
