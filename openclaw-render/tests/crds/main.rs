//! The `CustomResourceDefinitions` against those of the Go operator, version 0.40.0, whose schemas,
//! less the descriptions, are in `tests/data/crds`: what is accepted there is accepted here.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

mod compatible;
mod descriptions;
mod fields;
mod on_purpose;
mod schema;
