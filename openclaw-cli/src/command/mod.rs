//! The subcommands for people and CI, one file each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod crds;
pub(crate) mod diff;
pub(crate) mod docs;
pub(crate) mod explain;
mod fields;
pub(crate) mod images;
pub(crate) mod man;
pub(crate) mod play;
mod podman;
pub(crate) mod render;
pub(crate) mod rendered;
pub(crate) mod schema;
