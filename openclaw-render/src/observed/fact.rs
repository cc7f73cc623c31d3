//! [`Fact`]: what is known of one thing.

use serde::{Deserialize, Serialize};

/// What is known of one thing. Unknown is not absent: a read that failed says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fact<T> {
    /// It was seen like this.
    Known(T),
    /// It was looked for and is not there.
    Absent,
    /// It was not looked for, or could not be seen.
    #[default]
    Unknown,
}

impl<T> Fact<T> {
    /// Returns the thing, if it was seen.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(thing) => Some(thing),
            Self::Absent | Self::Unknown => None,
        }
    }
}
