//! [`Election`]: when a candidate may take the Lease, and until when it may act, as plain data.
//!
//! The rules are those of client-go's leader election, whose holders this one must understand and
//! be understood by: whoever wants the Lease waits until it has looked the same for its whole
//! duration, measured by one's own clock, and every write is guarded by the resource version.
//!
//! # Assumptions
//! Clocks run at nearly the same speed; what they show does not matter. Requests may take any time
//! and their answers may be lost.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// How long things take in an election.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// How long a Lease holds that is not renewed.
    pub(super) duration: Duration,
    /// A holder that could not renew for so long stops acting, well before others may begin.
    pub(super) renew_deadline: Duration,
    /// Between two attempts to take or renew it.
    pub(super) retry: Duration,
}

/// What a candidate knows.
#[derive(Clone, Debug)]
pub(super) struct Election {
    pub(super) timing: Timing,
    identity: String,
    /// What was last seen of the Lease, and since when it has looked so.
    seen: Option<(LeaseSpec, Instant)>,
    /// When it was last asked for with success: others count from then at the earliest.
    renewed: Option<Instant>,
}

impl Election {
    pub(super) fn new(identity: String, timing: Timing) -> Self {
        Self { timing, identity, seen: None, renewed: None }
    }

    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Returns what to write in place of the Lease as it is now, or `None` if that is another's.
    pub(super) fn bid(
        &mut self,
        lease: Option<&LeaseSpec>,
        now: Instant,
        wall_clock: &MicroTime,
    ) -> Option<LeaseSpec> {
        let Some(lease) = lease else { return Some(self.taken(&LeaseSpec::default(), wall_clock)) };
        self.may_take(lease, now).then(|| self.taken(lease, wall_clock))
    }

    /// The Lease stands as it was asked for at that time.
    pub(super) fn won(&mut self, stored: LeaseSpec, asked: Instant, now: Instant) {
        self.seen = Some((stored, now));
        self.renewed = Some(asked);
    }

    /// How long the holder may still act without another renewal; zero when it must not.
    pub(super) fn left(&self, now: Instant) -> Duration {
        let since = self.renewed.map(|renewed| now.saturating_duration_since(renewed));
        since.map_or(Duration::ZERO, |since| self.timing.renew_deadline.saturating_sub(since))
    }

    fn may_take(&mut self, lease: &LeaseSpec, now: Instant) -> bool {
        let since = match &self.seen {
            Some((seen, since)) if seen == lease => *since,
            Some(_) | None => {
                self.seen = Some((lease.clone(), now));
                now
            }
        };
        let holder = lease.holder_identity.as_deref().unwrap_or_default();
        let seconds = lease.lease_duration_seconds.and_then(|it| u64::try_from(it).ok());
        let duration = seconds.map_or(self.timing.duration, Duration::from_secs);
        let is_over = now.saturating_duration_since(since) >= duration;
        holder.is_empty() || holder == self.identity || is_over
    }

    /// The Lease as ours.
    fn taken(&self, before: &LeaseSpec, wall_clock: &MicroTime) -> LeaseSpec {
        let stays = before.holder_identity.as_deref() == Some(self.identity.as_str());
        let transitions = before.lease_transitions.unwrap_or_default();
        let fresh = before.holder_identity.is_none() && before.acquire_time.is_none();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.timing.duration.as_secs()).ok(),
            acquire_time: if stays {
                before.acquire_time.clone()
            } else {
                Some(wall_clock.clone())
            },
            renew_time: Some(wall_clock.clone()),
            lease_transitions: Some(transitions.saturating_add(i32::from(!stays && !fresh))),
            ..LeaseSpec::default()
        }
    }
}

#[cfg(test)]
#[path = "model.rs"]
mod model;
