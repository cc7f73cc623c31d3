//! [`Judge`]: lets the application's own validator decide over a content, once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::validator::{Validator, Verdict};

/// How many contents are remembered: those that a few edits go back and forth between.
pub(super) const MEMORY: usize = 8;
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

struct Known {
    bytes: Vec<u8>,
    verdict: Verdict,
    /// When to judge again, if that verdict is not final; and how long to pause after that.
    again: Instant,
    pause: Duration,
}

pub(super) struct Judge {
    validator: Arc<Validator>,
    first_pause: Duration,
    stop: Arc<AtomicBool>,
    known: VecDeque<Known>,
}

impl Judge {
    pub(super) fn new(
        validator: Arc<Validator>,
        first_pause: Duration,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self { validator, first_pause, stop, known: VecDeque::new() }
    }

    /// Takes over a verdict from elsewhere.
    pub(super) fn remember(&mut self, bytes: Vec<u8>, verdict: Verdict) {
        let pause = self.first_pause;
        self.known.push_back(Known { bytes, verdict, again: Instant::now() + pause, pause });
        if self.known.len() > MEMORY {
            self.known.pop_front();
        }
    }

    /// What was said of a content, if anything was.
    pub(super) fn known(&self, bytes: &[u8]) -> Option<Verdict> {
        self.known.iter().find(|known| known.bytes == bytes).map(|known| known.verdict.clone())
    }

    /// Whether a content is valid. Runs the validator only for a content that is new, or whose
    /// earlier verdict was not final and long enough ago.
    pub(super) fn verdict(&mut self, bytes: &[u8]) -> Verdict {
        let known = self.known.iter().position(|known| known.bytes == bytes);
        let Some(mut known) = known.and_then(|position| self.known.remove(position)) else {
            let verdict = self.validator.judge(bytes, &self.stop);
            self.remember(bytes.to_owned(), verdict.clone());
            return verdict;
        };
        if !known.verdict.is_final() && Instant::now() >= known.again {
            known.verdict = self.validator.judge(bytes, &self.stop);
            known.pause = (known.pause * 2).min(LONGEST_PAUSE);
            known.again = Instant::now() + known.pause;
        }
        let verdict = known.verdict.clone();
        // Used last, forgotten last.
        self.known.push_back(known);
        verdict
    }
}
