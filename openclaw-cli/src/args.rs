//! The command line: which commands there are. What each takes stands beside what it does.

use clap::{Parser, Subcommand};

use crate::command::{
    check, completions, convert, crds, diff, docs, explain, images, man, play, render, schema,
};
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
    /// Show what a change of manifests changes, and what it does to the pods.
    Diff(diff::Arguments),
    /// Play a scene of an agent's life, as the operator would act in it.
    Play(play::Arguments),
    /// Tell what a field means, its default and its effect.
    Explain(explain::Arguments),
    /// Print the instances that agents in a few fields stand for.
    Convert(convert::Arguments),
    /// List the images that instances run, for mirrors.
    Images(images::Arguments),
    /// Print the CustomResourceDefinitions.
    Crds(crds::Arguments),
    /// Write the reference of the API, as pages.
    Docs(docs::Arguments),
    /// Print a JSON schema, for editors.
    Schema(schema::Arguments),
    /// Print completions for a shell.
    Completions(completions::Arguments),
    /// Print the manual page.
    Man(man::Arguments),
    /// What runs inside agent pods.
    #[command(subcommand)]
    Pod(pod::Command),
}
