//! The subcommands for people and CI, one file each.

pub(crate) mod check;
pub(crate) mod crds;
pub(crate) mod render;
pub(crate) mod rendered;
