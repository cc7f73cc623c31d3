//! Hashes of what is rendered: SHA-256, the first sixteen hexadecimal digits.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Hashes a sequence of fields so that no two different sequences have the same bytes.
#[derive(Clone, Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    /// Adds one field of several parts.
    pub(crate) fn field(&mut self, parts: &[&str]) {
        self.0.update((parts.len() as u64).to_be_bytes());
        for part in parts {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part.as_bytes());
        }
    }

    /// The hash.
    pub(crate) fn finish(self) -> String {
        hexadecimal(&self.0.finalize(), 8)
    }
}

/// The first `count` bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).fold(String::with_capacity(2 * count), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Hash of several hashes, in their order.
pub(crate) fn of_all(parts: &[&str]) -> String {
    let mut hasher = Hasher::default();
    hasher.field(parts);
    hasher.finish()
}

/// Hash of one text.
pub(crate) fn of(text: &str) -> String {
    content_hash(text.as_bytes())
}

/// The name of a content: the first 16 hexadecimal digits of its SHA-256.
#[must_use]
pub fn content_hash(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes), 8)
}
