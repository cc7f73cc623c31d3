//! The subcommands for people and CI, one file each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod crds;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod images;
pub(crate) mod man;
pub(crate) mod render;
pub(crate) mod rendered;
pub(crate) mod schema;
