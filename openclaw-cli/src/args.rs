//! The command line: which commands there are. What each takes stands beside what it does.

use clap::{Parser, Subcommand};

use crate::command::{check, crds, render};
use crate::pod;

/// Previews, checks and explains what the agent operator would apply.
#[derive(Debug, Parser)]
#[command(name = "openclaw-cli", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print every object that the operator would make.
    Render(render::Arguments),
    /// Find out whether instances can be rendered and would start.
    Check(check::Arguments),
    /// Print the CustomResourceDefinitions.
    Crds(crds::Arguments),
    /// What runs inside agent pods.
    #[command(subcommand)]
    Pod(pod::Command),
}
