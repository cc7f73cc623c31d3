//! How long to wait after failures in a row.

use std::time::Duration;

/// Returns the pause before the next attempt: the first one, doubled with each further failure.
pub(crate) fn doubled(first: Duration, longest: Duration, failures: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(longest)
}
