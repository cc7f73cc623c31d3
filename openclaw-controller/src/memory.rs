//! [`Memory`]: what one pass leaves to the next one over the same instance.

use std::time::{Duration, Instant};

/// Longer than a pass takes whose calls are all slow, each call having a deadline of its own. One
/// that takes longer is broken off where it is, as a crash would, so that its worker is free.
pub(crate) const DEADLINE: Duration = Duration::from_mins(5);
/// How long a report waits for what the cluster answers to a change, a claim that is bound or a pod
/// that starts. Without the wait that answer would make it stale at once.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// What one pass leaves to the next one over the same instance.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// How many failed in a row.
    pub(crate) failures: u32,
    /// Since when there is something to report that may wait.
    pub(crate) unreported: Option<Instant>,
}

impl Memory {
    /// Returns how long a report may still wait, `None` if it has waited long enough.
    pub(crate) fn report_may_wait(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let since = *self.unreported.get_or_insert(now);
        REPORT_AFTER.checked_sub(now - since).filter(|rest| !rest.is_zero())
    }
}
