//! Chance that can be repeated.

use std::time::{SystemTime, UNIX_EPOCH};

/// xorshift64*, from Vigna, "An experimental exploration of Marsaglia's xorshift generators".
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high bits are the better ones.
        (self.next() >> 32) % bound
    }
}

/// What `OPENCLAW_SEED` says, or something new.
pub fn seed() -> u64 {
    let asked = std::env::var("OPENCLAW_SEED").ok();
    asked.map_or_else(
        || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
            u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20)
        },
        |seed| seed.parse().expect("OPENCLAW_SEED is a number"),
    )
}
