//! Chance, to spread what would otherwise happen at once.

/// Of 0..1. Without randomness everything still works, in step.
pub(crate) fn fraction() -> f64 {
    f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX)
}
