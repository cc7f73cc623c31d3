//! [`Pace`]: how soon after a pass the next one over the same instance may begin.

use std::time::{Duration, Instant};

/// Passes in a row without a pause between them: more than an instance needs that is made or
/// changed.
const FREE: u32 = 10;
/// The first pause after that; each further pass doubles it …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to this …
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// … and up to this where the spec has changed, which somebody waits for.
const LONGEST_AFTER_CHANGE: Duration = Duration::from_secs(1);
/// Each time so long without a pass makes good for one.
const REST: Duration = Duration::from_secs(5);

/// An instance that is woken all the time comes to one pass in about six seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// Passes that no rest has made good for.
    strain: u32,
    ended: Option<Instant>,
}

impl Pace {
    pub(super) fn begin(&mut self, now: Instant) {
        let rested =
            self.ended.map(|ended| now.saturating_duration_since(ended)).unwrap_or_default();
        let rests = u32::try_from(rested.as_secs() / REST.as_secs()).unwrap_or(u32::MAX);
        self.strain = self.strain.saturating_sub(rests).saturating_add(1);
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.ended = Some(now);
    }

    /// When the next pass may begin; `None` if at any time.
    pub(super) fn not_before(&self, changed: bool) -> Option<Instant> {
        let doublings = self.strain.checked_sub(FREE + 1)?;
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
        let longest = if changed { LONGEST_AFTER_CHANGE } else { LONGEST_PAUSE };
        Some(self.ended? + pause.min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_with_passes_in_a_row_and_goes_with_rest() {
        let mut pace = Pace::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            pace.begin(now);
            pace.end(now);
            let pause = pace.not_before(false).map_or(Duration::ZERO, |at| at - now);
            pauses.push(pause);
            now += pause;
        }
        assert!(pauses[..10].iter().all(Duration::is_zero), "{pauses:?}");
        assert_eq!(pauses[10], FIRST_PAUSE);
        assert!(pauses.is_sorted());
        assert_eq!(pauses[39], Duration::from_millis(6400));
        assert_eq!(pace.not_before(true), pace.ended.map(|ended| ended + LONGEST_AFTER_CHANGE));
        pace.begin(now + 20 * REST);
        assert_eq!(pace.not_before(false), None);
    }
}
