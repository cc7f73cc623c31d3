//! `completions`: what a shell offers after a tab.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  openclaw-cli completions bash > \
                        /etc/bash_completion.d/openclaw-cli")]
pub(crate) struct Arguments {
    /// For which shell.
    pub(crate) shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut text = Vec::new();
    let mut command = crate::args::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "openclaw-cli", &mut text);
    io::Write::write_all(&mut io::stdout().lock(), &text)?;
    Ok(ExitCode::SUCCESS)
}
